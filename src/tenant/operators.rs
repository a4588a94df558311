//! `operator list|add|level|password|remove`: personal logins with a level in this database.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Serialize;

use crate::audit::Attested;
use crate::console::{Console, ConsoleError};
use crate::identity::{Level, OperatorName};
use crate::postgres::Sql;

use super::password;

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

/// Somebody who is to be an operator.
#[derive(Debug, Clone)]
pub struct NewOperator<'a> {
    /// The login.
    pub name: &'a OperatorName,
    /// The level in this database.
    pub level: Level,
    /// Whether several people use it.
    pub shared: bool,
    /// The password of a login that is made; none where the server knows the person otherwise.
    pub password: Option<&'a SecretString>,
}

/// Where the login of a new operator came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// It was made.
    Made,
    /// Another database of the server has the person as operator: the login is the same one, and
    /// its password stayed as it is.
    Joined,
}

/// Makes an operator. An existing role is never adopted, but for the login of an operator of
/// another database on the same server.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed.
pub async fn add(console: &Console, new: &NewOperator<'_>) -> Result<Login, ConsoleError> {
    let verifier = new.password.map(password::verifier);
    let (name, level, request) =
        (new.name.as_str(), new.level.as_str(), console.request().as_uuid());
    let call = Attested::operator_add(&name, &level, &verifier, &new.shared, &request);
    let rows = console.call(call).await?;
    let made = rows.first().is_none_or(|row| row.get(0));
    Ok(if made { Login::Made } else { Login::Joined })
}

/// Sets a new password. Connections that are open stay.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed, and no other database may know the login.
pub async fn set_password(
    console: &Console,
    name: &OperatorName,
    password: &SecretString,
) -> Result<(), ConsoleError> {
    let verifier = password::verifier(password);
    let request = console.request().as_uuid();
    console.call(Attested::operator_password(&name.as_str(), &verifier, &request)).await.map(drop)
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

/// What became of the login of somebody who was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It was dropped.
    Dropped,
    /// Another database of the server knows it, where it works as before.
    Kept,
}

/// Locks a login, ends its connections, takes everything from it and drops it.
///
/// The lock comes first and waits for nothing that the person could hold: else a flood of open
/// transactions would hold the removal up.
///
/// # Errors
/// [`ConsoleError`]; level admin is needed, and one admin must stay. Where the last step fails,
/// the login is powerless and locked all the same; the call can be repeated.
pub async fn remove(console: &Console, name: &OperatorName) -> Result<Gone, ConsoleError> {
    let request = console.request().as_uuid();
    console.call(Attested::operator_lock(&name.as_str())).await?;
    console.call(Attested::terminate_operator(&name.as_str())).await?;
    console.call(Attested::operator_remove(&name.as_str(), &request)).await?;
    let rows = console.call(Attested::operator_drop(&name.as_str())).await?;
    let dropped = rows.first().is_none_or(|row| row.get(0));
    Ok(if dropped { Gone::Dropped } else { Gone::Kept })
}
