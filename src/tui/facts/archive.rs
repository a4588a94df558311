//! Facts on archives: the list, the inside of one, export, the plan and the result of a restore.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use super::RestoreMode;
use crate::identity::TenantId;
use crate::text::Untrusted;

/// One archive of the list; told by its manifest only, nothing is verified.
#[derive(Debug, Clone)]
pub struct ArchiveLine {
    /// The file.
    pub path: PathBuf,
    /// The slug in the manifest.
    pub slug: Untrusted,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// The size of the file.
    pub bytes: u64,
    /// What is wrong at first sight: unreadable, encrypted, a future version.
    pub fault: Option<Untrusted>,
}

/// A relation in an archive.
#[derive(Debug, Clone)]
pub struct ArchiveRelation {
    /// Its name.
    pub name: Untrusted,
    /// Its rows and their raw bytes, where the digest can be reached.
    pub content: Option<(u64, u64)>,
}

/// What an archive says of itself; nothing of it is verified.
#[derive(Debug, Clone)]
pub struct ArchiveFacts {
    /// The file.
    pub path: PathBuf,
    /// Label and value, in the order to show: tenant, time, size, program, server, ..
    pub facts: Vec<(String, Untrusted)>,
    /// What it holds.
    pub relations: Vec<ArchiveRelation>,
    /// What is left out, and why.
    pub omitted: Vec<(Untrusted, Untrusted)>,
}

/// What a verification said.
#[derive(Debug, Clone)]
pub struct VerifyFacts {
    /// The file.
    pub path: PathBuf,
    /// What is wrong; empty is sound.
    pub faults: Vec<Untrusted>,
}

/// A written archive.
#[derive(Debug, Clone)]
pub struct ExportFacts {
    /// The file.
    pub path: PathBuf,
    /// Whose.
    pub slug: Untrusted,
    /// Rows.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// `sha256:..`
    pub digest: String,
}

/// One relation of a plan.
#[derive(Debug, Clone)]
pub struct RestoreRelation {
    /// Its name.
    pub name: Untrusted,
    /// Rows in the archive.
    pub in_archive: u64,
    /// Rows in the target.
    pub in_target: u64,
    /// Rows only in the archive.
    pub missing: u64,
    /// Rows that differ.
    pub changed: u64,
    /// Rows only in the target.
    pub extra: u64,
    /// Rows that cannot be written.
    pub conflicts: u64,
}

/// What a restore would do; the runner keeps the plan itself under `number`.
#[derive(Debug, Clone)]
pub struct RestorePlanFacts {
    /// Names the plan to the runner.
    pub number: u64,
    /// The file.
    pub archive: PathBuf,
    /// Into which tenant.
    pub tenant: TenantId,
    /// What must be typed: its slug, or its id where it has none.
    pub confirm: String,
    /// What is done with rows that are there.
    pub mode: RestoreMode,
    /// Relation by relation.
    pub relations: Vec<RestoreRelation>,
    /// What the operator must know before agreeing.
    pub warnings: Vec<Untrusted>,
    /// Why it cannot be carried out, where it cannot.
    pub refusal: Option<Untrusted>,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct RestoreFacts {
    /// Rows written.
    pub applied: u64,
    /// Rows removed.
    pub removed: u64,
    /// Whether the digests matched before commit.
    pub verified: bool,
    /// Where the signed receipt is.
    pub receipt: Option<PathBuf>,
    /// How long it took.
    pub took: TimeDelta,
}
