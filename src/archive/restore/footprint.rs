//! What a restore did beyond the tenant's own rows. A role that sees one tenant cannot count the rows
//! of others; the server counts the rows that a transaction deletes, whoever they belong to. What it
//! deleted more than the tenant had is somebody else's: taken by a foreign key or a trigger.

use super::apply::Whole;
use super::error::RestoreError;
use super::prepare::{Difference, RestoreMode};
use crate::archive::manifest::ArchivedClass;
use crate::archive::plan::PlannedRelation;
use crate::format;
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

/// Refuses where rows of others were deleted, and warns where shared rows were changed: that is
/// refused as well where it came of rows that were deleted to be written anew.
pub(super) fn judge(
    relations: &[(&PlannedRelation, &Difference)],
    [before, after]: [&[Touched]; 2],
    mode: RestoreMode,
    whole: &Whole,
    progress: &Progress,
) -> Result<(), RestoreError> {
    for ((relation, difference), (before, after)) in relations.iter().zip(before.iter().zip(after))
    {
        let updated = after.updated - before.updated;
        let deleted = after.deleted - before.deleted;
        let inserted = after.inserted - before.inserted;
        let own = if relation.is_own() && mode == RestoreMode::Replace {
            let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
            let own = count(difference.in_target) + inserted - count(difference.in_archive);
            // Children whose parent was gone are nobody's until it is back, and need no INSERT.
            let adopted = match relation.archived.class {
                ArchivedClass::Derived => (count(difference.missing) - inserted).max(0),
                _ => 0,
            };
            (own + adopted).max(0)
        } else {
            0
        };
        if deleted > own {
            let (relation, rows) = (relation.name.clone(), deleted - own);
            return Err(RestoreError::Reaches { relation, rows });
        }
        if !relation.is_own() && updated > 0 && !whole.is_empty() {
            return Err(RestoreError::Reaches { relation: relation.name.clone(), rows: updated });
        }
        if !relation.is_own() && updated > 0 {
            progress.warn(format!(
                "{} of `{}` changed by a foreign key or a trigger",
                format::counted(updated, "row"),
                relation.name
            ));
        }
    }
    Ok(())
}
