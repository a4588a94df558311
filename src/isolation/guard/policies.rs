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
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn policies(
    conditions: &Conditions<'_>,
    relation: &Relation,
    present: &CatalogRelation,
) -> Result<Vec<Sql>, GuardError> {
    let on = Sql::from(&present.name);
    let row = Sql::from(&present.name.name);
    let belongs = |of| conditions.belongs(relation, &row, of);
    let mut statements = Vec::new();
    let mut create =
        |name: &'static str, rest: &'static str, roles: &[&str], using: &Sql, check: &Sql| {
            statements.push(Sql::fill(
                "create policy {name} on {on} {rest}",
                &[
                    ("name", &Sql::from(&Ident::new(name))),
                    ("on", &on),
                    (
                        "rest",
                        &Sql::fill(
                            rest,
                            &[("roles", &list(roles)), ("using", using), ("check", check)],
                        ),
                    ),
                ],
            ));
        };
    // Restrictive first: there is no moment in which a permissive one stands alone.
    let (session, writing) = (belongs(Of::Session)?, belongs(Of::Writing)?);
    create(
        "!tenantdesk",
        "as restrictive for all to {roles} using ({using}) with check ({check})",
        IMPERSONATION,
        &session,
        &writing,
    );
    let changer = &["tenantdesk_changer"];
    create(
        "!tenantdesk update",
        "as restrictive for update to {roles} using ({using})",
        changer,
        &writing,
        &writing,
    );
    create(
        "!tenantdesk delete",
        "as restrictive for delete to {roles} using ({using})",
        changer,
        &writing,
        &writing,
    );
    let provision = match relation.class {
        // Whoever may provision may write the person, and reads nobody.
        Class::Linked => Sql::new("(select tenantdesk.provision_tenant()) is not null"),
        Class::Derived => Sql::new("false"),
        // A tenant of one's own would else be a way to read any person: link him, then impersonate.
        _ if conditions.map.members.as_ref().is_some_and(|m| m.table == relation.name) => {
            belongs(Of::Provision)?.text(" and tenantdesk.is_first_member()")
        }
        _ => belongs(Of::Provision)?,
    };
    create(
        "!tenantdesk provision",
        "as restrictive for all to {roles} using (false) with check ({check})",
        &["tenantdesk_provisioner"],
        &provision,
        &provision,
    );
    let archive = belongs(Of::Archive)?;
    let writes = match relation.class {
        // A person is inserted before the membership that links him; never changed or deleted.
        Class::Linked => Sql::new("(select tenantdesk.archive_writes()) is not null"),
        _ => belongs(Of::ArchiveWrites)?,
    };
    create(
        "!tenantdesk archive",
        "as restrictive for all to {roles} using ({using}) with check ({check})",
        ARCHIVE,
        &archive,
        &writes,
    );
    let archive_changer = &["tenantdesk_archive_changer"];
    create(
        "!tenantdesk archive update",
        "as restrictive for update to {roles} using ({using})",
        archive_changer,
        &writes,
        &writes,
    );
    create(
        "!tenantdesk archive delete",
        "as restrictive for delete to {roles} using ({using})",
        archive_changer,
        &writes,
        &writes,
    );
    // The archive has a path of its own: it moves what the application hides from itself as well.
    create(
        "tenantdesk archive",
        "as permissive for all to {roles} using ({using}) with check ({check})",
        ARCHIVE,
        &archive,
        &writes,
    );
    statements.extend(joined(present));
    Ok(statements)
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
