//! The tar frame of an archive: one fixed form of header, so that a reader can demand every byte.
//!
//! A header here is a function of name, size and time alone. The reader rebuilds it from what it
//! parsed and compares all 512 bytes: links, devices, sparse files, foreign owners, other modes
//! and anything hidden in unused fields cannot even be expressed.

/// The unit of tar.
pub(super) const BLOCK: usize = 512;
/// What follows the last member: two blocks of zeros.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// The largest size that eleven octal digits can hold.
pub(super) const MAX_SIZE: u64 = 0o777_7777_7777;

/// The first member.
pub(super) const MANIFEST: &str = "manifest.json";
/// The last member but one.
pub(super) const DIGEST: &str = "digest.json";
/// The last member.
pub(super) const SIGNATURE: &str = "signature";

/// A member, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// `manifest.json`.
    Manifest,
    /// `data/<ordinal>/<number>.copy.zst`.
    Chunk {
        /// Which relation.
        ordinal: u16,
        /// Which chunk of it, from 1.
        number: u32,
    },
    /// `digest.json`.
    Digest,
    /// `signature`.
    Signature,
}

/// The largest ordinal that four digits can hold.
pub(super) const MAX_ORDINAL: u16 = 9999;
/// The largest chunk number that six digits can hold.
pub(super) const MAX_NUMBER: u32 = 999_999;

impl Member {
    /// The member that a name stands for; `None` for every other name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            MANIFEST => Some(Self::Manifest),
            DIGEST => Some(Self::Digest),
            SIGNATURE => Some(Self::Signature),
            _ => Self::parse_chunk(name),
        }
    }

    fn parse_chunk(name: &str) -> Option<Self> {
        let inner = name.strip_prefix("data/")?.strip_suffix(".copy.zst")?;
        let (ordinal, number) = inner.split_once('/')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if ordinal.len() != 4 || number.len() != 6 || !digits(ordinal) || !digits(number) {
            return None;
        }
        let (ordinal, number) = (ordinal.parse().ok()?, number.parse().ok()?);
        (ordinal > 0 && number > 0).then_some(Self::Chunk { ordinal, number })
    }

    /// The name.
    pub(super) fn name(self) -> String {
        match self {
            Self::Manifest => MANIFEST.to_owned(),
            Self::Chunk { ordinal, number } => format!("data/{ordinal:04}/{number:06}.copy.zst"),
            Self::Digest => DIGEST.to_owned(),
            Self::Signature => SIGNATURE.to_owned(),
        }
    }
}

/// The one header for a member of this name, size and time (seconds since 1970).
pub(super) fn header(name: &str, size: u64, mtime: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    put(&mut block, 136, format!("{mtime:011o}\0").as_bytes());
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, b"0000000\0");
    put(&mut block, 337, b"0000000\0");
    let sum = checksum(&block);
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Writes a field; what does not fit is cut (names are short by construction).
fn put(block: &mut [u8; BLOCK], at: usize, field: &[u8]) {
    for (byte, value) in block[at..].iter_mut().zip(field) {
        *byte = *value;
    }
}

/// The sum of all bytes, the checksum field itself read as spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let all: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    let field: u32 = block[148..156].iter().map(|&byte| u32::from(byte)).sum();
    all - field + 8 * u32::from(b' ')
}

/// How many zeros follow a member of this size.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over == 0 { 0 } else { BLOCK - over }
}

/// What is wrong with a header block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// The checksum does not fit the bytes.
    Checksum,
    /// A name outside the grammar, as far as it can be shown.
    Name(String),
    /// Right in sum, but not the form that an archive has.
    Form(String),
}

/// A header that has the one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) member: Member,
    pub(super) size: u64,
    pub(super) mtime: u64,
}

/// Reads a header block that is not all zero.
pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Header, BadHeader> {
    if octal(&block[148..154]) != Some(u64::from(checksum(block))) {
        return Err(BadHeader::Checksum);
    }
    let length = block[..100].iter().position(|&byte| byte == 0).unwrap_or(100);
    let name = String::from_utf8_lossy(&block[..length]).into_owned();
    let member = Member::parse(&name).ok_or_else(|| BadHeader::Name(name.clone()))?;
    let size = octal(&block[124..135]).ok_or_else(|| BadHeader::Form(name.clone()))?;
    let mtime = octal(&block[136..147]).ok_or_else(|| BadHeader::Form(name.clone()))?;
    if header(&name, size, mtime) != *block {
        return Err(BadHeader::Form(name));
    }
    Ok(Header { member, size, mtime })
}

/// Octal digits only.
fn octal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, &digit| match digit {
        b'0'..=b'7' => Some(value * 8 + u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_and_any_flipped_bit_is_seen() {
        let block = header("data/0012/000345.copy.zst", 123_456, 1_800_000_000);
        let member = Member::Chunk { ordinal: 12, number: 345 };
        assert_eq!(parse(&block), Ok(Header { member, size: 123_456, mtime: 1_800_000_000 }));
        for bit in 0..BLOCK * 8 {
            let mut flipped = block;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn only_the_names_of_the_grammar_are_members() {
        for bad in [
            "",
            "/manifest.json",
            "../manifest.json",
            "manifest.json ",
            "data/1/000001.copy.zst",
            "data/0000/000001.copy.zst",
            "data/0001/000000.copy.zst",
            "data/0001/+00001.copy.zst",
            "data/0001/../0002/000001.copy.zst",
            "data/0001/000001.copy.zst/",
            "data/٠٠٠١/000001.copy.zst",
            "sign\u{202e}ature",
        ] {
            assert_eq!(Member::parse(bad), None, "{bad}");
        }
        let chunk = Member::Chunk { ordinal: MAX_ORDINAL, number: MAX_NUMBER };
        assert_eq!(Member::parse(&chunk.name()), Some(chunk));
    }

    #[test]
    fn links_devices_and_owners_have_no_place() {
        for (at, value) in
            [(156, b'2'), (156, b'5'), (156, b'S'), (100, b'4'), (157, b'x'), (265, b'r')]
        {
            let mut block = header(MANIFEST, 1, 1);
            block[at] = value;
            let sum = checksum(&block);
            put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(parse(&block), Err(BadHeader::Form(MANIFEST.to_owned())), "byte {at}");
        }
    }
}
