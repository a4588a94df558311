//! Changing the target: each statement under the role of its kind, in the order that foreign keys
//! ask for.
//!
//! `missing` inserts what is not there. `replace` deletes what the archive does not hold, children
//! first, then brings each relation up to the archive, parents first. Where that does not end in the
//! rows of the archive (values that changed places, rows that hang on one another, triggers on
//! UPDATE), everything of the tenant is deleted and inserted instead; the digest decides.

use super::error::RestoreError;
use super::prepare::{Difference, RestoreMode};
use crate::archive::plan::PlannedRelation;
use crate::archive::statements::Statements;
use crate::postgres::{ServerError, Sql, Transaction};
use crate::progress::Progress;
use crate::tenant::session::{SessionRole, TenantSession};

/// How many rows were written and removed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Applied {
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
}

/// One run over the target.
pub(super) struct Application<'a> {
    pub(super) session: &'a TenantSession,
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) relations: &'a [PlannedRelation],
    pub(super) differences: &'a [Difference],
    pub(super) mode: RestoreMode,
    pub(super) progress: &'a Progress,
}

/// How much of the tenant a replacement deletes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What the archive does not hold.
    Extra,
    /// Everything.
    Whole,
}

impl Application<'_> {
    /// Writes; the archivist's role is set again when this returns.
    pub(super) async fn apply(&self, extent: Extent) -> Result<Applied, RestoreError> {
        let applied = match self.mode {
            RestoreMode::Missing => {
                self.keep_changed().await?;
                self.insert_all(Extent::Extra, false).await?
            }
            RestoreMode::Replace => self.delete_and_insert(extent).await?,
        };
        self.become_role(SessionRole::Archivist).await?;
        self.advance_sequences().await?;
        Ok(applied)
    }

    async fn delete_and_insert(&self, extent: Extent) -> Result<Applied, RestoreError> {
        let mut deleted = 0;
        self.become_role(SessionRole::ArchiveChanger).await?;
        for (relation, difference) in self.each().rev() {
            let without_key = relation.archived.primary_key.is_empty();
            let differs = difference.extra > 0 || (without_key && difference.missing > 0);
            if relation.is_own() && (differs || extent == Extent::Whole) {
                self.progress.enter(format!("removing from {}", relation.name));
                let delete = self.statements(relation).delete(extent == Extent::Extra);
                deleted += self.execute(relation, &delete).await?;
            }
        }
        let changes = deleted > 0 || self.differences.iter().any(|d| d.changed > 0);
        let applied = self.insert_all(extent, changes).await?;
        Ok(Applied { deleted, ..applied })
    }

    /// Brings each relation up to the archive. `anew`: cascades may have taken rows with them, so
    /// every relation is compared with the archive again, by the statements themselves.
    async fn insert_all(&self, extent: Extent, anew: bool) -> Result<Applied, RestoreError> {
        let mut applied = Applied::default();
        for (relation, difference) in self.each() {
            let statements = self.statements(relation);
            if anew
                && relation.is_own()
                && extent == Extent::Extra
                && let Some(update) = statements.update_changed()
            {
                self.become_role(SessionRole::ArchiveChanger).await?;
                applied.updated += self.execute(relation, &update).await?;
            }
            if difference.missing > 0 || (anew && relation.is_own()) {
                self.progress.enter(format!("restoring {}", relation.name));
                self.become_role(SessionRole::ArchiveInserter).await?;
                let empty =
                    difference.in_target == 0 || (extent == Extent::Whole && relation.is_own());
                let insert = statements.insert_missing(empty);
                applied.inserted += self.execute(relation, &insert).await?;
            }
        }
        Ok(applied)
    }

    /// Remembers which rows are there and differ, where they are to stay as they are.
    async fn keep_changed(&self) -> Result<(), RestoreError> {
        for (relation, difference) in self.each() {
            let needed = self.mode == RestoreMode::Missing
                && (difference.changed > 0 || difference.extra > 0);
            if let (true, Some(keep)) = (needed, self.statements(relation).create_kept()) {
                self.execute(relation, &keep).await?;
            }
        }
        Ok(())
    }

    /// Keys that the application draws next must not be taken: sequences move up, never down.
    async fn advance_sequences(&self) -> Result<(), RestoreError> {
        for (relation, _) in self.each() {
            for (sequence, column) in &relation.sequences {
                let failed = |source| RestoreError::of(&relation.name, source);
                let largest = self.statements(relation).largest(column);
                let row = self.transaction.query_one(&largest, &[]).await.map_err(failed)?;
                if let Some(largest) = row.get::<_, Option<i64>>(0) {
                    let advance = Sql::new("select tenantdesk.advance_sequence($1, $2)");
                    let values = self.transaction.query(&advance, &[sequence, &largest]).await;
                    values.map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    fn each(&self) -> impl DoubleEndedIterator<Item = (&PlannedRelation, &Difference)> {
        self.relations.iter().zip(self.differences)
    }

    fn statements<'r>(&'r self, relation: &'r PlannedRelation) -> Statements<'r> {
        Statements { relation, tenant: &self.session.tenant }
    }

    async fn execute(&self, relation: &PlannedRelation, sql: &Sql) -> Result<u64, RestoreError> {
        let result = self.transaction.execute(sql, &[]).await;
        result.map_err(|error| RestoreError::of(&relation.name, error))
    }

    async fn become_role(&self, role: SessionRole) -> Result<(), RestoreError> {
        let result: Result<(), ServerError> =
            self.session.become_role(self.transaction, role).await;
        let role = role.as_str().to_owned();
        result.map_err(|source| match source.state() {
            Some("42501") => RestoreError::Role { role, source: Box::new(source) },
            _ => RestoreError::staging(&role, source),
        })
    }
}
