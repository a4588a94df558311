//! `setup --remove`: the database as it was. The ledger goes with the control schema, so it is
//! written to a file first.

use serde::Serialize;

use super::desk::SetupDesk;
use super::error::SetupError;
use super::suspend::{end_sessions, managed};
use crate::failure::Failure;
use crate::isolation::guard::{attempt_setup as attempt, begin_setup, run_setup, sources};
use crate::postgres::{ServerError, Sql, Transaction};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The database.
    pub database: String,
    /// The logins of operators that were dropped with it; others are known to another database.
    pub operators: Vec<String>,
    /// Statements that would have opened again what was closed, and that the server refused: what they
    /// name is gone or has another owner.
    pub left: Vec<String>,
    /// Whether roles and logins stayed, because another database of the server is set up as well.
    pub shared: bool,
}

/// Removes everything. `keep` is given the ledger, one event a line in JSON, and nothing at its end,
/// before anything is changed; what it cannot keep is not removed.
///
/// # Errors
/// [`SetupError`], what `keep` says, or what the server says; nothing was changed then.
pub async fn remove(
    desk: &SetupDesk,
    confirm: &str,
    keep: &mut (dyn FnMut(Option<&str>) -> Result<(), Failure> + Send),
) -> Result<Removed, Failure> {
    let standing = desk.standing().await?;
    managed(&standing)?;
    if confirm != standing.database {
        let given = confirm.to_owned();
        return Err(SetupError::Confirmation { given, database: standing.database }.into());
    }
    let transaction = begin_setup(desk.link()).await?;
    run_setup(&transaction, Sql::new(sources::ENTER)).await?;
    transaction.batch(&Sql::new("set local role tenantdesk_ledger")).await?;
    let chains = Sql::new("select count(*) from (select 1 from tenantdesk.chains for update) c");
    transaction.query_one(&chains, &[]).await?;
    let cursor = Sql::new("declare events no scroll cursor for ")
        .append(&Sql::new(include_str!("sql/ledger.sql")));
    transaction.batch(&cursor).await?;
    loop {
        let events = transaction.query(&Sql::new("fetch 1000 from events"), &[]).await?;
        for event in &events {
            keep(Some(event.get(0)))?;
        }
        if events.is_empty() {
            break;
        }
    }
    transaction.batch(&Sql::new("close events; reset role")).await?;
    keep(None)?;
    end_sessions(&transaction, "tenantdesk removed").await?;
    let operators = operators(&transaction).await?;
    close(&transaction, &operators).await?;
    let shared: bool =
        transaction.query_one(&Sql::new(include_str!("sql/shared.sql")), &[]).await?.get(0);
    let undo = undo(&transaction).await?;
    run_setup(&transaction, Sql::new(sources::CLEAR)).await?;
    let mut left = Vec::new();
    for statement in undo {
        // What was dropped or renamed since has nothing to be undone.
        let text = statement.as_str().to_owned();
        if !attempt(&transaction, &[statement]).await? {
            left.push(text);
        }
    }
    let kept = forget(&transaction).await?;
    let dropped = operators.into_iter().filter(|name| !kept.contains(name)).collect();
    run_setup(&transaction, Sql::new(include_str!("sql/remove_schema.sql"))).await?;
    let roles = if shared {
        include_str!("sql/remove_memberships.sql")
    } else {
        include_str!("sql/remove_roles.sql")
    };
    run_setup(&transaction, Sql::new(roles)).await?;
    transaction.commit().await?;
    Ok(Removed { database: standing.database, operators: dropped, shared, left })
}

/// The logins that this installation made and that still exist.
async fn operators(transaction: &Transaction<'_>) -> Result<Vec<String>, ServerError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let look = Sql::new(
        "select o.name from tenantdesk.operators o join pg_catalog.pg_roles r on r.oid = o.login where o.database = tenantdesk.this_database() order by 1",
    );
    let rows = transaction.query(&look, &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Ends the connections of operators: the killer is a member of each of their logins.
async fn close(transaction: &Transaction<'_>, operators: &[String]) -> Result<(), ServerError> {
    transaction.batch(&Sql::new("set local role tenantdesk_killer")).await?;
    let end = Sql::new(
        "select count(*) filter (where pg_catalog.pg_terminate_backend(a.pid)) from pg_catalog.pg_stat_activity a where a.usename = any ($1) and a.datname = pg_catalog.current_database()",
    );
    transaction.query(&end, &[&operators]).await?;
    transaction.batch(&Sql::new("reset role")).await
}

/// The statements that open again what was closed, the last first.
async fn undo(transaction: &Transaction<'_>) -> Result<Vec<Sql>, ServerError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let look = Sql::new(
        "select g.undo, g.unkeep from tenantdesk.guard_changes g order by g.made_at desc, g.object desc",
    );
    let rows = transaction.query(&look, &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows
        .iter()
        .flat_map(|row| [Some(row.get::<_, String>(0)), row.get::<_, Option<String>>(1)])
        .flatten()
        .map(Sql::danger_declared_text)
        .collect())
}

/// Drops the logins that no other database knows, with the role that marked them; gives those that stay.
async fn forget(transaction: &Transaction<'_>) -> Result<Vec<String>, ServerError> {
    transaction.batch(&Sql::new("set local role tenantdesk_registrar")).await?;
    let forget = Sql::new("select f.login from tenantdesk.forget_operators() f");
    let rows = transaction.query(&forget, &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
