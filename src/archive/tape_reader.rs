//! Reading an archive byte by byte, with the count and the digest of all that was read.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::fault::Fault;

/// The file, with the count and the digest of all that was read.
pub(super) struct TapeReader<R> {
    pub(super) source: R,
    pub(super) at: u64,
    pub(super) hash: Sha256,
}

impl<R: Read> TapeReader<R> {
    pub(super) fn clone_state(&self) -> (u64, Sha256) {
        (self.at, self.hash.clone())
    }

    /// Fills a buffer or says where the file ends.
    pub(super) fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), Fault> {
        while !buffer.is_empty() {
            let count = self.read(buffer)?;
            if count == 0 {
                return Err(Fault::Truncated { at: self.at });
            }
            self.at += count as u64;
            self.hash.update(&buffer[..count]);
            buffer = &mut buffer[count..];
        }
        Ok(())
    }

    /// Hands out the next `size` bytes in parts.
    pub(super) fn take(
        &mut self,
        size: u64,
        block: &mut [u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), Fault> {
        let mut left = size;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            self.fill(&mut block[..count])?;
            sink(&block[..count]);
            left -= count as u64;
        }
        Ok(())
    }

    pub(super) fn is_at_end(&mut self) -> Result<bool, Fault> {
        Ok(self.read(&mut [0])? == 0)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| Fault::Unreadable(error.to_string())),
            }
        }
    }
}
