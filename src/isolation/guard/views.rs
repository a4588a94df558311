//! Guarded views for tables without row level security: nothing is enabled on them without
//! consent, so the views stand in their place, and the transaction's search path puts them first.

use std::collections::BTreeSet;

use super::condition::{Conditions, GuardError, Of};
use super::policies::provisioned;
use super::rights::{is_link, privilege_on};
use super::roles::{ARCHIVE, IMPERSONATION, list};
use crate::catalog::CatalogRelation;
use crate::isolation::map::{Class, Relation, Way};
use crate::postgres::{Ident, Sql};

/// One set of views: for reading and writing as a member, for an export, for the writes of a restore.
struct Set {
    schema: &'static str,
    of: Of,
    checked: bool,
}

const READ: Set = Set { schema: "tenantdesk_read", of: Of::Session, checked: false };
const WRITE: Set = Set { schema: "tenantdesk_write", of: Of::Writing, checked: true };
const PROVISION: Set = Set { schema: "tenantdesk_provision", of: Of::Provision, checked: true };
const MOVE: Set = Set { schema: "tenantdesk_move", of: Of::Archive, checked: false };
/// A set of its own, because an export's token opens [`MOVE`] and must not write.
const RESTORE: Set = Set { schema: "tenantdesk_restore", of: Of::ArchiveWrites, checked: true };

/// The schemas of the views, made once.
#[must_use]
pub(super) fn schemas() -> Vec<Sql> {
    let mut statements = Vec::new();
    for (set, roles) in [
        (&READ, IMPERSONATION),
        (&WRITE, &IMPERSONATION[1..]),
        (&PROVISION, &["tenantdesk_provisioner"]),
        (&MOVE, ARCHIVE),
        (&RESTORE, &ARCHIVE[1..]),
    ] {
        let schema = Sql::new(set.schema);
        let pieces = [("schema", &schema), ("roles", &list(roles))];
        // By name, not IF EXISTS: what stood there is dropped before, with all views of ours in it.
        statements
            .push(Sql::fill("create schema {schema} authorization tenantdesk_owner", &pieces));
        statements.push(Sql::new("set local role tenantdesk_owner"));
        statements.push(Sql::fill("grant usage on schema {schema} to {roles}", &pieces));
        statements.push(Sql::new("reset role"));
    }
    statements
}

/// The rights that the views' owner needs on a table without row level security.
#[must_use]
pub(super) fn owner_grants(present: &CatalogRelation) -> Vec<Sql> {
    vec![Sql::fill(
        "grant select, insert, update, delete on {on} to tenantdesk_owner",
        &[("on", &Sql::from(&present.name))],
    )]
}

/// The views of one table and the grants on them.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn views(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
    name: &Ident,
) -> Result<Vec<Sql>, GuardError> {
    let mut statements = vec![Sql::new("set local role tenantdesk_owner")];
    let movable = matches!(relation.class, Class::Keyed | Class::Derived);
    let writable = movable && !is_link(conditions.map, relation);
    for set in [&READ, &WRITE, &PROVISION, &MOVE, &RESTORE] {
        if set.schema == WRITE.schema && !writable {
            continue;
        }
        let view = Sql::new(set.schema).text(".").ident(name);
        let belongs = if set.of == Of::Archive {
            ways(relation).iter().map(|way| belongs(conditions, way, set)).collect()
        } else {
            belongs(conditions, relation, set).map(|whole| vec![whole])
        };
        statements.push(create(present, &view, &belongs?, set));
        statements.extend(grants(set, movable, present, &view));
    }
    statements.push(Sql::new("reset role"));
    Ok(statements)
}

/// A polymorphic relation way by way, where no row is on two of them; else as it is. One EXISTS is a
/// join that begins at the tenant; several that are joined by OR are asked of every row of the table
/// (300,000 rows: 4 ms and 100 ms). A view of several parts cannot be written through.
fn ways(relation: &Relation) -> Vec<Relation> {
    let columns: BTreeSet<&str> = relation.ways.iter().map(|way| way.column.as_str()).collect();
    let words: BTreeSet<&str> = relation.ways.iter().map(|way| way.word.as_str()).collect();
    if columns.len() != 1 || words.len() != relation.ways.len() {
        return vec![relation.clone()];
    }
    let alone = |way: &Way| Relation { ways: vec![way.clone()], ..relation.clone() };
    relation.ways.iter().map(alone).collect()
}

/// Which rows a view shows, and lets in.
fn belongs(conditions: &Conditions<'_>, relation: &Relation, set: &Set) -> Result<Sql, GuardError> {
    let row = Sql::new("t");
    match set.of {
        Of::Session => conditions.readable(relation, &row, set.of),
        Of::Provision => provisioned(conditions, relation, &row),
        // A person is inserted before the membership that links him.
        Of::ArchiveWrites if relation.class == Class::Linked => {
            Ok(Sql::new("(select tenantdesk.archive_writes()) is not null"))
        }
        of => conditions.belongs(relation, &row, of),
    }
}

/// `create view`, one column list, a barrier, and a cascaded check where it is written through.
/// What moves a tenant takes each table for itself: rows of tables that inherit from it are theirs.
fn create(present: &CatalogRelation, view: &Sql, belongs: &[Sql], set: &Set) -> Sql {
    let alone = present.has_heirs && matches!(set.of, Of::Archive | Of::ArchiveWrites);
    let columns: Vec<Sql> = present
        .columns
        .iter()
        .map(|column| Sql::new("t.").ident(&Ident::new(&column.name)))
        .collect();
    let part = |belongs: &Sql| {
        Sql::fill(
            "select {columns} from {only}{table} as t where {belongs}",
            &[
                ("columns", &Sql::join(&columns, ", ")),
                ("table", &Sql::from(&present.name)),
                ("only", &Sql::new(if alone { "only " } else { "" })),
                ("belongs", belongs),
            ],
        )
    };
    let parts: Vec<Sql> = belongs.iter().map(part).collect();
    Sql::fill(
        "create view {view} with (security_barrier) as {parts}{check}",
        &[
            ("view", view),
            ("parts", &Sql::join(&parts, " union all ")),
            ("check", &Sql::new(if set.checked { " with cascaded check option" } else { "" })),
        ],
    )
}

/// The grants on one view, of the same kinds as on a table with policies.
fn grants(set: &Set, movable: bool, present: &CatalogRelation, view: &Sql) -> Vec<Sql> {
    let rights = present.application;
    let kinds: &[(&'static str, char, bool, &[&str])] = match set.schema {
        "tenantdesk_read" => &[("select", 'r', rights.select, IMPERSONATION)],
        "tenantdesk_write" => &[
            ("select", 'r', rights.select, &["tenantdesk_inserter", "tenantdesk_changer"]),
            ("insert", 'a', rights.insert, &["tenantdesk_inserter"]),
            ("update", 'w', rights.update, &["tenantdesk_changer"]),
            ("delete", 'd', rights.delete, &["tenantdesk_changer"]),
        ],
        "tenantdesk_provision" => &[("insert", 'a', true, &["tenantdesk_provisioner"])],
        "tenantdesk_move" => &[("select", 'r', true, ARCHIVE)],
        _ if movable => &[
            ("select", 'r', true, &["tenantdesk_archive_changer"]),
            ("insert", 'a', true, &["tenantdesk_archive_inserter"]),
            ("update", 'w', true, &["tenantdesk_archive_changer"]),
            ("delete", 'd', true, &["tenantdesk_archive_changer"]),
        ],
        // The root and shared parents are never changed, and the view lets every person in.
        _ => &[("insert", 'a', true, &["tenantdesk_archive_inserter"])],
    };
    kinds
        .iter()
        .filter_map(|&(privilege, letter, whole, roles)| {
            let what = privilege_on(present, privilege, letter, whole)?;
            Some(Sql::fill(
                "grant {what} on {view} to {roles}",
                &[("what", &what), ("view", view), ("roles", &list(roles))],
            ))
        })
        .collect()
}
