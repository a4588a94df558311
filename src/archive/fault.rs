//! What can be wrong with an archive: one clear fault each, with what to do about it.

use thiserror::Error;

use super::manifest::VERSION;
use crate::failure::{Explain, Failure, Kind};
use crate::text::screen;

/// One fault. Names come from the file and are made safe for a terminal here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Reading failed.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The first block is no tar header.
    #[error("this is no tenantdesk archive")]
    NotAnArchive,
    /// The file ends too early.
    #[error("the file ends after {at} bytes, in the middle of the archive")]
    Truncated {
        /// Where it ends.
        at: u64,
    },
    /// The end marks come before the last members.
    #[error("the archive ends without its `{missing}`")]
    Incomplete {
        /// The member that should have come.
        missing: String,
    },
    /// A header's checksum is wrong.
    #[error("the header at byte {at} is damaged")]
    HeaderDamaged {
        /// Where the header begins.
        at: u64,
    },
    /// A link, a device, another owner, anything that no archive has.
    #[error("the header of `{}` is not of the form that an archive has", screen(name))]
    HeaderUnusual {
        /// As the header says.
        name: String,
    },
    /// A name outside the grammar.
    #[error("the member `{}` does not belong in an archive", screen(name))]
    UnknownMember {
        /// As the header says.
        name: String,
    },
    /// A member that cannot come here: twice, too early, with a gap before it.
    #[error("the member `{name}` is out of order; `{expected}` should come")]
    OutOfOrder {
        /// What came.
        name: String,
        /// What the order asks for.
        expected: String,
    },
    /// Bytes between members or after the end.
    #[error("there are bytes at {at} where an archive has none")]
    StrayBytes {
        /// Where.
        at: u64,
    },
    /// More than the reader takes.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The most that is accepted.
        limit: u64,
    },
    /// A later format.
    #[error("the archive has format version {found}; this program reads up to {VERSION}")]
    FutureVersion {
        /// The version in the manifest.
        found: u64,
    },
    /// JSON that is not what it should be.
    #[error("`{member}` cannot be understood: {why}")]
    Malformed {
        /// Which member.
        member: &'static str,
        /// Where and why.
        why: String,
    },
    /// A frame that does not decompress to whole rows in the one layout.
    #[error("the member `{member}` is damaged: {why}")]
    ChunkDamaged {
        /// Which member.
        member: String,
        /// What is wrong with it.
        why: String,
    },
    /// A member's bytes are not those that were written.
    #[error("the member `{member}` was changed after it was written")]
    MemberChanged {
        /// Which member.
        member: String,
    },
    /// The digest lists other members than the file holds.
    #[error("the digest does not list the members that are there")]
    MembersDiffer,
    /// A relation's rows are not those that were written.
    #[error("the rows of relation {ordinal} are not those that were written")]
    RowsDiffer {
        /// Which relation.
        ordinal: u16,
    },
    /// Everything looks right alone, but not the file as a whole.
    #[error("the bytes of the file are not those that were written")]
    FileDiffers,
    /// The digest was not signed by the key that the file names.
    #[error("the signature does not fit: the archive was changed after {key} signed it")]
    SignatureInvalid {
        /// The key that the file names.
        key: String,
    },
    /// A sound signature by a key that is not trusted here.
    #[error("the archive was signed by another installation, with the key {key}")]
    OtherKey {
        /// That key.
        key: String,
    },
}

impl Fault {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::NotAnArchive => "not_an_archive",
            Self::Truncated { .. } => "truncated",
            Self::Incomplete { .. } => "incomplete",
            Self::HeaderDamaged { .. } => "header_damaged",
            Self::HeaderUnusual { .. } => "header_unusual",
            Self::UnknownMember { .. } => "unknown_member",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::StrayBytes { .. } => "stray_bytes",
            Self::TooLarge { .. } => "too_large",
            Self::FutureVersion { .. } => "future_version",
            Self::Malformed { .. } => "malformed",
            Self::ChunkDamaged { .. } => "chunk_damaged",
            Self::MemberChanged { .. } => "member_changed",
            Self::MembersDiffer => "members_differ",
            Self::RowsDiffer { .. } => "rows_differ",
            Self::FileDiffers => "file_differs",
            Self::SignatureInvalid { .. } => "signature_invalid",
            Self::OtherKey { .. } => "other_key",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Truncated { .. } | Self::Incomplete { .. } => {
                "the copy is not complete: fetch the archive again".to_owned()
            }
            Self::FutureVersion { .. } => "use a newer tenantdesk".to_owned(),
            Self::NotAnArchive => {
                "archives are made by `tenantdesk export` and end in .tenant".to_owned()
            }
            Self::OtherKey { key } => {
                format!(
                    "this version restores archives of its own installation only; this one is signed by {key}"
                )
            }
            Self::Unreadable(_) | Self::TooLarge { .. } => String::new(),
            _ => "do not use this file; take another copy of the archive".to_owned(),
        }
    }
}

/// An archive that is refused, with all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the archive is refused: {}", faults.first().map_or_else(String::new, Fault::to_string))]
pub struct Refused {
    /// At least one.
    pub faults: Vec<Fault>,
}

impl Explain for Refused {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let more = self.faults.iter().skip(1).map(Fault::to_string);
        let hint = self.faults.first().map(Fault::hint).filter(|hint| !hint.is_empty());
        hint.into_iter().chain(more).collect()
    }
}

/// Stops the first pass.
pub(super) enum Stop {
    /// The structure is broken; what follows has no meaning.
    Fault(Fault),
    /// The person asked to stop.
    Asked(Failure),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Fault(Fault::Unreadable(error.to_string()))
    }
}
