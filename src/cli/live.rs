//! What is done in a session, as `impersonation list` and `show` tell it: JSON twins, cells, tables.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::json;
use super::table::{Column, Table};
use crate::format;
use crate::impersonation::ToldStatement;
use crate::tenant::live::{Activity, Backend};
use crate::text::Untrusted;

/// What a live session did and does, in JSON.
#[derive(Serialize)]
pub(super) struct ActivityDocument<'s> {
    #[serde(serialize_with = "json::integer")]
    statements: i64,
    #[serde(serialize_with = "json::integer")]
    rows: i64,
    #[serde(serialize_with = "json::integer")]
    bytes: i64,
    last_statement: Option<LastDocument<'s>>,
    backends: Vec<BackendDocument<'s>>,
    /// Connections of the same login that say of no session that they are its.
    other_connections: i64,
    #[serde(skip)]
    activity: &'s Activity,
}

#[derive(Serialize)]
struct LastDocument<'s> {
    #[serde(serialize_with = "json::time")]
    at: DateTime<Utc>,
    sql: Option<&'s Untrusted>,
    outcome: Option<&'s str>,
}

#[derive(Serialize)]
struct BackendDocument<'s> {
    pid: i32,
    state: Option<&'s str>,
    #[serde(serialize_with = "json::time_or_null")]
    since: Option<DateTime<Utc>>,
    wait: Option<&'s str>,
}

impl<'s> ActivityDocument<'s> {
    /// The document of what was found.
    pub(super) fn of(activity: &'s Activity) -> Self {
        let last = activity.last.as_ref();
        let backend = |one: &'s Backend| BackendDocument {
            pid: one.pid,
            state: one.state.as_deref(),
            since: one.since,
            wait: one.wait.as_deref(),
        };
        Self {
            statements: activity.statements,
            rows: activity.rows,
            bytes: activity.bytes,
            last_statement: last.map(|last| LastDocument {
                at: last.at,
                sql: last.sql.as_ref(),
                outcome: last.outcome.as_deref(),
            }),
            backends: activity.backends.iter().map(backend).collect(),
            other_connections: activity.unnamed,
            activity,
        }
    }

    /// What a list shows: statements, rows, and what is done now.
    pub(super) fn cells(&self, now: DateTime<Utc>) -> [String; 3] {
        [format::count(self.statements), format::count(self.rows), doing(self.activity, now)]
    }

    /// What is told of it line by line.
    pub(super) fn pairs(&self, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("now", doing(self.activity, now))];
        let waits = self.activity.backends.iter().filter_map(|backend| backend.wait.clone());
        pairs.extend(waits.map(|wait| ("waits for", wait)));
        let so_far = format!(
            "{}, {}, {}",
            format::counted(self.statements, "statement"),
            format::counted(self.rows, "row"),
            format::bytes(u64::try_from(self.bytes).unwrap_or_default())
        );
        pairs.push(("so far", so_far));
        pairs
    }
}

/// What its connections do: `running 12s`, `idle`, or that it has none.
fn doing(activity: &Activity, now: DateTime<Utc>) -> String {
    let Some(backend) = activity.backends.iter().max_by_key(|backend| backend.is_running()) else {
        return "not connected".to_owned();
    };
    match backend.since {
        Some(since) if backend.is_running() => {
            format!("running {}", format::duration((now - since).max(TimeDelta::zero())))
        }
        _ => backend.state.clone().unwrap_or_else(|| "not told".to_owned()),
    }
}

/// A statement of a session in JSON.
#[derive(Serialize)]
pub(super) struct StatementDocument<'s> {
    seq: i64,
    #[serde(serialize_with = "json::time")]
    at: DateTime<Utc>,
    sql: Option<&'s Untrusted>,
    outcome: Option<&'s str>,
    rows: Option<i64>,
    bytes: Option<i64>,
    millis: Option<i64>,
    sqlstate: Option<&'s Untrusted>,
}

impl<'s> StatementDocument<'s> {
    /// The document of one statement.
    pub(super) fn of(told: &'s ToldStatement) -> Self {
        Self {
            seq: told.seq,
            at: told.at,
            sql: told.sql.as_ref(),
            outcome: told.outcome.as_deref(),
            rows: told.rows,
            bytes: told.bytes,
            millis: told.millis,
            sqlstate: told.sqlstate.as_ref(),
        }
    }
}

/// The statements of a session as a table.
pub(super) fn statements_table(statements: &[ToldStatement]) -> Table {
    let mut table = Table::new([
        Column::left("at"),
        Column::left("outcome"),
        Column::right("rows"),
        Column::right("ms"),
        Column::left("statement"),
    ]);
    for one in statements {
        let number = |number: Option<i64>| number.map_or_else(String::new, format::count);
        let outcome = one.outcome.as_deref().unwrap_or("none told");
        let sql = one.sql.as_ref().map_or("(erased)", Untrusted::raw);
        let (at, rows, millis) = (format::time(one.at), number(one.rows), number(one.millis));
        table.row([&at, outcome, &rows, &millis, sql]);
    }
    table
}
