//! What an archive says of itself, without reading its rows: the manifest at its beginning, and
//! the digest at its end, which is reached from header to header. Nothing of it is verified.

use std::io::{Read, Seek, SeekFrom};

use super::examine::peek;
use super::fault::Fault;
use super::limits::Limits;
use super::manifest::{DigestDocument, Manifest};
use super::tape::{self, BLOCK, Member};

/// What an archive says of itself.
#[derive(Debug, Clone)]
pub struct Glance {
    /// The manifest.
    pub manifest: Manifest,
    /// The digest, or why it cannot be reached.
    pub digest: Result<DigestDocument, Fault>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Reads the two documents; takes a few milliseconds for a large file.
///
/// # Errors
/// Where there is no manifest to speak of.
pub fn glance(mut source: impl Read + Seek, limits: &Limits) -> Result<Glance, Fault> {
    let manifest = peek(&mut source, limits)?;
    let bytes = source.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
    let digest = digest(&mut source, limits);
    Ok(Glance { manifest, digest, bytes })
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::Unreadable(error.to_string())
}

/// From header to header to the digest.
fn digest(source: &mut (impl Read + Seek), limits: &Limits) -> Result<DigestDocument, Fault> {
    let mut at = source.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
    for _ in 0..limits.members {
        let mut block = [0; BLOCK];
        source.read_exact(&mut block).map_err(|_| Fault::Truncated { at })?;
        if block == [0; BLOCK] {
            return Err(Fault::Incomplete { missing: tape::DIGEST.to_owned() });
        }
        let header = tape::parse(&block).map_err(|_| Fault::HeaderDamaged { at })?;
        if header.member == Member::Digest {
            return read(source, header.size, limits);
        }
        at += BLOCK as u64 + header.size + tape::padding(header.size) as u64;
        source.seek(SeekFrom::Start(at)).map_err(|error| unreadable(&error))?;
    }
    let limit = limits.members as u64;
    Err(Fault::TooLarge { what: "the number of members".to_owned(), limit })
}

fn read(source: &mut impl Read, size: u64, limits: &Limits) -> Result<DigestDocument, Fault> {
    let limit = limits.digest_bytes;
    if size > limit {
        return Err(Fault::TooLarge { what: tape::DIGEST.to_owned(), limit });
    }
    let mut content = Vec::new();
    source.take(size).read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&content)
        .map_err(|error| Fault::Malformed { member: tape::DIGEST, why: error.to_string() })
}
