//! `impersonation list|show|end` and the sweep: tenant sessions as seen from elsewhere. A list says
//! when it is cut, and one session is asked for by its number.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::types::ToSql;

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

/// Which sessions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that live, by the database's clock.
    Live,
    /// Also those that ended.
    All,
}

/// Sessions, newest first, as many as were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Whether there are more.
    pub truncated: bool,
}

/// How many sessions [`list`] gives at most.
const MOST_LISTED: i64 = 1000;

/// What lives, as a condition.
const LIVE: &str = "ended_at is null and expires_at > pg_catalog.clock_timestamp()";

/// Sessions that the operator may see, the open ones before the ended ones: an approver all,
/// others their own; at most a thousand.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Session>, ConsoleError> {
    let rest = Sql::new("true order by ended_at is not null, id desc limit $1");
    select(console, &rest, &[&MOST_LISTED]).await
}

/// The newest sessions that the operator may see: an approver all, others their own.
///
/// # Errors
/// [`ConsoleError`].
pub async fn page(
    console: &Console,
    which: Which,
    limit: u64,
) -> Result<SessionPage, ConsoleError> {
    let condition = match which {
        Which::Live => Sql::new(LIVE),
        Which::All => Sql::new("true"),
    };
    // One more than is wanted tells whether there are more.
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1).min(i64::MAX - 1);
    let rest = condition.text(" order by id desc limit $1");
    let mut sessions = select(console, &rest, &[&(limit + 1)]).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = sessions.len() > wanted;
    sessions.truncate(wanted);
    Ok(SessionPage { sessions, truncated })
}

/// One session; none where there is no such session or it is not one's to see.
///
/// # Errors
/// [`ConsoleError`].
pub async fn find(console: &Console, id: i64) -> Result<Option<Session>, ConsoleError> {
    Ok(select(console, &Sql::new("id = $1"), &[&id]).await?.into_iter().next())
}

/// The operator's own live impersonation; there is at most one.
///
/// # Errors
/// [`ConsoleError`].
pub async fn own_impersonation(console: &Console) -> Result<Option<Session>, ConsoleError> {
    let own = Sql::new("operator = $1 and purpose = 'impersonate' and ").text(LIVE);
    Ok(select(console, &own, &[&console.operator().as_str()]).await?.into_iter().next())
}

/// The sessions for which a condition holds.
async fn select(
    console: &Console,
    condition: &Sql,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Session>, ConsoleError> {
    let select = Sql::new(
        "select id, operator, tenant, purpose, mode, reason, ticket, member_email, member_role, \
         opened_at, expires_at, ended_at, ended_by, end_reason from tenantdesk.sessions() where ",
    );
    let rows = console.query(&select.append(condition), values).await?;
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
