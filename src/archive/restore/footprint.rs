//! What a restore did beyond the tenant's own rows. A role that sees one tenant cannot count the rows
//! of others; the server counts the rows that a transaction deletes, whoever they belong to. What it
//! deleted more than the tenant had is somebody else's: taken by a foreign key or a trigger.

use super::apply::Whole;
use super::error::RestoreError;
use super::prepare::{Difference, RestoreMode};
use crate::archive::plan::PlannedRelation;
use crate::archive::statements::Statements;
use crate::format;
use crate::identity::TenantId;
use crate::postgres::{ServerError, Sql, Transaction};
use crate::progress::Progress;

/// Rows of one relation that the transaction touched until now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    inserted: i64,
    updated: i64,
    deleted: i64,
}

/// What was touched in each relation until now.
pub(super) async fn footprint(
    transaction: &Transaction<'_>,
    relations: &[PlannedRelation],
) -> Result<Vec<Touched>, ServerError> {
    let names: Vec<String> = relations.iter().map(|one| one.table.to_string()).collect();
    let count = Sql::new(include_str!("../sql/footprint.sql"));
    let rows = transaction.query(&count, &[&names]).await?;
    let touched = |row: &tokio_postgres::Row| Touched {
        inserted: row.get(0),
        updated: row.get(1),
        deleted: row.get(2),
    };
    Ok(rows.iter().map(touched).collect())
}

/// What was touched between two moments.
fn between(before: &[Touched], after: &[Touched]) -> Vec<Touched> {
    let one = |(before, after): (&Touched, &Touched)| Touched {
        inserted: after.inserted - before.inserted,
        updated: after.updated - before.updated,
        deleted: after.deleted - before.deleted,
    };
    before.iter().zip(after).map(one).collect()
}

/// Refuses where, before anything was inserted, more rows were deleted than the tenant has lost.
pub(super) async fn judge_deleted(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    relations: &[PlannedRelation],
    differences: &[Difference],
    before: &[Touched],
) -> Result<(), RestoreError> {
    let failed = |source| RestoreError::of("foreign keys", source);
    let after = footprint(transaction, relations).await.map_err(failed)?;
    let touched = between(before, &after);
    for ((relation, difference), touched) in relations.iter().zip(differences).zip(touched) {
        if touched.deleted == 0 {
            continue;
        }
        let count = Statements { relation, tenant }.count();
        let row = transaction.query_one(&count, &[]).await;
        let row = row.map_err(|error| RestoreError::of(&relation.name, error))?;
        let had = i64::try_from(difference.in_target).unwrap_or(i64::MAX);
        let others = touched.deleted - (had - row.get::<_, i64>(0)).max(0);
        if others > 0 {
            return Err(RestoreError::Reaches { relation: relation.name.clone(), rows: others });
        }
    }
    Ok(())
}

/// Refuses where shared rows were deleted, or any by an INSERT, and warns where shared rows were
/// changed: that is refused as well where it came of rows that were deleted to be written anew.
pub(super) fn judge(
    relations: &[PlannedRelation],
    [before, after]: [&[Touched]; 2],
    mode: RestoreMode,
    whole: &Whole,
    progress: &Progress,
) -> Result<(), RestoreError> {
    for (relation, touched) in relations.iter().zip(between(before, after)) {
        let Touched { updated, deleted, .. } = touched;
        let shared = !relation.is_own();
        let reaches = |rows| Err(RestoreError::Reaches { relation: relation.name.clone(), rows });
        if deleted > 0 && (shared || mode == RestoreMode::Missing) {
            return reaches(deleted);
        }
        if updated > 0 && shared && !whole.is_empty() {
            return reaches(updated);
        }
        if updated > 0 && shared {
            progress.warn(format!(
                "{} of `{}` changed by a foreign key or a trigger",
                format::counted(updated, "row"),
                relation.name
            ));
        }
    }
    Ok(())
}
