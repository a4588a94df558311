//! One chunk: rows of one relation as one zstd frame, closed after the row that crosses 8 MiB.
//!
//! The packer feeds the encoder in slices of one size, so the same rows always give the same
//! bytes; the unpacker accepts one frame with a checksum and nothing else. Neither ever holds a
//! row: what they keep is bounded by the compressed chunk.

use std::io::{self, Write};

use zstd::stream::raw::{CParameter, DParameter, Decoder, Encoder, InBuffer, Operation, OutBuffer};

/// A chunk is closed after the row that brings it to this many raw bytes.
pub const CHUNK_BYTES: u64 = 8 << 20;

/// What the encoder is fed with at a time.
const SLICE: usize = 128 << 10;
/// Growth step of the compressed chunk; a plain vector would double, and double the memory.
const BLOCK: usize = 1 << 20;
/// The fastest level; the budget is set by hashing and compressing on one core.
const LEVEL: i32 = 1;
/// No frame may ask for a window above 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// Collects rows and compresses them.
pub(super) struct Packer {
    encoder: Encoder<'static>,
    slice: Vec<u8>,
    scratch: Vec<u8>,
    blocks: Vec<Vec<u8>>,
    raw_bytes: u64,
    rows: u64,
}

/// A closed chunk, to be written at once.
pub(super) struct Packed<'p> {
    pub(super) blocks: &'p [Vec<u8>],
    pub(super) bytes: u64,
    pub(super) raw_bytes: u64,
    pub(super) rows: u64,
}

impl Packer {
    pub(super) fn new() -> io::Result<Self> {
        let mut encoder = Encoder::new(LEVEL)?;
        encoder.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self {
            encoder,
            slice: Vec::with_capacity(SLICE),
            scratch: vec![0; SLICE],
            blocks: Vec::new(),
            raw_bytes: 0,
            rows: 0,
        })
    }

    /// Adds a part of a row; answers whether the chunk must be closed now.
    pub(super) fn push(&mut self, mut piece: &[u8], ends_row: bool) -> io::Result<bool> {
        self.raw_bytes += piece.len() as u64;
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(SLICE - self.slice.len()));
            self.slice.extend_from_slice(now);
            piece = later;
            if self.slice.len() == SLICE {
                self.compress()?;
            }
        }
        self.rows += u64::from(ends_row);
        Ok(ends_row && self.raw_bytes >= CHUNK_BYTES)
    }

    /// Whether no row is waiting.
    pub(super) const fn is_empty(&self) -> bool {
        self.raw_bytes == 0
    }

    /// Ends the frame and hands out what it holds; then [`Packer::reset`].
    pub(super) fn close(&mut self) -> io::Result<Packed<'_>> {
        self.compress()?;
        loop {
            let mut output = OutBuffer::around(&mut self.scratch[..]);
            let left = self.encoder.finish(&mut output, true)?;
            append(&mut self.blocks, output.as_slice());
            if left == 0 {
                break;
            }
        }
        Ok(Packed {
            blocks: &self.blocks,
            bytes: self.blocks.iter().map(|block| block.len() as u64).sum(),
            raw_bytes: self.raw_bytes,
            rows: self.rows,
        })
    }

    /// Makes ready for the next chunk.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        // What one huge row needed is given back; the usual chunk's blocks are reused.
        self.blocks.truncate(8);
        self.blocks.iter_mut().for_each(Vec::clear);
        self.raw_bytes = 0;
        self.rows = 0;
        self.encoder.reinit()
    }

    fn compress(&mut self) -> io::Result<()> {
        let mut input = InBuffer::around(&self.slice);
        while input.pos() < self.slice.len() {
            let mut output = OutBuffer::around(&mut self.scratch[..]);
            self.encoder.run(&mut input, &mut output)?;
            append(&mut self.blocks, output.as_slice());
        }
        self.slice.clear();
        Ok(())
    }
}

/// Appends to blocks of a fixed capacity.
fn append(blocks: &mut Vec<Vec<u8>>, mut bytes: &[u8]) {
    let mut index = blocks.iter().position(|block| block.len() < BLOCK).unwrap_or(blocks.len());
    while !bytes.is_empty() {
        if index == blocks.len() {
            blocks.push(Vec::with_capacity(BLOCK));
        }
        let room = BLOCK - blocks[index].len();
        let (now, later) = bytes.split_at(bytes.len().min(room));
        blocks[index].extend_from_slice(now);
        bytes = later;
        index += 1;
    }
}

impl Packed<'_> {
    /// Writes the compressed bytes.
    pub(super) fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.blocks.iter().try_for_each(|block| out.write_all(block))
    }
}

/// Takes the bytes of one member and gives back the rows.
pub(super) struct Unpacker {
    decoder: Decoder<'static>,
    scratch: Vec<u8>,
    /// The first bytes of the frame, until its descriptor is known.
    opening: Vec<u8>,
    done: bool,
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
        Ok(Self { decoder, scratch: vec![0; SLICE], opening: Vec::new(), done: false })
    }

    /// Begins a member.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.opening.clear();
        self.done = false;
        self.decoder.reinit()
    }

    /// Takes a part of the member; gives decompressed bytes to `sink`, which may stop the work.
    pub(super) fn feed<E: From<io::Error>>(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_opening(bytes)?;
        let mut input = InBuffer::around(bytes);
        loop {
            if self.done {
                let all_taken = input.pos() == bytes.len();
                return if all_taken { Ok(()) } else { Err(odd("bytes follow the frame").into()) };
            }
            let mut output = OutBuffer::around(&mut self.scratch[..]);
            let left = self.decoder.run(&mut input, &mut output)?;
            let produced = output.as_slice();
            if !produced.is_empty() {
                sink(produced)?;
            }
            self.done = left == 0;
            // A full output may hide more; an output with room means that the input is used up.
            if !self.done && input.pos() == bytes.len() && produced.len() < SLICE {
                return Ok(());
            }
        }
    }

    /// Whether the frame has ended.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// A normal frame with a checksum and without a dictionary; no skippable frame.
    fn check_opening(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.opening.len() >= 5 {
            return Ok(());
        }
        self.opening.extend(bytes.iter().take(5 - self.opening.len()));
        let expected = [0x28, 0xb5, 0x2f, 0xfd];
        let same = self.opening.iter().zip(expected).all(|(&byte, expected)| byte == expected);
        let descriptor_fits = self.opening.get(4).is_none_or(|byte| byte & 0b1111 == 0b0100);
        if same && descriptor_fits { Ok(()) } else { Err(odd("no zstd frame with a checksum")) }
    }
}

/// An error that says what an archive must not be like.
pub(super) fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(pieces: &[&[u8]]) -> Vec<u8> {
        let mut packer = Packer::new().unwrap();
        for piece in pieces {
            packer.push(piece, true).unwrap();
        }
        let mut out = Vec::new();
        packer.close().unwrap().write_to(&mut out).unwrap();
        out
    }

    fn unpack(bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let mut unpacker = Unpacker::new()?;
        let mut rows = Vec::new();
        for part in bytes.chunks(step) {
            unpacker.feed(part, |raw| {
                rows.extend_from_slice(raw);
                io::Result::Ok(())
            })?;
        }
        if unpacker.is_done() { Ok(rows) } else { Err(odd("not done")) }
    }

    #[test]
    fn the_frame_does_not_depend_on_how_the_rows_came() {
        let rows: Vec<u8> =
            (0..400_000_u32).flat_map(|n| (n * 7919).to_string().into_bytes()).collect();
        let whole = pack(&[&rows]);
        let parts: Vec<&[u8]> = rows.chunks(777).collect();
        assert!(whole == pack(&parts), "the same rows gave other bytes");
        for step in [1, 100, 1 << 20] {
            assert!(unpack(&whole, step).unwrap() == rows, "step {step}");
        }
    }

    #[test]
    fn a_frame_alone_is_accepted() {
        let good = pack(&[b"1\ta\n"]);
        assert_eq!(unpack(&good, 3).unwrap(), b"1\ta\n");
        let two = [good.clone(), good.clone()].concat();
        assert!(unpack(&two, 64).is_err(), "two frames");
        let skippable = [b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec(), good.clone()].concat();
        assert!(unpack(&skippable, 64).is_err(), "a skippable frame");
        assert!(unpack(&zstd::bulk::compress(b"1\ta\n", 1).unwrap(), 64).is_err(), "no checksum");
        assert!(unpack(&good[..good.len() - 1], 64).is_err(), "cut");
    }
}
