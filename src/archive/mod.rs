//! Archives: one tenant in one file (docs/archive-format.md), and the verbs that write and read it.
//!
//! The file is a tar of zstd frames with a signed digest. Nothing of it is believed before the
//! first pass has looked at every byte; nothing is ever unpacked to a path or fed to `psql`.

mod chunk;
mod digest;
mod examine;
pub mod export;
mod fault;
mod glance;
mod judge;
mod limits;
mod lines;
mod manifest;
mod order;
mod outfile;
mod pipeline;
mod plan;
mod receipt;
mod relation_lines;
pub mod restore;
pub mod shelf;
mod signature;
mod statements;
mod tape;
mod tape_reader;
mod tenant_rows;
mod verified;
mod watch;
mod writer;
mod writing;

pub use chunk::CHUNK_BYTES;
pub use digest::{LineHasher, LineSum, LineTotals, Sha};
pub use examine::{Examination, examine};
pub use fault::{Fault, Refused};
pub use glance::{Glance, glance};
pub use limits::Limits;
pub use lines::{Piece, RowSplitter};
pub use manifest::{
    ArchivedClass, ArchivedColumn, ArchivedRelation, ArchivedTenant, ArchivedWay, DigestDocument,
    FORMAT, FileDigest, Identity, Manifest, MemberDigest, OmittedRelation, PathStep,
    RelationDigest, Source, VERSION,
};
pub use outfile::{ArchiveFile, Existing};
pub use pipeline::Pipeline;
pub use plan::{
    ArchivePlan, PlanError, PlannedKey, PlannedPath, PlannedRelation, PlannedStep, plan,
};
pub use receipt::Receipt;
pub use signature::Trust;
pub use verified::{VerifiedArchive, open, spool};
pub use writer::{ArchiveWriter, WriteError, Written};
