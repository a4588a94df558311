//! The shipped binary as a script sees it: streams, exit codes, JSON, colours, a reader that leaves.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A run of the binary that sees nothing of the caller's surroundings.
fn tenantdesk(home: &TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantdesk"));
    command.args(words).env_clear().env("TENANTDESK_HOME", home.path()).env("HOME", home.path());
    command.stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> Output {
    tenantdesk(&TempDir::new().unwrap(), words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn help_is_data_and_names_the_exit_codes() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Exit codes:"));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_why_on_standard_error() {
    let output = run(&["nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).starts_with("error: "));

    let output = run(&["nonsense", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["v"], 1);
    assert_eq!(error["error"]["kind"], "usage");
    assert_eq!(error["request_id"].as_str().unwrap().len(), 36);
    assert!(error["error"]["hints"].is_array());
}

#[test]
fn json_is_one_document_with_version_and_request_id() {
    let home = TempDir::new().unwrap();
    let output = tenantdesk(&home, &["paths", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["v"], 1);
    assert_eq!(document["request_id"].as_str().unwrap().len(), 36);
    assert_eq!(document["paths"]["home"], home.path().to_str().unwrap());
}

#[test]
fn the_server_is_looked_at_without_being_started() {
    let home = TempDir::new().unwrap();
    let output = tenantdesk(&home, &["server", "status", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["state"], "absent");
    assert_eq!(document["fsync"], Value::Null);
    assert!(!home.path().join("data").exists());
}

#[test]
fn the_log_is_the_users_alone_and_names_the_request() {
    let home = TempDir::new().unwrap();
    let output = tenantdesk(&home, &["man", "nonsense", "--json"]).output().unwrap();
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    let logs = std::fs::read_dir(home.path().join("logs")).unwrap();
    let path = logs.map(|entry| entry.unwrap().path()).next().unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let line: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(line["request_id"], error["request_id"]);
}

#[test]
fn a_failure_of_something_that_ran_names_its_request() {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join("x.tenant"), "no archive").unwrap();
    let archive = home.path().join("x.tenant");
    let ran = ["archive", "verify", archive.to_str().unwrap()];
    let output = tenantdesk(&home, &ran).output().unwrap();
    let said = text(&output.stderr);
    let request = said.lines().last().unwrap().strip_prefix("request: ").unwrap();
    let logs = std::fs::read_dir(home.path().join("logs")).unwrap();
    let log = std::fs::read_to_string(logs.map(|file| file.unwrap().path()).next().unwrap());
    assert!(log.unwrap().contains(request), "{said}");
    // What did not run is in no log.
    let wrong = tenantdesk(&home, &["archive", "verify"]).output().unwrap();
    assert!(!text(&wrong.stderr).contains("request:"), "{}", text(&wrong.stderr));
}

#[test]
fn a_profile_is_refused_and_never_ignored() {
    let home = TempDir::new().unwrap();
    let lists = ["tenant", "list", "--json"];
    let refused = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains("no profiles"), "{error}");
        assert!(error["error"]["hints"][0].as_str().unwrap().contains("`--url`"), "{error}");
    };
    for words in [&lists[..], &["server", "status", "--json"], &["demo", "--json"], &["--json"]] {
        refused(tenantdesk(&home, words).env("TENANTDESK_PROFILE", "prod"));
    }
    refused(&mut tenantdesk(&home, &[&lists[..], &["--profile", "prod"]].concat()));
    refused(&mut tenantdesk(&home, &["paths", "--json", "--profile=prod"]));
    assert!(!home.path().join("data").exists(), "nothing was started");
    // What needs no database goes on, and an address on the command line comes first.
    let mut paths = tenantdesk(&home, &["paths"]);
    assert_eq!(paths.env("TENANTDESK_PROFILE", "prod").output().unwrap().status.code(), Some(0));
    let elsewhere = [&lists[..], &["--url", "postgresql:///app?host=/nowhere&user=ann"]].concat();
    let mut elsewhere = tenantdesk(&home, &elsewhere);
    let output = elsewhere.env("TENANTDESK_PROFILE", "prod").output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn a_password_in_an_address_is_refused_on_a_command_line_and_taken_from_the_environment() {
    let home = TempDir::new().unwrap();
    let url = "postgresql:///app?host=/nowhere&user=ann&password=c4n4ry";
    let by_flag = tenantdesk(&home, &["tenant", "list", "--url", url]).output().unwrap();
    let said = text(&by_flag.stderr);
    assert_eq!(by_flag.status.code(), Some(2), "{said}");
    for place in ["TENANTDESK_URL", "PGPASSWORD", "PGPASSFILE", "keyring"] {
        assert!(said.contains(place), "{said}");
    }
    assert!(!said.contains("c4n4ry"), "{said}");
    let mut by_variable = tenantdesk(&home, &["tenant", "list"]);
    let by_variable = by_variable.env("TENANTDESK_URL", url).output().unwrap();
    let said = text(&by_variable.stderr);
    assert_eq!(by_variable.status.code(), Some(4), "{said}");
    assert!(said.contains("nothing listens there") && !said.contains("c4n4ry"), "{said}");
}

#[test]
fn the_demo_is_for_the_embedded_server() {
    let home = TempDir::new().unwrap();
    let url = "postgresql:///app?host=/nowhere&user=ann";
    let output = tenantdesk(&home, &["demo", "--reset", "--yes", "--url", url]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(!home.path().join("data").exists(), "nothing was started");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let plain = run(&["paths"]);
    assert!(!text(&plain.stdout).contains('\u{1b}'));
    let colored = run(&["paths", "--color", "always"]);
    assert!(text(&colored.stdout).contains('\u{1b}'));
}

#[test]
fn without_a_verb_and_without_a_terminal_it_says_what_to_run() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("state"));
    assert!(text(&output.stderr).contains("tenantdesk demo"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = TempDir::new().unwrap();
    let mut child = tenantdesk(&home, &["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(said, "");
}

#[test]
fn a_full_disk_is_a_failure() {
    let home = TempDir::new().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let output = tenantdesk(&home, &["man"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("standard output"));
}

#[test]
fn every_shell_gets_its_completions_and_every_verb_its_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(text(&output.stdout).contains("tenantdesk"));
    }
    assert!(text(&run(&["man", "paths"]).stdout).contains(".TH"));
    assert!(text(&run(&["man"]).stdout).contains("TENANTDESK_POSTGRES_DIR"));
    assert_eq!(run(&["man", "nonsense"]).status.code(), Some(2));
}
