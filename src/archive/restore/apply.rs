//! Changing the target: each statement under the role of its kind, in the order that foreign keys
//! ask for.
//!
//! `missing` inserts what is not there. `replace` deletes what the archive does not hold, children
//! first, then brings each relation up to the archive, parents first. Where that does not end in the
//! rows of the archive (values that changed places, rows that hang on one another, triggers on
//! UPDATE), all rows of the relations in question are deleted and inserted; the digest decides.

use std::collections::BTreeSet;

use super::compare;
use super::error::RestoreError;
use super::footprint::{footprint, judge_deleted};
use super::prepare::{Difference, RestoreMode};
use crate::archive::manifest::ArchivedClass;
use crate::archive::order::{Group, Step};
use crate::archive::plan::PlannedRelation;
use crate::archive::statements::Statements;
use crate::archive::writing::together;
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
    pub(super) groups: &'a [Group],
    pub(super) differences: &'a [Difference],
    pub(super) mode: RestoreMode,
    pub(super) progress: &'a Progress,
}

/// The relations of which a replacement deletes all rows of the tenant, and not only those that the
/// archive does not hold: their places.
pub(super) type Whole = BTreeSet<usize>;

impl Application<'_> {
    /// Writes; the archivist's role is set again when this returns.
    pub(super) async fn apply(&self, whole: &Whole) -> Result<Applied, RestoreError> {
        let applied = match self.mode {
            RestoreMode::Missing => {
                self.keep_changed().await?;
                self.insert_all(whole, false).await?
            }
            RestoreMode::Replace => self.delete_and_insert(whole).await?,
        };
        self.become_role(SessionRole::Archivist).await?;
        self.advance_sequences().await?;
        Ok(applied)
    }

    async fn delete_and_insert(&self, whole: &Whole) -> Result<Applied, RestoreError> {
        let failed = |source| RestoreError::of("foreign keys", source);
        let before = footprint(self.transaction, self.relations).await.map_err(failed)?;
        let deleted = self.delete(whole, |place| {
            let (relation, difference) = (&self.relations[place], &self.differences[place]);
            let without_key = relation.row_key.is_empty();
            difference.extra > 0 || (without_key && difference.missing > 0)
        });
        let deleted = deleted.await?;
        if deleted > 0 {
            self.become_role(SessionRole::Archivist).await?;
            let Self { transaction, session, relations, differences, .. } = self;
            judge_deleted(transaction, &session.tenant, relations, differences, &before).await?;
        }
        let changes = deleted > 0 || self.differences.iter().any(|d| d.changed > 0);
        let applied = self.insert_all(whole, changes).await?;
        Ok(Applied { deleted, ..applied })
    }

    /// Deletes, children first: extra rows where `differs`, all of `whole`.
    async fn delete(
        &self,
        whole: &Whole,
        differs: impl Fn(usize) -> bool,
    ) -> Result<u64, RestoreError> {
        let mut deleted = 0;
        self.become_role(SessionRole::ArchiveChanger).await?;
        for group in self.groups.iter().rev() {
            let wanted = |place: &&usize| {
                self.relations[**place].is_own() && (whole.contains(place) || differs(**place))
            };
            let places: Vec<usize> = group.members.iter().rev().filter(wanted).copied().collect();
            let delete = |&place| self.statements(place).delete(!whole.contains(&place));
            let statements: Vec<Sql> = places.iter().map(delete).collect();
            deleted += self
                .execute("removing from", &places, &statements)
                .await
                .map_err(|(relation, source)| RestoreError::deleting(&relation, source))?;
        }
        Ok(deleted)
    }

    /// Brings each relation up to the archive. `anew`: cascades may have taken rows with them, so
    /// every relation is compared with the archive again.
    async fn insert_all(&self, whole: &Whole, anew: bool) -> Result<Applied, RestoreError> {
        let mut applied = Applied::default();
        for group in self.groups {
            let mut now = Vec::new();
            for &place in &group.members {
                now.push((place, self.now(place, whole, anew).await?));
            }
            let now = |place: usize| now.iter().find(|(of, _)| *of == place).map(|(_, now)| now);
            let changed = |place: &&usize| {
                anew && self.relations[**place].is_own()
                    && !whole.contains(place)
                    && now(**place).is_some_and(|now| now.changed > 0)
            };
            let changed: Vec<usize> = group.members.iter().filter(changed).copied().collect();
            // Values that must be unique are set free before they are taken; but a row that comes
            // to refer to a sibling needs it first.
            if !group.is_circle {
                applied.updated += self.update(&changed).await?;
            }
            for step in &group.steps {
                let missing = |place: &&usize| now(**place).is_some_and(|now| now.missing > 0);
                let places: Vec<usize> = step.members.iter().filter(missing).copied().collect();
                // Children whose parents were gone are there again when these are back.
                let empty = |place: usize| {
                    now(place).is_some_and(|now| now.in_target == 0)
                        && self.relations[place].archived.class != ArchivedClass::Derived
                };
                applied.inserted += self.insert(group, &Step { members: places }, empty).await?;
            }
            self.fill_in(group, |place| now(place).is_some_and(|now| now.missing > 0)).await?;
            if group.is_circle {
                applied.updated += self.update(&changed).await?;
            }
        }
        Ok(applied)
    }

    /// What differs now.
    async fn now(
        &self,
        place: usize,
        whole: &Whole,
        anew: bool,
    ) -> Result<Difference, RestoreError> {
        let before = &self.differences[place];
        let relation = &self.relations[place];
        if whole.contains(&place) && relation.is_own() {
            let missing = before.in_archive;
            return Ok(Difference {
                in_target: 0,
                missing,
                changed: 0,
                extra: 0,
                ..before.clone()
            });
        }
        if !anew || !relation.is_own() {
            return Ok(before.clone());
        }
        self.become_role(SessionRole::Archivist).await?;
        compare::difference(self.transaction, relation, &self.session.tenant).await
    }

    /// One statement, whatever it has to insert.
    async fn insert(
        &self,
        group: &Group,
        step: &Step,
        empty: impl Fn(usize) -> bool,
    ) -> Result<u64, RestoreError> {
        let postponed = |place: usize| {
            let found = group.postponed.iter().find(|(relation, _)| *relation == place);
            found.map_or(&[][..], |(_, columns)| columns)
        };
        let later: Vec<usize> =
            step.members.iter().copied().filter(|&place| !postponed(place).is_empty()).collect();
        if !later.is_empty() {
            self.become_role(SessionRole::Archivist).await?;
            for place in later {
                self.batch(place, &self.statements(place).create_fresh()).await?;
            }
        }
        self.become_role(SessionRole::ArchiveInserter).await?;
        let insert =
            |&place: &usize| self.statements(place).insert_missing(empty(place), postponed(place));
        let statements: Vec<Sql> = step.members.iter().map(insert).collect();
        self.execute("restoring", &step.members, &statements)
            .await
            .map_err(|(relation, source)| RestoreError::of(&relation, source))
    }

    /// Fills in what was null until all members of a circle were there.
    async fn fill_in(
        &self,
        group: &Group,
        inserted: impl Fn(usize) -> bool,
    ) -> Result<(), RestoreError> {
        for (place, columns) in &group.postponed {
            if inserted(*place) {
                self.become_role(SessionRole::ArchiveChanger).await?;
                let fill_in = self.statements(*place).fill_in(columns);
                self.execute_one(*place, &fill_in).await?;
            }
        }
        Ok(())
    }

    async fn update(&self, places: &[usize]) -> Result<u64, RestoreError> {
        let mut updated = 0;
        for &place in places {
            let has_kept = self.has_kept(place);
            if let Some(update) = self.statements(place).update_changed(has_kept) {
                self.become_role(SessionRole::ArchiveChanger).await?;
                self.progress.enter(format!("restoring {}", self.relations[place].name));
                updated += self.execute_one(place, &update).await?;
            }
        }
        Ok(updated)
    }

    /// Triggers of the application may have changed rows that were right already, and added others:
    /// counters, histories. They are put back; rows that were inserted just now are left to the
    /// verification, which tells of triggers that rewrite them.
    pub(super) async fn put_back(&self, places: &[usize]) -> Result<Applied, RestoreError> {
        let right = |place: &usize| {
            self.relations[*place].is_own()
                && (self.differences[*place].missing == 0 || self.mode == RestoreMode::Replace)
        };
        let places: Vec<usize> = places.iter().copied().filter(right).collect();
        let mut applied = Applied::default();
        if self.mode == RestoreMode::Replace {
            let with_key =
                |place| places.contains(&place) && !self.relations[place].row_key.is_empty();
            applied.deleted = self.delete(&Whole::new(), with_key).await?;
        }
        let right = |place: &&usize| self.differences[**place].missing == 0;
        let places: Vec<usize> = places.iter().filter(right).copied().collect();
        applied.updated = self.update(&places).await?;
        self.become_role(SessionRole::Archivist).await?;
        Ok(applied)
    }

    /// Whether rows of it that are there and differ stay as they are.
    pub(super) fn has_kept(&self, place: usize) -> bool {
        let (relation, difference) = (&self.relations[place], &self.differences[place]);
        self.mode == RestoreMode::Missing
            && (difference.changed > 0 || difference.extra > 0)
            && !relation.row_key.is_empty()
    }

    /// Remembers which rows are there and differ, where they are to stay as they are.
    async fn keep_changed(&self) -> Result<(), RestoreError> {
        for place in 0..self.relations.len() {
            if let (true, Some(keep)) = (self.has_kept(place), self.statements(place).create_kept())
            {
                self.batch(place, &keep).await?;
            }
        }
        Ok(())
    }

    /// Keys that the application draws next must not be taken: sequences move up, never down.
    async fn advance_sequences(&self) -> Result<(), RestoreError> {
        for (place, relation) in self.relations.iter().enumerate() {
            let known =
                |column: &String| relation.archived.columns.iter().any(|c| c.name == *column);
            for (sequence, column) in relation.sequences.iter().filter(|(_, column)| known(column))
            {
                let failed = |source| RestoreError::of(&relation.name, source);
                let largest = self.statements(place).largest(column);
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

    pub(super) fn statements(&self, place: usize) -> Statements<'_> {
        Statements { relation: &self.relations[place], tenant: &self.session.tenant }
    }

    /// Runs statements on these relations, several of them as one; the error names all of them.
    async fn execute(
        &self,
        what: &'static str,
        places: &[usize],
        statements: &[Sql],
    ) -> Result<u64, (String, ServerError)> {
        let names: Vec<&str> = places.iter().map(|&p| self.relations[p].name.as_str()).collect();
        let names = names.join("`, `");
        let failed = |source| (names.clone(), source);
        match statements {
            [] => Ok(0),
            [one] => {
                self.progress.enter(format!("{what} {names}"));
                self.transaction.execute(one, &[]).await.map_err(failed)
            }
            several => {
                self.progress.enter(format!("{what} {}", names.replace('`', "")));
                let row = self.transaction.query_one(&together(several), &[]).await;
                let count = row.map_err(failed)?.get::<_, i64>(0);
                Ok(u64::try_from(count).unwrap_or_default())
            }
        }
    }

    async fn execute_one(&self, place: usize, sql: &Sql) -> Result<u64, RestoreError> {
        let result = self.transaction.execute(sql, &[]).await;
        result.map_err(|error| RestoreError::of(&self.relations[place].name, error))
    }

    async fn batch(&self, place: usize, sql: &Sql) -> Result<(), RestoreError> {
        let result = self.transaction.batch(sql).await;
        result.map_err(|error| RestoreError::of(&self.relations[place].name, error))
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
