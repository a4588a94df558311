//! The embedded server from its first start to its end: made, shared, kept, stopped.

use std::path::Path;
use std::time::{Duration, Instant};

use tenantdesk::postgres::embedded::{Embedded, SUPERUSER, StartOptions, State};
use tenantdesk::progress::Progress;

use crate::harness::home::{Home, act, again, ask, embedded_at, runs, told_by};

fn quiet() -> Progress {
    Progress::silent()
}

async fn state(embedded: &Embedded) -> State {
    embedded.observe().await.unwrap().state
}

#[tokio::test]
async fn the_first_attach_makes_a_durable_server_without_tcp() {
    let home = Home::new();
    let embedded = home.embedded();
    assert_eq!(state(&embedded).await, State::Absent);
    let server = embedded.join(&quiet()).await.unwrap();
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
        ("max_prepared_transactions", "0"),
        ("password_encryption", "scram-sha-256"),
        ("log_statement", "none"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ] {
        let holds = ask(&server, &format!("current_setting('{setting}')")).await;
        assert_eq!(holds, value, "{setting}");
    }
    assert_eq!(
        ask(&server, "select string_agg(rolname, ',') from pg_roles where rolcanlogin").await,
        SUPERUSER
    );
    assert_eq!(ask(&server, "lower('ÄÉ')").await, "äé");
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn the_last_one_out_stops_the_server() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let first = embedded.join(&quiet()).await.unwrap();
    let second = embedded.join(&quiet()).await.unwrap();
    assert_eq!(first.observation().pid, second.observation().pid);
    assert!(embedded.is_in_use(&quiet()).await.unwrap());
    assert!(!first.release(&quiet()).await.unwrap());
    assert_eq!(ask(&second, "1").await, "1");
    let pid = home.postmaster();
    assert!(second.release(&quiet()).await.unwrap());
    assert_eq!(state(&embedded).await, State::Stopped);
    assert!(!runs(pid));
    assert!(!embedded.is_in_use(&quiet()).await.unwrap());
}

#[tokio::test]
async fn a_started_server_stays_until_it_is_stopped() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let started = embedded.start(StartOptions { tcp: false }, &quiet()).await.unwrap();
    assert!(embedded.stays() && !embedded.is_in_use(&quiet()).await.unwrap());
    let server = embedded.join(&quiet()).await.unwrap();
    assert_eq!(server.observation(), &started);
    assert!(!server.release(&quiet()).await.unwrap());
    assert_eq!(state(&embedded).await, State::Running);
    assert!(embedded.stop(&quiet()).await.unwrap());
    assert!(!embedded.stop(&quiet()).await.unwrap());
    assert!(!embedded.stays());
    let server = embedded.join(&quiet()).await.unwrap();
    assert!(server.release(&quiet()).await.unwrap(), "after a stop the server no longer stays");
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let server = embedded.join(&quiet()).await.unwrap();
    home.psql("postgres", SUPERUSER, "create table kept as select 42 as answer").rows();
    server.release(&quiet()).await.unwrap();
    let begun = Instant::now();
    let server = embedded.join(&quiet()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(ask(&server, "select answer from kept").await, "42");
    server.release(&quiet()).await.unwrap();
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
/// Attaches in a process of its own, tells the postmaster, and waits until its input ends.
async fn attach_and_wait(base: &Path) {
    let server = embedded_at(&Home::paths_at(base)).join(&quiet()).await.unwrap();
    println!("postmaster: {}", server.observation().pid.unwrap());
    let waited = tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop));
    waited.await.unwrap();
    println!("stopped: {}", server.release(&quiet()).await.unwrap());
}

#[tokio::test]
async fn a_killed_console_leaves_a_server_that_the_next_attaches_to() {
    const NAME: &str =
        "server_lifetime::a_killed_console_leaves_a_server_that_the_next_attaches_to";
    if let Some(base) = act() {
        return attach_and_wait(&base).await;
    }
    let home = Home::with_data().await;
    let mut console = again(NAME, home.base(), None);
    let pid: i32 = told_by(&mut console, "postmaster").parse().unwrap();
    assert!(home.embedded().is_in_use(&quiet()).await.unwrap());
    console.kill().unwrap();
    console.wait().unwrap();
    assert_eq!(state(&home.embedded()).await, State::Running);
    assert!(!home.embedded().is_in_use(&quiet()).await.unwrap());
    let server = home.embedded().join(&quiet()).await.unwrap();
    assert_eq!(server.observation().pid, Some(pid));
    assert!(server.release(&quiet()).await.unwrap());
}

#[tokio::test]
async fn processes_that_start_at_once_share_one_server() {
    const NAME: &str = "server_lifetime::processes_that_start_at_once_share_one_server";
    if let Some(base) = act() {
        return attach_and_wait(&base).await;
    }
    let home = Home::new();
    let mut consoles: Vec<_> = (0..3).map(|_| again(NAME, home.base(), None)).collect();
    let pids: Vec<_> = consoles.iter_mut().map(|c| told_by(c, "postmaster")).collect();
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    let stopped: Vec<_> = consoles
        .iter_mut()
        .map(|console| {
            drop(console.stdin.take());
            let stopped = told_by(console, "stopped");
            assert!(console.wait().unwrap().success());
            stopped
        })
        .collect();
    assert_eq!(stopped, ["false", "false", "true"]);
    assert_eq!(state(&home.embedded()).await, State::Stopped);
    let log = std::fs::read_to_string(&home.paths.server_log).unwrap();
    assert_eq!(log.matches("database system is ready to accept connections").count(), 1);
    let left: Vec<_> = std::fs::read_dir(&home.paths.home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn ctrl_c_in_the_terminal_does_not_reach_the_server() {
    let home = Home::with_data().await;
    let server = home.embedded().join(&quiet()).await.unwrap();
    let own = rustix::process::getpgrp();
    let pid = rustix::process::Pid::from_raw(home.postmaster()).unwrap();
    assert_ne!(rustix::process::getpgid(Some(pid)).unwrap(), own);
    server.release(&quiet()).await.unwrap();
}
