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
             pool_mode = transaction\ndefault_pool_size = 7\nlogfile = {}/log\n",
            cluster.socket_dir.display(),
            cluster.port,
            dir.display(),
            dir.display(),
        );
        std::fs::write(dir.join("pgbouncer.ini"), ini).unwrap();
        std::fs::write(dir.join("users"), format!("\"ada\" \"{PASSWORD}\"\n")).unwrap();
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

#[test]
fn the_verbs_work_through_a_pooler_that_hands_out_transactions() {
    let Some(program) = program() else {
        eprintln!("no pgbouncer here: nothing is tried");
        return;
    };
    let cluster = Cluster::fresh();
    starter_on(&cluster, "desk");
    let add = "select tenantdesk.operator_add('ada', 'admin', null, false, null)";
    cluster.psql("desk", "app_owner", add).rows();
    // Whatever a login sets for itself must not reach an archive.
    cluster.psql("desk", SUPERUSER, "alter role ada set datestyle = 'SQL, DMY'").rows();
    let pooler = Pooler::start(&program, &cluster);
    let home = Home::new();
    let url = format!("postgresql://ada@127.0.0.1:{}/desk", pooler.port);
    let run = |words: &[&str]| -> Value {
        let words = [words, &["--json", "--url", &url]].concat();
        let output = home.command(&words).env("PGPASSWORD", PASSWORD).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let reason = ["--reason", "ticket 4711 asks for it"];
    for slug in ["acme", "bolt", "crow"] {
        run(&[
            "tenant",
            "create",
            slug,
            "--slug",
            slug,
            "--admin-email",
            &format!("a@{slug}.test"),
        ]);
    }
    // Several at once share the sessions of the server.
    std::thread::scope(|scope| {
        for slug in ["acme", "bolt", "crow"] {
            let (run, home) = (&run, &home);
            scope.spawn(move || {
                for _ in 0..3 {
                    let archive = home.base().join(format!("{slug}.tenant"));
                    let archive = archive.to_str().unwrap();
                    run(&["tenant", "show", slug]);
                    run(&["usage", slug]);
                    run(&["export", slug, "-o", archive, "--force"]);
                    run(&[&["restore", archive, "--confirm", slug], &reason[..]].concat());
                    run(&["archive", "verify", archive]);
                }
            });
        }
    });
    for slug in ["acme", "bolt", "crow"] {
        let email = format!("a@{slug}.test");
        let statement = [
            "-c",
            "select slug, created_at::date::text = to_char(created_at, 'YYYY-MM-DD') from app.tenants",
        ];
        let said = run(&[&["impersonate", slug, "--as", &email], &reason[..], &statement].concat());
        assert_eq!(said["statements"][0]["rows"], serde_json::json!([[slug, "t"]]), "{said}");
    }
    run(&["audit", "verify"]);
    let open = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(cluster.psql("desk", SUPERUSER, open).rows(), "0");
}
