//! `impersonation list|show|end` and the sweep: tenant sessions as seen from elsewhere.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::audit::Attested;
use crate::console::{Console, ConsoleError};
use crate::postgres::Sql;
use crate::text::Untrusted;

/// One tenant session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub operator: String,
    /// The tenant's id.
    pub tenant: String,
    /// What for.
    pub purpose: String,
    /// `read` or `write`.
    pub mode: String,
    /// Why.
    pub reason: Untrusted,
    /// The ticket.
    pub ticket: Option<Untrusted>,
    /// The member's e-mail address.
    pub member: Option<Untrusted>,
    /// The member's role.
    pub role: Option<Untrusted>,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// Until when at most.
    pub expires_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Why it ended.
    pub end_reason: Option<Untrusted>,
}

impl Session {
    /// Whether it is still open, by the clock given.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }
}

/// The sessions that the operator may see, newest first: an approver all, others their own.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Session>, ConsoleError> {
    let rows = console
        .query(
            &Sql::new(
                "select id, operator, tenant, purpose, mode, reason, ticket, member_email, member_role, \
                 opened_at, expires_at, ended_at, ended_by, end_reason from tenantdesk.sessions() limit 1000",
            ),
            &[],
        )
        .await?;
    let text = |row: &tokio_postgres::Row, column: usize| {
        row.get::<_, Option<String>>(column).map(Untrusted::from)
    };
    Ok(rows
        .iter()
        .map(|row| Session {
            id: row.get(0),
            operator: row.get(1),
            tenant: row.get(2),
            purpose: row.get(3),
            mode: row.get(4),
            reason: text(row, 5).unwrap_or_default(),
            ticket: text(row, 6),
            member: text(row, 7),
            role: text(row, 8),
            opened_at: row.get(9),
            expires_at: row.get(10),
            ended_at: row.get(11),
            ended_by: row.get(12),
            end_reason: text(row, 13),
        })
        .collect())
}

/// Ends a session and what it left open; false where it had ended before.
///
/// # Errors
/// [`ConsoleError`]; one's own, or level approver.
pub async fn end(console: &Console, id: i64, why: Option<&str>) -> Result<bool, ConsoleError> {
    let rows = console.call(Attested::end_session(&id, &why)).await?;
    let ended = rows.first().is_some_and(|row| row.get::<_, Option<bool>>(0) == Some(true));
    // The end is committed: now nothing of it may go on, neither a cursor nor a long statement.
    console.call(Attested::terminate(&id)).await?;
    Ok(ended)
}

/// Ends what has expired, whoever it belongs to, and closes its connections.
///
/// # Errors
/// [`ConsoleError`].
pub async fn sweep(console: &Console) -> Result<usize, ConsoleError> {
    let rows = console.call(Attested::sweep()).await?;
    for row in &rows {
        let id: i64 = row.get(0);
        // One that cannot be closed now does not keep the others open; the next sweep finds it.
        if let Err(error) = console.call(Attested::terminate(&id)).await {
            tracing::warn!(session = id, %error, "its connections could not be closed");
        }
    }
    Ok(rows.len())
}
