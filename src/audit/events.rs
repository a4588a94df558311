//! Reading the ledger: newest first, as far as the reader's level shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::identity::TenantId;
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

impl Event {
    /// The statement that it records, without its literals.
    #[must_use]
    pub fn statement(&self) -> Option<Untrusted> {
        self.told("sql")
    }

    /// What is best known of it in one line: the reason, the statement, or what came of it.
    #[must_use]
    pub fn gist(&self) -> Option<Untrusted> {
        let reason = self.reason.clone().or_else(|| self.statement());
        reason.or_else(|| self.told("detail")).or_else(|| self.tally())
    }

    /// What came of a statement.
    fn tally(&self) -> Option<Untrusted> {
        let number = |name: &str| self.detail.as_ref()?.get(name)?.as_i64();
        let (intent, rows) = (number("intent")?, number("rows")?);
        let millis = number("millis").unwrap_or_default();
        Some(format!("of {intent}: {rows} rows, {millis} ms").into())
    }

    fn told(&self, name: &str) -> Option<Untrusted> {
        self.detail.as_ref()?.get(name)?.as_str().map(Untrusted::from)
    }
}

/// A row of `ledger_events`.
pub type EventRow = Row;

/// What [`decode_events`] reads.
const SELECT: &str = "select chain, seq, at, tenant, actor, action, object, outcome, attested, session, request, body \
    from tenantdesk.ledger_events";

/// The query for `ledger_events`; its values are those of [`EventFilter`] in order.
#[must_use]
pub fn events_query() -> Sql {
    Sql::new(SELECT).text("($1, $2, $3, $4, $5, $6)")
}

/// The query for one event; its values are the chain and its number there.
#[must_use]
pub fn event_query() -> Sql {
    Sql::new(SELECT).text("(null, null, null, null, null, 1, $1, $2)")
}

/// The name of a tenant's chain, or of the installation's.
#[must_use]
pub fn chain_of(tenant: Option<&TenantId>) -> String {
    tenant.map_or_else(|| "installation".to_owned(), |id| format!("tenant:{id}"))
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
