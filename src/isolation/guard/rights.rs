//! Rights by class, as far as the application has them, never copied wholesale.
//!
//! A product's `GRANT ALL` holds TRIGGER, which would run an operator's code inside the
//! application's session, and TRUNCATE, which ignores row level security. What is granted here
//! is spelled out: SELECT, INSERT, UPDATE, DELETE, and USAGE on sequences.

use std::collections::BTreeSet;

use super::roles::{ARCHIVE, IMPERSONATION, SESSION_ROLES, list};
use crate::catalog::{Catalog, CatalogRelation};
use crate::isolation::map::{Class, Relation, RelationMap};
use crate::postgres::{Ident, Sql};

/// Grants on one relation that is guarded by policies, or that is global.
#[must_use]
pub(super) fn grants(
    map: &RelationMap,
    relation: &Relation,
    present: &CatalogRelation,
) -> Vec<Sql> {
    let mut statements = Vec::new();
    let mut grant = |privilege: &'static str, letter: char, whole: bool, roles: &[&str]| {
        let Some(what) = privilege_on(present, privilege, letter, whole) else { return };
        statements.push(Sql::fill(
            "grant {what} on {on} to {roles}",
            &[("what", &what), ("on", &Sql::from(&present.name)), ("roles", &list(roles))],
        ));
    };
    let rights = present.application;
    match relation.class {
        Class::Excluded => {}
        Class::Global => {
            grant("select", 'r', rights.select, IMPERSONATION);
            grant("select", 'r', rights.select, ARCHIVE);
        }
        class => {
            grant("select", 'r', rights.select, IMPERSONATION);
            grant("select", 'r', true, ARCHIVE);
            if matches!(class, Class::Keyed | Class::Derived) && !is_link(map, relation) {
                grant("insert", 'a', rights.insert, &["tenantdesk_inserter"]);
                grant("update", 'w', rights.update, &["tenantdesk_changer"]);
                if rights.delete {
                    grant("delete", ' ', true, &["tenantdesk_changer"]);
                }
            }
            if class != Class::Derived {
                // Making tenants is the operators' work: many applications may not do it themselves.
                grant("insert", 'a', true, &["tenantdesk_provisioner"]);
            }
            grant("insert", 'a', true, &["tenantdesk_archive_inserter"]);
            if matches!(class, Class::Keyed | Class::Derived) {
                grant("update", 'w', true, &["tenantdesk_archive_changer"]);
                grant("delete", ' ', true, &["tenantdesk_archive_changer"]);
            }
        }
    }
    statements
}

/// Whether a table ties shared rows to tenants: its rows are given by functions, not by hand.
#[must_use]
pub(super) fn is_link(map: &RelationMap, relation: &Relation) -> bool {
    map.members.as_ref().is_some_and(|members| members.table == relation.name)
        || map
            .relations
            .iter()
            .any(|other| other.via.as_ref().is_some_and(|via| via.table == relation.name))
}

/// The privilege on the whole relation, or on the columns for which the application has it.
pub(super) fn privilege_on(
    present: &CatalogRelation,
    privilege: &'static str,
    letter: char,
    whole: bool,
) -> Option<Sql> {
    if whole {
        return Some(Sql::new(privilege));
    }
    let columns: Vec<Sql> = present
        .columns
        .iter()
        .filter(|column| column.application_rights.contains(letter))
        .map(|column| Sql::from(&Ident::new(&column.name)))
        .collect();
    if columns.is_empty() {
        return None;
    }
    Some(Sql::fill(
        "{privilege} ({columns})",
        &[("privilege", &Sql::new(privilege)), ("columns", &Sql::join(&columns, ", "))],
    ))
}

/// USAGE on the schemas of the map, and on sequences that fill writable columns.
#[must_use]
pub(super) fn schema_and_sequence_grants(map: &RelationMap, catalog: &Catalog) -> Vec<Sql> {
    let mut statements = Vec::new();
    let schemas: BTreeSet<Ident> =
        map.all().iter().map(|relation| relation.relation_name().schema).collect();
    for schema in &schemas {
        statements.push(Sql::fill(
            "grant usage on schema {schema} to {roles}, tenantdesk_owner",
            &[("schema", &Sql::from(schema)), ("roles", &list(SESSION_ROLES))],
        ));
    }
    let mut seen = BTreeSet::new();
    for sequence in catalog.sequences.iter().filter(|sequence| sequence.is_loose()) {
        // A trigger that draws from it runs as whoever writes.
        if sequence.application_usage && schemas.contains(&sequence.name.schema) {
            let roles =
                &["tenantdesk_inserter", "tenantdesk_provisioner", "tenantdesk_archive_inserter"];
            statements.push(Sql::fill(
                "grant usage on sequence {on} to {roles}",
                &[("on", &Sql::from(&sequence.name)), ("roles", &list(roles))],
            ));
        }
    }
    for sequence in &catalog.sequences {
        let writable = map.find(&sequence.relation).is_some_and(|r| {
            matches!(r.class, Class::Keyed | Class::Derived | Class::Linked | Class::Root)
        });
        if writable && seen.insert(sequence.name.clone()) {
            let on = Sql::from(&sequence.name);
            let roles: &[&str] = if sequence.application_usage {
                &["tenantdesk_inserter", "tenantdesk_provisioner", "tenantdesk_archive_inserter"]
            } else {
                // As with tables: making tenants is the operators' work.
                &["tenantdesk_provisioner", "tenantdesk_archive_inserter"]
            };
            statements.push(Sql::fill(
                "grant usage on sequence {on} to {roles}",
                &[("on", &on), ("roles", &list(roles))],
            ));
            // advance_sequence() is a function of the owner role: it reads and moves up.
            statements.push(Sql::fill(
                "grant select, update on sequence {on} to tenantdesk_owner",
                &[("on", &on)],
            ));
        }
    }
    statements
}
