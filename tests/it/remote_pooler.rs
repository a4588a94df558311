//! `PgBouncer` in transaction mode between the program and the server: each transaction of one
//! connection may run in another session of the server. Where no pooler is installed there is
//! nothing to try, and the test says so.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::binary::{text, wait_until};
use crate::harness::cluster::{Cluster, SUPERUSER};
use crate::harness::desk::starter_on;
use crate::harness::home::Home;
use crate::harness::watcher::{Account, Watcher};

const PASSWORD: &str = "c4n4ry";

/// Ends the pooler when the test is over, however that came.
const WATCH: &str = r#"
trap '' INT TERM HUP
"$1" "$2/pgbouncer.ini" >/dev/null 2>&1 &
pooler=$!
while read -r word; do :; done
kill -KILL "$pooler"; wait "$pooler"
rm -rf "$2"
"#;

/// A pooler in front of a server.
struct Pooler {
    port: u16,
    _watcher: Mutex<Watcher>,
}

/// Where the program is.
fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
    places.into_iter().map(PathBuf::from).find(|place| place.exists())
}

impl Pooler {
    /// Starts one with fewer connections than the clients open together: a verb holds up to two
    /// transactions at a time, and has more connections than that.
    fn start(program: &Path, cluster: &Cluster) -> Self {
        let account = Account::for_servers();
        let dir = TempDir::with_prefix_in("tdp", "/tmp").unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let ini = format!(
            "[databases]\ndesk = host={} port={} dbname=desk\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}/users\n\
             pool_mode = transaction\ndefault_pool_size = 3\nlogfile = {}/log\n",
            cluster.socket_dir.display(),
            cluster.port,
            dir.display(),
            dir.display(),
        );
        std::fs::write(dir.join("pgbouncer.ini"), ini).unwrap();
        let users = PEOPLE.map(|(operator, _)| format!("\"{operator}\" \"{PASSWORD}\"\n")).concat();
        std::fs::write(dir.join("users"), users).unwrap();
        for path in [dir.join("users"), dir.join("pgbouncer.ini"), dir.clone()] {
            Account::own(account, &path);
        }
        let watcher = Watcher::start(WATCH, &[program, &dir], account);
        wait_until("the pooler listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { port, _watcher: Mutex::new(watcher) }
    }
}

/// Who looks after which tenant: one each, because the sessions of one operator at the same time are
/// another matter than the pooler.
const PEOPLE: [(&str, &str); 3] = [("ada", "acme"), ("bob", "bolt"), ("cyd", "crow")];

/// Runs a verb that must succeed, as somebody, by way of the pooler.
fn run(home: &Home, pooler: &Pooler, operator: &str, words: &[&str]) -> Value {
    let url = format!("postgresql://{operator}@127.0.0.1:{}/desk", pooler.port);
    let words = [words, &["--json", "--url", &url]].concat();
    let output = home.command(&words).env("PGPASSWORD", PASSWORD).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_verbs_work_through_a_pooler_that_hands_out_transactions() {
    let Some(program) = program() else {
        eprintln!("no pgbouncer here: nothing is tried");
        return;
    };
    let cluster = Cluster::fresh();
    starter_on(&cluster, "desk");
    for (operator, _) in PEOPLE {
        let add =
            format!("select tenantdesk.operator_add('{operator}', 'admin', null, false, null)");
        cluster.psql("desk", "app_owner", &add).rows();
        // Whatever a login sets for itself must not reach an archive.
        let set = format!("alter role {operator} set datestyle = 'SQL, DMY'");
        cluster.psql("desk", SUPERUSER, &set).rows();
    }
    let (pooler, home) = (Pooler::start(&program, &cluster), Home::new());
    // Several programs at once, and each finds what the one before has left in its sessions.
    std::thread::scope(|scope| {
        for (operator, slug) in PEOPLE {
            let (pooler, home) = (&pooler, &home);
            scope.spawn(move || work(&|words| run(home, pooler, operator, words), home, slug));
        }
    });
    run(&home, &pooler, "ada", &["audit", "verify"]);
    let open = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(cluster.psql("desk", SUPERUSER, open).rows(), "0");
}

/// The life of one tenant.
fn work(run: &dyn Fn(&[&str]) -> Value, home: &Home, slug: &str) {
    let (email, archive) = (format!("a@{slug}.test"), home.base().join(format!("{slug}.tenant")));
    let archive = archive.to_str().unwrap();
    let reason = ["--reason", "ticket 4711 asks for it"];
    run(&["tenant", "create", slug, "--slug", slug, "--admin-email", &email]);
    let date =
        "select slug, created_at::date::text = to_char(created_at, 'YYYY-MM-DD') from app.tenants";
    for _ in 0..3 {
        run(&["tenant", "show", slug]);
        run(&["usage", slug]);
        run(&["export", slug, "-o", archive, "--force"]);
        run(&[&["restore", archive, "--confirm", slug], &reason[..]].concat());
        run(&["archive", "verify", archive]);
        let said = run(&[&["impersonate", slug, "--as", &email, "-c", date], &reason[..]].concat());
        assert_eq!(said["statements"][0]["rows"], serde_json::json!([[slug, "t"]]), "{said}");
    }
}
