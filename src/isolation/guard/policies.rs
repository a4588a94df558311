//! Policies: our roles join the application's, and a restrictive policy pins them to one tenant.
//!
//! Restrictive policies run in name order, so ours begins with `!`: no function of another policy
//! ever sees a row of another tenant.

use super::condition::{Conditions, GuardError, Of};
use super::rights::is_link;
use super::roles::{ARCHIVE, IMPERSONATION, JOINING, SESSION_ROLES, list};
use crate::catalog::{CatalogRelation, Policy};
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
    statements.extend(provision(conditions, relation, present)?);
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
/// The path of provisioning: an application that makes no tenants itself lets nobody insert one.
const PERMISSIVE_INSERT: &str = "as permissive for insert to {roles} with check ({check})";
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

/// Provisioning: rows of the new tenant are written, and none is read. The permissive one lets in
/// what the application may not make, and asks nothing that counts; the restrictive one holds.
fn provision(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Vec<Sql>, GuardError> {
    let row = Sql::from(&present.name.name);
    let no = Sql::new("false");
    let check = match relation.class {
        // Its parent cannot be looked up: nothing is read here.
        Class::Derived => no.clone(),
        _ => provisioned(conditions, relation, &row)?,
    };
    let path = match relation.class {
        Class::Derived => no.clone(),
        Class::Linked => Sql::new("(select tenantdesk.provision_tenant()) is not null"),
        _ => conditions.belongs(relation, &row, Of::Provision)?,
    };
    let roles = &["tenantdesk_provisioner"];
    Ok(vec![
        create(present, "!tenantdesk provision", RESTRICTIVE, roles, [&no, &check]),
        create(present, "tenantdesk provision", PERMISSIVE_INSERT, roles, [&no, &path]),
    ])
}

/// What a row must be to be one of a tenant that is being provisioned.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn provisioned(
    conditions: &Conditions<'_>,
    relation: &Relation,
    row: &Sql,
) -> Result<Sql, GuardError> {
    let map = conditions.map;
    let claims = claimed_parents(conditions, relation, row);
    let own = || {
        let own = conditions.belongs(relation, row, Of::Provision)?;
        Ok::<Sql, GuardError>(own.append(&claims))
    };
    let members = map.members.as_ref();
    let people = map.users.as_ref().is_some_and(|users| users.table == relation.name);
    Ok(match relation.class {
        // Whoever may provision may write one person, the owner, and reads nobody.
        Class::Linked => Sql::new("tenantdesk.claim_provision('person')"),
        // A tenant of one's own would else be a way to read any person: link him, then impersonate.
        _ if members.is_some_and(|members| members.table == relation.name) => own()?
            .text(" and tenantdesk.is_first_member() and tenantdesk.claim_provision('member')"),
        // What links rows that others own as well would be a way to read any of them.
        _ if is_link(map, relation) => Sql::new("false"),
        // A person who belongs to one tenant, and is linked beside it.
        Class::Keyed if people => own()?.text(" and tenantdesk.claim_provision('person')"),
        // Ids of a sequence can be foreseen: nobody plants rows for whoever gets the next one.
        Class::Keyed if map.root.table.is_some() => own()?.text(" and tenantdesk.is_begun()"),
        // A tenant without a plan that is known would have no limits.
        Class::Root if conditions.map.root.plan.is_some() => {
            let plan = Ident::new(conditions.map.root.plan.as_deref().unwrap_or_default());
            let known = Sql::new(" and tenantdesk.is_known_plan(").append(row);
            let known = known.text(".").ident(&plan).text("::text)");
            own()?.append(&known).text(" and tenantdesk.claim_provision('root')")
        }
        Class::Root => own()?.text(" and tenantdesk.claim_provision('root')"),
        _ => own()?,
    })
}

/// A parent that is known through its one child (a way down) would belong to whoever points to it: the
/// first rows of a tenant point to none.
fn claimed_parents(conditions: &Conditions<'_>, relation: &Relation, row: &Sql) -> Sql {
    let mut none = Sql::default();
    for parent in &conditions.map.relations {
        for down in parent.paths().filter_map(|path| path.first()) {
            let points_here = conditions.catalog.foreign_keys.iter().any(|key| {
                key.from == relation.name && key.to == parent.name && key.columns == down.referenced
            });
            if down.references != relation.name || !points_here {
                continue;
            }
            for column in down.referenced.iter().map(Ident::new) {
                none = none.text(" and ").append(row).text(".").ident(&column).text(" is null");
            }
        }
    }
    none
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

/// Who is not one of our roles: the policy for every role leaves him alone.
fn free() -> Sql {
    let ours = format!("{{{}}}", SESSION_ROLES.join(","));
    Sql::new("(select current_user <> all (").literal(&ours).text("::name[]))")
}

/// A policy for every role, beside a permissive one of the application for every role: DROP OWNED
/// takes our roles out of the policies that name them, and out of this one it cannot. Only where the
/// row itself holds the key: a look at a parent would need rights that other roles may not have.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn public(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Option<Sql>, GuardError> {
    let open = |policy: &Policy| policy.permissive && policy.roles.iter().any(|r| r == "public");
    let holds_key = matches!(relation.class, Class::Root | Class::Keyed);
    if !holds_key || !present.policies.iter().any(open) {
        return Ok(None);
    }
    let row = Sql::from(&present.name.name);
    let any = |of: &[Of]| -> Result<Sql, GuardError> {
        let mut parts = vec![free()];
        for of in of {
            parts.push(match of {
                Of::Session => conditions.readable(relation, &row, *of)?,
                of => conditions.belongs(relation, &row, *of)?,
            });
        }
        Ok(Sql::join(&parts, " or "))
    };
    let using = any(&[Of::Session, Of::Archive])?;
    let check = any(&[Of::Writing, Of::ArchiveWrites, Of::Provision])?;
    Ok(Some(Sql::fill(
        "create policy \"!tenantdesk public\" on {on} as restrictive for all to public using ({using}) with check ({check})",
        &[("on", &Sql::from(&present.name)), ("using", &using), ("check", &check)],
    )))
}

/// Whoever is subject to [`public`] must be able to run the functions it names; they answer nobody
/// but an operator with a session.
pub(super) fn public_rights() -> Vec<Sql> {
    vec![
        Sql::new("set local role tenantdesk_owner"),
        Sql::new(
            "grant execute on function tenantdesk.session_tenant, tenantdesk.writing_tenant, tenantdesk.provision_tenant, \
             tenantdesk.archive_tenant, tenantdesk.archive_writes to public",
        ),
        Sql::new("reset role"),
    ]
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
