//! The statements of a session as the ledger has them: each intent with the outcome that answers it.

use chrono::{DateTime, Utc};

use crate::audit::Event;
use crate::text::Untrusted;

/// A statement that was announced, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldStatement {
    /// The number of its announcement in the tenant's chain.
    pub seq: i64,
    /// When it was announced.
    pub at: DateTime<Utc>,
    /// Its text without literals; none where the record was erased.
    pub sql: Option<Untrusted>,
    /// How it went; none where nothing was recorded: it runs, or the tool died.
    pub outcome: Option<String>,
    /// Rows that it gave or changed.
    pub rows: Option<i64>,
    /// Bytes that it gave.
    pub bytes: Option<i64>,
    /// How long it took.
    pub millis: Option<i64>,
    /// What the server answered where it failed.
    pub sqlstate: Option<Untrusted>,
}

/// The statements among the events of one session, in the order in which they were announced.
#[must_use]
pub fn told_statements(events: &[Event]) -> Vec<ToldStatement> {
    let mut told: Vec<ToldStatement> = Vec::new();
    for event in events.iter().filter(|event| event.action == "statement") {
        if event.outcome.raw() == "intent" {
            told.push(ToldStatement {
                seq: event.seq,
                at: event.at,
                sql: event.statement(),
                outcome: None,
                rows: None,
                bytes: None,
                millis: None,
                sqlstate: None,
            });
            continue;
        }
        let number = |name: &str| event.detail.as_ref()?.get(name)?.as_i64();
        // Events are in order, so the announcement is among the last.
        let intent = number("intent");
        let Some(one) = told.iter_mut().rev().find(|one| Some(one.seq) == intent) else { continue };
        one.outcome = Some(event.outcome.raw().to_owned());
        (one.rows, one.bytes, one.millis) = (number("rows"), number("bytes"), number("millis"));
        let state = event.detail.as_ref().and_then(|detail| detail.get("sqlstate")?.as_str());
        one.sqlstate = state.map(Untrusted::from);
    }
    told
}
