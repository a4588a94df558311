//! `operator list|add|level|remove`: personal logins with a level in this database.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::audit::Attested;
use crate::console::{Console, ConsoleError};
use crate::identity::{Level, OperatorName};
use crate::postgres::Sql;

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// The name, which is the login.
    pub name: OperatorName,
    /// The level in this database.
    pub level: Level,
    /// Whether several people use it; such a login never writes.
    pub shared: bool,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// By whom.
    pub added_by: String,
}

/// The operators of this database, by name.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Operator>, ConsoleError> {
    let rows = console
        .query(
            &Sql::new("select name, level, shared, added_at, added_by from tenantdesk.operators()"),
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Operator {
                name: OperatorName::from_database(row.get::<_, String>(0)),
                level: row.get::<_, &str>(1).parse().ok()?,
                shared: row.get(2),
                added_at: row.get(3),
                added_by: row.get(4),
            })
        })
        .collect())
}

/// Creates a login that the server knows by `peer`; an existing role is never adopted.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed.
pub async fn add(console: &Console, name: &OperatorName, level: Level) -> Result<(), ConsoleError> {
    let verifier: Option<String> = None;
    console
        .call(Attested::operator_add(
            &name.as_str(),
            &level.as_str(),
            &verifier,
            &false,
            &console.request().as_uuid(),
        ))
        .await
        .map(drop)
}

/// Gives another level; live sessions of the operator end, and their connections are closed.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed, and one admin must stay.
pub async fn level(
    console: &Console,
    name: &OperatorName,
    level: Level,
) -> Result<(), ConsoleError> {
    let request = console.request().as_uuid();
    let ended =
        console.call(Attested::operator_level(&name.as_str(), &level.as_str(), &request)).await?;
    for row in ended {
        let session: i64 = row.get(0);
        console.call(Attested::terminate(&session)).await?;
    }
    Ok(())
}

/// Takes everything from a login, ends its connections and drops it.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed, and one admin must stay. Where the last step fails,
/// the login is powerless and locked all the same; the call can be repeated.
pub async fn remove(console: &Console, name: &OperatorName) -> Result<(), ConsoleError> {
    let request = console.request().as_uuid();
    console.call(Attested::operator_remove(&name.as_str(), &request)).await?;
    console.call(Attested::terminate_operator(&name.as_str())).await?;
    console.call(Attested::operator_drop(&name.as_str())).await.map(drop)
}
