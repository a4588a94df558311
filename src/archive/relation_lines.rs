//! The rows of one relation in the first pass: where they end, what they amount to, and whether
//! they stand in the one layout that an archive has.

use std::io;

use super::chunk::{CHUNK_BYTES, odd};
use super::digest::LineHasher;
use super::lines::RowSplitter;

/// The lines of the relation at hand.
pub(super) struct RelationLines {
    pub(super) ordinal: u16,
    pub(super) chunk_count: u32,
    pub(super) chunk_bytes: u64,
    pub(super) row_bytes: u64,
    pub(super) rows: RowSplitter,
    pub(super) lines: LineHasher,
}

impl RelationLines {
    /// A relation of which no chunk has come yet.
    pub(super) fn of(ordinal: u16) -> Self {
        Self {
            ordinal,
            chunk_count: 0,
            chunk_bytes: CHUNK_BYTES,
            row_bytes: 0,
            rows: RowSplitter::default(),
            lines: LineHasher::default(),
        }
    }

    /// Takes decompressed bytes of the present chunk.
    pub(super) fn take(
        &mut self,
        mut raw: &[u8],
        room: u64,
        row_limit: u64,
    ) -> Result<(), io::Error> {
        let too_large = |what| io::Error::new(io::ErrorKind::FileTooLarge, what);
        while !raw.is_empty() {
            if self.lines.is_closed() && self.chunk_bytes >= CHUNK_BYTES {
                return Err(odd("it goes on after 8 MiB"));
            }
            let (piece, rest) = self.rows.split(raw);
            self.lines.update(piece.bytes, piece.ends);
            self.chunk_bytes += piece.bytes.len() as u64;
            self.row_bytes += piece.bytes.len() as u64;
            if self.row_bytes > row_limit {
                return Err(too_large("one row"));
            }
            if self.chunk_bytes > room {
                return Err(too_large("decompressed"));
            }
            if piece.ends {
                self.row_bytes = 0;
            }
            raw = rest;
        }
        Ok(())
    }
}
