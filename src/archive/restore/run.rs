//! The verb: the preview, the one transaction, the report.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde::Serialize;

use super::apply::{Application, Applied, Whole};
use super::compare::{self, differences, verify};
use super::error::RestoreError;
use super::footprint::{footprint, judge};
use super::prepare::{Difference, Preview, RestoreMode, RestorePlan};
use super::stage::stage;
use crate::archive::export::file_stem;
use crate::archive::manifest::RelationDigest;
use crate::archive::receipt::Receipt;
use crate::archive::verified::VerifiedArchive;
use crate::archive::watch::until_cancelled;
use crate::console::{Console, Undertaking};
use crate::failure::Failure;
use crate::identity::Purpose;
use crate::isolation::relations;
use crate::postgres::{Isolation, Sql, Transaction};
use crate::progress::Progress;
use crate::tenant::session::{self, OpenSession, SessionRole, TenantSession};

/// The longest a restore may take; the session ends with it.
const LONGEST: TimeDelta = TimeDelta::hours(8);

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
    /// Where it is kept; none where that failed.
    pub receipt_path: Option<PathBuf>,
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
    let compare = |found: &[Difference]| {
        let seen = seen.iter().flat_map(|seen| &seen.relations);
        match seen.zip(found).find(|(seen, found)| seen != found) {
            Some((_, found)) => Err(RestoreError::Moved(found.name.clone())),
            None => Ok(()),
        }
    };
    confirmed(console, plan, confirm, &compare, progress).await
}

/// As [`restore`], for somebody who agreed before he saw what differs: he is told in the
/// transaction that changes it, before it does, so that nothing can move in between.
///
/// # Errors
/// As [`restore`].
pub async fn restore_telling(
    console: &Console,
    plan: RestorePlan,
    confirm: &str,
    tell: impl Fn(&Preview) + Sync,
    progress: &Progress,
) -> Result<Restored, Failure> {
    let told = |found: &[Difference]| {
        tell(&Preview { relations: found.to_vec() });
        Ok(())
    };
    confirmed(console, plan, confirm, &told, progress).await
}

/// What is asked when it is known what differs, and before anything is changed.
type Last<'l> = &'l (dyn Fn(&[Difference]) -> Result<(), RestoreError> + Sync);

async fn confirmed(
    console: &Console,
    plan: RestorePlan,
    confirm: &str,
    last: Last<'_>,
    progress: &Progress,
) -> Result<Restored, Failure> {
    plan.check_confirmation(confirm)?;
    let undertaking = console.begin(plan.entry(plan.mode.as_str().to_owned())).await?;
    let result = within_session(console, &undertaking, &plan, progress, async |session| {
        Box::pin(change(session, &undertaking, &plan, last, progress)).await
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
    let turn = Sql::new("select tenantdesk.take_restore_turn()");
    let row = transaction.query_one(&turn, &[]).await?;
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
    differences(transaction, &plan.relations, &plan.tenant.id, plan.mode, progress).await
}

/// All that changes the target, in one transaction.
async fn change(
    session: &TenantSession,
    undertaking: &Undertaking,
    plan: &RestorePlan,
    last: Last<'_>,
    progress: &Progress,
) -> Result<Restored, Failure> {
    let transaction = begin(session).await?;
    let found = look(&transaction, plan, progress).await?;
    last(&found)?;
    let (relations, mode) = (&plan.relations[..], plan.mode);
    let application = Application {
        session,
        transaction: &transaction,
        relations,
        groups: &plan.groups,
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
    Ok(report(session, plan, found, applied, progress))
}

/// Writes and compares. A replacement that does not end in the rows of the archive is undone and
/// done the other way: everything that hangs together deleted and inserted.
async fn apply_and_verify(
    application: &Application<'_>,
    archive: &VerifiedArchive,
) -> Result<Applied, Failure> {
    let &Application { transaction, relations, mode, progress, .. } = application;
    let find = |ordinal| archive.relations().iter().find(|digest| digest.ordinal == ordinal);
    let digests: Vec<_> = relations.iter().filter_map(|r| find(r.archived.ordinal)).collect();
    if mode == RestoreMode::Missing {
        return Ok(attempt(application, &digests, &Whole::new()).await?);
    }
    transaction.batch(&Sql::new("savepoint before_changes")).await?;
    match attempt(application, &digests, &Whole::new()).await {
        Err(
            error @ (RestoreError::Collision { .. }
            | RestoreError::Orphan { .. }
            | RestoreError::Referenced { .. }
            | RestoreError::Differs { .. }),
        ) => {
            progress.warn("rows changed places: rows of the tenant are written anew");
            transaction.batch(&Sql::new("rollback to savepoint before_changes")).await?;
            let whole = hanging_together(application, &error);
            let later = attempt(application, &digests, &whole).await;
            // What became of all rows written anew does not say why a few were not right.
            let differed = matches!(error, RestoreError::Differs { .. });
            let told = |later| if differed { error } else { later };
            Ok(later.map_err(told)?)
        }
        result => Ok(result?),
    }
}

/// One way to write and to compare.
async fn attempt(
    application: &Application<'_>,
    digests: &[&RelationDigest],
    whole: &Whole,
) -> Result<Applied, RestoreError> {
    let &Application { transaction, relations, mode, progress, .. } = application;
    let failed = |source| RestoreError::of("foreign keys", source);
    let before = footprint(transaction, relations).await.map_err(failed)?;
    let mut applied = application.apply(whole).await?;
    let check = async || {
        let check = transaction.batch(&Sql::new("set constraints all immediate")).await;
        check.map_err(|source| RestoreError::waiting(relations, source))
    };
    check().await?;
    let mut unlike = verify(application, digests).await?;
    if !unlike.is_empty() {
        let wait = Sql::new("set constraints all deferred");
        transaction.batch(&wait).await.map_err(failed)?;
        let more = application.put_back(&unlike).await?;
        applied.updated += more.updated;
        applied.deleted += more.deleted;
        check().await?;
        unlike = verify(application, digests).await?;
    }
    if let Some(place) = unlike.first() {
        return Err(compare::unlike(application, *place).await?);
    }
    let after = footprint(transaction, relations).await.map_err(failed)?;
    judge(relations, [&before, &after], mode, whole, progress)?;
    Ok(applied)
}

/// The relations that differ or failed, and all whose rows refer to theirs.
fn hanging_together(application: &Application<'_>, error: &RestoreError) -> Whole {
    let &Application { relations, differences, .. } = application;
    let failed = error.relations();
    let differs = |place: &usize| {
        let one = &differences[*place];
        let named = failed.iter().any(|name| **name == relations[*place].name);
        relations[*place].is_own() && (named || one.missing + one.changed + one.extra > 0)
    };
    let mut whole: Whole = (0..relations.len()).filter(differs).collect();
    loop {
        let refers = |place: &usize| {
            let to_whole = |name: &String| whole.iter().any(|&to| relations[to].name == *name);
            relations[*place].is_own() && relations[*place].keys.iter().any(|key| to_whole(&key.to))
        };
        let more: Whole = (0..relations.len()).filter(refers).collect();
        if more.is_subset(&whole) {
            return whole;
        }
        whole.extend(more);
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
    progress: &Progress,
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
    let name = format!("{}-restore", file_stem(&plan.tenant));
    let receipt_path = plan.receipts.keep(&receipt, &name, progress);
    let tenant = plan.tenant.handle();
    Restored { tenant, relations, inserted, updated, deleted, receipt, receipt_path }
}
