//! Reading the ledger: newest first, as far as the reader's level shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::format;
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
    /// Only what comes behind this one: the last event of the page before.
    pub before: Option<EventPlace>,
    /// At most so many.
    pub limit: i32,
}

/// Where an event stands among all: several can be of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPlace {
    /// When.
    pub at: DateTime<Utc>,
    /// Its chain.
    pub chain: String,
    /// Its number in the chain.
    pub seq: i64,
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
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> EventPlace {
        EventPlace { at: self.at, chain: self.chain.clone(), seq: self.seq }
    }

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

/// The query for `ledger_events`; its values are those of [`EventFilter`] in order, then chain and
/// number of the event before.
#[must_use]
pub fn events_query() -> Sql {
    Sql::new(SELECT).text("($1, $2, $3, $4, $5, $6, null, null, $7, $8)")
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

/// One thing that was recorded of an event, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFact {
    /// What it is.
    pub label: String,
    /// What was recorded.
    pub value: Untrusted,
}

/// What the body of an event can hold: key, label, and how the value is written.
const BODY: &[(&str, &str, Written)] = &[
    ("ticket", "ticket", Written::Text),
    ("member", "as member", Written::Text),
    ("role", "role", Written::Text),
    ("expires_at", "until", Written::Time),
    ("sql", "statement", Written::Text),
    ("literals", "values", Written::Digests),
    ("intent", "outcome of", Written::Event),
    ("rows", "rows", Written::Count),
    ("bytes", "bytes", Written::Bytes),
    ("millis", "took", Written::Millis),
    ("sqlstate", "SQLSTATE", Written::Text),
    ("why", "why", Written::Text),
    ("detail", "detail", Written::Text),
    ("title", "title", Written::Text),
    ("metric", "metric", Written::Text),
    ("soft", "soft limit", Written::Count),
    ("hard", "hard limit", Written::Count),
    ("until", "until", Written::Time),
    ("operation", "operation", Written::Text),
];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Text,
    Count,
    Bytes,
    Millis,
    Time,
    /// Literals are kept as digests under the tenant's key: only their number says something.
    Digests,
    Event,
}

impl Event {
    /// Everything that was recorded beside place, time and actor: why, what the body holds in the
    /// order of `BODY` with what is not known there at its end, session, request, who vouches.
    #[must_use]
    pub fn facts(&self) -> Vec<EventFact> {
        let fact = |label: &str, value: Untrusted| EventFact { label: label.to_owned(), value };
        let mut facts = Vec::new();
        facts.extend(self.reason.clone().map(|reason| fact("reason", reason)));
        let body = self.detail.as_ref().and_then(serde_json::Value::as_object);
        let known = BODY.iter().filter_map(|(key, label, written)| {
            let value = body?.get(*key).filter(|value| !value.is_null())?;
            Some(fact(label, write(value, *written).into()))
        });
        facts.extend(known);
        let others = body.into_iter().flatten().filter(|(key, value)| {
            !value.is_null() && BODY.iter().all(|(known, ..)| *known != key.as_str())
        });
        facts.extend(others.map(|(key, value)| fact(key, write(value, Written::Text).into())));
        facts.extend(self.session.map(|session| fact("session", session.to_string().into())));
        facts.extend(self.request.map(|request| fact("request", request.to_string().into())));
        let told = match self.attested.as_str() {
            "database" => "the database itself",
            "client" => "the client, as it saw it",
            "claimed" => "the application, which claims it",
            other => other,
        };
        facts.push(fact("told by", told.into()));
        facts
    }

    /// The number, in the same chain, of the intent whose outcome this is.
    #[must_use]
    pub fn intent(&self) -> Option<i64> {
        self.detail.as_ref()?.get("intent")?.as_i64()
    }
}

/// A value as people read it; one of another type than expected stands as it is.
fn write(value: &serde_json::Value, written: Written) -> String {
    let as_it_is = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let number = value.as_i64();
    let text = match written {
        Written::Text => None,
        Written::Count => number.map(format::count),
        Written::Bytes => value.as_u64().map(format::bytes),
        Written::Millis => number.map(|millis| format!("{} ms", format::count(millis))),
        Written::Event => number.map(|seq| format!("event {seq}")),
        Written::Time => value
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|at| format::time(at.to_utc())),
        Written::Digests => {
            value.as_array().map(|list| format!("{}, kept as digests only", list.len()))
        }
    };
    text.unwrap_or_else(as_it_is)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(detail: serde_json::Value) -> Event {
        Event {
            chain: "tenant:t".into(),
            seq: 7,
            at: DateTime::UNIX_EPOCH,
            tenant: Some("t".into()),
            actor: "jo".into(),
            action: "statement".into(),
            object: "read".into(),
            outcome: "ok".into(),
            attested: "client".into(),
            session: Some(3),
            request: Some(Uuid::nil()),
            reason: Some("ticket 4711 asks".into()),
            detail: Some(detail),
        }
    }

    fn told(detail: serde_json::Value) -> Vec<String> {
        let facts = event(detail).facts();
        facts.iter().map(|fact| format!("{}: {}", fact.label, fact.value.raw())).collect()
    }

    #[test]
    fn what_was_recorded_is_told_in_one_order_and_in_words() {
        let intent = told(json!({ "literals": ["a1", "b2"], "sql": "select ?", "ticket": null }));
        assert_eq!(
            intent,
            [
                "reason: ticket 4711 asks",
                "statement: select ?",
                "values: 2, kept as digests only",
                "session: 3",
                "request: 00000000-0000-0000-0000-000000000000",
                "told by: the client, as it saw it",
            ]
        );
        let outcome = json!({ "intent": 6, "rows": 12345, "bytes": 2048, "millis": 1200, "sqlstate": "22012" });
        assert_eq!(event(outcome.clone()).intent(), Some(6));
        assert_eq!(
            told(outcome)[1..6],
            [
                "outcome of: event 6",
                "rows: 12,345",
                "bytes: 2.0 KiB",
                "took: 1,200 ms",
                "SQLSTATE: 22012"
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_told_as_it_is() {
        let told = told(json!({
            "expires_at": "2026-11-21T12:00:00.123+01:00", "rows": "many", "sha256": "00ff", "n": [1],
        }));
        assert_eq!(
            told[1..5],
            ["until: 2026-11-21T11:00:00Z", "rows: many", "n: [1]", "sha256: 00ff"]
        );
        let empty = Event { reason: None, session: None, request: None, ..event(json!({})) };
        assert_eq!(empty.facts().len(), 1);
    }
}
