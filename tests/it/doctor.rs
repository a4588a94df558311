//! `doctor` on real servers: each verdict is made, seen, and unmade again.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use tenantdesk::config::Paths;
use tenantdesk::doctor::{Check, Examination, Terminal, Verdict, examine};
use tenantdesk::failure::Failure;
use tenantdesk::postgres::Endpoint;

use crate::attack_intruder::{Intruder, on_a_server_of_its_own};
use crate::harness::binary::{text, wait_until};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;
use crate::harness::home::Home;
use crate::harness::watcher::Account;

async fn examined(endpoint: Result<Endpoint, Failure>) -> Vec<Check> {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(&dir.path().join("home"), &dir.path().join("config")).unwrap();
    let terminal = Terminal::default();
    examine(Examination { paths: &paths, target: endpoint, terminal: &terminal }).await
}

async fn check(desk: &Desk, login: &str, name: &str) -> Check {
    let checks = examined(Ok(desk.endpoint(login))).await;
    checks.into_iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The condition is made, seen, unmade.
async fn made_and_unmade(
    (desk, login): (&Desk, &str),
    name: &str,
    (make, unmake): (&str, &str),
    (verdict, part): (Verdict, &str),
) {
    let before = check(desk, login, name).await;
    assert_eq!(before.verdict, Verdict::Ok, "{before:?}");
    desk.rows(SUPERUSER, make);
    let seen = check(desk, login, name).await;
    assert_eq!(seen.verdict, verdict, "{make}: {seen:?}");
    assert!(seen.seen.contains(part) && !seen.fix.is_empty(), "{make}: {seen:?}");
    desk.rows(SUPERUSER, unmake);
    let after = check(desk, login, name).await;
    assert_eq!(after.verdict, Verdict::Ok, "{unmake}: {after:?}");
}

#[tokio::test]
async fn each_fault_of_a_database_is_seen_and_its_end_as_well() {
    let desk = on_a_server_of_its_own();
    let viewer = desk.operator("viewer");
    let on = (&desk, viewer.as_str());
    let off = "alter table app.projects disable row level security";
    made_and_unmade(
        on,
        "guard",
        (off, &off.replace("disable", "enable")),
        (Verdict::Fail, "row level security is off"),
    )
    .await;
    for (make, unmake, part) in [
        ("create role spy login bypassrls", "drop role spy", "spy (BYPASSRLS)"),
        (
            "create role spy login; grant pg_read_all_data to spy",
            "drop role spy",
            "spy (member of a role that reads",
        ),
        ("create role spy login replication", "drop role spy", "spy (REPLICATION)"),
    ] {
        made_and_unmade(on, "bypass", (make, unmake), (Verdict::Warn, part)).await;
    }
    let (give, take) = (
        format!("grant pg_read_all_data to {viewer}"),
        format!("revoke pg_read_all_data from {viewer}"),
    );
    made_and_unmade(on, "bypass", (&give, &take), (Verdict::Fail, &viewer)).await;
    made_and_unmade(on, "login", (&give, &take), (Verdict::Fail, "pg_read_all_data")).await;
    let (share, unshare) = (
        format!("update tenantdesk.operators set shared = true where name = '{viewer}'"),
        format!("update tenantdesk.operators set shared = false where name = '{viewer}'"),
    );
    made_and_unmade(on, "login", (&share, &unshare), (Verdict::Warn, "is shared")).await;
    // The owners of tables and superusers are told and are no fault.
    let told = check(&desk, &viewer, "bypass").await;
    assert!(told.seen.contains("app_owner (owner of tables)"), "{told:?}");
    assert!(told.seen.contains(&format!("{SUPERUSER} (superuser)")), "{told:?}");
    // Who may create roles is a shell on the host below 16.
    desk.rows(SUPERUSER, "create role spy login createrole");
    let odd = check(&desk, &viewer, "bypass").await.verdict == Verdict::Warn;
    assert_eq!(odd, desk.cluster.version < 16);
}

#[tokio::test]
async fn a_session_that_nobody_swept_is_told() {
    let intruder = Intruder::reading();
    let approver = intruder.desk.operator("approver");
    let expire = "update tenantdesk.tenant_sessions set opened_at = opened_at - interval '1 hour', expires_at = opened_at - interval '30 minutes'";
    let sweep = "update tenantdesk.tenant_sessions set ended_at = now(), ended_by = 'x', end_reason = 'expired'";
    let on = (&intruder.desk, approver.as_str());
    made_and_unmade(on, "expired_sessions", (expire, sweep), (Verdict::Warn, "1 since")).await;
}

#[tokio::test]
async fn who_has_no_level_sees_what_any_login_can_see() {
    let desk = Desk::product();
    let checks = examined(Ok(desk.endpoint("app_user"))).await;
    let verdict = |name: &str| checks.iter().find(|check| check.name == name).unwrap();
    assert_eq!(verdict("login").verdict, Verdict::Warn);
    for name in ["guard", "expired_sessions"] {
        assert_eq!(verdict(name).verdict, Verdict::NotRun);
        assert!(verdict(name).seen.contains("needs a level"), "{:?}", verdict(name));
    }
    for name in ["clock", "pooler", "prepared_transactions", "encryption", "connection"] {
        assert_eq!(verdict(name).verdict, Verdict::Ok, "{:?}", verdict(name));
    }
    // The test servers are not durable, and it is said.
    assert_eq!(verdict("durability").verdict, Verdict::Fail);
    // A database that was never set up.
    let empty = Desk { cluster: desk.cluster, database: desk.cluster.create_database("empty") };
    let guard = check(&empty, "app_user", "guard").await;
    assert_eq!(guard.verdict, Verdict::NotRun);
    let guard = check(&empty, SUPERUSER, "guard").await;
    assert!(guard.seen.contains("never set up"), "{guard:?}");
    // A server that does not answer.
    let nowhere = Endpoint::socket(&desk.cluster.socket_dir, 1, &desk.database, "app_user");
    let checks = examined(Ok(nowhere)).await;
    assert_eq!(checks[0].verdict, Verdict::Fail, "{:?}", checks[0]);
    assert!(checks[1..11].iter().all(|check| check.verdict == Verdict::NotRun));
    assert!(checks[11..].iter().any(|check| check.verdict == Verdict::Ok));
}

#[tokio::test]
async fn prepared_transactions_are_refused() {
    let desk = on_a_server_of_its_own();
    assert_eq!(check(&desk, "app_user", "prepared_transactions").await.verdict, Verdict::Ok);
    desk.cluster.restart_with("max_prepared_transactions = 5\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n");
    let seen = check(&desk, "app_user", "prepared_transactions").await;
    assert_eq!(seen.verdict, Verdict::Fail);
    assert!(seen.seen.contains("is 5"), "{seen:?}");
    let durable = check(&desk, "app_user", "durability").await;
    assert_eq!(durable.verdict, Verdict::Ok, "{durable:?}");
    desk.cluster.restart_with("max_prepared_transactions = 0\n");
    assert_eq!(check(&desk, "app_user", "prepared_transactions").await.verdict, Verdict::Ok);
}

/// A real pooler in transaction mode before a server; ended with the test.
struct Pooler {
    child: std::process::Child,
    dir: tempfile::TempDir,
}

impl Pooler {
    /// None where it is not installed.
    fn start(desk: &Desk) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())?;
        let account = Account::for_servers();
        let dir = tempfile::Builder::new().prefix("tdp").tempdir_in("/tmp").unwrap();
        let place = dir.path().display();
        let configuration = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_port = 6432\nunix_socket_dir = {place}\n\
             auth_type = trust\nauth_file = {place}/users\npool_mode = transaction\n\
             ignore_startup_parameters = options,extra_float_digits\n",
            desk.cluster.socket_dir.display(),
            desk.cluster.port
        );
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, configuration).unwrap();
        std::fs::write(dir.path().join("users"), "\"app_user\" \"\"\n").unwrap();
        for path in [dir.path(), &file, &dir.path().join("users")] {
            Account::own(account, path);
        }
        let mut command = Command::new(program);
        command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = Account::apply(account, &mut command).spawn().unwrap();
        let pooler = Self { child, dir };
        let socket = pooler.dir.path().join(".s.PGSQL.6432");
        wait_until("the pooler listens", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        Some(pooler)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[tokio::test]
async fn a_pooler_in_between_is_noticed() {
    let desk = Desk::product();
    // The judgement itself is tried in src/doctor/connection.rs, where no pooler is needed.
    let Some(pooler) = Pooler::start(&desk) else { return };
    let direct = desk.endpoint("app_user");
    let through = Endpoint::socket(pooler.dir.path(), 6432, &direct.database, &direct.user);
    for (endpoint, verdict) in [(through, Verdict::Warn), (direct, Verdict::Ok)] {
        let checks = examined(Ok(endpoint)).await;
        let seen = checks.iter().find(|check| check.name == "pooler").unwrap();
        assert_eq!(seen.verdict, verdict, "{seen:?} {:?}", checks[0]);
    }
}

#[test]
fn the_verb_works_without_a_database_and_starts_none() {
    let home = Home::new();
    let (code, document) = home.answer_with_code(&["doctor"]);
    assert_eq!(code, 0, "{document}");
    let checks = document["checks"].as_array().unwrap();
    let of = |name: &str| {
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(of("connection")["verdict"], "not_run");
    assert_eq!(of("connection")["seen"], "the embedded server is absent");
    assert_eq!(of("paths")["verdict"], "ok");
    assert_eq!(of("terminal")["verdict"], "not_run");
    for check in checks {
        for field in ["name", "verdict", "seen", "why", "fix"] {
            assert!(check[field].is_string(), "{check}");
        }
    }
    assert!(!home.paths.home.exists(), "it makes nothing");
}

#[test]
fn the_verb_tells_of_the_embedded_server_and_says_no_where_something_fails() {
    let home = Home::started();
    let (code, document) = home.answer_with_code(&["doctor"]);
    let verdict = |document: &Value, name: &str| {
        let checks = document["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["verdict"].clone()
    };
    // The version is whatever this machine has; everything else is as it should be.
    let old = verdict(&document, "server_version") == "fail";
    assert_eq!(code, i32::from(old), "{document}");
    for name in
        ["login", "pooler", "clock", "durability", "guard", "expired_sessions", "paths", "bypass"]
    {
        assert_eq!(verdict(&document, name), "ok", "{document}");
    }
    std::fs::create_dir_all(&home.paths.keys_dir).unwrap();
    std::fs::set_permissions(&home.paths.keys_dir, Permissions::from_mode(0o755)).unwrap();
    let output = home.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("fail    paths: others than you can look into"), "{out}");
    assert!(out.contains("fix: `chmod go-rwx`") && err.contains("check"), "{out}{err}");
    std::fs::set_permissions(&home.paths.keys_dir, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(home.answer_with_code(&["doctor"]).0, i32::from(old));
}
