//! Live control: the tenant sessions that live, the connections on which they do, and what they did
//! so far; and all that the ledger has of one session.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio_postgres::Row;

use super::sessions::Session;
use crate::audit::{Event, decode_events};
use crate::console::{Console, ConsoleError};
use crate::postgres::Sql;
use crate::text::Untrusted;

/// A session that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub session: Session,
    /// What is done in it.
    pub activity: Activity,
}

/// What a session did so far, as its client told it, and its connections, as the server sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Statements that were recorded.
    pub statements: i64,
    /// Rows that they gave or changed.
    pub rows: i64,
    /// Bytes that they gave.
    pub bytes: i64,
    /// The last one.
    pub last: Option<LastStatement>,
    /// Its connections.
    pub backends: Vec<Backend>,
    /// Connections of the same login that do not say they belong to a session: its control
    /// connection, another terminal, a psql.
    pub unnamed: i64,
}

/// The last statement that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStatement {
    /// When it was announced.
    pub at: DateTime<Utc>,
    /// Its text without literals; none where the record was erased.
    pub sql: Option<Untrusted>,
    /// How it went; none while it runs.
    pub outcome: Option<String>,
}

/// A connection of a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Backend {
    /// The process of the server.
    pub pid: i32,
    /// `active`, `idle`, `idle in transaction`, or others; none where the server does not tell.
    pub state: Option<String>,
    /// Since when: of a running query its start.
    pub since: Option<DateTime<Utc>>,
    /// What it waits for, as `Lock:transactionid`.
    pub wait: Option<String>,
}

impl Backend {
    /// Whether a query runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state.as_deref() == Some("active")
    }
}

/// The query of [`list`]; its values are a session or none, and how many at most.
const SELECT: &str = "select id, operator, tenant, purpose, mode, reason, ticket, member_email, member_role, \
    opened_at, expires_at, statements, row_count, bytes, last_at, last_sql, last_outcome, backends, unnamed \
    from tenantdesk.live_sessions($1, $2)";

/// The sessions that live and that the operator may see, newest first, in one query: an approver
/// all, others their own.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console, at_most: i32) -> Result<Vec<LiveSession>, ConsoleError> {
    let rows = console.query(&Sql::new(SELECT), &[&None::<i64>, &at_most]).await?;
    Ok(rows.iter().map(decode).collect())
}

/// What one session does; none where it does not live or is not one's to see.
///
/// # Errors
/// [`ConsoleError`].
pub async fn activity(console: &Console, id: i64) -> Result<Option<Activity>, ConsoleError> {
    let rows = console.query(&Sql::new(SELECT), &[&Some(id), &1_i32]).await?;
    Ok(rows.first().map(|row| decode(row).activity))
}

/// What the ledger has of a session, in order; nothing where it is not one's to see.
///
/// # Errors
/// [`ConsoleError`].
pub async fn events(
    console: &Console,
    id: i64,
    after_seq: i64,
    at_most: i32,
) -> Result<Vec<Event>, ConsoleError> {
    let select = "select chain, seq, at, tenant, actor, action, object, outcome, attested, session, request, body \
        from tenantdesk.session_events($1, $2, $3)";
    let rows = console.query(&Sql::new(select), &[&id, &after_seq, &at_most]).await?;
    Ok(decode_events(&rows))
}

fn decode(row: &Row) -> LiveSession {
    let text = |column: usize| row.get::<_, Option<String>>(column).map(Untrusted::from);
    let session = Session {
        id: row.get(0),
        operator: row.get(1),
        tenant: row.get(2),
        purpose: row.get(3),
        mode: row.get(4),
        reason: text(5).unwrap_or_default(),
        ticket: text(6),
        member: text(7),
        role: text(8),
        opened_at: row.get(9),
        expires_at: row.get(10),
        ended_at: None,
        ended_by: None,
        end_reason: None,
    };
    let last = row.get::<_, Option<DateTime<Utc>>>(14).map(|at| LastStatement {
        at,
        sql: text(15),
        outcome: row.get(16),
    });
    let activity = Activity {
        statements: row.get(11),
        rows: row.get(12),
        bytes: row.get(13),
        last,
        // Our own function wrote it.
        backends: serde_json::from_value(row.get(17)).unwrap_or_default(),
        unnamed: row.get(18),
    };
    LiveSession { session, activity }
}
