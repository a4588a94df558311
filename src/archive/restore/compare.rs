//! Comparing archive and target: row by row for the plan, by digest before the commit.

use futures_util::StreamExt;

use super::apply::Application;
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

/// What differs in one relation.
pub(super) async fn difference(
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

/// Compares every relation with the archive, after everything was written, and gives the places of
/// those that differ.
pub(super) async fn verify(
    application: &Application<'_>,
    digests: &[&RelationDigest],
) -> Result<Vec<usize>, RestoreError> {
    let Application { transaction, relations, differences, mode, progress, .. } = *application;
    let tenant = &application.session.tenant;
    let mut unlike = Vec::new();
    for (place, (relation, digest)) in relations.iter().zip(digests).enumerate() {
        progress.enter(format!("verifying {}", relation.name));
        let statements = application.statements(place);
        let failed = |error| RestoreError::of(&relation.name, error);
        let before = &differences[place];
        let left = mode == RestoreMode::Missing && (before.changed > 0 || before.extra > 0);
        let mut same = false;
        if !relation.is_own() {
            // Shared rows are as they are; that they are there is what counts.
            same = difference(transaction, relation, tenant).await?.missing == 0;
        } else if !left {
            let found = totals(transaction, &statements.copy_target()).await.map_err(failed)?;
            same = (found.rows, found.bytes, found.sum)
                == (digest.rows, digest.bytes, digest.line_sum);
        }
        // Of missing rows it counts that they are there; triggers may have added others.
        if !same && relation.is_own() && mode == RestoreMode::Missing {
            let (expected, found) = statements.copy_kept_aside(application.has_kept(place));
            let expected = totals(transaction, &expected).await.map_err(failed)?;
            same = expected == totals(transaction, &found).await.map_err(failed)?;
            if same && !left {
                progress
                    .warn(format!("triggers of the application added rows to `{}`", relation.name));
            }
        }
        if !same {
            unlike.push(place);
        }
    }
    Ok(unlike)
}

/// A few of the rows that differ, for people: the key and the columns.
pub(super) async fn unlike(
    application: &Application<'_>,
    place: usize,
) -> Result<RestoreError, RestoreError> {
    let relation = &application.relations[place].name;
    let sql = application.statements(place).unlike(application.has_kept(place));
    let rows = application.transaction.query(&sql, &[]).await;
    let rows = rows.map_err(|error| RestoreError::of(relation, error))?;
    let told = |row: &tokio_postgres::Row| {
        let key = row.get::<_, Option<String>>(0).unwrap_or_else(|| "a row".to_owned());
        let key: String = crate::text::screen(&key).chars().take(80).collect();
        match row.get::<_, Option<Vec<String>>>(1) {
            Some(columns) => format!("{key} differs in {}", columns.join(", ")),
            None if row.get(2) => format!("{key} is not there"),
            None => format!("{key} is not in the archive"),
        }
    };
    let rows = rows.iter().map(told).collect();
    Ok(RestoreError::Differs { relation: relation.clone(), rows })
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
