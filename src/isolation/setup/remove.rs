//! `setup --remove`: the database as it was. The ledger goes with the control schema, so it is
//! written to a file first.

use serde::Serialize;

use super::desk::SetupDesk;
use super::error::SetupError;
use super::suspend::{end_sessions, managed};
use crate::failure::Failure;
use crate::isolation::guard::{begin_setup, run_setup, sources};
use crate::postgres::{ServerError, Sql, Transaction};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The database.
    pub database: String,
    /// The logins of operators that were dropped with it; others are known to another database.
    pub operators: Vec<String>,
    /// Whether roles and logins stayed, because another database of the server is set up as well.
    pub shared: bool,
}

/// Removes everything. `keep` is given the ledger, one event a line in JSON, before anything is
/// changed; what it cannot keep is not removed.
///
/// # Errors
/// [`SetupError`], what `keep` says, or what the server says; nothing was changed then.
pub async fn remove(
    desk: &SetupDesk,
    confirm: &str,
    keep: &mut (dyn FnMut(&str) -> Result<(), Failure> + Send),
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
    let events = transaction.query(&Sql::new(include_str!("sql/ledger.sql")), &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    for event in &events {
        keep(event.get(0))?;
    }
    end_sessions(&transaction, "tenantdesk removed").await?;
    let operators = operators(&transaction).await?;
    close(desk, &transaction, &operators).await?;
    let shared: bool =
        transaction.query_one(&Sql::new(include_str!("sql/shared.sql")), &[]).await?.get(0);
    let undo = undo(&transaction).await?;
    run_setup(&transaction, Sql::new(sources::CLEAR)).await?;
    for statement in undo {
        run_setup(&transaction, statement).await?;
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
    Ok(Removed { database: standing.database, operators: dropped, shared })
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
async fn close(
    desk: &SetupDesk,
    transaction: &Transaction<'_>,
    operators: &[String],
) -> Result<(), ServerError> {
    let _on = desk.endpoint();
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
