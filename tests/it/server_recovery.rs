//! The embedded server after things went wrong: kills, stale files, orphans, bad configuration.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::postgres::Embedded;
use tenantdesk::postgres::embedded::{EmbeddedError, SUPERUSER, Search, State};
use tenantdesk::progress::Progress;

use crate::harness::cluster::{installed, major_version, server_programs};
use crate::harness::home::{Home, ask, runs, search};
use crate::harness::watcher::Account;

fn quiet() -> Progress {
    Progress::silent()
}

fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_stale_pid_file_does_not_count() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let server = embedded.join(&quiet()).await.unwrap();
    home.psql("postgres", SUPERUSER, "create table kept (n int); insert into kept values (1)")
        .rows();
    let killed = home.postmaster();
    kill_9(killed);
    wait_until("the postmaster is gone", || !runs(killed));
    drop(server);
    assert!(home.paths.data_dir.join("postmaster.pid").exists(), "the file is stale, not gone");
    assert_eq!(embedded.observe().await.unwrap().state, State::Stopped);
    let server = embedded.join(&quiet()).await.unwrap();
    assert_ne!(home.postmaster(), killed);
    assert_eq!(ask(&server, "select n from kept").await, "1");
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_a_stranger_does_not_count_and_the_stranger_lives() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    embedded.join(&quiet()).await.unwrap().release(&quiet()).await.unwrap();
    // Of the server's own account: a process of another is no obstacle to PostgreSQL.
    let mut sleep = Command::new("sleep");
    let account = Account::for_servers();
    let mut stranger = Account::apply(account, sleep.arg("600")).spawn().unwrap();
    let pid_file = home.paths.data_dir.join("postmaster.pid");
    let data_dir = home.paths.data_dir.display();
    std::fs::write(&pid_file, format!("{}\n{data_dir}\n1\n5432\n/x\n\n\nready\n", stranger.id()))
        .unwrap();
    Account::own(account, &pid_file);
    let refused = start_by_hand(&home, account);
    assert!(refused.contains("already exists"), "PostgreSQL alone would start: {refused}");
    assert_eq!(embedded.observe().await.unwrap().state, State::Stopped);
    let server = embedded.join(&quiet()).await.unwrap();
    assert_eq!(ask(&server, "1").await, "1");
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
    server.release(&quiet()).await.unwrap();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

fn start_by_hand(home: &Home, account: Option<Account>) -> String {
    let mut command = Command::new(server_programs().0.join("postgres"));
    command.arg("-D").arg(&home.paths.data_dir).current_dir("/");
    let output = Account::apply(account, &mut command).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn an_empty_pid_file_does_not_count() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    embedded.join(&quiet()).await.unwrap().release(&quiet()).await.unwrap();
    let pid_file = home.paths.data_dir.join("postmaster.pid");
    std::fs::write(&pid_file, "").unwrap();
    Account::own(Account::for_servers(), &pid_file);
    let server = embedded.join(&quiet()).await.unwrap();
    assert_eq!(ask(&server, "1").await, "1");
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn a_backend_of_a_killed_server_is_ended_before_the_next_start() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let server = embedded.join(&quiet()).await.unwrap();
    home.psql("postgres", SUPERUSER, "create table work (n bigint)").rows();
    // Busy and never waiting, so it does not notice that its postmaster is gone.
    let mut client = home.psql_command("postgres", SUPERUSER);
    let mut client =
        client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let sql = "insert into work select count(*) from generate_series(1, 4000000) a, generate_series(1, 100000) b;";
    client.stdin.as_mut().unwrap().write_all(sql.as_bytes()).unwrap();
    drop(client.stdin.take());
    let busy =
        "select coalesce(max(pid), 0) from pg_stat_activity where query like 'insert into work%'";
    let mut backend = 0;
    while backend == 0 {
        backend = ask(&server, busy).await.parse().unwrap();
    }
    drop(server);
    let killed = home.postmaster();
    kill_9(killed);
    // Gone and reaped, so that PostgreSQL itself does not take it for a living one.
    while Path::new(&format!("/proc/{killed}")).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(runs(backend), "the backend outlives its postmaster");
    let refused = start_by_hand(&home, Account::for_servers());
    assert!(refused.contains("pre-existing shared memory"), "it is no obstacle: {refused}");
    let server = embedded.join(&quiet()).await.unwrap();
    assert!(!runs(backend));
    assert_eq!(ask(&server, "select count(*) from work").await, "0");
    server.release(&quiet()).await.unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
}

#[tokio::test]
async fn a_server_whose_socket_is_gone_is_replaced() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let server = embedded.join(&quiet()).await.unwrap();
    std::fs::remove_file(home.paths.socket_dir.join(".s.PGSQL.5432")).unwrap();
    assert_eq!(embedded.observe().await.unwrap().state, State::Unreachable);
    let again = embedded.join(&quiet()).await.unwrap();
    assert_eq!(ask(&again, "1").await, "1");
    assert_ne!(again.observation().pid, server.observation().pid);
    assert!(!server.release(&quiet()).await.unwrap());
    assert!(again.release(&quiet()).await.unwrap());
}

#[tokio::test]
async fn a_start_that_fails_shows_the_end_of_the_log() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    embedded.join(&quiet()).await.unwrap().release(&quiet()).await.unwrap();
    let conf = home.paths.data_dir.join("postgresql.conf");
    let mut file = std::fs::OpenOptions::new().append(true).open(conf).unwrap();
    file.write_all(b"no_such_setting = 'x'\n").unwrap();
    let error = embedded.join(&quiet()).await.unwrap_err();
    let failure = Failure::from(error);
    assert_eq!(failure.kind, Kind::Server);
    assert!(failure.message.contains("no_such_setting"), "{}", failure.message);
    assert!(!failure.message.contains("ready to accept"), "only this start: {}", failure.message);
    assert!(failure.hints[0].contains("server.log"), "{:?}", failure.hints);
    assert_eq!(embedded.observe().await.unwrap().state, State::Stopped);
}

#[tokio::test]
async fn without_postgresql_one_error_names_the_places_and_the_remedy() {
    let home = Home::new();
    let empty = home.base().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let nowhere = Search { named: None, system: vec![empty.clone()], ..search(&home.paths) };
    let error = Embedded::with_search(&home.paths, nowhere).join(&quiet()).await.unwrap_err();
    let failure = Failure::from(error);
    assert_eq!(failure.kind, Kind::Refused);
    for part in [empty.to_str().unwrap(), "no download", "15 or later"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    assert!(failure.hints[0].starts_with("install PostgreSQL: "), "{:?}", failure.hints);
    let named = Search { named: Some(empty.clone()), ..search(&home.paths) };
    let error = Embedded::with_search(&home.paths, named).join(&quiet()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NamedPrograms { dir, .. } if dir == empty));
    assert!(!home.paths.data_dir.exists());
}

#[tokio::test]
async fn data_of_another_major_version_is_refused_and_not_touched() {
    let home = Home::new();
    let (_, version) = server_programs();
    home.embedded().join(&quiet()).await.unwrap().release(&quiet()).await.unwrap();
    // A second version where the machine has one; else the data is made to look like it.
    let others = installed().into_iter().filter(|dir| major_version(dir) != Some(version));
    let others = others.map(|dir| Search { named: Some(dir), ..search(&home.paths) });
    let other = others.map(|search| Embedded::with_search(&home.paths, search)).next();
    let (embedded, data) = if let Some(other) = other {
        (other, version)
    } else {
        std::fs::write(home.paths.data_dir.join("PG_VERSION"), "99\n").unwrap();
        (home.embedded(), 99)
    };
    let before = contents(&home.paths.data_dir);
    let error = embedded.join(&quiet()).await.unwrap_err();
    match &error {
        EmbeddedError::OtherVersion { data: found, places, .. } => {
            assert_eq!(*found, data);
            assert!(places[0].contains("PostgreSQL 1"), "{places:?}");
        }
        other => panic!("{other:?}"),
    }
    let failure = Failure::from(error);
    assert!(failure.hints[0].contains(&data.to_string()), "{:?}", failure.hints);
    assert!(before.len() > 100);
    assert_eq!(before, contents(&home.paths.data_dir));
}

/// Every file below a directory with its bytes.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.insert(path.to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
    all
}
