//! Policies: our roles join the application's, and a restrictive policy pins them to one tenant.
//!
//! Restrictive policies run in name order, so ours begins with `!`: no function of another policy
//! ever sees a row of another tenant.

use super::condition::{Conditions, GuardError, Of};
use super::roles::{ARCHIVE, IMPERSONATION, JOINING, list};
use crate::catalog::CatalogRelation;
use crate::isolation::map::{Class, Relation};
use crate::postgres::{Ident, Sql};

/// All policy statements of one relation under row level security.
///
/// Restrictive ones first: there is no moment in which a permissive one stands alone.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn policies(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Vec<Sql>, GuardError> {
    let mut statements = pinned(conditions, relation, present)?;
    statements.push(provisioned(conditions, relation, present)?);
    statements.extend(moved(conditions, relation, present)?);
    statements.extend(joined(present));
    Ok(statements)
}

/// `create policy name on table rest`, where `rest` has places for roles, using and check.
fn create(
    present: &CatalogRelation,
    name: &'static str,
    rest: &'static str,
    roles: &[&str],
    [using, check]: [&Sql; 2],
) -> Sql {
    let rest = Sql::fill(rest, &[("roles", &list(roles)), ("using", using), ("check", check)]);
    Sql::fill(
        "create policy {name} on {on} {rest}",
        &[
            ("name", &Sql::from(&Ident::new(name))),
            ("on", &Sql::from(&present.name)),
            ("rest", &rest),
        ],
    )
}

/// For all commands, both conditions.
const RESTRICTIVE: &str = "as restrictive for all to {roles} using ({using}) with check ({check})";
/// For the rows that an update starts from.
const ON_UPDATE: &str = "as restrictive for update to {roles} using ({using})";
/// For the rows that a delete takes.
const ON_DELETE: &str = "as restrictive for delete to {roles} using ({using})";
/// The archive's own path.
const PERMISSIVE: &str = "as permissive for all to {roles} using ({using}) with check ({check})";

/// Impersonation: the session's tenant, and for writes a session in write mode.
fn pinned(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Vec<Sql>, GuardError> {
    let row = Sql::from(&present.name.name);
    let session = conditions.readable(relation, &row, Of::Session)?;
    let writing = conditions.belongs(relation, &row, Of::Writing)?;
    let changer = &["tenantdesk_changer"];
    let both = [&writing, &writing];
    Ok(vec![
        create(present, "!tenantdesk", RESTRICTIVE, IMPERSONATION, [&session, &writing]),
        create(present, "!tenantdesk update", ON_UPDATE, changer, both),
        create(present, "!tenantdesk delete", ON_DELETE, changer, both),
    ])
}

/// Provisioning: rows of the new tenant are written, and none is read.
fn provisioned(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Sql, GuardError> {
    let row = Sql::from(&present.name.name);
    let own = || conditions.belongs(relation, &row, Of::Provision);
    let members = conditions.map.members.as_ref();
    let check = match relation.class {
        // Whoever may provision may write one person, the owner, and reads nobody.
        Class::Linked => Sql::new("tenantdesk.claim_provision('person')"),
        Class::Derived => Sql::new("false"),
        // A tenant of one's own would else be a way to read any person: link him, then impersonate.
        _ if members.is_some_and(|members| members.table == relation.name) => own()?
            .text(" and tenantdesk.is_first_member() and tenantdesk.claim_provision('member')"),
        // A tenant without a plan that is known would have no limits.
        Class::Root if conditions.map.root.plan.is_some() => {
            let plan = Ident::new(conditions.map.root.plan.as_deref().unwrap_or_default());
            let known = Sql::new(" and tenantdesk.is_known_plan(").append(&row);
            own()?.append(&known.text(".").ident(&plan).text("::text)"))
        }
        _ => own()?,
    };
    let name = "!tenantdesk provision";
    let roles = &["tenantdesk_provisioner"];
    Ok(create(present, name, RESTRICTIVE, roles, [&Sql::new("false"), &check]))
}

/// Export and restore: pinned like the rest, and permissive on a path of their own, because they
/// move what the application hides from itself as well.
fn moved(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Vec<Sql>, GuardError> {
    let row = Sql::from(&present.name.name);
    let archive = conditions.belongs(relation, &row, Of::Archive)?;
    let writes = match relation.class {
        // A person is inserted before the membership that links him; never changed or deleted.
        Class::Linked => Sql::new("(select tenantdesk.archive_writes()) is not null"),
        _ => conditions.belongs(relation, &row, Of::ArchiveWrites)?,
    };
    let changer = &["tenantdesk_archive_changer"];
    let both = [&writes, &writes];
    Ok(vec![
        create(present, "!tenantdesk archive", RESTRICTIVE, ARCHIVE, [&archive, &writes]),
        create(present, "!tenantdesk archive update", ON_UPDATE, changer, both),
        create(present, "!tenantdesk archive delete", ON_DELETE, changer, both),
        create(present, "tenantdesk archive", PERMISSIVE, ARCHIVE, [&archive, &writes]),
    ])
}

/// Our roles join every policy that names the application role or one of its groups. The list is
/// extended, never rewritten: `ALTER POLICY .. TO` replaces it, so the old names are repeated.
fn joined(present: &CatalogRelation) -> Vec<Sql> {
    present
        .policies
        .iter()
        .filter(|policy| policy.names_application)
        .map(|policy| {
            let mut roles: Vec<Sql> = policy
                .roles
                .iter()
                .filter(|role| !JOINING.contains(&role.as_str()))
                .map(|role| {
                    if role == "public" { Sql::new("public") } else { Sql::from(&Ident::new(role)) }
                })
                .collect();
            roles.push(list(JOINING));
            Sql::fill(
                "alter policy {name} on {on} to {roles}",
                &[
                    ("name", &Sql::from(&Ident::new(&policy.name))),
                    ("on", &Sql::from(&present.name)),
                    ("roles", &Sql::join(&roles, ", ")),
                ],
            )
        })
        .collect()
}

/// A policy by which an owner role of ours reads a table, for its own functions or views.
#[must_use]
pub(super) fn reading(present: &CatalogRelation, role: &'static str, using: &Sql) -> Vec<Sql> {
    if !present.row_security {
        return Vec::new();
    }
    let name = if role == "tenantdesk_meter" { "tenantdesk meter" } else { "tenantdesk views" };
    vec![Sql::fill(
        "create policy {name} on {on} as permissive for select to {role} using ({using})",
        &[
            ("name", &Sql::from(&Ident::new(name))),
            ("on", &Sql::from(&present.name)),
            ("role", &Sql::new(role)),
            ("using", using),
        ],
    )]
}
