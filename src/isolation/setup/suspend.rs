//! `setup --suspend`: takes policies, rights and views off the tables, so that their owners can
//! migrate them; no session opens until `setup --resume`. The ledger, operators and decisions stay.

use serde::Serialize;

use super::desk::{SetupDesk, Standing};
use super::error::SetupError;
use crate::failure::Failure;
use crate::identity::RequestId;
use crate::isolation::guard::{begin_setup, run_setup, sources};
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
    let transaction = begin_setup(desk.link()).await?;
    run_setup(&transaction, Sql::new(sources::ENTER)).await?;
    let ended_sessions = end_sessions(&transaction, "guard suspended").await?;
    run_setup(&transaction, Sql::new(sources::CLEAR)).await?;
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let row =
        transaction.query_one(&Sql::new(include_str!("sql/suspend.sql")), &[&id.as_uuid()]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    run_setup(&transaction, Sql::new(sources::LEAVE)).await?;
    transaction.commit().await?;
    close(desk, &ended_sessions).await;
    Ok(Suspended { ended_sessions, since: row.get(0) })
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
