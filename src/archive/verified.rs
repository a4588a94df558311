//! The second pass: rows of an archive that was found sound.
//!
//! The file is opened once and both passes read the same descriptor; should it be changed in
//! between, the second pass finds other rows than the first and says so before anything commits.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::chunk::Unpacker;
use super::digest::{LineHasher, Sha};
use super::examine::{Examination, Place, examine};
use super::fault::{Fault, Refused};
use super::limits::Limits;
use super::lines::RowSplitter;
use super::manifest::{DigestDocument, Manifest, RelationDigest};
use super::outfile::private_directory;
use super::signature::Trust;
use crate::failure::Failure;
use crate::progress::Progress;

/// An archive whose first pass found no fault. There is no other way to its rows.
#[derive(Debug)]
pub struct VerifiedArchive {
    file: File,
    manifest: Manifest,
    digest: DigestDocument,
    sha256: Sha,
    places: Vec<Place>,
}

/// Opens an archive; a pipe or standard input must be given to [`spool`] first.
///
/// # Errors
/// [`Refused`] (as a [`Failure`]) with all faults; a cancelled `progress`.
pub fn open(
    file: File,
    trust: &Trust,
    limits: &Limits,
    progress: &Progress,
) -> Result<VerifiedArchive, Failure> {
    let unreadable =
        |error: io::Error| Refused { faults: vec![Fault::Unreadable(error.to_string())] };
    if !file.metadata().map_err(unreadable)?.is_file() {
        let why = "it is no regular file".to_owned();
        return Err(Refused { faults: vec![Fault::Unreadable(why)] }.into());
    }
    let from_start = PositionedReader { file: &file, at: 0 };
    let found = examine(BufReader::new(from_start), trust, limits, progress)?;
    match found {
        Examination {
            manifest: Some(manifest),
            digest: Some(digest),
            sha256: Some(sha256),
            faults,
            places,
            ..
        } if faults.is_empty() => Ok(VerifiedArchive { file, manifest, digest, sha256, places }),
        Examination { faults, .. } => Err(Refused { faults }.into()),
    }
}

/// Copies what cannot be read twice into a nameless file of `directory`.
///
/// # Errors
/// Whatever reading or writing meets.
pub fn spool(mut source: impl Read, directory: &Path) -> io::Result<File> {
    private_directory(directory)?;
    let mut file = tempfile::tempfile_in(directory)?;
    io::copy(&mut source, &mut file)?;
    file.flush()?;
    Ok(file)
}

impl VerifiedArchive {
    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What each relation must amount to.
    #[must_use]
    pub fn relations(&self) -> &[RelationDigest] {
        &self.digest.relations
    }

    /// SHA-256 of the whole file.
    #[must_use]
    pub const fn sha256(&self) -> Sha {
        self.sha256
    }

    /// Gives all COPY text of one relation to `sink`, in parts of up to 128 KiB, then compares.
    ///
    /// # Errors
    /// What `sink` answers; [`io::ErrorKind::InvalidData`] where the file changed meanwhile.
    pub fn rows<E: From<io::Error>>(
        &self,
        ordinal: u16,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut unpacker = Unpacker::new()?;
        let mut rows = RowSplitter::default();
        let mut lines = LineHasher::default();
        let mut block = vec![0; 256 << 10];
        for place in self.places.iter().filter(|place| place.ordinal == ordinal) {
            unpacker.begin()?;
            let mut reader = PositionedReader { file: &self.file, at: place.at }.take(place.size);
            loop {
                let count = reader.read(&mut block)?;
                if count == 0 {
                    break;
                }
                unpacker.feed(&block[..count], |raw| {
                    let mut rest = raw;
                    while !rest.is_empty() {
                        let (piece, after) = rows.split(rest);
                        lines.update(piece.bytes, piece.ends);
                        rest = after;
                    }
                    sink(raw)
                })?;
            }
        }
        let totals = lines.totals();
        let same = self.digest.relations.iter().any(|relation| {
            relation.ordinal == ordinal
                && (relation.rows, relation.bytes, relation.line_sum)
                    == (totals.rows, totals.bytes, totals.sum)
        });
        if same { Ok(()) } else { Err(changed().into()) }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the archive changed while it was read")
}

/// Reads at a position of its own, so that nothing depends on the descriptor's offset.
struct PositionedReader<'f> {
    file: &'f File,
    at: u64,
}

impl Read for PositionedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
