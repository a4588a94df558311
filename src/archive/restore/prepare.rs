//! What a restore is asked for, and the plan that comes of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::RestoreError;
use super::fit::fit;
use crate::archive::order::{Group, groups};
use crate::archive::plan::{PlannedRelation, plan};
use crate::archive::receipt::ReceiptShelf;
use crate::archive::verified::VerifiedArchive;
use crate::audit::{Entry, Verb};
use crate::catalog;
use crate::console::Console;
use crate::failure::Failure;
use crate::format;
use crate::identity::{Reason, TenantId};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::installed_map;
use crate::secret::signing_key::SigningKey;
use crate::tenant::directory::{self, Tenant};

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
    /// The directory where the receipt is kept; made if it is not there.
    pub receipts_dir: PathBuf,
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
    pub(super) archive: Arc<VerifiedArchive>,
    pub(super) relations: Vec<PlannedRelation>,
    pub(super) groups: Vec<Group>,
    pub(super) map: RelationMap,
    pub(super) reason: Reason,
    pub(super) key: SigningKey,
    pub(super) receipts: ReceiptShelf,
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
    /// Rows of the archive that cannot be written: those that name another tenant, and collisions.
    pub conflicts: u64,
    /// Missing rows that collide by a unique key other than the primary one with a row that stays.
    pub collisions: u64,
    /// Whether a replacement changes and deletes rows of it.
    pub is_own: bool,
}

/// What a restore would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Relation by relation.
    pub relations: Vec<Difference>,
}

impl Preview {
    /// Why this cannot be carried out, if so.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let conflicts: u64 = self.relations.iter().map(|one| one.conflicts).sum();
        let collisions: u64 = self.relations.iter().map(|one| one.collisions).sum();
        if conflicts > collisions {
            let rows = format::counted(signed(conflicts - collisions), "row");
            let names = if conflicts - collisions == 1 { "names" } else { "name" };
            Some(format!("{rows} of the archive {names} another tenant"))
        } else if collisions > 0 {
            let rows = format::counted(signed(collisions), "missing row");
            Some(format!("by a unique key {rows} would collide with rows of the tenant"))
        } else {
            None
        }
    }
}

/// What a replacement leaves as it is although it differs: the root row and shared rows.
#[must_use]
pub fn left_alone(mode: RestoreMode, differences: &[Difference]) -> Vec<String> {
    let differs = |one: &&Difference| !one.is_own && one.changed > 0;
    let told = |one: &Difference| match one.changed {
        1 => {
            format!("`{}`: 1 changed row stays as it is: it belongs to the installation", one.name)
        }
        count => format!(
            "`{}`: {count} changed rows stay as they are: they belong to the installation",
            one.name
        ),
    };
    match mode {
        RestoreMode::Missing => Vec::new(),
        RestoreMode::Replace => differences.iter().filter(differs).map(told).collect(),
    }
}

/// Reads what is needed and plans.
///
/// # Errors
/// [`RestoreError::NoTenant`], [`RestoreError::Unfit`], no signing key.
pub async fn prepare(console: &Console, ask: Restore) -> Result<RestorePlan, Failure> {
    let map = installed_map(console).await?;
    let catalog = console
        .reading(async |reading| Ok(catalog::load(reading, Some(&map.application_role)).await?))
        .await?;
    let (relations, warnings) = fit(ask.archive.manifest(), &plan(&map, &catalog)?)?;
    let id = &ask.archive.manifest().tenant.id;
    let named = directory::by_id(console, id).await?;
    let tenant = named.or_else(|| lost(&map, &ask.archive.manifest().tenant));
    let tenant = tenant.ok_or_else(|| RestoreError::NoTenant(crate::text::screen(id)))?;
    let key = SigningKey::open_or_create(&ask.signing_key)?;
    let receipts = ReceiptShelf::open(&ask.receipts_dir)?;
    let Restore { archive, mode, reason, .. } = ask;
    let archive = Arc::new(archive);
    let groups = groups(&relations)?;
    Ok(RestorePlan {
        tenant,
        mode,
        warnings,
        archive,
        relations,
        groups,
        map,
        reason,
        key,
        receipts,
    })
}

/// A tenant of which no row is left: without a root table nothing else says that there ever was one.
fn lost(map: &RelationMap, archived: &crate::archive::manifest::ArchivedTenant) -> Option<Tenant> {
    map.root.table.is_none().then(|| Tenant {
        id: TenantId::from_database(archived.id.clone()),
        slug: None,
        name: None,
        plan: None,
        status: None,
        domain: None,
        created_at: None,
    })
}

impl RestorePlan {
    /// What must be typed to confirm: the slug, or the id where the target has none.
    #[must_use]
    pub fn confirm(&self) -> String {
        self.tenant.handle()
    }

    /// Whether this text confirms the plan.
    ///
    /// # Errors
    /// [`RestoreError::Unconfirmed`] for every other text.
    pub fn check_confirmation(&self, given: &str) -> Result<(), RestoreError> {
        let expected = self.confirm();
        if given == expected {
            return Ok(());
        }
        Err(RestoreError::Unconfirmed { given: given.to_owned(), expected })
    }

    /// The same plan for the reason that was given after it was seen.
    #[must_use]
    pub fn for_reason(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// What the ledger is told.
    pub(super) fn entry(&self, object: String) -> Entry {
        Entry {
            verb: Verb::Restore,
            tenant: Some(self.tenant.id.clone()),
            object,
            reason: Some(self.reason.as_str().to_owned()),
        }
    }
}

fn signed(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
