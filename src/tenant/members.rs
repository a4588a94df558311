//! `member list`: who belongs to a tenant, so that an operator can say as whom to act.

use serde::Serialize;

use crate::console::{Console, ConsoleError};
use crate::identity::TenantId;
use crate::postgres::Sql;
use crate::text::Untrusted;

/// One member of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The person's id, as text.
    pub id: String,
    /// The e-mail address.
    pub email: Untrusted,
    /// The name, where the schema has one.
    pub name: Option<Untrusted>,
    /// The role in this tenant.
    pub role: Option<Untrusted>,
    /// The state of the membership.
    pub state: Option<Untrusted>,
}

/// The members of a tenant, in the order of their addresses.
///
/// # Errors
/// [`ConsoleError`]; level support is needed.
pub async fn list(console: &Console, tenant: &TenantId) -> Result<Vec<Member>, ConsoleError> {
    let rows = console
        .query(
            &Sql::new("select id, email, name, role, state from tenantdesk.members($1)"),
            &[&tenant.as_str()],
        )
        .await?;
    let text = |row: &tokio_postgres::Row, column: usize| {
        row.get::<_, Option<String>>(column).map(Untrusted::from)
    };
    Ok(rows
        .iter()
        .map(|row| Member {
            id: row.get(0),
            email: text(row, 1).unwrap_or_default(),
            name: text(row, 2),
            role: text(row, 3),
            state: text(row, 4),
        })
        .collect())
}
