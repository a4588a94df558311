//! What the server has to be for the ledger and the guard to keep their promises: durable, without
//! prepared transactions, with a guard that is whole and sessions that were swept.

use super::check::{Check, Question};
use super::examine::Seen;
use crate::postgres::Sql;
use crate::text::screen;

pub(super) const PREPARED: Question = Question {
    name: "prepared_transactions",
    why: "a prepared transaction survives its connection: left open on a chain of the ledger it stops all records, and so all work",
};
pub(super) const DURABILITY: Question = Question {
    name: "durability",
    why: "with one of these off a crash loses what was committed, or the whole database",
};
pub(super) const GUARD: Question =
    Question { name: "guard", why: "while one fault is left no tenant session opens" };
pub(super) const SESSIONS: Question = Question {
    name: "expired_sessions",
    why: "the roles of a session stay with its login until somebody sweeps; rows are not shown any more",
};

/// How many faults are told one by one.
const TOLD: usize = 5;

/// `max_prepared_transactions`.
pub(super) async fn prepared(seen: &Seen) -> Check {
    let sql = Sql::new(
        "select pg_catalog.current_setting('max_prepared_transactions')::int, \
         (select count(*) from pg_catalog.pg_prepared_xacts)",
    );
    match seen.row(&sql).await {
        Ok(row) if row.get::<_, i32>(0) == 0 => PREPARED.ok("none is possible"),
        Ok(row) => {
            let (most, open): (i32, i64) = (row.get(0), row.get(1));
            PREPARED.fail(
                format!("max_prepared_transactions is {most}, and {open} are open"),
                "set `max_prepared_transactions = 0` in the server's configuration and restart it",
            )
        }
        Err(error) => PREPARED.not_run(error.to_string()),
    }
}

/// `fsync` and what belongs to it.
pub(super) async fn durability(seen: &Seen) -> Check {
    let sql = Sql::new(
        "select s.name from pg_catalog.pg_settings s \
         where s.name in ('fsync', 'full_page_writes', 'synchronous_commit') and s.setting = 'off' order by 1",
    );
    match seen.rows(&sql).await {
        Ok(rows) if rows.is_empty() => {
            DURABILITY.ok("fsync, full_page_writes and synchronous_commit are on")
        }
        Ok(rows) => {
            let off: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            DURABILITY.fail(
                format!(
                    "{} off: {}",
                    if off.len() == 1 { "this is" } else { "these are" },
                    off.join(", ")
                ),
                "switch them on in the server's configuration and reload it",
            )
        }
        Err(error) => DURABILITY.not_run(error.to_string()),
    }
}

/// What the guard says of itself.
pub(super) async fn guard(seen: &Seen) -> Check {
    let sql = Sql::new("select f.object, f.fault from tenantdesk.faults() f order by 1, 2");
    match seen.rows_as_operator(&sql).await {
        Ok(rows) if rows.is_empty() => GUARD.ok("it is whole"),
        Ok(rows) => {
            let told: Vec<String> = rows
                .iter()
                .take(TOLD)
                .map(|row| format!("{}: {}", screen(row.get(0)), screen(row.get(1))))
                .collect();
            let more = rows.len().saturating_sub(TOLD);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            GUARD.fail(
                told.join("; ") + &more,
                "the owner of each object mends it, or runs setup again; `tenantdesk tables list` lists all",
            )
        }
        Err(error) => GUARD.not_run(super::access::needs_operator(&error)),
    }
}

/// Sessions whose time is over and whose rights nobody has taken yet.
pub(super) async fn sessions(seen: &Seen) -> Check {
    let sql = Sql::new(
        "select count(*), pg_catalog.min(s.expires_at)::text from tenantdesk.sessions() s \
         where s.ended_at is null and s.expires_at < pg_catalog.clock_timestamp()",
    );
    match seen.rows_as_operator(&sql).await {
        Ok(rows) => match rows.first().map_or(0, |row| row.get::<_, i64>(0)) {
            0 => SESSIONS.ok("none; a level below approver sees its own only"),
            count => {
                let since: Option<String> = rows.first().and_then(|row| row.get(1));
                SESSIONS.warn(
                    format!("{count} since {}", since.unwrap_or_default()),
                    "any command that connects sweeps them: `tenantdesk tenant list`",
                )
            }
        },
        Err(error) => SESSIONS.not_run(super::access::needs_operator(&error)),
    }
}
