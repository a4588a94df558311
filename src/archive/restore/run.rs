//! The verb: what is asked for, the plan, the preview, the one transaction, the report.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use super::apply::{Application, Applied, Extent};
use super::compare::{differences, verify};
use super::error::RestoreError;
use super::fit::fit;
use super::stage::stage;
use crate::archive::plan::{PlannedRelation, plan};
use crate::archive::receipt::Receipt;
use crate::archive::verified::VerifiedArchive;
use crate::archive::watch::until_cancelled;
use crate::audit::{Entry, Verb};
use crate::catalog;
use crate::console::{Console, Undertaking};
use crate::failure::Failure;
use crate::identity::{Purpose, Reason};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::{self, installed_map};
use crate::postgres::{Isolation, Sql, Transaction};
use crate::progress::Progress;
use crate::secret::signing_key::SigningKey;
use crate::tenant::directory::{self, Tenant};
use crate::tenant::session::{self, OpenSession, SessionRole, TenantSession};

/// The longest a restore may take; the session ends with it.
const LONGEST: TimeDelta = TimeDelta::hours(8);

/// What is done with rows that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreMode {
    /// Only adds what is missing.
    Missing,
    /// Makes the tenant what the archive holds; its root row and shared rows stay as they are.
    Replace,
}

impl RestoreMode {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replace => "replace",
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Restore {
    /// The archive, found sound.
    pub archive: VerifiedArchive,
    /// What is done with rows that are there.
    pub mode: RestoreMode,
    /// Why.
    pub reason: Reason,
    /// The file of the key that signs the receipt.
    pub signing_key: PathBuf,
}

/// What will be done.
#[derive(Debug)]
pub struct RestorePlan {
    /// Into which tenant.
    pub tenant: Tenant,
    /// What is done with rows that are there.
    pub mode: RestoreMode,
    /// What people should know before they agree.
    pub warnings: Vec<String>,
    archive: Arc<VerifiedArchive>,
    relations: Vec<PlannedRelation>,
    map: RelationMap,
    reason: Reason,
    key: SigningKey,
}

/// What differs between archive and target in one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Rows in the archive.
    pub in_archive: u64,
    /// Rows of the tenant in the target.
    pub in_target: u64,
    /// Rows only in the archive.
    pub missing: u64,
    /// Rows in both that differ.
    pub changed: u64,
    /// Rows only in the target.
    pub extra: u64,
    /// Rows of the archive that name another tenant.
    pub conflicts: u64,
}

/// What a restore would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Relation by relation.
    pub relations: Vec<Difference>,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The tenant's handle.
    pub tenant: String,
    /// Relation by relation, before the change.
    pub relations: Vec<Difference>,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted, those written anew included.
    pub deleted: u64,
    /// The signed result.
    pub receipt: Receipt,
}

/// Reads what is needed and plans.
///
/// # Errors
/// [`RestoreError::NoTenant`], [`RestoreError::Unfit`], no signing key.
pub async fn prepare(console: &Console, ask: Restore) -> Result<RestorePlan, Failure> {
    let map = installed_map(console).await?;
    let catalog = console
        .reading(async |reading| Ok(catalog::load(reading, &map.application_role).await?))
        .await?;
    let (relations, warnings) = fit(ask.archive.manifest(), &plan(&map, &catalog)?)?;
    let id = &ask.archive.manifest().tenant.id;
    let tenant = directory::named(console, id).await?.filter(|tenant| tenant.id.as_str() == id);
    let tenant = tenant.ok_or_else(|| RestoreError::NoTenant(crate::text::screen(id)))?;
    let key = SigningKey::open_or_create(&ask.signing_key)?;
    let Restore { archive, mode, reason, .. } = ask;
    let archive = Arc::new(archive);
    Ok(RestorePlan { tenant, mode, warnings, archive, relations, map, reason, key })
}

impl RestorePlan {
    /// What must be typed to confirm.
    #[must_use]
    pub fn confirm(&self) -> String {
        self.tenant.handle()
    }

    fn entry(&self, object: String) -> Entry {
        Entry {
            verb: Verb::Restore,
            tenant: Some(self.tenant.id.clone()),
            object,
            reason: Some(self.reason.as_str().to_owned()),
        }
    }
}

/// Finds out what a restore would change; nothing is.
///
/// # Errors
/// Whatever the server or a cancel says.
pub async fn preview(
    console: &Console,
    plan: &RestorePlan,
    progress: &Progress,
) -> Result<Preview, Failure> {
    let entry = plan.entry(format!("{} (preview)", plan.mode.as_str()));
    let undertaking = console.begin(entry).await?;
    let result = within_session(console, &undertaking, plan, progress, async |session| {
        let transaction = begin(session).await?;
        let relations = look(&transaction, plan, progress).await?;
        transaction.rollback().await?;
        Ok(Preview { relations })
    })
    .await;
    undertaking.finish(result).await
}

/// Restores. `confirm` is what the person typed; `seen` is the preview that was agreed to.
///
/// # Errors
/// [`RestoreError`]; nothing is changed then.
pub async fn restore(
    console: &Console,
    plan: RestorePlan,
    confirm: &str,
    seen: Option<&Preview>,
    progress: &Progress,
) -> Result<Restored, Failure> {
    let expected = plan.confirm();
    if confirm != expected {
        return Err(RestoreError::Unconfirmed { given: confirm.to_owned(), expected }.into());
    }
    let undertaking = console.begin(plan.entry(plan.mode.as_str().to_owned())).await?;
    let result = within_session(console, &undertaking, &plan, progress, async |session| {
        change(session, &undertaking, &plan, seen, progress).await
    })
    .await;
    undertaking.finish(result).await
}

/// Runs work in a tenant session of its own, which ends in any case.
async fn within_session<T>(
    console: &Console,
    undertaking: &Undertaking,
    plan: &RestorePlan,
    progress: &Progress,
    work: impl AsyncFnOnce(&TenantSession) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (tenant, reason) = (plan.tenant.id.clone(), plan.reason.clone());
    let ask = OpenSession::work(undertaking, Purpose::Restore, tenant, reason, LONGEST);
    let session = session::open(console, &plan.map, ask).await?;
    let result = until_cancelled(progress, &session.canceller(), work(&session)).await;
    let ended = session.end("done").await;
    // The work is what counts; a session that did not end is swept.
    if let Err(error) = ended {
        tracing::warn!(%error, "the session could not be ended");
    }
    result
}

/// The transaction, with this tenant's restores one at a time.
async fn begin(session: &TenantSession) -> Result<Transaction<'_>, Failure> {
    let transaction = session.transaction(SessionRole::Archivist, Isolation::ReadWrite).await?;
    transaction
        .batch(&Sql::new(
            "set local work_mem = '64MB'; set local jit = off; set constraints all deferred",
        ))
        .await?;
    let lock = Sql::new(
        "select pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('tenantdesk restore ' || $1, 0))",
    );
    let row = transaction.query_one(&lock, &[&session.tenant.as_str()]).await?;
    if row.get(0) { Ok(transaction) } else { Err(RestoreError::Busy.into()) }
}

/// Stages and compares.
async fn look(
    transaction: &Transaction<'_>,
    plan: &RestorePlan,
    progress: &Progress,
) -> Result<Vec<Difference>, Failure> {
    let rows = plan.archive.relations().iter().map(|relation| relation.rows).sum();
    progress.plan("rows", Some(rows));
    stage(transaction, &plan.archive, &plan.relations, &plan.tenant.id, progress).await?;
    differences(transaction, &plan.relations, &plan.tenant.id, progress).await
}

/// All that changes the target, in one transaction.
async fn change(
    session: &TenantSession,
    undertaking: &Undertaking,
    plan: &RestorePlan,
    seen: Option<&Preview>,
    progress: &Progress,
) -> Result<Restored, Failure> {
    let transaction = begin(session).await?;
    let found = look(&transaction, plan, progress).await?;
    if let Some(seen) = seen {
        let moved = seen.relations.iter().zip(&found).find(|(seen, found)| seen != found);
        if let Some((_, found)) = moved {
            return Err(RestoreError::Moved(found.name.clone()).into());
        }
    }
    let (relations, mode) = (&plan.relations[..], plan.mode);
    let application = Application {
        session,
        transaction: &transaction,
        relations,
        differences: &found,
        mode,
        progress,
    };
    let applied = apply_and_verify(&application, &plan.archive).await?;
    progress.checkpoint()?;
    // What was written holds locks that keep the guard as it is now until the commit: if it is
    // whole at this moment, it was whole while we wrote.
    if let Some(fault) = relations::faults(undertaking.console()).await?.into_iter().next() {
        return Err(RestoreError::GuardBroken(format!("{}: {}", fault.object, fault.fault)).into());
    }
    undertaking.mark(&transaction).await?;
    transaction.commit().await?;
    Ok(report(session, plan, found, applied))
}

/// Writes and compares. A replacement that does not end in the rows of the archive is undone and
/// done the other way: everything deleted and inserted.
async fn apply_and_verify(
    application: &Application<'_>,
    archive: &VerifiedArchive,
) -> Result<Applied, Failure> {
    let &Application { transaction, relations, differences, mode, progress, .. } = application;
    let find = |ordinal| archive.relations().iter().find(|digest| digest.ordinal == ordinal);
    let compared: Vec<_> = relations
        .iter()
        .zip(differences)
        .filter_map(|(relation, before)| {
            find(relation.archived.ordinal).map(|digest| (relation, before, digest))
        })
        .collect();
    let attempt = async |extent: Extent| {
        let applied = application.apply(extent).await?;
        let check = transaction.batch(&Sql::new("set constraints all immediate")).await;
        check.map_err(|source| RestoreError::of("foreign keys", source))?;
        let tenant = &application.session.tenant;
        verify(transaction, &compared, tenant, mode, progress).await?;
        Ok::<_, RestoreError>(applied)
    };
    if mode == RestoreMode::Missing {
        return Ok(attempt(Extent::Extra).await?);
    }
    transaction.batch(&Sql::new("savepoint before_changes")).await?;
    match attempt(Extent::Extra).await {
        Err(
            RestoreError::Collision { .. } | RestoreError::Orphan { .. } | RestoreError::Differs(_),
        ) => {
            progress.warn("rows changed places: all rows of the tenant are written anew");
            transaction.batch(&Sql::new("rollback to savepoint before_changes")).await?;
            Ok(attempt(Extent::Whole).await?)
        }
        result => Ok(result?),
    }
}

/// What the receipt says.
#[derive(Serialize)]
struct RestoreReceipt<'r> {
    what: &'static str,
    mode: &'static str,
    tenant: &'r str,
    operator: &'r str,
    session: i64,
    request: String,
    archive: String,
    inserted: u64,
    updated: u64,
    deleted: u64,
    verified: bool,
}

fn report(
    session: &TenantSession,
    plan: &RestorePlan,
    relations: Vec<Difference>,
    applied: Applied,
) -> Restored {
    let Applied { inserted, updated, deleted } = applied;
    let receipt = Receipt::sign(
        &RestoreReceipt {
            what: "restore",
            mode: plan.mode.as_str(),
            tenant: plan.tenant.id.as_str(),
            operator: session.console().operator().as_str(),
            session: session.id,
            request: session.console().request().to_string(),
            archive: plan.archive.sha256().to_string(),
            inserted,
            updated,
            deleted,
            verified: true,
        },
        &plan.key,
    );
    Restored { tenant: plan.tenant.handle(), relations, inserted, updated, deleted, receipt }
}
