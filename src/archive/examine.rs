//! The first pass: every byte of an archive is looked at before one of them is used.
//!
//! Structure (headers, order, padding, end) is checked as it comes and stops the pass; content is
//! hashed, decompressed and cut into rows, and compared with `digest.json` at the end, whose
//! signature is the only thing that makes any of it worth believing.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::chunk::{CHUNK_BYTES, Unpacker, odd};
use super::digest::{LineTotals, Sha};
use super::fault::{Fault, Stop};
use super::judge::{compare, read_manifest};
use super::limits::Limits;
use super::lines::RowSplitter;
use super::manifest::{DigestDocument, Manifest, MemberDigest, RelationDigest};
use super::relation_lines::RelationLines;
use super::signature::{self, SignatureMember, Trust};
use super::tape::{self, BLOCK, BadHeader, Header, Member};
use super::tape_reader::TapeReader;
use crate::progress::Progress;

/// Below this, no ratio is suspicious: one row of a gigabyte of blanks is a real row.
const RATIO_FREE_BYTES: u64 = 2 << 30;

/// What the first pass found.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The manifest, where it could be read; worth believing only without faults.
    pub manifest: Option<Manifest>,
    /// The digest, as the manifest.
    pub digest: Option<DigestDocument>,
    /// The key that signed, where the signature could be read.
    pub key: Option<String>,
    /// Whether it could not be judged whose key that is.
    pub key_unjudged: bool,
    /// SHA-256 of the whole file, where the end was reached.
    pub sha256: Option<Sha>,
    /// Bytes read.
    pub bytes: u64,
    /// All faults; none means that the archive is sound.
    pub faults: Vec<Fault>,
    /// Where the chunks stand, for the second pass.
    pub(super) places: Vec<Place>,
}

/// Where a chunk stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ordinal: u16,
    pub(super) at: u64,
    pub(super) size: u64,
}

/// Reads an archive to its end. `progress` counts bytes.
///
/// # Errors
/// Only where `progress` asks to stop; whatever is wrong with the archive is among the faults.
pub fn examine(
    source: impl Read,
    trust: &Trust,
    limits: &Limits,
    progress: &Progress,
) -> Result<Examination, crate::failure::Failure> {
    let mut examiner = Examiner::new(source, limits, progress);
    match examiner.run(trust) {
        Ok(()) => {}
        Err(Stop::Fault(fault)) => examiner.found.faults.push(fault),
        Err(Stop::Asked(failure)) => return Err(failure),
    }
    let mut found = examiner.found;
    found.bytes = examiner.tape.at;
    Ok(found)
}

/// Reads the manifest and nothing else: for lists. What it says is not verified.
pub(super) fn peek(source: impl Read, limits: &Limits) -> Result<Manifest, Fault> {
    let progress = Progress::silent();
    match Examiner::new(source, limits, &progress).manifest() {
        Ok(manifest) => Ok(manifest),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::Asked(failure)) => Err(Fault::Unreadable(failure.message)),
    }
}

/// The pass at work.
struct Examiner<'l, R> {
    tape: TapeReader<R>,
    limits: &'l Limits,
    progress: &'l Progress,
    found: Examination,
    members: Vec<MemberDigest>,
    relations: Vec<RelationDigest>,
    unpacker: Option<Unpacker>,
    block: Vec<u8>,
    mtime: u64,
    raw_bytes: u64,
    packed_bytes: u64,
}

impl<'l, R: Read> Examiner<'l, R> {
    fn new(source: R, limits: &'l Limits, progress: &'l Progress) -> Self {
        let found = Examination {
            manifest: None,
            digest: None,
            key: None,
            key_unjudged: false,
            sha256: None,
            bytes: 0,
            faults: Vec::new(),
            places: Vec::new(),
        };
        Self {
            tape: TapeReader { source, at: 0, hash: Sha256::new() },
            limits,
            progress,
            found,
            members: Vec::new(),
            relations: Vec::new(),
            unpacker: None,
            block: vec![0; 256 << 10],
            mtime: 0,
            raw_bytes: 0,
            packed_bytes: 0,
        }
    }

    fn run(&mut self, trust: &Trust) -> Result<(), Stop> {
        let manifest = self.manifest()?;
        let mut relation = None;
        let (header, before) = loop {
            self.progress.checkpoint().map_err(Stop::Asked)?;
            let before = self.tape.clone_state();
            let header = self.header(tape::DIGEST)?;
            match header.member {
                Member::Chunk { ordinal, number } => {
                    relation = Some(self.place(relation, &manifest, ordinal, number)?);
                    if let Some(relation) = &mut relation {
                        self.chunk(header, relation)?;
                    }
                }
                Member::Digest => break (header, before),
                Member::Manifest | Member::Signature => {
                    return Err(out_of_order(header.member, Member::Digest).into());
                }
            }
            self.progress.advance(self.tape.at);
        };
        self.close(relation);
        self.close_until(manifest.relations.len());
        let digest_json = self.small(header, self.limits.digest_bytes)?;
        let header = self.header(tape::SIGNATURE)?;
        if header.member != Member::Signature || header.size != signature::SIZE {
            return Err(out_of_order(header.member, Member::Signature).into());
        }
        let signature = self.small(header, signature::SIZE)?;
        self.end()?;
        self.found.sha256 = Some(Sha::from_hasher(self.tape.hash.clone()));
        self.judge(&digest_json, &signature, before, trust);
        Ok(())
    }

    /// The next header, which must be there: `expected` is what the order asks for.
    fn header(&mut self, expected: &str) -> Result<Header, Fault> {
        let at = self.tape.at;
        let mut block = [0; BLOCK];
        self.tape.fill(&mut block)?;
        if block == [0; BLOCK] {
            return Err(Fault::Incomplete { missing: expected.to_owned() });
        }
        let header = tape::parse(&block).map_err(|bad| match bad {
            _ if at == 0 => Fault::NotAnArchive,
            BadHeader::Checksum => Fault::HeaderDamaged { at },
            BadHeader::Name(name) => Fault::UnknownMember { name },
            BadHeader::Form(name) => Fault::HeaderUnusual { name },
        })?;
        if at > 0 && header.mtime != self.mtime {
            return Err(Fault::HeaderUnusual { name: header.member.name() });
        }
        if self.members.len() >= self.limits.members {
            let limit = self.limits.members as u64;
            return Err(Fault::TooLarge { what: "the number of members".to_owned(), limit });
        }
        Ok(header)
    }

    /// A member that is read into memory.
    fn small(&mut self, header: Header, limit: u64) -> Result<Vec<u8>, Fault> {
        if header.size > limit {
            return Err(Fault::TooLarge { what: header.member.name(), limit });
        }
        let mut content = Vec::new();
        self.tape.take(header.size, &mut self.block, |part| content.extend_from_slice(part))?;
        self.padding(header.size)?;
        Ok(content)
    }

    fn padding(&mut self, size: u64) -> Result<(), Fault> {
        let at = self.tape.at;
        let mut block = [0; BLOCK];
        let padding = &mut block[..tape::padding(size)];
        self.tape.fill(padding)?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(Fault::StrayBytes { at });
        }
        Ok(())
    }

    fn manifest(&mut self) -> Result<Manifest, Stop> {
        let header = self.header(tape::MANIFEST)?;
        if header.member != Member::Manifest {
            return Err(out_of_order(header.member, Member::Manifest).into());
        }
        self.mtime = header.mtime;
        let content = self.small(header, self.limits.manifest_bytes)?;
        let manifest = read_manifest(&content)?;
        self.members.push(MemberDigest {
            name: tape::MANIFEST.to_owned(),
            bytes: header.size,
            sha256: Sha::of(&content),
            rows: 0,
            raw_bytes: header.size,
        });
        if u64::try_from(manifest.taken_at.timestamp()) != Ok(self.mtime) {
            return Err(Fault::HeaderUnusual { name: tape::MANIFEST.to_owned() }.into());
        }
        self.found.manifest = Some(manifest.clone());
        Ok(manifest)
    }

    /// The relation that a chunk belongs to, if the chunk may come now.
    fn place(
        &mut self,
        present: Option<RelationLines>,
        manifest: &Manifest,
        ordinal: u16,
        number: u32,
    ) -> Result<RelationLines, Fault> {
        let came = Member::Chunk { ordinal, number };
        let (same, next) = present.as_ref().map_or((1, 1), |at| (at.ordinal, at.chunk_count + 1));
        if ordinal == same && number == next {
            if let Some(present) = present {
                return Ok(present);
            }
        } else if ordinal <= same || number != 1 {
            let expected = if ordinal > same {
                Member::Chunk { ordinal, number: 1 }
            } else {
                Member::Chunk { ordinal: same, number: next }
            };
            return Err(out_of_order(came, expected));
        }
        if usize::from(ordinal) > manifest.relations.len() {
            return Err(out_of_order(came, Member::Digest));
        }
        self.close(present);
        self.close_until(usize::from(ordinal) - 1);
        Ok(RelationLines::of(ordinal))
    }

    /// Hashes one chunk, and its rows unless the frame is damaged.
    fn chunk(&mut self, header: Header, relation: &mut RelationLines) -> Result<(), Stop> {
        let mut unpacker = match self.unpacker.take() {
            Some(unpacker) => unpacker,
            None => Unpacker::new()?,
        };
        unpacker.begin()?;
        relation.chunk_count += 1;
        let not_filled = relation.chunk_bytes < CHUNK_BYTES;
        relation.chunk_bytes = 0;
        let rows_before = relation.lines.totals().rows;
        let place = Place { ordinal: relation.ordinal, at: self.tape.at, size: header.size };
        self.packed_bytes += header.size;
        let free =
            RATIO_FREE_BYTES.saturating_add(self.packed_bytes.saturating_mul(self.limits.ratio));
        let room = free.min(self.limits.raw_bytes).saturating_sub(self.raw_bytes);
        let mut hash = Sha256::new();
        let mut damage = not_filled.then(|| odd("the chunk before it is too short"));
        let row_limit = self.limits.row_bytes;
        self.tape.take(header.size, &mut self.block, |part| {
            hash.update(part);
            if damage.is_none() {
                damage = unpacker.feed(part, |raw| relation.take(raw, room, row_limit)).err();
            }
        })?;
        self.padding(header.size)?;
        if damage.is_none() && !(unpacker.is_done() && relation.lines.is_closed()) {
            damage = Some(odd("it ends in the middle of a row"));
        }
        let name = header.member.name();
        if damage.is_none() && relation.lines.totals().rows == rows_before {
            damage = Some(odd("it has no rows"));
        }
        if let Some(damage) = damage {
            if damage.kind() == io::ErrorKind::FileTooLarge {
                let what = format!("the content of {name}, {damage},");
                return Err(Fault::TooLarge { what, limit: room.min(row_limit) }.into());
            }
            self.found
                .faults
                .push(Fault::ChunkDamaged { member: name.clone(), why: damage.to_string() });
            // Rows that follow in the same relation begin anew.
            relation.rows = RowSplitter::default();
            relation.chunk_bytes = CHUNK_BYTES;
        }
        self.raw_bytes += relation.chunk_bytes;
        self.members.push(MemberDigest {
            name,
            bytes: header.size,
            sha256: Sha::from_hasher(hash),
            rows: relation.lines.totals().rows - rows_before,
            raw_bytes: relation.chunk_bytes,
        });
        self.found.places.push(place);
        self.unpacker = Some(unpacker);
        Ok(())
    }

    fn close(&mut self, relation: Option<RelationLines>) {
        if let Some(relation) = relation {
            self.push_totals(relation.ordinal, relation.lines.totals());
        }
    }

    /// Relations without rows have no members.
    fn close_until(&mut self, count: usize) {
        for ordinal in (1_u16..).take(count).skip(self.relations.len()) {
            self.push_totals(ordinal, LineTotals::default());
        }
    }

    fn push_totals(&mut self, ordinal: u16, totals: LineTotals) {
        let LineTotals { rows, bytes, sum: line_sum } = totals;
        self.relations.push(RelationDigest { ordinal, rows, bytes, line_sum });
    }

    /// One block of zeros was not read yet: two, then the end of the file.
    fn end(&mut self) -> Result<(), Fault> {
        let at = self.tape.at;
        let mut end = [0; tape::END.len()];
        self.tape.fill(&mut end)?;
        if end != tape::END {
            return Err(Fault::StrayBytes { at });
        }
        let at = self.tape.at;
        if self.tape.is_at_end()? { Ok(()) } else { Err(Fault::StrayBytes { at }) }
    }

    /// Compares what was found with what was signed.
    fn judge(
        &mut self,
        digest_json: &[u8],
        signature: &[u8],
        before: (u64, Sha256),
        trust: &Trust,
    ) {
        let faults = &mut self.found.faults;
        match SignatureMember::decode(signature) {
            None => {
                let why = "it has not the form of a signature".to_owned();
                faults.push(Fault::Malformed { member: tape::SIGNATURE, why });
            }
            Some(member) => {
                self.found.key = Some(member.key());
                self.found.key_unjudged = trust.is_unknown();
                let fault = member.check(digest_json, trust).err();
                let believable = !matches!(fault, Some(Fault::SignatureInvalid { .. }));
                faults.extend(fault);
                if !believable {
                    return;
                }
            }
        }
        let document: DigestDocument = match serde_json::from_slice(digest_json) {
            Ok(document) => document,
            Err(error) => {
                faults.push(Fault::Malformed { member: tape::DIGEST, why: error.to_string() });
                return;
            }
        };
        compare(&document, &self.members, &self.relations, before, faults);
        self.found.digest = Some(document);
    }
}

fn out_of_order(came: Member, expected: Member) -> Fault {
    Fault::OutOfOrder { name: came.name(), expected: expected.name() }
}
