//! Export and restore on schemas of every shape: a small schema for each sort of trouble, with a map
//! written by hand, and one yard on which all of them are told.

mod circles;
mod grown;
mod keys;
mod links;
mod names;
mod property;
mod triggers;
mod values;

use std::path::{Path, PathBuf};

use tenantdesk::archive::Existing;
use tenantdesk::archive::export::{self, Destination, Export};
use tenantdesk::archive::restore::{Difference, Restore, RestoreMode, Restored, prepare, restore};
use tenantdesk::failure::Failure;
use tenantdesk::progress::Progress;
use tenantdesk::tenant::directory;

use crate::export::Yard;
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

/// What a schema is made of.
pub(super) struct Schema<'s> {
    /// As the superuser, first.
    pub(super) extensions: &'s str,
    /// As the owner.
    pub(super) tables: &'s str,
    /// As the superuser, last.
    pub(super) rows: &'s str,
    /// The relation map.
    pub(super) map: &'s str,
}

impl Schema<'_> {
    pub(super) async fn yard(&self) -> Yard {
        let texts = [self.extensions, self.tables, self.rows, self.map].map(str::to_owned);
        let desk = tokio::task::spawn_blocking(move || {
            let [extensions, tables, rows, map] = texts;
            Desk::custom(&extensions, &tables, &rows, &map)
        });
        Yard::with(desk.await.unwrap()).await
    }
}

impl Yard {
    /// Restores into the tenant of the archive, which is confirmed as its plan says.
    pub(super) async fn put_in(&self, path: &Path, mode: RestoreMode) -> Result<Restored, Failure> {
        let ask = Restore {
            archive: self.open(path),
            mode,
            reason: "ticket 4711: bring it back".parse().unwrap(),
            signing_key: self.key_file(),
            receipts_dir: self.receipts_dir(),
        };
        let plan = prepare(&self.console, ask).await?;
        let confirm = plan.confirm();
        restore(&self.console, plan, &confirm, None, &Progress::silent()).await
    }

    pub(super) async fn take_out(&self, tenant: &str, name: &str) -> PathBuf {
        self.export(tenant, name).await.unwrap_or_else(|failure| panic!("{failure:?}")).path
    }

    /// An export that chooses its own name.
    pub(super) async fn export_into(&self, tenant: &str) -> PathBuf {
        let ask = Export {
            tenant: directory::resolve(&self.console, tenant).await.unwrap(),
            destination: Destination::Directory(self.home.path().join("archives")),
            existing: Existing::Keep,
            signing_key: self.key_file(),
            receipts_dir: self.receipts_dir(),
        };
        let plan = export::prepare(&self.console, ask).await.unwrap();
        export::export(&self.console, plan, &Progress::silent()).await.unwrap().path
    }

    /// Statements of the superuser, past every guard, trigger and foreign key.
    pub(super) fn damage(&self, sql: &str) {
        self.desk.rows(SUPERUSER, &format!("set session_replication_role = replica; {sql}"));
    }

    /// A digest of each table's rows, whoever they belong to.
    pub(super) fn tables(&self) -> Vec<String> {
        let sql = "select c.oid::regclass::text || ' ' || coalesce((xpath('/row/d/text()', query_to_xml(format('select count(*) || '' '' || md5(string_agg(x::text, chr(10) order by x::text)) as d from only %s x', c.oid::regclass), false, true, '')))[1]::text, 'empty')
          from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema|tenantdesk)' order by 1";
        self.desk.rows(SUPERUSER, sql).lines().map(str::to_owned).collect()
    }
}

/// Both modes: what was deleted comes back, and what was changed as well; nothing else moves.
pub(super) async fn comes_back(yard: &Yard, tenant: &str, deleted: &str, changed: &str) {
    let before = yard.tables();
    let archive = yard.take_out(tenant, "archive.tenant").await;
    assert_eq!(yard.tables(), before, "an export changes nothing");
    yard.damage(deleted);
    assert_ne!(yard.tables(), before, "control: the damage is seen");
    let restored = yard.put_in(&archive, RestoreMode::Missing).await;
    let restored = restored.unwrap_or_else(|failure| panic!("missing: {failure:?}"));
    assert_eq!(yard.tables(), before, "{restored:?}");
    yard.damage(&format!("{deleted}; {changed}"));
    let restored = yard.put_in(&archive, RestoreMode::Replace).await;
    let restored = restored.unwrap_or_else(|failure| panic!("replace: {failure:?}"));
    assert_eq!(yard.tables(), before, "{restored:?}");
}

/// What a restore found in one relation.
pub(super) fn of<'r>(restored: &'r Restored, name: &str) -> &'r Difference {
    restored.relations.iter().find(|difference| difference.name == name).unwrap()
}
