//! Ctrl-C, SIGTERM and SIGHUP end every verb of the shipped binary: with their exit codes, at once, and
//! with the session ended where one was open.

use std::io::Write as _;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::binary::{text, wait_until, wait_until_it_listens};
use crate::harness::cluster::SUPERUSER;
use crate::harness::home::{Home, runs};
use crate::harness::pty::kill;

const INSIDE: [&str; 6] =
    ["impersonate", "acme", "--as", "ann@acme.test", "--reason", "ticket 4711: looking"];

/// Sends a signal and waits for the end, which must come soon.
#[track_caller]
fn end(child: Child, signal: Signal) -> Output {
    let sent = Instant::now();
    kill(child.id(), signal);
    let output = child.wait_with_output().unwrap();
    let took = sent.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}: {}", text(&output.stderr));
    output
}

/// The impersonations that ever were, newest first.
fn impersonations(home: &Home) -> Vec<Value> {
    let sessions = home.answer(&["impersonation", "list", "--all"])["sessions"].clone();
    let sessions: Vec<Value> = serde_json::from_value(sessions).unwrap();
    sessions.into_iter().filter(|session| session["purpose"] == "impersonate").collect()
}

#[test]
fn waiting_for_statements_on_standard_input_ends_at_a_signal() {
    let home = Home::with_acme();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let words = [&INSIDE[..], &["-f", "-"]].concat();
        let mut command = home.command(&words);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"select 1;").unwrap();
        wait_until_it_listens(&child);
        let output = end(child, signal);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with("error: interrupted"), "{:?}", output.stderr);
        assert!(output.stdout.is_empty());
    }
    let words = ["restore", "-", "--dry-run"];
    let child = home.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    wait_until_it_listens(&child);
    assert_eq!(end(child, Signal::INT).status.code(), Some(130));
    assert_eq!(impersonations(&home), Vec::<Value>::new());
}

#[test]
fn a_running_statement_is_stopped_and_the_end_of_its_session_recorded() {
    let home = Home::started();
    for (count, (signal, code)) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)].into_iter().enumerate()
    {
        let words = [&INSIDE[..], &["-c", "select pg_sleep(120)", "--json"]].concat();
        let child = home.command(&words).spawn().unwrap();
        wait_until("the statement runs", || {
            let sleeping = "select count(*) from pg_stat_activity where application_name like 'tenantdesk/%' and wait_event = 'PgSleep'";
            home.value(sleeping) == "1"
        });
        let output = end(child, signal);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["kind"], "interrupted");
        let sessions = impersonations(&home);
        assert_eq!(sessions.len(), count + 1);
        assert_eq!(sessions[0]["live"], false);
        assert!(sessions[0]["ended_at"].is_string(), "{sessions:?}");
        let recorded = home.value("select action || ' ' || outcome from tenantdesk.ledger where chain like 'tenant:%' order by at desc limit 1");
        assert_eq!(recorded, "impersonate.end operator");
    }
}

#[test]
fn verbs_that_only_read_end_while_they_wait_for_the_database() {
    let home = Home::started();
    let mut blocker = home.psql_command("app", SUPERUSER);
    let mut blocker = blocker.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let lock = "begin; lock table tenantdesk.tenant_sessions, tenantdesk.ledger in access exclusive mode;\n";
    blocker.stdin.as_mut().unwrap().write_all(lock.as_bytes()).unwrap();
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    let held = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'tenantdesk.ledger'::regclass";
    wait_until("the tables are locked", || home.value(held) == "1");
    for (words, signal, code) in [
        (&["impersonation", "list"][..], Signal::INT, 130),
        (&["impersonation", "show", "1"], Signal::TERM, 143),
        (&["audit", "list"], Signal::TERM, 143),
    ] {
        let child = home.command(words).spawn().unwrap();
        wait_until("it waits for the lock", || home.value(waiting) == "1");
        let output = end(child, signal);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output.stderr));
        wait_until("its backend is gone", || {
            home.value("select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock') t") == "0"
        });
    }
    drop(blocker.stdin.take());
    blocker.wait().unwrap();
}

#[test]
fn a_pipe_that_nobody_empties_does_not_hold_the_program() {
    let home = Home::with_acme();
    // More than a pipe holds.
    let mut child = home.command(&["completions", "powershell"]).spawn().unwrap();
    let pipe = child.stdout.take().unwrap();
    wait_until("the pipe is full", || rustix::io::ioctl_fionread(&pipe).unwrap() == 1 << 16);
    let output = end(child, Signal::TERM);
    assert_eq!(output.status.code(), Some(143), "{}", text(&output.stderr));
}

#[test]
fn the_terminal_of_a_client_is_its_own_until_it_ends() {
    let home = Home::started();
    let words = ["server", "psql", "--", "-c", "select pg_sleep(120)"];
    let asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    let child = home.command(&words).spawn().unwrap();
    wait_until("the client works", || home.value(asleep) == "1");
    let client = child_of(&child);
    // Ctrl-C is the client's; here it comes to the program alone.
    kill(child.id(), Signal::INT);
    let output = end(child, Signal::TERM);
    assert_eq!(output.status.code(), Some(143), "{}", text(&output.stderr));
    assert!(!runs(client), "the client is gone");
}

/// The one child that a process has.
fn child_of(parent: &Child) -> i32 {
    let threads = std::fs::read_dir(format!("/proc/{}/task", parent.id())).unwrap();
    let children = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap()
    };
    let children: String = threads.map(children).collect();
    children.trim().parse().unwrap()
}

#[test]
fn a_refused_statement_is_named_by_its_number_place_and_state() {
    let home = Home::with_acme();
    let words = [&INSIDE[..], &["-c", "select 1", "-c", "select nothing_here", "--json"]].concat();
    let output = home.command(&words).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["sqlstate"], "42703");
    assert_eq!((&error["error"]["statement"], &error["error"]["position"]), (&2.into(), &8.into()));
}
