//! The way to the server: what stands in between, whether it is encrypted, and whose clock is right.

use chrono::{DateTime, TimeDelta, Utc};

use super::check::{Check, Question};
use super::examine::Seen;
use crate::postgres::{Endpoint, ServerError, Sql, connect};
use crate::text::screen;

pub(super) const POOLER: Question = Question {
    name: "pooler",
    why: "through a pooler a session's own connection cannot be told apart and ended, and what a login may do is the pooler's",
};
pub(super) const CLOCK: Question = Question {
    name: "clock",
    why: "sessions expire by the database's clock; with another one here the time left on screen is wrong, and so are the times of archives",
};
pub(super) const ENCRYPTION: Question = Question {
    name: "encryption",
    why: "over a network, rows and the tokens of sessions could be read on their way",
};

/// What two connections at a time show.
struct Between {
    first: i32,
    second: i32,
    first_again: i32,
    /// The port on which the server was reached, by its own account; none for a socket.
    server_port: Option<i32>,
}

/// Looks for something between here and the server.
pub(super) async fn pooler(seen: &Seen, endpoint: &Endpoint) -> Check {
    match between(seen, endpoint).await {
        Ok(between) => judge_pooler(&between),
        Err(error) => POOLER.not_run(format!("a second connection failed: {error}")),
    }
}

async fn between(seen: &Seen, endpoint: &Endpoint) -> Result<Between, ServerError> {
    let pid = Sql::new("select pg_catalog.pg_backend_pid(), pg_catalog.inet_server_port()");
    let row = seen.row(&pid).await?;
    let other = Seen::of(connect(endpoint, "tenantdesk doctor").await?);
    // Held open, so that a pooler has to give the first one another connection.
    let held = other.transaction().await?;
    let second: i32 = held.query_one(&pid, &[]).await?.get(0);
    let again = seen.row(&pid).await?;
    held.commit().await?;
    Ok(Between { first: row.get(0), second, first_again: again.get(0), server_port: row.get(1) })
}

fn judge_pooler(between: &Between) -> Check {
    const FIX: &str = "it works in transaction mode; the end of a session from elsewhere is noticed with the next statement only, which a connection to the server itself avoids";
    if between.first == between.second || between.first != between.first_again {
        return POOLER
            .warn("several connections share one backend: a pooler stands in between", FIX);
    }
    let port = between.server_port.map_or("a socket".to_owned(), |port| format!("port {port}"));
    POOLER.ok(format!("none seen: each connection has a backend of its own, on {port}"))
}

/// Compares the clocks.
pub(super) async fn clock(seen: &Seen) -> Check {
    let asked = crate::clock::now();
    let row = seen.row(&Sql::new("select pg_catalog.clock_timestamp()")).await;
    let answered = crate::clock::now();
    match row {
        Ok(row) => judge_clock(asked, row.get(0), answered),
        Err(error) => CLOCK.not_run(error.to_string()),
    }
}

fn judge_clock(asked: DateTime<Utc>, server: DateTime<Utc>, answered: DateTime<Utc>) -> Check {
    const FIX: &str = "let both machines set their clocks by NTP";
    let trip = answered - asked;
    let offset = server - (asked + trip / 2);
    // Half of the trip is not known.
    let sure = offset.abs() - trip / 2;
    let (way, size) =
        if offset < TimeDelta::zero() { ("behind", -offset) } else { ("ahead", offset) };
    let seen = format!(
        "the server's clock is {} {way} (round trip {})",
        milliseconds(size),
        milliseconds(trip)
    );
    if sure > TimeDelta::minutes(1) {
        CLOCK.fail(seen, FIX)
    } else if sure > TimeDelta::seconds(2) {
        CLOCK.warn(seen, FIX)
    } else {
        CLOCK.ok(seen)
    }
}

fn milliseconds(delta: TimeDelta) -> String {
    match delta.num_milliseconds() {
        long @ 10_000.. => format!("{} s", long / 1000),
        short => format!("{short} ms"),
    }
}

/// Whether the connection is encrypted.
pub(super) async fn encryption(seen: &Seen) -> Check {
    let sql = Sql::new(
        "select s.ssl, s.version, pg_catalog.host(pg_catalog.inet_server_addr()), \
         pg_catalog.inet_server_addr() <<= '127.0.0.0/8' or pg_catalog.inet_server_addr() = '::1' \
         from pg_catalog.pg_stat_ssl s where s.pid = pg_catalog.pg_backend_pid()",
    );
    let row = match seen.row(&sql).await {
        Ok(row) => row,
        Err(error) => return ENCRYPTION.not_run(error.to_string()),
    };
    let (encrypted, version, address): (bool, Option<String>, Option<String>) =
        (row.get(0), row.get(1), row.get(2));
    let near = row.get::<_, Option<bool>>(3).unwrap_or(true);
    match address.filter(|_| !near) {
        None => ENCRYPTION.ok("the server is on this machine"),
        Some(_) if encrypted => {
            ENCRYPTION.ok(format!("encrypted with {}", screen(&version.unwrap_or_default())))
        }
        Some(address) => ENCRYPTION.fail(
            format!("the connection to {} is not encrypted", screen(&address)),
            "use `sslmode=verify-full`, and let `pg_hba.conf` say `hostssl`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_backend_that_two_connections_share_is_a_pooler() {
        let direct = Between { first: 1, second: 2, first_again: 1, server_port: None };
        assert_eq!(judge_pooler(&direct).verdict, Verdict::Ok);
        for pooled in [Between { second: 1, ..direct }, Between { first_again: 3, ..direct }] {
            assert_eq!(judge_pooler(&pooled).verdict, Verdict::Warn);
        }
    }

    #[test]
    fn what_the_round_trip_explains_is_no_offset() {
        let noon: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let judge = |offset: i64, trip: i64| {
            let answered = noon + TimeDelta::milliseconds(trip);
            judge_clock(noon, noon + TimeDelta::milliseconds(trip / 2 + offset), answered).verdict
        };
        assert_eq!(judge(1_900, 0), Verdict::Ok);
        assert_eq!(judge(2_100, 0), Verdict::Warn);
        assert_eq!(judge(-2_100, 0), Verdict::Warn);
        assert_eq!(judge(2_100, 1_000), Verdict::Ok);
        assert_eq!(judge(61_000, 0), Verdict::Fail);
    }
}
