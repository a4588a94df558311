//! The roles that hold rights on the target, and the words for lists of them.

use crate::postgres::{Ident, Sql};

/// Roles of an impersonation, one for each kind of statement.
pub(super) const IMPERSONATION: &[&str] =
    &["tenantdesk_reader", "tenantdesk_inserter", "tenantdesk_changer"];

/// Roles of an archive, one for each kind of statement.
pub(super) const ARCHIVE: &[&str] =
    &["tenantdesk_archivist", "tenantdesk_archive_inserter", "tenantdesk_archive_changer"];

/// Roles that are subject to the application's own policies.
pub(super) const JOINING: &[&str] =
    &["tenantdesk_reader", "tenantdesk_inserter", "tenantdesk_changer", "tenantdesk_provisioner"];

/// Every role that may hold rights on relations of the target while a session lives.
pub(super) const SESSION_ROLES: &[&str] = &[
    "tenantdesk_reader",
    "tenantdesk_inserter",
    "tenantdesk_changer",
    "tenantdesk_provisioner",
    "tenantdesk_archivist",
    "tenantdesk_archive_inserter",
    "tenantdesk_archive_changer",
];

/// A list for TO: quoted and separated by commas.
#[must_use]
pub(super) fn list(roles: &[&str]) -> Sql {
    Sql::join(&roles.iter().map(|role| Sql::from(&Ident::new(*role))).collect::<Vec<_>>(), ", ")
}
