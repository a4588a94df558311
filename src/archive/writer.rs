//! Writes an archive in one pass: manifest, chunks, digest, signature.
//!
//! It streams to anything that can be written, standard output too; only the compressed chunk is
//! held back, because a tar header needs its size. What it writes for the same rows is the same.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::chunk::{Packed, Packer};
use super::digest::{LineHasher, Sha};
use super::lines::RowSplitter;
use super::manifest::{
    DigestDocument, FileDigest, Manifest, MemberDigest, RelationDigest, VERSION,
};
use super::signature::SignatureMember;
use super::tape::{self, Member};
use crate::failure::{Explain, Kind};
use crate::secret::signing_key::SigningKey;

/// Why an archive could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The file or pipe refused.
    #[error("the archive could not be written")]
    Io(#[from] io::Error),
    /// The manifest or digest could not be put into JSON.
    #[error("the archive's description could not be encoded")]
    Encoding(#[from] serde_json::Error),
    /// The manifest names relations out of order, twice or too many.
    #[error("the manifest names its relations out of order, twice, or more than 9,999 of them")]
    Manifest,
    /// The caller left the order of the manifest.
    #[error("relation {0} was not expected now")]
    Order(u16),
    /// A relation ended inside a row.
    #[error("the rows of relation {0} ended in the middle of a row")]
    Torn(u16),
    /// More than the names of members can count.
    #[error("relation {0} has more chunks than an archive can hold")]
    TooLarge(u16),
    /// The export was given up.
    #[error("the archive was given up before it was complete")]
    Abandoned,
}

impl Explain for WriteError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io(_) | Self::TooLarge(_) => Kind::Refused,
            Self::Abandoned => Kind::Interrupted,
            Self::Torn(_) => Kind::Server,
            Self::Encoding(_) | Self::Manifest | Self::Order(_) => Kind::Internal,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                vec!["free space there, or write elsewhere with -o PATH".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// What a finished archive amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows of all relations.
    pub rows: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// SHA-256 of the whole file, what `sha256sum` prints.
    pub sha256: Sha,
    /// One for each relation of the manifest.
    pub relations: Vec<RelationDigest>,
}

/// The writer; see the module.
pub struct ArchiveWriter<W: Write> {
    tape: TapeWriter<W>,
    packer: Packer,
    relation_count: u16,
    open: Option<OpenRelation>,
    members: Vec<MemberDigest>,
    relations: Vec<RelationDigest>,
}

/// The relation whose rows are coming.
struct OpenRelation {
    ordinal: u16,
    chunk_count: u32,
    rows: RowSplitter,
    lines: LineHasher,
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes the manifest.
    ///
    /// # Errors
    /// [`WriteError`] where the manifest is not in order or the output refuses.
    pub fn begin(out: W, manifest: &Manifest) -> Result<Self, WriteError> {
        let relation_count = u16::try_from(manifest.relations.len()).unwrap_or(u16::MAX);
        if relation_count > tape::MAX_ORDINAL || !manifest.is_ordered() {
            return Err(WriteError::Manifest);
        }
        let mtime = u64::try_from(manifest.taken_at.timestamp()).unwrap_or(0);
        let mut tape = TapeWriter { out, mtime, bytes: 0, hash: Sha256::new() };
        let encoded = encode(manifest)?;
        tape.member(Member::Manifest, &encoded)?;
        let members = vec![MemberDigest {
            name: tape::MANIFEST.to_owned(),
            bytes: encoded.len() as u64,
            sha256: Sha::of(&encoded),
            rows: 0,
            raw_bytes: encoded.len() as u64,
        }];
        let packer = Packer::new()?;
        Ok(Self { tape, packer, relation_count, open: None, members, relations: Vec::new() })
    }

    /// Begins the next relation of the manifest; each must come, also without rows.
    ///
    /// # Errors
    /// [`WriteError::Order`] for any but the next one; whatever closing the one before can meet.
    pub fn relation(&mut self, ordinal: u16) -> Result<(), WriteError> {
        self.close_relation()?;
        if usize::from(ordinal) != self.relations.len() + 1 || ordinal > self.relation_count {
            return Err(WriteError::Order(ordinal));
        }
        let (rows, lines) = (RowSplitter::default(), LineHasher::default());
        self.open = Some(OpenRelation { ordinal, chunk_count: 0, rows, lines });
        Ok(())
    }

    /// Takes COPY text of the open relation, cut anywhere.
    ///
    /// # Errors
    /// [`WriteError`] where no relation is open or the output refuses.
    pub fn copy(&mut self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let open = self.open.as_mut().ok_or(WriteError::Order(0))?;
            let (piece, rest) = open.rows.split(bytes);
            open.lines.update(piece.bytes, piece.ends);
            if self.packer.push(piece.bytes, piece.ends)? {
                self.close_chunk()?;
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Writes digest and signature, and gives the output back.
    ///
    /// # Errors
    /// [`WriteError`] where relations are missing or the output refuses.
    pub fn finish(mut self, key: &SigningKey) -> Result<(W, Written), WriteError> {
        self.close_relation()?;
        if self.relations.len() != usize::from(self.relation_count) {
            return Err(WriteError::Order(self.relation_count));
        }
        let document = DigestDocument {
            version: VERSION,
            members: self.members,
            relations: self.relations,
            file: FileDigest {
                bytes: self.tape.bytes,
                sha256: Sha::from_hasher(self.tape.hash.clone()),
            },
        };
        let encoded = encode(&document)?;
        self.tape.member(Member::Digest, &encoded)?;
        let signature = SignatureMember::sign(&encoded, key).encode();
        self.tape.member(Member::Signature, signature.as_bytes())?;
        self.tape.write_all(&tape::END)?;
        self.tape.flush()?;
        let written = Written {
            rows: document.relations.iter().map(|relation| relation.rows).sum(),
            bytes: self.tape.bytes,
            sha256: Sha::from_hasher(self.tape.hash),
            relations: document.relations,
        };
        Ok((self.tape.out, written))
    }

    fn close_relation(&mut self) -> Result<(), WriteError> {
        if !self.packer.is_empty() {
            self.close_chunk()?;
        }
        let Some(open) = self.open.take() else { return Ok(()) };
        if !open.lines.is_closed() {
            return Err(WriteError::Torn(open.ordinal));
        }
        let totals = open.lines.totals();
        self.relations.push(RelationDigest {
            ordinal: open.ordinal,
            rows: totals.rows,
            bytes: totals.bytes,
            line_sum: totals.sum,
        });
        Ok(())
    }

    fn close_chunk(&mut self) -> Result<(), WriteError> {
        let open = self.open.as_mut().ok_or(WriteError::Order(0))?;
        if open.chunk_count == tape::MAX_NUMBER {
            return Err(WriteError::TooLarge(open.ordinal));
        }
        open.chunk_count += 1;
        let member = Member::Chunk { ordinal: open.ordinal, number: open.chunk_count };
        let packed = self.packer.close()?;
        self.members.push(self.tape.chunk(member, &packed)?);
        self.packer.reset()?;
        Ok(())
    }
}

/// JSON that people can read in a pager, with a line end.
fn encode(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut encoded = serde_json::to_vec_pretty(value)?;
    encoded.push(b'\n');
    Ok(encoded)
}

/// The output, with the count and the digest of all that went through it.
struct TapeWriter<W> {
    out: W,
    mtime: u64,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> TapeWriter<W> {
    /// A whole member from memory.
    fn member(&mut self, member: Member, content: &[u8]) -> io::Result<()> {
        let size = content.len() as u64;
        self.write_all(&tape::header(&member.name(), size, self.mtime))?;
        self.write_all(content)?;
        self.write_all(&[0; tape::BLOCK][..tape::padding(size)])
    }

    /// A closed chunk.
    fn chunk(&mut self, member: Member, packed: &Packed<'_>) -> Result<MemberDigest, WriteError> {
        if let (Member::Chunk { ordinal, .. }, true) = (member, packed.bytes > tape::MAX_SIZE) {
            return Err(WriteError::TooLarge(ordinal));
        }
        let name = member.name();
        self.write_all(&tape::header(&name, packed.bytes, self.mtime))?;
        let mut hash = Sha256::new();
        packed.blocks.iter().for_each(|block| hash.update(block));
        packed.write_to(self)?;
        self.write_all(&[0; tape::BLOCK][..tape::padding(packed.bytes)])?;
        let (bytes, rows, raw_bytes) = (packed.bytes, packed.rows, packed.raw_bytes);
        Ok(MemberDigest { name, bytes, sha256: Sha::from_hasher(hash), rows, raw_bytes })
    }
}

impl<W: Write> Write for TapeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
