//! The test server is stopped and its directory removed, however the test process ends.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::cluster::{Cluster, SUPERUSER, cluster};

const ENDING: &str = "TENANTDESK_TEST_ENDING";

#[test]
fn nothing_is_left_after_a_normal_end() {
    leaves_nothing("harness_cleanup::nothing_is_left_after_a_normal_end", |mut child| {
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn nothing_is_left_after_a_panic() {
    leaves_nothing("harness_cleanup::nothing_is_left_after_a_panic", |mut child| {
        assert!(!child.wait().unwrap().success());
    });
}

#[test]
fn nothing_is_left_after_kill_9() {
    leaves_nothing("harness_cleanup::nothing_is_left_after_kill_9", |mut child| {
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn a_server_of_its_own_is_gone_when_it_is_dropped() {
    let own = Cluster::fresh();
    assert_eq!(own.psql("postgres", SUPERUSER, "select current_user").rows(), SUPERUSER);
    let (base, postmaster) = (own.base().to_owned(), own.postmaster());
    assert!(runs(postmaster));
    drop(own);
    assert!(!base.exists() && !runs(postmaster));
}

/// Runs the test `name` once more in a process of its own, which starts the shared server and
/// ends as the name says; then waits until server and directory are gone.
fn leaves_nothing(name: &str, end: impl FnOnce(Child)) {
    if std::env::var_os(ENDING).is_some() {
        return start_server_and_end(name);
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ENDING, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines
        .find_map(|line| line.unwrap().split_once("server: ").map(|(_, rest)| rest.to_owned()));
    let told = told.expect("the child names its server");
    let (pid, base) = told.split_once(' ').unwrap();
    let (pid, base): (i32, PathBuf) = (pid.parse().unwrap(), base.into());
    assert!(runs(pid) && base.exists(), "the server runs before the end");
    drop(child.stdin.take());
    end(child);
    let deadline = Instant::now() + Duration::from_secs(20);
    while runs(pid) || base.exists() {
        assert!(Instant::now() < deadline, "left behind: {pid} {}", base.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start_server_and_end(name: &str) {
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("server: {} {}", cluster().postmaster(), cluster().base().display());
    }
    // The parent looks at the living server first, then closes this end.
    std::io::stdin().lines().for_each(drop);
    assert!(!name.ends_with("panic"), "the panic that is asked for");
    if name.ends_with("kill_9") {
        std::thread::sleep(Duration::from_secs(60));
    }
}

fn runs(pid: i32) -> bool {
    // The children are not ours, so no zombie of them can linger here.
    Path::new(&format!("/proc/{pid}")).exists()
        || rustix::process::Pid::from_raw(pid)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[test]
fn databases_have_names_of_their_own_and_anybody_may_log_in() {
    let shared = cluster();
    let first = shared.create_database("seed");
    shared.psql(&first, SUPERUSER, "create table t as select 1 as one").rows();
    let copy = shared.create_database_from(&first, "seed");
    assert_ne!(first, copy);
    let number = "select current_setting('server_version_num')::int / 10000";
    assert_eq!(shared.psql(&copy, SUPERUSER, number).rows(), shared.version.to_string());
    assert_eq!(shared.psql(&copy, SUPERUSER, "select one from t").rows(), "1");
    let refused = shared.psql(&copy, "nobody_here", "select 1");
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let wrong = shared.psql(&copy, SUPERUSER, "select 1/0; select 2");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (3, ""));
    assert!(wrong.stderr.contains("22012"), "{}", wrong.stderr);
}
