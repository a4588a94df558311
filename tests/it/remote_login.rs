//! Logging in over a network: passwords from each place, the prompt, every refusal in plain words,
//! and the verbs of the program on a database at the other end of TLS.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tenantdesk::failure::{Explain as _, Kind};
use tenantdesk::postgres::{Endpoint, ServerError, Why, connect};

use crate::harness::binary::text;
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::starter_on;
use crate::harness::home::Home;
use crate::harness::tls::TlsServer;

const PASSWORD: &str = "c4n4ry: ada\\?";

/// A server with the database `desk`, whose admin `ada` has a password.
static SERVER: LazyLock<TlsServer> = LazyLock::new(|| {
    let server = TlsServer::start();
    starter_on(&server.cluster, "desk");
    let add = "select tenantdesk.operator_add('ada', 'admin', null, false, null)";
    server.cluster.psql("desk", "app_owner", add).rows();
    server.cluster.psql("desk", SUPERUSER, &format!("alter role ada password '{PASSWORD}'")).rows();
    server
});

/// The address of `desk` without a password, with the server's name verified.
fn url() -> String {
    let (port, root) = (SERVER.cluster.port, SERVER.root());
    format!("postgresql://ada@localhost:{port}/desk?sslmode=verify-full&sslrootcert={root}")
}

/// The same with one.
fn url_with(password: &str) -> String {
    let encoded: Vec<String> = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    url().replacen("ada@", &format!("ada:{}@", encoded.concat()), 1)
}

/// Runs `tenant list` and gives the exit code and what was said, in which no password may be.
#[track_caller]
fn listed(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains("c4n4ry"), "{said}");
    (output.status.code().unwrap(), said)
}

/// A password file of a mode.
fn passfile(home: &Home, name: &str, password: &str, mode: u32) -> std::path::PathBuf {
    let path = home.base().join(name);
    let escaped = password.replace('\\', r"\\").replace(':', r"\:");
    std::fs::write(&path, format!("other:*:*:*:x\nlocalhost:*:desk:ada:{escaped}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_password_comes_from_each_place_and_the_nearest_counts() {
    let home = Home::new();
    let by_flag = || home.command(&["tenant", "list", "--url", &url()]);
    let good = passfile(&home, "good", PASSWORD, 0o600);
    let bad = passfile(&home, "bad", "c4n4ry", 0o600);

    let (code, said) = listed(&mut by_flag());
    assert_eq!(code, 4, "nobody says one: {said}");
    for place in ["TENANTDESK_URL", "PGPASSWORD", "PGPASSFILE", "keyring"] {
        assert!(said.contains(place), "{said}");
    }
    let by_variable = |password: &str| {
        let mut command = home.command(&["tenant", "list"]);
        command.env("TENANTDESK_URL", url_with(password));
        command
    };
    assert_eq!(listed(&mut by_variable(PASSWORD)).0, 0);
    assert_eq!(listed(by_flag().env("PGPASSWORD", PASSWORD)).0, 0);
    assert_eq!(listed(by_flag().env("PGPASSFILE", &good)).0, 0);
    // In the order of the manual; a wrong one is not passed over.
    assert_eq!(listed(by_variable(PASSWORD).env("PGPASSWORD", "c4n4ry")).0, 0);
    assert_eq!(listed(by_flag().env("PGPASSWORD", PASSWORD).env("PGPASSFILE", &bad)).0, 0);
    let (code, said) = listed(by_flag().env("PGPASSWORD", "c4n4ry").env("PGPASSFILE", &good));
    assert!(code == 4 && said.contains("the password in PGPASSWORD is not the one"), "{said}");
    let (code, said) = listed(&mut by_variable("c4n4ry"));
    assert!(code == 4 && said.contains("the password in TENANTDESK_URL is not"), "{said}");
    let (code, said) = listed(by_flag().env("PGPASSFILE", &bad));
    assert!(code == 4 && said.contains(bad.to_str().unwrap()), "{said}");
    // The user's own file, and one that others may read.
    passfile(&home, ".pgpass", PASSWORD, 0o600);
    assert_eq!(listed(&mut by_flag()).0, 0);
    passfile(&home, ".pgpass", PASSWORD, 0o640);
    let (code, said) = listed(&mut by_flag());
    assert!(code == 4 && said.contains("chmod 600"), "{said}");
}

#[test]
fn a_person_at_a_terminal_is_asked_and_the_password_is_not_shown() {
    let home = Home::new();
    for (typed, code, word) in [(PASSWORD, 0, "SLUG"), ("c4n4ry", 4, "the password that was given")]
    {
        let mut pty = home.on_terminal(&["tenant", "list", "--url", &url()]);
        pty.wait_for("Password of ada on localhost:");
        pty.press(typed).press("\r");
        pty.wait_for(word);
        assert!(!pty.text().contains("c4n4ry"), "{}", pty.text());
        assert_eq!(pty.gone(), code);
        assert!(!pty.is_changed(), "the echo is on again");
    }
}

#[test]
fn whoever_leaves_the_question_gets_the_terminal_back() {
    let home = Home::new();
    let mut pty = home.on_terminal(&["tenant", "list", "--url", &url()]);
    pty.wait_for("Password of ada on localhost:");
    assert!(pty.is_changed(), "the negative control: the echo is off");
    pty.press("\u{3}");
    assert_eq!(pty.gone(), 130);
    assert!(!pty.is_changed(), "the echo is on again");
    // The console asks before it takes the screen.
    let mut pty = home.on_terminal(&["--url", &url()]);
    pty.wait_for("Password of ada on localhost:");
    pty.press(PASSWORD).press("\r");
    pty.wait_for("tenants");
    pty.press("q");
    assert_eq!(pty.gone(), 0);
    assert!(!pty.is_changed() && !pty.text().contains("c4n4ry"));
}

#[test]
fn the_verbs_work_over_tls_and_leave_no_session_behind() {
    let home = Home::new();
    let run = |words: &[&str]| -> Value {
        let url = url();
        let words = [words, &["--json", "--url", &url]].concat();
        let output = home.command(&words).env("PGPASSWORD", PASSWORD).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    run(&["tenant", "create", "Acme", "--slug", "acme", "--admin-email", "ann@acme.test"]);
    let said = run(&[
        "impersonate",
        "acme",
        "--as",
        "ann@acme.test",
        "--reason",
        "ticket 4711 asks for it",
        "-c",
        "select slug from app.tenants",
    ]);
    assert_eq!(said["statements"][0]["rows"][0], serde_json::json!(["acme"]), "{said}");
    // Without TLS nobody is let into this database.
    let out = home.base().join("acme.tenant");
    run(&["export", "acme", "-o", out.to_str().unwrap()]);
    let open = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(SERVER.cluster.psql("desk", SUPERUSER, open).rows(), "0");
}

/// Why an address cannot be reached, and the words for it.
async fn refused(url: &str) -> (Why, String, Vec<String>) {
    let error = connect(&Endpoint::parse(url).unwrap(), "test").await.expect_err(url);
    assert_eq!(error.kind(), Kind::Server, "{error}");
    let (said, hints) = (error.to_string(), error.hints());
    let ServerError::Connect(unreachable) = error else { panic!("{said}") };
    (unreachable.why, said, hints)
}

#[tokio::test]
async fn each_refusal_is_one_plain_error() {
    let port = SERVER.cluster.port;
    let (why, said, hints) = refused(&SERVER.url("stranger", "localhost", "sslmode=require")).await;
    assert!(matches!(why, Why::NoHbaLine(_)) && hints[0].contains("pg_hba.conf"), "{said}");
    let (why, said, hints) =
        refused(&format!("postgresql://trusted@localhost:{port}/nowhere?sslmode=require")).await;
    assert!(matches!(why, Why::NoDatabase) && hints[0].contains("`nowhere`"), "{said}");
    let (why, said, _) = refused(&SERVER.url("scram_ann", "localhost", "sslmode=require")).await;
    assert!(matches!(why, Why::PasswordNeeded { .. }), "{said}");
    let (why, said, _) = refused(&SERVER.url("md5_bob", "localhost", "sslmode=require")).await;
    assert!(matches!(why, Why::PasswordNeeded { .. }), "{said}");
    assert!(
        connect(&Endpoint::parse(&SERVER.url("trusted", "localhost", "")).unwrap(), "test")
            .await
            .is_ok()
    );

    // A label this long is no name, so that no network is asked.
    let name = "n".repeat(70);
    let (why, said, _) = refused(&format!("postgresql://ada@{name}/desk")).await;
    assert!(matches!(why, Why::NameUnknown(_)) && said.contains(&name), "{said}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (why, said, hints) = refused(&format!("postgresql://ada@127.0.0.1:{free}/desk")).await;
    assert!(matches!(why, Why::Refused) && hints[0].contains("listen_addresses"), "{said}");
    let (why, said, _) = refused("postgresql:///desk?host=/nowhere&user=ada").await;
    assert!(matches!(why, Why::Refused), "{said}");
}

#[tokio::test]
async fn a_listener_that_is_no_server_is_told_and_waited_for_no_longer_than_asked() {
    // The system takes connections for it, and nobody ever answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    for mode in ["disable", "require"] {
        let url =
            format!("postgresql://ada@127.0.0.1:{port}/desk?connect_timeout=1&sslmode={mode}");
        let (why, said, hints) = refused(&url).await;
        assert!(matches!(why, Why::Silent(_)), "{said}");
        assert!(said.ends_with("no answer within 1 s") && hints[0].contains("connect_timeout"));
    }
    let rude = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = rude.local_addr().unwrap().port();
    let closes = std::thread::spawn(move || drop(rude.accept()));
    let (why, said, _) =
        refused(&format!("postgresql://ada@127.0.0.1:{port}/desk?sslmode=disable")).await;
    assert!(matches!(why, Why::Dropped), "{said}");
    closes.join().unwrap();
}
