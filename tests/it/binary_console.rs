//! The shipped binary in a pseudo-terminal, on a home of its own: the main job from the first
//! frame to the last, and what is left when the console is ended or killed in the middle of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::cluster::{SUPERUSER, server_programs};
use crate::harness::home::{Home, runs};
use crate::harness::pty::{Pty, bare};

const ENTER: &str = "\r";
const ESC: &str = "\u{1b}";
const RIGHT: &str = "\u{1b}[C";
const F3: &str = "\u{1b}OR";
const CTRL_S: &str = "\u{13}";
const CTRL_X: &str = "\u{18}";

const BINARY: &str = env!("CARGO_BIN_EXE_tenantdesk");

/// What every run of the binary sees.
fn surroundings(home: &Home) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("TENANTDESK_HOME", home.paths.home.clone()),
        ("TENANTDESK_POSTGRES_DIR", server_programs().0),
        ("HOME", home.base().to_owned()),
        ("PATH", PathBuf::from("/usr/bin:/bin:/usr/sbin:/sbin")),
    ]
}

/// Opens the console on a home.
fn console(home: &Home) -> Pty {
    let mut command: CommandBuilder = bare(Path::new(BINARY));
    for (name, value) in surroundings(home) {
        command.env(name, value);
    }
    command.cwd(home.base());
    Pty::start(command, (100, 30))
}

/// Runs a verb to its end.
fn verb(home: &Home, words: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(words).env_clear().envs(surroundings(home)).current_dir(home.base());
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a verb that must succeed, and reads what it answers.
#[track_caller]
fn answer(home: &Home, words: &[&str]) -> Value {
    let output = verb(home, words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One value of the application's database.
#[track_caller]
fn value(home: &Home, sql: &str) -> String {
    home.psql("app", SUPERUSER, sql).rows().to_owned()
}

/// A home with the tenant `acme`, made by the command line.
fn home_with_a_tenant() -> Home {
    let home = Home::new();
    let words = ["tenant", "create", "Acme", "--slug", "acme", "--admin-email", "ann@acme.example"];
    let output = verb(&home, &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    home
}

/// Acts as the first member of the selected tenant.
fn impersonate(pty: &mut Pty, write: bool) {
    pty.press("i").wait_for("act inside acme").wait_for("ann@acme.example (owner)");
    pty.press(ENTER).press("ticket 4711: rows missing");
    if write {
        pty.press(ENTER).press(ENTER).press(RIGHT).wait_for("‹ write ›");
        pty.press(CTRL_S).wait_for("type acme");
        pty.press("acme").press(ENTER).wait_for("WRITE IMPERSONATING acme");
    } else {
        pty.press(CTRL_S).wait_for("READ ONLY IMPERSONATING acme");
    }
    pty.wait_for("│workspaces ");
}

/// Runs one statement in the session.
fn statement(pty: &mut Pty, sql: &str, expected: &str) {
    pty.press(F3).wait_for("─ SQL ─");
    pty.press("\u{15}").press(sql).press(ENTER).wait_for(expected);
}

fn end(pty: &mut Pty) {
    pty.press(CTRL_X).wait_for("the impersonation is ended").wait_gone("IMPERSONATING");
}

/// Waits until a process is no more.
fn wait_gone(pid: i32) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while runs(pid) {
        assert!(Instant::now() < deadline, "process {pid} stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_main_job_is_done_in_the_console_from_the_first_frame_to_the_last() {
    let home = Home::new();
    let mut pty = console(&home);
    pty.wait_for("tenantdesk");
    eprintln!("time to the first frame: {} ms", pty.age().as_millis());
    assert!(pty.text().contains("connecting"), "no frame before the server:\n{}", pty.text());
    pty.wait_for("no tenant yet").wait_for("(admin)");
    eprintln!("time to an empty starter schema: {} ms", pty.age().as_millis());
    let postmaster = home.postmaster();

    let password = provision(&mut pty);
    pty.press(":").wait_for("commands").press("messages").press(ENTER).wait_for("newest first");
    assert!(!pty.text().contains(&password), "the password is shown again:\n{}", pty.text());
    pty.press(ESC).wait_gone("newest first");

    look_around(&mut pty);
    impersonate(&mut pty, true);
    let sql = "insert into app.projects (tenant_id, workspace_id, name) \
               select tenant_id, id, 'Roof' from app.workspaces;";
    statement(&mut pty, sql, "1 row changed");
    end(&mut pty);

    pty.press("x").wait_for("export the tenant?").press("y").wait_for("the export is written");
    pty.press(ENTER).wait_gone("the export is written");

    impersonate(&mut pty, true);
    statement(&mut pty, "delete from app.projects where name = 'Roof';", "1 row changed");
    end(&mut pty);
    assert_eq!(value(&home, "select count(*) from app.projects"), "0");

    restore(&mut pty);
    assert_eq!(value(&home, "select string_agg(name, ',') from app.projects"), "Roof");

    pty.press("5").wait_for("fsync            on").wait_for("version ").wait_for("embedded");
    pty.press("4").wait_for("impersonate.start").wait_for("restore");
    pty.press("v").wait_for("the ledger is whole: 2 chains");
    let sessions = "select string_agg(distinct end_reason, ',') from tenantdesk.tenant_sessions \
                    where purpose = 'impersonate'";
    assert_eq!(value(&home, sessions), "operator");
    pty.press("q").wait_for("tenants 1/1").press("q");
    assert_eq!(pty.ended().trim(), "");
    wait_gone(postmaster);
    assert!(!home.paths.data_dir.join("postmaster.pid").exists());
    assert_eq!(logs_with(&home, &password), [""; 0], "a log holds the password");
}

/// Makes the tenant; answers the password that is shown once.
fn provision(pty: &mut Pty) -> String {
    pty.press("n").wait_for("create a tenant");
    pty.press("Acme Corporation").wait_for("acme-corporation");
    pty.press(ENTER)
        .press("\u{15}")
        .wait_gone("acme-corporation")
        .press("acme")
        .press(ENTER)
        .press("ann@acme.example");
    pty.press(CTRL_S).wait_for("shown only now");
    let text = pty.text();
    let line = text.lines().find(|line| line.contains(" password ")).unwrap();
    let password = line.split_whitespace().nth(2).unwrap().to_owned();
    assert!(password.len() >= 12, "no password in `{line}`");
    pty.press(ENTER).wait_gone("shown only now").wait_for("tenants 1/1").wait_for("│acme ");
    password
}

/// Reads as a member: rows of a relation, one statement, and a write that is refused.
fn look_around(pty: &mut Pty) {
    impersonate(pty, false);
    pty.wait_for("ann@acme.example (owner)").wait_for("ticket 4711: rows missing");
    pty.press("jjjj").wait_for("relations of app 5/").press(ENTER).wait_for("page 1, 1 row");
    assert!(pty.text().contains("app.workspaces ─"), "{}", pty.text());
    statement(pty, "select 40 + count(*) as members from app.tenant_memberships;", "─ 1 row, ");
    assert!(pty.text().contains("41"), "{}", pty.text());
    statement(pty, "delete from app.workspaces;", "─ failed ─");
    end(pty);
}

/// Restores what is missing from the only archive.
fn restore(pty: &mut Pty) {
    pty.press("3").wait_for("archives 1/1").wait_for("acme-2");
    pty.press("R").wait_for("restore from acme-2").press(ENTER);
    pty.wait_for("nothing is changed yet").wait_for("mode missing");
    pty.press("a").wait_for("the rows that are gone: 1").wait_for("type acme");
    pty.press("the customer deleted it").press(ENTER).press("acme").press(ENTER);
    pty.wait_for("verified by digest").wait_for("rows written: 1, removed: 0");
}

/// The logs of the home that hold a text.
fn logs_with(home: &Home, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&home.paths.logs_dir).unwrap() {
        let path = entry.unwrap().path();
        if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn a_signal_ends_the_impersonation_in_the_database_and_gives_the_terminal_back() {
    let home = home_with_a_tenant();
    // Somebody else uses the server, so that it is there afterwards.
    let server = home.embedded().join(&tenantdesk::progress::Progress::silent()).await.unwrap();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 143), (Signal::INT, 130)] {
        let mut pty = console(&home);
        pty.wait_for("(admin)").wait_for("│acme ");
        impersonate(&mut pty, false);
        let live = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
        assert_eq!(value(&home, live), "1");
        pty.signal(signal);
        assert_eq!(pty.gone(), code);
        pty.ended();
        assert_eq!(value(&home, live), "0");
        let last = "select end_reason from tenantdesk.tenant_sessions order by id desc limit 1";
        assert_eq!(value(&home, last), "quit");
    }
    server.release(&tenantdesk::progress::Progress::silent()).await.unwrap();
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_the_impersonation_and_the_use_of_the_server() {
    let home = home_with_a_tenant();
    let server = home.embedded().join(&tenantdesk::progress::Progress::silent()).await.unwrap();
    let mut pty = console(&home);
    pty.wait_for("(admin)").wait_for("│acme ");
    impersonate(&mut pty, false);
    // No panic: what is open is ended in any case.
    assert_ne!(pty.hang_up("?"), 101);
    let last = "select ended_at is not null, end_reason from tenantdesk.tenant_sessions order by id desc limit 1";
    assert_eq!(value(&home, last), "t|quit");
    assert!(
        server.release(&tenantdesk::progress::Progress::silent()).await.unwrap(),
        "the last user"
    );
}

#[test]
fn a_killed_console_leaves_a_server_and_a_session_that_others_see_and_end() {
    let home = home_with_a_tenant();
    let mut pty = console(&home);
    pty.wait_for("(admin)").wait_for("│acme ");
    impersonate(&mut pty, true);
    let postmaster = home.postmaster();
    // The whole process group would be the shell's business; nobody could tidy up here.
    pty.signal(Signal::KILL);
    pty.gone();
    assert!(runs(postmaster), "the server went with the console");

    let listed = answer(&home, &["impersonation", "list", "--all", "--json"]);
    let sessions: Vec<&Value> = listed["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|session| session["purpose"] == "impersonate")
        .collect();
    assert_eq!(sessions.len(), 1, "{listed}");
    assert_eq!(sessions[0]["mode"], "write");
    assert!(sessions[0]["expires_at"].is_string(), "{listed}");
    // That verb attached to the server which the console left, and was the last to leave it.
    wait_gone(postmaster);

    let id = sessions[0]["id"].to_string();
    if sessions[0]["ended_at"].is_null() {
        answer(&home, &["impersonation", "end", &id, "--json"]);
    }
    let shown = answer(&home, &["impersonation", "list", "--json"]);
    assert_eq!(shown["sessions"].as_array().map(Vec::len), Some(0), "{shown}");
}

#[test]
fn a_configuration_gives_keys_and_a_wrong_one_is_told_before_the_terminal_is_taken() {
    let home = home_with_a_tenant();
    let directory = home.base().join(".config/tenantdesk");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("config.toml");
    std::fs::write(&file, "[console]\nthem = \"light\"\nascii = 1\n").unwrap();
    let mut pty = console(&home);
    assert_eq!(pty.gone(), 3, "{}", pty.text());
    for part in ["config.toml` is wrong", "line 2: `them` is no setting", "line 3: `ascii` is"] {
        assert!(pty.text().contains(part), "no {part} in\n{}", pty.text());
    }
    let text = "[console]\nascii = true\n[console.keys]\nusage = [\"U\"]\nhelp = [\"hyper-h\"]\n";
    std::fs::write(&file, text).unwrap();
    let mut pty = console(&home);
    pty.wait_for("| ").wait_for("`hyper-h` is no key").wait_for("(admin)");
    pty.press("U").wait_for("usage 1/1, by how full").press("q").press("q");
    pty.ended();
    // A profile may choose the database, so a verb that needs one goes nowhere by a file it cannot read.
    std::fs::write(&file, "= wrong").unwrap();
    assert_eq!(verb(&home, &["tenant", "list"]).status.code(), Some(3));
    assert!(verb(&home, &["paths"]).status.success());
}

#[test]
fn a_data_directory_of_another_major_version_is_told_in_the_console_and_q_leaves() {
    let home = home_with_a_tenant();
    let version = home.paths.data_dir.join("PG_VERSION");
    let before = std::fs::read(&version).unwrap();
    std::fs::write(&version, "14\n").unwrap();
    let mut pty = console(&home);
    pty.wait_for("─ not connected ─").wait_for("14").wait_for("tries again");
    pty.press("5").wait_for("› server").wait_for("─ not connected ─").press("q");
    pty.wait_gone("› server").press("q");
    pty.ended();
    std::fs::write(&version, before).unwrap();
    assert!(verb(&home, &["tenant", "list"]).status.success(), "the data were touched");
}
