//! Reading the ledger: newest first, as far as the reader's level shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::postgres::Sql;
use crate::text::Untrusted;

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this tenant (its id).
    pub tenant: Option<String>,
    /// Only by this operator.
    pub operator: Option<String>,
    /// Only this action, or the actions below it (`impersonate` finds `impersonate.start`).
    pub action: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Only before: the time of the last event of the page before.
    pub before: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: i32,
}

/// One event as people and programs see it.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// The chain: `installation` or `tenant:<id>`.
    pub chain: String,
    /// Its number in the chain.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// The tenant's id, or none.
    pub tenant: Option<String>,
    /// Who, by the database.
    pub actor: Untrusted,
    /// What.
    pub action: String,
    /// To what.
    pub object: Untrusted,
    /// How it went.
    pub outcome: Untrusted,
    /// Who vouches for it: `database`, `client` or `claimed`.
    pub attested: String,
    /// The tenant session.
    pub session: Option<i64>,
    /// The request.
    pub request: Option<Uuid>,
    /// Why, where a reason was given.
    pub reason: Option<Untrusted>,
    /// The rest of what was recorded.
    pub detail: Option<serde_json::Value>,
}

/// A row of `ledger_events`.
pub type EventRow = Row;

/// The query for `ledger_events`; its values are those of [`EventFilter`] in order.
#[must_use]
pub fn events_query() -> Sql {
    Sql::new(
        "select chain, seq, at, tenant, actor, action, object, outcome, attested, session, request, body \
         from tenantdesk.ledger_events($1, $2, $3, $4, $5, $6)",
    )
}

/// Decodes rows of [`events_query`].
#[must_use]
pub fn decode_events(rows: &[EventRow]) -> Vec<Event> {
    rows.iter().map(decode).collect()
}

/// Decodes one row; the body is JSON that our own functions wrote.
fn decode(row: &EventRow) -> Event {
    let body: Option<String> = row.get("body");
    let mut detail: Option<serde_json::Value> =
        body.and_then(|text| serde_json::from_str(&text).ok());
    let reason = detail
        .as_mut()
        .and_then(|value| value.as_object_mut())
        .and_then(|object| object.remove("reason"))
        .and_then(|value| value.as_str().map(Untrusted::from));
    Event {
        chain: row.get("chain"),
        seq: row.get("seq"),
        at: row.get("at"),
        tenant: row.get("tenant"),
        actor: Untrusted::new(row.get::<_, String>("actor")),
        action: row.get("action"),
        object: Untrusted::new(row.get::<_, String>("object")),
        outcome: Untrusted::new(row.get::<_, String>("outcome")),
        attested: row.get("attested"),
        session: row.get("session"),
        request: row.get("request"),
        reason,
        detail,
    }
}
