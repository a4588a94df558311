//! Where the embedded server lies and who may reach it: odd homes, owners, sockets, TCP, logins.

use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use tenantdesk::failure::Failure;
use tenantdesk::postgres::Embedded;
use tenantdesk::postgres::embedded::{EmbeddedError, SUPERUSER, StartOptions};
use tenantdesk::progress::Progress;
use tenantdesk::server::logs::{ReadLogs, logs};
use tenantdesk::server::psql::OpenPsql;
use tenantdesk::server::start::StartServer;
use tenantdesk::server::{Role, psql, start, status, stop, url};

use crate::harness::cluster::{client_program, output_of, server_programs};
use crate::harness::home::{Home, act, again, ask, embedded_at};
use crate::harness::watcher::{Account, is_root};

fn quiet() -> Progress {
    Progress::silent()
}

#[tokio::test]
async fn a_home_with_spaces_and_quotes_in_its_path_works() {
    let home = Home::named("a home 'of' \"odd\" $names & ünits");
    let embedded = home.embedded();
    for _first_and_next in 0..2 {
        let server = embedded.join(&quiet()).await.unwrap();
        assert_eq!(ask(&server, "1").await, "1");
        let address = server.endpoint("postgres", SUPERUSER).url();
        let mut client = Command::new(client_program(&server_programs().0));
        let answer = output_of(client.args(["-XAt", "-d", &address]), "select 2");
        assert_eq!(answer.rows(), "2");
        assert!(server.release(&quiet()).await.unwrap());
    }
}

#[tokio::test]
async fn a_home_too_long_for_a_socket_gets_a_short_private_directory_and_leaves_none() {
    let home = Home::named(&"long".repeat(30));
    let dir = home.paths.socket_dir.clone();
    assert!(!dir.starts_with(home.base()));
    let server = home.embedded().join(&quiet()).await.unwrap();
    assert_eq!(ask(&server, "1").await, "1");
    assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
    server.release(&quiet()).await.unwrap();
    assert!(!dir.exists(), "{}", dir.display());
}

#[tokio::test]
async fn only_the_owner_of_the_home_reaches_the_socket() {
    let home = Home::new();
    let server = home.embedded().join(&quiet()).await.unwrap();
    assert_eq!(home.paths.socket_dir.metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(home.paths.data_dir.metadata().unwrap().mode() & 0o777, 0o700);
    if is_root() {
        let mut client = home.psql_command("postgres", SUPERUSER);
        let stranger = Account { uid: 54321, gid: 54321 };
        let refused = output_of(Account::apply(Some(stranger), &mut client), "select 1");
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    }
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn as_root_the_server_alone_runs_as_another_account() {
    let home = Home::new();
    let server = home.embedded().join(&quiet()).await.unwrap();
    let process = format!("/proc/{}", home.postmaster());
    let owner = std::fs::metadata(process).unwrap().uid();
    let own = rustix::process::geteuid().as_raw();
    assert_eq!(owner, Account::for_servers().map_or(own, |account| account.uid));
    assert_eq!(home.paths.data_dir.metadata().unwrap().uid(), owner);
    assert_eq!(home.paths.home.metadata().unwrap().uid(), own);
    assert_ne!(owner, 0);
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn homes_that_are_not_ones_own_are_refused() {
    let refused = |home: &Home| {
        let embedded = home.embedded();
        async move { embedded.join(&quiet()).await.unwrap_err() }
    };
    let open = Home::new();
    std::fs::create_dir(&open.paths.home).unwrap();
    std::fs::set_permissions(&open.paths.home, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(matches!(refused(&open).await, EmbeddedError::OpenToOthers(_)));
    let full = Home::new();
    std::fs::create_dir_all(full.paths.data_dir.join("something")).unwrap();
    assert!(matches!(refused(&full).await, EmbeddedError::NotData(_)));
    assert!(full.paths.data_dir.join("something").exists());
    if is_root() {
        let foreign = Home::new();
        std::fs::create_dir(&foreign.paths.home).unwrap();
        Account::own(Some(Account { uid: 54321, gid: 54321 }), &foreign.paths.home);
        assert!(matches!(refused(&foreign).await, EmbeddedError::OtherOwner { owner: 54321, .. }));
        let closed = Home::new();
        std::fs::set_permissions(closed.base(), PermissionsExt::from_mode(0o700)).unwrap();
        let failure = Failure::from(refused(&closed).await);
        assert!(failure.message.contains("cannot enter"), "{}", failure.message);
        assert!(failure.hints[0].contains("chmod"), "{:?}", failure.hints);
    }
}

#[tokio::test]
async fn a_login_opens_when_it_is_allowed_and_closes_when_it_is_not() {
    let home = Home::with_data().await;
    let server = home.embedded().join(&quiet()).await.unwrap();
    let names: Vec<String> = (0..20).map(|n| format!("ann-{n}")).collect();
    let create: Vec<_> =
        names.iter().map(|name| format!("create role \"{name}\" login;")).collect();
    home.psql("postgres", SUPERUSER, &create.concat()).rows();
    let refused = home.psql("postgres", "ann-0", "select 1");
    assert!(refused.stderr.contains("eer authentication failed"), "{}", refused.stderr);
    for name in &names {
        server.allow_logins(&[name], &quiet()).await.unwrap();
        assert_eq!(home.psql("postgres", name, "select current_user").rows(), name);
    }
    server.forbid_logins(&["ann-3"], &quiet()).await.unwrap();
    assert_eq!(home.psql("postgres", "ann-3", "select 1").code, 2);
    assert_eq!(home.psql("postgres", "ann-4", "select 1").code, 0);
    let odd = server.allow_logins(&["a\" \"b"], &quiet()).await;
    assert!(matches!(odd, Err(EmbeddedError::NoLoginName(_))));
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn tcp_opens_the_loopback_with_a_password_and_never_for_the_superuser() {
    let home = Home::with_data().await;
    let embedded = home.embedded();
    let server = embedded.join(&quiet()).await.unwrap();
    let in_use = embedded.start(StartOptions { tcp: true }, &quiet()).await;
    assert!(matches!(in_use, Err(EmbeddedError::InUse)));
    server.release(&quiet()).await.unwrap();
    let started = embedded.start(StartOptions { tcp: true }, &quiet()).await.unwrap();
    assert!(started.tcp);
    let server = embedded.join(&quiet()).await.unwrap();
    ask(&server, "select set_config('password_encryption', 'scram-sha-256', false)").await;
    let sql = "create role app_user login password 'correct horse'; create role ann login password 'correct horse'; alter role embedded_superuser password 'x y z'";
    let port = started.port.to_string();
    let socket = home.paths.socket_dir.to_str().unwrap().to_owned();
    let client = |host: &str, user: &str, database: &str, password: &str| {
        let mut client = Command::new(client_program(&server_programs().0));
        client.args(["-XAtw", "-h", host, "-p", &port, "-U", user, "-d", database]);
        client.env("PGPASSWORD", password);
        client
    };
    for sql in [sql, "create database app"] {
        assert_eq!(output_of(&mut client(&socket, SUPERUSER, "postgres", ""), sql).code, 0);
    }
    let loopback = |user: &str, database: &str, password: &str| {
        output_of(&mut client("127.0.0.1", user, database, password), "select 1")
    };
    assert_eq!(loopback("app_user", "app", "correct horse").rows(), "1");
    assert_ne!(loopback("app_user", "app", "wrong").code, 0);
    // Nobody but the application, and it nowhere else: an operator could give himself a password.
    assert_ne!(loopback("app_user", "postgres", "correct horse").code, 0);
    assert_ne!(loopback("ann", "app", "correct horse").code, 0);
    assert_ne!(loopback(SUPERUSER, "app", "x y z").code, 0);
    let log = logs(&embedded, ReadLogs { lines: 1000 }).unwrap().lines.join("\n");
    assert!(
        log.contains("password authentication failed") && !log.contains("correct horse"),
        "{log}"
    );
    server.release(&quiet()).await.unwrap();
    assert!(embedded.stop(&quiet()).await.unwrap());
    assert!(TcpStream::connect(("127.0.0.1", started.port)).is_err());
    // Without being asked again the door stays shut.
    let server = embedded.join(&quiet()).await.unwrap();
    assert!(!server.observation().tcp);
    server.release(&quiet()).await.unwrap();
}

#[tokio::test]
async fn the_verbs_tell_and_change_the_state_of_the_server() {
    let home = Home::new();
    let embedded = home.embedded();
    let before = status::status(&embedded, &quiet()).await.unwrap();
    assert_eq!((before.state.as_str(), before.fsync, before.pid), ("absent", None, None));
    assert!(!home.paths.home.exists(), "looking makes nothing");
    let started = start::start(&embedded, StartServer { tcp: false }, &quiet()).await.unwrap();
    assert!(!started.ran_before);
    let seen = &started.status;
    assert_eq!((seen.state.as_str(), seen.fsync, seen.port), ("running", Some(true), 5432));
    assert!(seen.version.as_ref().unwrap().starts_with(&server_programs().1.to_string()));
    assert_eq!(seen.pid, Some(home.postmaster()));
    assert!(seen.stays && !seen.in_use);
    let twice = start::start(&embedded, StartServer { tcp: false }, &quiet()).await.unwrap();
    assert!(twice.ran_before);
    let told = url::url(&embedded, Role::Owner).await.unwrap();
    assert!(told.running && told.url.ends_with("&port=5432&user=app_owner"), "{}", told.url);
    let server = embedded.join(&quiet()).await.unwrap();
    try_psql(&embedded, &server, &home).await;
    let plan = stop::prepare(&embedded, &quiet()).await.unwrap();
    assert!(plan.in_use);
    let outdated = stop::StopPlan { in_use: false, ..plan };
    assert!(stop::stop(&embedded, outdated, &quiet()).await.is_err());
    server.release(&quiet()).await.unwrap();
    assert!(stop::stop(&embedded, plan, &quiet()).await.unwrap().ran_before);
    let after = status::status(&embedded, &quiet()).await.unwrap();
    assert_eq!((after.state.as_str(), after.stays), ("stopped", false));
    assert_eq!(after.version, Some(server_programs().1.to_string()));
    let lines = logs(&embedded, ReadLogs { lines: 1 }).unwrap().lines;
    assert!(lines[0].contains("database system is shut down"), "{lines:?}");
}

async fn try_psql(embedded: &Embedded, server: &tenantdesk::postgres::EmbeddedServer, home: &Home) {
    home.psql("postgres", SUPERUSER, "create role app_user login").rows();
    home.psql("postgres", SUPERUSER, "create database app").rows();
    server.allow_logins(&[Role::App.login()], &quiet()).await.unwrap();
    let ask = |sql: &str| OpenPsql { role: Role::App, arguments: vec!["-Xc".into(), sql.into()] };
    for (sql, code) in
        [("do $$begin assert current_user = 'app_user'; end$$", 0), ("select 1/0", 1)]
    {
        let mut plan = psql::prepare(embedded, server, ask(sql), &quiet()).await.unwrap();
        plan.arguments.extend(["-q".into(), "-o".into(), "/dev/null".into()]);
        assert_eq!(psql::run(&plan, std::future::pending()).await.unwrap(), code, "{sql}");
    }
}

/// Runs the tests of the server once more as an ordinary user, where the tests run as root.
#[test]
fn all_of_this_holds_for_an_ordinary_user_too() {
    if !is_root() {
        return;
    }
    let dir = tempfile::Builder::new().prefix("tdt").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let copy = dir.path().join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let mut command = Command::new(&copy);
    let modules =
        ["server_lifetime::", "server_places::", "server_recovery::", "harness_cleanup::"];
    command.args(modules).current_dir("/").env("HOME", "/nonexistent");
    let command = Account::apply(Account::for_servers(), &mut command);
    // A process that another test starts at this moment may still hold the copy open for writing.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            output => break output.unwrap(),
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("server_lifetime::the_last_one_out_stops_the_server ... ok"), "{text}");
}

/// A console that is killed while it makes the data directory leaves nothing that looks like data.
#[tokio::test]
async fn an_interrupted_first_start_is_made_good_by_the_next() {
    const NAME: &str = "server_places::an_interrupted_first_start_is_made_good_by_the_next";
    if let Some(base) = act() {
        let _killed = embedded_at(&Home::paths_at(&base)).join(&quiet()).await;
        return;
    }
    let home = Home::new();
    let mut console = again(NAME, home.base(), None);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let begun = || {
        let entries = std::fs::read_dir(&home.paths.home).into_iter().flatten().flatten();
        entries.into_iter().any(|e| e.file_name().to_string_lossy().starts_with(".data-"))
    };
    while !begun() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(1));
    }
    console.kill().unwrap();
    console.wait().unwrap();
    console.stdout.take().unwrap().read_to_string(&mut String::new()).unwrap();
    assert!(!home.paths.data_dir.exists());
    let server = home.embedded().join(&quiet()).await.unwrap();
    assert_eq!(ask(&server, "1").await, "1");
    server.release(&quiet()).await.unwrap();
}
