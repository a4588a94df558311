//! Comparing archive and target: row by row for the plan, by digest before the commit.

use futures_util::StreamExt;

use super::error::RestoreError;
use super::prepare::{Difference, RestoreMode};
use crate::archive::digest::{LineHasher, LineTotals};
use crate::archive::lines::RowSplitter;
use crate::archive::manifest::RelationDigest;
use crate::archive::plan::PlannedRelation;
use crate::archive::statements::Statements;
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::postgres::{ServerError, Sql, Transaction};
use crate::progress::Progress;

/// What differs, relation by relation.
pub(super) async fn differences(
    transaction: &Transaction<'_>,
    relations: &[PlannedRelation],
    tenant: &TenantId,
    mode: RestoreMode,
    progress: &Progress,
) -> Result<Vec<Difference>, Failure> {
    let mut differences = Vec::new();
    for relation in relations {
        progress.checkpoint()?;
        progress.enter(format!("comparing {}", relation.name));
        let mut found = difference(transaction, relation, tenant).await?;
        found.collisions = collisions(transaction, relation, tenant, mode, &found).await?;
        found.conflicts += found.collisions;
        differences.push(found);
    }
    Ok(differences)
}

/// Counts missing rows whose unique keys are taken. A replacement removes the rows that would be in
/// the way, but for those of shared parents.
async fn collisions(
    transaction: &Transaction<'_>,
    relation: &PlannedRelation,
    tenant: &TenantId,
    mode: RestoreMode,
    found: &Difference,
) -> Result<u64, RestoreError> {
    let removed = mode == RestoreMode::Replace && relation.is_own();
    let statement = Statements { relation, tenant }.collisions();
    let Some(statement) =
        statement.filter(|_| !removed && found.missing > 0 && found.in_target > 0)
    else {
        return Ok(0);
    };
    let row = transaction.query_one(&statement, &[]).await;
    let row = row.map_err(|error| RestoreError::of(&relation.name, error))?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
}

async fn difference(
    transaction: &Transaction<'_>,
    relation: &PlannedRelation,
    tenant: &TenantId,
) -> Result<Difference, RestoreError> {
    let statements = Statements { relation, tenant };
    let row = transaction.query_one(&statements.difference(), &[]).await;
    let row = row.map_err(|error| RestoreError::of(&relation.name, error))?;
    let count = |column: usize| u64::try_from(row.get::<_, i64>(column)).unwrap_or_default();
    Ok(Difference {
        name: relation.name.clone(),
        in_archive: count(0),
        in_target: count(1),
        missing: count(2),
        changed: count(3),
        extra: count(4),
        conflicts: count(5),
        collisions: 0,
        is_own: relation.is_own(),
    })
}

/// Compares every relation with the archive, after everything was written.
pub(super) async fn verify(
    transaction: &Transaction<'_>,
    relations: &[(&PlannedRelation, &Difference, &RelationDigest)],
    tenant: &TenantId,
    mode: RestoreMode,
    progress: &Progress,
) -> Result<(), RestoreError> {
    for (relation, before, digest) in relations {
        progress.enter(format!("verifying {}", relation.name));
        let statements = Statements { relation, tenant };
        let failed = |error| RestoreError::of(&relation.name, error);
        let same = if !relation.is_own() {
            // Shared rows are as they are; that they are there is what counts.
            difference(transaction, relation, tenant).await?.missing == 0
        } else if mode == RestoreMode::Replace || (before.changed == 0 && before.extra == 0) {
            let found = totals(transaction, &statements.copy_target()).await.map_err(failed)?;
            (found.rows, found.bytes, found.sum) == (digest.rows, digest.bytes, digest.line_sum)
        } else {
            let kept = !relation.archived.primary_key.is_empty();
            let (expected, found) = statements.copy_kept_aside(kept);
            let expected = totals(transaction, &expected).await.map_err(failed)?;
            expected == totals(transaction, &found).await.map_err(failed)?
        };
        if !same {
            return Err(RestoreError::Differs(relation.name.clone()));
        }
    }
    Ok(())
}

/// The digest of what a COPY gives.
async fn totals(transaction: &Transaction<'_>, copy: &Sql) -> Result<LineTotals, ServerError> {
    let stream = transaction.copy_out(copy).await?;
    let mut stream = std::pin::pin!(stream);
    let mut rows = RowSplitter::default();
    let mut lines = LineHasher::default();
    while let Some(message) = stream.next().await {
        let message = message?;
        let mut rest = &message[..];
        while !rest.is_empty() {
            let (piece, after) = rows.split(rest);
            lines.update(piece.bytes, piece.ends);
            rest = after;
        }
    }
    Ok(lines.totals())
}
