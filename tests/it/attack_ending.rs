//! Attacks that outlive the end of a session, and ends that are not one's own to make.

use std::time::{Duration, Instant};

use crate::attack_intruder::{
    Intruder, Line, READER, as_operator, drop_condition, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

/// Another operator of the same database.
pub fn second(desk: &Desk, level: &str) -> (Desk, String) {
    let same = Desk { cluster: desk.cluster, database: desk.database.clone() };
    let login = same.operator(level);
    (same, login)
}

/// Ends the intruder's session as an approver, and closes his connections where asked.
pub fn revoke(intruder: &Intruder, and_close: bool) {
    let (desk, approver) = second(&intruder.desk, "approver");
    desk.rows(
        &approver,
        &as_operator(&format!(
            "select tenantdesk.end_session({}, 'seen enough')",
            intruder.session
        )),
    );
    if and_close {
        desk.rows(
            &approver,
            &as_operator(&format!("select tenantdesk.terminate({})", intruder.session)),
        );
    }
}

// guard.md 31, list 4
#[test]
fn an_old_snapshot_does_not_outlive_a_revocation() {
    let intruder = Intruder::reading();
    let preamble = |level: &str| intruder.preamble(READER).replace("read committed", level);
    let count = "select count(*) from app.projects";
    for level in ["repeatable read", "serializable"] {
        assert_eq!(
            intruder.desk.rows(&intruder.login, &format!("{}{count}; commit", preamble(level))),
            "0"
        );
        let sneaking = format!(
            "{}select set_config('transaction_isolation', 'read committed', true); {count}; commit",
            preamble(level)
        );
        assert_ne!(intruder.desk.psql(&intruder.login, &sneaking).stdout.trim(), "1000");
    }
    drop_condition(
        &intruder.desk,
        "session_tenant()",
        "pg_catalog.current_setting('transaction_isolation') = 'read committed'",
    );
    let mut line = intruder.line();
    line.say(&preamble("repeatable read"));
    assert_eq!(line.say(count).as_deref(), Some("1000"));
    revoke(&intruder, false);
    assert_eq!(line.say(count).as_deref(), Some("1000"));
}

// guard.md 32, 33, 34, list 4
#[test]
fn an_open_cursor_and_a_role_once_set_end_with_the_connection() {
    let intruder = Intruder::reading();
    let mut lines = Vec::new();
    for cursor in [
        "declare c cursor for select id from app.projects order by id",
        "declare c cursor with hold for select id from app.projects order by id",
    ] {
        let mut line = intruder.line();
        line.say(&intruder.preamble(READER));
        line.say(cursor);
        assert!(line.say("fetch 2 from c").is_some_and(|rows| rows.lines().count() == 2));
        lines.push(line);
    }
    revoke(&intruder, false);
    // Without the end of the connection all goes on; only what is asked anew gives nothing.
    for line in &mut lines {
        assert!(line.say("fetch 2 from c").is_some_and(|rows| rows.lines().count() == 2));
    }
    assert_eq!(lines[0].say("select count(*) from app.projects").as_deref(), Some("0"));
    assert_eq!(lines[0].say("select current_user").as_deref(), Some(READER));
    revoke_again(&intruder);
    for line in &mut lines {
        assert_eq!(line.say("fetch 2 from c"), None);
    }
    assert_eq!(sqlstate(&intruder.run(READER, "select 1")), "42501");
}

fn revoke_again(intruder: &Intruder) {
    let (desk, approver) = second(&intruder.desk, "approver");
    let closed = desk.rows(
        &approver,
        &as_operator(&format!("select tenantdesk.terminate({})", intruder.session)),
    );
    assert_eq!(closed, "2");
}

#[test]
fn an_expired_session_shows_nothing_and_its_connections_end_with_the_sweep() {
    let desk = Desk::product();
    let login = desk.operator("support");
    let short = open_call("short", ACME, "impersonate", "read").replace("10 min", "2 s");
    desk.rows(&login, &as_operator(&format!("select 1 from {short}")));
    let intruder = Intruder {
        desk,
        login,
        token: "short".to_owned(),
        tenant: ACME.to_owned(),
        session: "1".to_owned(),
    };
    let mut line = intruder.line();
    line.say(&intruder.preamble(READER));
    line.say("declare c cursor for select id from app.projects order by id");
    assert!(line.say("fetch 1 from c").is_some_and(|rows| !rows.is_empty()));
    let (same, viewer) = second(&intruder.desk, "viewer");
    let deadline = Instant::now() + Duration::from_secs(10);
    while same.rows(&viewer, &as_operator("select operator from tenantdesk.sweep()")).is_empty() {
        assert!(Instant::now() < deadline, "the session never expired");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(line.say("select count(*) from app.projects").as_deref(), Some("0"));
    assert_eq!(same.rows(&viewer, &as_operator("select tenantdesk.terminate(1)")), "1");
    assert_eq!(line.say("fetch 1 from c"), None);
    assert_eq!(sqlstate(&intruder.run(READER, "select 1")), "42501");
    // Without the clock the token would still open.
    let intruder = Intruder::reading();
    intruder.weaken("update tenantdesk.tenant_sessions set opened_at = opened_at - interval '1 hour', expires_at = expires_at - interval '1 hour'");
    assert_eq!(intruder.sees(READER, "select count(*) from app.projects"), "0");
    drop_condition(
        &intruder.desk,
        "session_tenant()",
        "s.expires_at > pg_catalog.clock_timestamp()",
    );
    assert_eq!(intruder.sees(READER, "select count(*) from app.projects"), "1000");
}

// guard.md 35, 69, list 11
#[test]
fn nobody_below_approver_ends_or_closes_the_session_of_another() {
    let intruder = Intruder::reading();
    let mut line = intruder.line();
    assert_eq!(line.say("select 1").as_deref(), Some("1"));
    for level in ["viewer", "support"] {
        let (desk, other) = second(&intruder.desk, level);
        let end = desk.psql(
            &other,
            &as_operator(&format!(
                "select tenantdesk.end_session({}, 'mine now')",
                intruder.session
            )),
        );
        let none = desk.psql(&other, &as_operator("select tenantdesk.end_session(999, null)"));
        // One that is another's and one that is not there look the same.
        assert_eq!((sqlstate(&end), sqlstate(&none)), ("P0002".to_owned(), "P0002".to_owned()));
        assert_eq!(
            desk.rows(
                &other,
                &as_operator(&format!("select tenantdesk.terminate({})", intruder.session))
            ),
            "0"
        );
        assert_eq!(
            sqlstate(&desk.psql(
                &other,
                &as_operator(&format!(
                    "select tenantdesk.terminate_operator('{}')",
                    intruder.login
                ))
            )),
            "42501"
        );
        let backend = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{}'",
            intruder.login
        );
        assert_eq!(sqlstate(&desk.psql(&other, &backend)), "42501");
    }
    assert_eq!(line.say("select 2").as_deref(), Some("2"));
    let mut application = Line::open(&intruder.desk, "app_user");
    assert_eq!(application.say("select 1").as_deref(), Some("1"));
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_user' and datname = current_database()";
    assert_eq!(sqlstate(&intruder.desk.psql(&intruder.login, kill)), "42501");
    drop(application);
    revoke(&intruder, true);
    assert_eq!(line.say("select 3"), None);
}

// Controls of the test above: without the question for the level anybody ends a session; with the
// server's own right he ends backends.
#[test]
fn the_level_and_the_lack_of_a_right_keep_others_from_ending_a_session() {
    let intruder = Intruder::reading();
    let mut line = intruder.line();
    assert_eq!(line.say("select 1").as_deref(), Some("1"));
    let (desk, other) = second(&intruder.desk, "viewer");
    let end = as_operator(&format!("select tenantdesk.end_session({}, null)", intruder.session));
    intruder.weaken("do $do$ declare body text := pg_get_functiondef('tenantdesk.end_session'::regproc); begin execute replace(body, 'gone.operator <> session_user and', 'false and'); end $do$");
    assert_eq!(desk.rows(&other, &end), "t");
    let signal = if desk.cluster.version >= 16 { " with inherit true" } else { "" };
    intruder
        .weaken(&format!("alter role {other} inherit; grant pg_signal_backend to {other}{signal}"));
    let kill = format!(
        "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity where usename = '{}') x",
        intruder.login
    );
    assert_eq!(desk.rows(&other, &kill), "1");
    assert_eq!(line.say("select 2"), None);
}

#[test]
fn an_old_session_keeps_nobody_out() {
    let intruder = Intruder::reading();
    revoke(&intruder, true);
    let (desk, viewer) = second(&intruder.desk, "viewer");
    let (_, approver) = second(&intruder.desk, "approver");
    let mut line = intruder.line();
    assert_eq!(line.say("select 1").as_deref(), Some("1"));
    for other in [&viewer, &approver] {
        assert_eq!(
            desk.rows(
                other,
                &as_operator(&format!("select tenantdesk.terminate({})", intruder.session))
            ),
            "0"
        );
    }
    assert_eq!(line.say("select 2").as_deref(), Some("2"));
    drop_condition(&desk, "terminate(bigint)", "a.backend_start <= closing");
    desk.rows(
        &approver,
        &as_operator(&format!("select tenantdesk.terminate({})", intruder.session)),
    );
    assert_eq!(line.say("select 3"), None);
}

// guard.md 61, list 6
#[test]
fn without_a_session_a_table_whose_row_security_is_off_stays_shut() {
    let desk = Desk::product();
    let operator = desk.operator("admin");
    desk.rows("app_owner", "alter table app.projects disable row level security");
    for role in ["tenantdesk_operator", READER] {
        let output = desk.psql(
            &operator,
            &format!("begin; set local role {role}; select count(*) from app.projects; commit"),
        );
        assert_eq!(sqlstate(&output), "42501", "{output:?}");
    }
    let call = open_call("t", ACME, "impersonate", "read");
    let output = desk.psql(&operator, &as_operator(&format!("select 1 from {call}")));
    assert!(
        sqlstate(&output) == "55000" && output.stderr.contains("row level security is off"),
        "{output:?}"
    );
    desk.rows(SUPERUSER, &format!("grant tenantdesk_reader to {operator}"));
    let read = format!("begin; set local role {READER}; select count(*) from app.projects; commit");
    assert_eq!(desk.rows(&operator, &read), "3000");
}
