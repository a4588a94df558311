//! `export`: one tenant into one archive, from one snapshot, through a tenant session of its own.
//!
//! The rows come as COPY text and go to the second thread as they come; nothing is kept. What the
//! guard lets the archivist see is the tenant and nothing else, whatever the statement says.
//!
//! More than 400 lines: request, plan, errors and result of the verb stand beside its work.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures_util::StreamExt;
use serde::Serialize;
use thiserror::Error;

use super::digest::Sha;
use super::manifest::{ArchivedClass, ArchivedTenant, FORMAT, Manifest, Source, VERSION};
use super::order::groups;
use super::outfile::{ArchiveFile, Existing, ExportFile, private_directory, special};
use super::pipeline::Pipeline;
use super::plan::{ArchivePlan, plan};
use super::receipt::{Receipt, ReceiptShelf};
use super::statements::Statements;
use super::watch::until_cancelled;
use super::writer::Written;
use crate::audit::{Entry, Verb};
use crate::catalog;
use crate::clock;
use crate::console::{Console, Undertaking};
use crate::failure::{Explain, Failure, Kind};
use crate::identity::{Purpose, Reason};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::installed_map;
use crate::postgres::{Isolation, ServerError, Sql, Transaction};
use crate::progress::Progress;
use crate::secret::signing_key::SigningKey;
use crate::tenant::directory::Tenant;
use crate::tenant::session::{self, OpenSession, SessionRole, TenantSession};

/// The longest an export may take; the session ends with it.
const LONGEST: TimeDelta = TimeDelta::hours(8);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Export {
    /// Whose rows.
    pub tenant: Tenant,
    /// The directory for a name of its own, or the whole path.
    pub destination: Destination,
    /// Whether a file that is there may be replaced.
    pub existing: Existing,
    /// The file of the signing key; made if it is not there.
    pub signing_key: PathBuf,
    /// The directory where the receipt is kept; made if it is not there.
    pub receipts_dir: PathBuf,
}

/// Where the archive goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `<slug>-<utc time>.tenant` in this directory, which is made if it is not there.
    Directory(PathBuf),
    /// Exactly this file.
    File(PathBuf),
    /// A file without a name in this directory, for whoever asked: see [`Exported::contents`].
    Nameless(PathBuf),
}

/// What will be done.
#[derive(Debug)]
pub struct ExportPlan {
    /// Whose rows.
    pub tenant: Tenant,
    /// The file; `-` where it gets no name.
    pub path: PathBuf,
    /// The relations, and what is left out.
    pub archive: ArchivePlan,
    nameless_in: Option<PathBuf>,
    map: RelationMap,
    existing: Existing,
    key: SigningKey,
    receipts: ReceiptShelf,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The file; `-` where it has no name.
    pub path: PathBuf,
    /// The file itself from its beginning, where it has no name.
    pub contents: Option<Arc<File>>,
    /// The tenant's handle.
    pub tenant: String,
    /// Rows of all relations.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Sha,
    /// Rows of each relation, in order.
    pub relations: Vec<(String, u64)>,
    /// The signed result.
    pub receipt: Receipt,
    /// Where it is kept; none where that failed, or where the archive is still to be handed over.
    pub receipt_path: Option<PathBuf>,
    /// Where it is to be kept, and how its name begins.
    shelf: (ReceiptShelf, String),
}

impl Exported {
    /// Keeps the receipt of an archive without a name: call it when all of the file has arrived.
    ///
    /// # Errors
    /// What to warn of where it cannot be kept.
    pub fn handed_over(&mut self) -> Result<(), String> {
        let (place, name) = &self.shelf;
        self.receipt_path = Some(place.try_to_keep(&self.receipt, name)?);
        Ok(())
    }
}

/// Why nothing was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The destination is taken.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// Something else than a file is there, which is never replaced.
    #[error("`{}` is {what}, and an archive replaces none", path.display())]
    Special {
        /// The destination.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The destination cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Destination {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The tenant's own row was not there.
    #[error("the tenant has no row in this snapshot")]
    Gone,
}

impl Explain for ExportError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Exists(_) => vec!["replace it with --force, or name another file with -o".into()],
            Self::Special { .. } => {
                vec!["name another file with -o, or `-o -` for standard output".into()]
            }
            Self::Destination { .. } | Self::Gone => Vec::new(),
        }
    }
}

/// Reads what is needed and plans.
///
/// # Errors
/// A destination that is taken, a map that does not fit, no signing key.
pub async fn prepare(console: &Console, ask: Export) -> Result<ExportPlan, Failure> {
    let map = installed_map(console).await?;
    let catalog = console
        .reading(async |reading| Ok(catalog::load(reading, Some(&map.application_role)).await?))
        .await?;
    let mut nameless_in = None;
    let path = match ask.destination {
        Destination::File(path) => path,
        Destination::Nameless(directory) => {
            nameless_in = Some(directory);
            PathBuf::from("-")
        }
        Destination::Directory(directory) => {
            let name = file_stem(&ask.tenant);
            private_directory(&directory).map_err(|source| {
                let path = directory.clone();
                ExportError::Destination { path, source }
            })?;
            free_path(&directory, &format!("{name}-{}", clock::stamp(clock::now())))
        }
    };
    if let Some(what) = special(&path).filter(|_| nameless_in.is_none()) {
        return Err(ExportError::Special { path, what }.into());
    }
    let taken = nameless_in.is_none() && path.symlink_metadata().is_ok();
    if ask.existing == Existing::Keep && taken {
        return Err(ExportError::Exists(path).into());
    }
    let archive = plan(&map, &catalog)?;
    let key = SigningKey::open_or_create(&ask.signing_key)?;
    let receipts = ReceiptShelf::open(&ask.receipts_dir)?;
    let Export { tenant, existing, .. } = ask;
    Ok(ExportPlan { tenant, path, archive, nameless_in, map, existing, key, receipts })
}

/// A name that no file of the directory has: two exports of one second are two files.
fn free_path(directory: &Path, name: &str) -> PathBuf {
    let numbered = |number: u32| match number {
        1 => directory.join(format!("{name}.tenant")),
        _ => directory.join(format!("{name}-{number}.tenant")),
    };
    let free = (1..100).map(numbered).find(|path| path.symlink_metadata().is_err());
    free.unwrap_or_else(|| numbered(1))
}

/// How names of files about a tenant begin: letters and digits of every script, so that a text key is
/// read in it and none leads out of the directory or looks like an option.
pub(super) fn file_stem(tenant: &Tenant) -> String {
    stem_of(&tenant.handle())
}

fn stem_of(handle: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
    let mut stem: String = handle.chars().take(80).map(safe).collect();
    stem.truncate(stem.floor_char_boundary(160));
    if stem.is_empty() || stem.starts_with('-') { format!("tenant{stem}") } else { stem }
}

/// Writes the archive. Nothing is under the final name unless it is whole.
///
/// # Errors
/// Whatever the server, the disk or a cancel says.
pub async fn export(
    console: &Console,
    plan: ExportPlan,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let entry = Entry {
        verb: Verb::Export,
        tenant: Some(plan.tenant.id.clone()),
        object: plan.tenant.handle(),
        reason: None,
    };
    let undertaking = console.begin(entry).await?;
    let result = Box::pin(within_session(console, &undertaking, plan, progress)).await;
    undertaking.finish(result).await
}

async fn within_session(
    console: &Console,
    undertaking: &Undertaking,
    plan: ExportPlan,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let reason: Reason = "export to an archive".parse()?;
    for warning in &plan.archive.warnings {
        progress.warn(warning.clone());
    }
    if let Err(circle) = groups(&plan.archive.relations) {
        // Not today's trouble, and known too late in an emergency.
        let hints = circle.hints().join("; ");
        progress.warn(format!(
            "a restore that has rows of a circle to write would be refused: {circle}; {hints}"
        ));
    }
    let tenant = plan.tenant.id.clone();
    let ask = OpenSession::work(undertaking, Purpose::Export, tenant, reason, LONGEST);
    let session = session::open(console, &plan.map, ask).await?;
    let work = Box::pin(write(&session, plan, progress));
    let result = until_cancelled(progress, &session.canceller(), work).await;
    let ended = session.end("done").await;
    // The work is what counts; a session that did not end is swept.
    if let Err(error) = ended {
        tracing::warn!(%error, "the session could not be ended");
    }
    result
}

async fn write(
    session: &TenantSession,
    plan: ExportPlan,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let transaction = session.transaction(SessionRole::Archivist, Isolation::Snapshot).await?;
    prepare_reading(&transaction).await?;
    let manifest = manifest(&transaction, &plan).await?;
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AlreadyExists => ExportError::Exists(plan.path.clone()),
        _ => ExportError::Destination { path: plan.path.clone(), source },
    };
    let file = match &plan.nameless_in {
        None => ArchiveFile::create(&plan.path, plan.existing).map(ExportFile::Named),
        Some(directory) => ExportFile::nameless(directory),
    };
    let file = file.map_err(refused)?;
    let relations = plan.archive.relations.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
    let receipt_key = plan.key.duplicate();
    let mut pipeline = Pipeline::start(file, manifest.clone(), plan.key);
    let copied = copy_all(&transaction, &plan.archive, &plan.tenant, &mut pipeline, progress).await;
    if let Err(failure) = copied {
        pipeline.abandon().await;
        return Err(failure);
    }
    let (file, written) = pipeline.finish().await?;
    let mut relations_and_rows = plan.archive.relations.iter().zip(&written.relations);
    if relations_and_rows
        .any(|(r, found)| r.archived.class == ArchivedClass::Root && found.rows != 1)
    {
        return Err(ExportError::Gone.into());
    }
    transaction.commit().await?;
    let contents = file.finish().map_err(refused)?.map(Arc::new);
    let receipt = receipt(session, &plan.tenant, &manifest, &written, &receipt_key);
    let name = format!("{}-export", file_stem(&plan.tenant));
    // A file without a name is nothing yet: see `Exported::handed_over`.
    let receipt_path = match contents {
        None => plan.receipts.keep(&receipt, &name, progress),
        Some(_) => None,
    };
    Ok(Exported {
        path: plan.path,
        contents,
        tenant: plan.tenant.handle(),
        rows: written.rows,
        bytes: written.bytes,
        sha256: written.sha256,
        relations: relations.into_iter().zip(written.relations.iter().map(|r| r.rows)).collect(),
        receipt,
        receipt_path,
        shelf: (plan.receipts, name),
    })
}

/// Scans begin at the beginning, so the same snapshot gives the same order also without a key.
async fn prepare_reading(transaction: &Transaction<'_>) -> Result<(), ServerError> {
    transaction
        .batch(&Sql::new(
            "set local synchronize_seqscans = off; set local work_mem = '64MB'; set local jit = off",
        ))
        .await
}

/// All relations, one after another.
async fn copy_all(
    transaction: &Transaction<'_>,
    archive: &ArchivePlan,
    tenant: &Tenant,
    pipeline: &mut Pipeline<ExportFile>,
    progress: &Progress,
) -> Result<(), Failure> {
    // No total: counting costs as much as the export itself, and the planner's guess for one
    // tenant is far off where tenants differ in size. The relations say how far it is.
    progress.plan("rows", None);
    let mut rows = 0;
    let relation_count = archive.relations.len();
    let workers = Sql::new("set local max_parallel_workers_per_gather to default");
    for (number, relation) in (1..).zip(&archive.relations) {
        progress.checkpoint()?;
        progress.enter(format!("{}, relation {number} of {relation_count}", relation.name));
        pipeline.relation(relation.archived.ordinal).await?;
        let statements = Statements { relation, tenant: &tenant.id };
        if relation.archived.order.is_empty() {
            // Workers would give the rows in the order in which they finish.
            let alone = Sql::new("set local max_parallel_workers_per_gather = 0");
            transaction.batch(&alone).await?;
        }
        let stream = transaction.copy_out(&statements.copy_out()).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(message) = stream.next().await {
            pipeline.copy(message.map_err(ServerError::from)?).await?;
            // The server sends one message for each row.
            rows += 1;
            if rows % 4096 == 0 {
                progress.checkpoint()?;
                progress.advance(rows);
            }
        }
        progress.advance(rows);
        if relation.archived.order.is_empty() {
            transaction.batch(&workers).await?;
        }
    }
    Ok(())
}

/// What the archive says of itself, as the transaction sees it.
async fn manifest(transaction: &Transaction<'_>, plan: &ExportPlan) -> Result<Manifest, Failure> {
    let row = transaction.query_one(&Sql::new(include_str!("sql/source.sql")), &[]).await?;
    let taken_at: DateTime<Utc> = row.get("taken_at");
    let settings: serde_json::Value = row.get("settings");
    let text: BTreeMap<String, String> =
        serde_json::from_value(settings).map_err(|error| ServerError::Answer(error.to_string()))?;
    let version: i32 = row.get("server_version_num");
    let name =
        plan.tenant.name.as_ref().map_or_else(|| plan.tenant.handle(), |n| n.raw().to_owned());
    Ok(Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        tool: concat!("tenantdesk ", env!("CARGO_PKG_VERSION")).to_owned(),
        taken_at: taken_at.trunc_subsecs(0),
        source: Source {
            server_version: row.get("server_version"),
            server_version_num: u32::try_from(version).unwrap_or_default(),
            system_identifier: row.get("system_identifier"),
            database: row.get("database"),
            snapshot: row.get("snapshot"),
        },
        tenant: ArchivedTenant {
            id: plan.tenant.id.as_str().to_owned(),
            slug: plan.tenant.slug.as_ref().map(|slug| slug.raw().to_owned()),
            name,
            model: plan.map.model.clone(),
        },
        text,
        relations: plan.archive.relations.iter().map(|r| r.archived.clone()).collect(),
        omitted: plan.archive.omitted.clone(),
    })
}

/// What the receipt says.
#[derive(Serialize)]
struct ExportReceipt<'r> {
    what: &'static str,
    tenant: &'r str,
    operator: &'r str,
    session: i64,
    request: String,
    taken_at: String,
    rows: u64,
    bytes: u64,
    archive: String,
}

fn receipt(
    session: &TenantSession,
    tenant: &Tenant,
    manifest: &Manifest,
    written: &Written,
    key: &SigningKey,
) -> Receipt {
    Receipt::sign(
        &ExportReceipt {
            what: "export",
            tenant: tenant.id.as_str(),
            operator: session.console().operator().as_str(),
            session: session.id,
            request: session.console().request().to_string(),
            taken_at: crate::format::time(manifest.taken_at),
            rows: written.rows,
            bytes: written.bytes,
            archive: written.sha256.to_string(),
        },
        key,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tell_the_tenant_and_lead_nowhere_else() {
        for (handle, stem) in [
            ("acme", "acme"),
            ("eu/acme", "eu_acme"),
            ("../../etc", "______etc"),
            ("größe 日本", "größe_日本"),
            ("-rf", "tenant-rf"),
            ("", "tenant"),
            ("a\n\u{202e}b", "a__b"),
        ] {
            assert_eq!(stem_of(handle), stem);
        }
        assert!(stem_of(&"日".repeat(200)).len() <= 160);
    }

    #[test]
    fn two_exports_of_one_second_are_two_files() {
        let home = tempfile::tempdir().unwrap();
        let first = free_path(home.path(), "acme-20261121T030000Z");
        assert_eq!(first, home.path().join("acme-20261121T030000Z.tenant"));
        std::fs::write(&first, "an archive").unwrap();
        let second = free_path(home.path(), "acme-20261121T030000Z");
        assert_eq!(second, home.path().join("acme-20261121T030000Z-2.tenant"));
    }
}
