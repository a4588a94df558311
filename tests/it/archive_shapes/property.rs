//! `restore(export(t)) = t`, whatever was damaged: rows of a tenant are deleted and changed at random,
//! and come back; nobody else's move.

use std::fmt::Write as _;

use tenantdesk::archive::ArchivedClass;
use tenantdesk::archive::restore::RestoreMode;

use super::links::LINKS;
use super::names::{KUNDE, NAMES};
use super::values::TYPES;
use super::{Schema, circles::CIRCLES};
use crate::export::Yard;
use crate::harness::cluster::SUPERUSER;

/// Deletes about `share` percent of the rows of each relation of which a restore may write rows, and
/// with `change` changes a text that nothing hangs on in others. What is picked depends on the
/// seed alone. Children go with their parents, as they would with an application.
fn damage(yard: &Yard, archive: &std::path::Path, seed: u64, change: bool) {
    let archive = yard.open(archive);
    let tenant = archive.manifest().tenant.id.replace('\'', "''");
    let mut sql = format!("select setseed({});", f64::from(u32::try_from(seed).unwrap()) / 10.0);
    for relation in &archive.manifest().relations {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let name = format!("only {}.{}", quoted(&relation.schema), quoted(&relation.table));
        let partitioned = yard.desk.rows(
            SUPERUSER,
            &format!(
                "select relkind from pg_class where oid = '{}'::regclass",
                &name[5..].replace('\'', "''")
            ),
        ) == "p";
        let name = if partitioned { name[5..].to_owned() } else { name };
        let (ArchivedClass::Keyed, Some(key)) = (relation.class, &relation.key) else { continue };
        let own = format!("{}::text = '{tenant}'", quoted(key));
        let share = 10 + (seed * 17 + u64::from(relation.ordinal) * 29) % 60;
        let _ = write!(sql, "delete from {name} where {own} and random() * 100 < {share};");
        let free = relation.columns.iter().find(|column| {
            ["note", "body", "c_text"].contains(&column.name.as_str()) && column.sql_type == "text"
        });
        if let (true, Some(column)) = (change, free) {
            let column = quoted(&column.name);
            let _ = write!(
                sql,
                "update {name} set {column} = {column} || '.' where {own} and random() < 0.3;"
            );
        }
    }
    yard.damage(&sql);
}

async fn holds(schema: &Schema<'_>, tenant: &str) {
    holds_on(schema.yard().await, tenant).await;
}

pub(super) async fn holds_on(yard: Yard, tenant: &str) {
    let before = yard.tables();
    let archive = yard.take_out(tenant, "archive.tenant").await;
    let mut damaged = false;
    for seed in 1..=3 {
        damage(&yard, &archive, seed, false);
        damaged |= yard.tables() != before;
        let restored = yard.put_in(&archive, RestoreMode::Missing).await;
        restored.unwrap_or_else(|failure| panic!("missing, seed {seed}: {failure:?}"));
        assert_eq!(yard.tables(), before, "missing, seed {seed}");
        damage(&yard, &archive, seed + 3, true);
        let restored = yard.put_in(&archive, RestoreMode::Replace).await;
        restored.unwrap_or_else(|failure| panic!("replace, seed {seed}: {failure:?}"));
        assert_eq!(yard.tables(), before, "replace, seed {seed}");
    }
    assert!(damaged, "control: the damage is seen");
    let again = yard.take_out(tenant, "again.tenant").await;
    assert_eq!(
        yard.open(&again).relations(),
        yard.open(&archive).relations(),
        "the archive of what was restored is the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn circles_hold() {
    holds(&CIRCLES, "acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_hold() {
    holds(&TYPES, "eu/acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_hold() {
    holds(&NAMES, KUNDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_hold() {
    // What cannot be written again, and what refuses to be changed, has tests of its own.
    let rows = format!(
        "{}; delete from app.pins where project_id = 99999; drop trigger refuse on app.history; drop trigger refuse on app.ledger",
        LINKS.rows
    );
    holds(&Schema { rows: &rows, ..LINKS }, "acme").await;
}
