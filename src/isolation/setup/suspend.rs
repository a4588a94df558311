//! `setup --suspend`: takes policies, rights and views off the tables, so that their owners can
//! migrate them; no session opens until `setup --resume`. The ledger, operators and decisions stay, and
//! the functions that the application calls and that list tenants keep working.

use std::time::Duration;

use serde::Serialize;

use super::desk::{SetupDesk, Standing};
use super::error::SetupError;
use crate::catalog::load;
use crate::failure::Failure;
use crate::identity::RequestId;
use crate::isolation::guard::{InstallError, begin_setup, meter, run_setup, sources};
use crate::isolation::map::RelationMap;
use crate::postgres::{Ident, Isolation, Preamble, Sql, Transaction};

/// What was suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspended {
    /// The tenant sessions that were ended by it.
    pub ended_sessions: Vec<i64>,
    /// What a resume undoes.
    pub since: String,
}

/// Suspends the guard.
///
/// # Errors
/// [`SetupError`], or what the server says; nothing was changed then.
pub async fn suspend(desk: &SetupDesk, id: RequestId) -> Result<Suspended, Failure> {
    let standing = desk.standing().await?;
    managed(&standing)?;
    if let Some(since) = standing.suspended {
        return Err(SetupError::Suspended(since).into());
    }
    // First nobody works any more: an open cursor would keep the policies where they are.
    let transaction = begin_setup(desk.link()).await?;
    run_setup(&transaction, Sql::new(sources::ENTER)).await?;
    let ended_sessions = end_sessions(&transaction, "guard suspended").await?;
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let row =
        transaction.query_one(&Sql::new(include_str!("sql/suspend.sql")), &[&id.as_uuid()]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    run_setup(&transaction, Sql::new(sources::LEAVE)).await?;
    transaction.commit().await?;
    close(desk, &ended_sessions).await;
    let map = standing.map.as_ref();
    let mut attempts = 1;
    while let Err(error) = take_off(desk, map).await {
        if attempts >= 5 {
            return Err(Failure::from(error).hint(
                "no session opens, and the guard is still on the tables: `tenantdesk setup --resume`, or suspend again after it",
            ));
        }
        tokio::time::sleep(Duration::from_millis(250 << attempts)).await;
        attempts += 1;
    }
    Ok(Suspended { ended_sessions, since: row.get(0) })
}

/// Takes the guard off the tables; what the application's own calls need stays.
async fn take_off(desk: &SetupDesk, map: Option<&RelationMap>) -> Result<(), InstallError> {
    let transaction = begin_setup(desk.link()).await?;
    run_setup(&transaction, Sql::new(sources::ENTER)).await?;
    run_setup(&transaction, Sql::new(sources::CLEAR)).await?;
    if let Some(map) = map {
        let catalog = load(&transaction, Some(&map.application_role)).await?;
        for statement in meter(map, &catalog)? {
            run_setup(&transaction, statement).await?;
        }
    }
    run_setup(&transaction, Sql::new(sources::LEAVE)).await?;
    Ok(transaction.commit().await?)
}

/// Only whoever manages an installation changes it.
///
/// # Errors
/// [`SetupError`].
pub(super) fn managed(standing: &Standing) -> Result<(), SetupError> {
    if !standing.controlled {
        return Err(SetupError::NotSetUp);
    }
    if !standing.manager && !standing.superuser {
        return Err(SetupError::NotManager(standing.login.clone()));
    }
    Ok(())
}

/// Ends all live tenant sessions, inside a transaction of setup; their connections are closed after it.
///
/// # Errors
/// What the server says.
pub(super) async fn end_sessions(
    transaction: &Transaction<'_>,
    why: &str,
) -> Result<Vec<i64>, Failure> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let rows = transaction
        .query(
            &Sql::new("select e.id from tenantdesk.operators o cross join lateral tenantdesk.end_all(o.name, null, $1) e (id) where o.database = tenantdesk.this_database()"),
            &[&why],
        )
        .await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Closes the connections of sessions that were ended. Their rights are gone already.
pub(super) async fn close(desk: &SetupDesk, sessions: &[i64]) {
    let role = Ident::new("tenantdesk_operator");
    for session in sessions {
        let preamble =
            Preamble { isolation: Isolation::ReadWrite, role: Some(&role), settings: &[] };
        let closed: Result<(), crate::postgres::ServerError> = async {
            let transaction = Transaction::begin(desk.link(), preamble).await?;
            transaction.query(&Sql::new("select tenantdesk.terminate($1)"), &[session]).await?;
            transaction.commit().await
        }
        .await;
        if let Err(error) = closed {
            tracing::warn!(%error, session, "the connections of a session could not be closed");
        }
    }
}
