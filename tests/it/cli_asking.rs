//! How the command line asks before it changes something: on a terminal it shows and asks, without
//! one it names the flag that is missing; `--yes` answers yes/no questions and nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::binary::text;
use crate::harness::home::Home;

const REASON: &str = "ticket 4711: bring it back";

/// A running home, and an archive of `acme` that has one workspace more than the tenant now.
fn home_with_a_loss() -> (Home, PathBuf) {
    let home = Home::started();
    let exported = home.answer(&["export", "acme"]);
    let archive = PathBuf::from(exported["archive"]["path"].as_str().unwrap());
    lose(&home);
    (home, archive)
}

fn lose(home: &Home) {
    home.value("delete from app.workspaces");
    assert_eq!(workspaces(home), "0");
}

fn workspaces(home: &Home) -> String {
    home.value("select count(*) from app.workspaces")
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn on_a_terminal_a_restore_shows_its_plan_and_asks_for_reason_and_slug() {
    let (home, archive) = home_with_a_loss();
    let mut pty = home.on_terminal(&["restore", word(&archive)]);
    pty.wait_for("app.workspaces").wait_for("Reason").press("oops\r");
    pty.wait_for("10").wait_for("Reason").press(REASON).press("\r");
    pty.wait_for("Type `acme`");
    assert!(pty.text().contains("IN ARCHIVE"), "{}", pty.text());
    assert_eq!(workspaces(&home), "0", "nothing is done before it is agreed to");
    pty.press("acme\r").wait_for("restored acme: 1 inserted").wait_for("receipt: ");
    assert_eq!(pty.gone(), 0);
    assert_eq!(workspaces(&home), "1");
    let reasons = home.value("select string_agg(distinct d.body::jsonb ->> 'reason', '; ') from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) where l.action = 'restore' and l.object = 'missing' and l.outcome = 'intent'");
    assert_eq!(reasons, REASON);
}

#[test]
fn what_is_not_agreed_to_is_not_done() {
    let (home, archive) = home_with_a_loss();
    let words = ["restore", word(&archive), "--yes", "--reason", REASON];
    let mut pty = home.on_terminal(&words);
    pty.wait_for("Type `acme`").press("yes\r").wait_for("does not match `acme`");
    assert_eq!(pty.gone(), 3);
    // Ctrl-C, and a terminal that gives no answer.
    let mut pty = home.on_terminal(&words);
    pty.wait_for("Type `acme`").press("\u{3}").wait_for("error: interrupted");
    assert_eq!(pty.gone(), 130);
    let mut pty = home.on_terminal(&words);
    pty.wait_for("Type `acme`").signal(Signal::TERM);
    assert_eq!(pty.gone(), 143);
    let mut pty = home.on_terminal(&words);
    pty.wait_for("Type `acme`").press("\u{4}").wait_for("`--confirm` is missing");
    assert_eq!(pty.gone(), 2);
    assert_eq!(workspaces(&home), "0");
    let open = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(home.value(open), "0");
}

#[test]
fn a_world_that_moved_after_the_plan_was_shown_is_refused() {
    let (home, archive) = home_with_a_loss();
    let mut pty = home.on_terminal(&["restore", word(&archive), "--reason", REASON]);
    pty.wait_for("Type `acme`");
    home.value("insert into app.workspaces (tenant_id, name, slug) select id, 'New', 'new' from app.tenants");
    pty.press("acme\r").wait_for("changed since the preview");
    assert_eq!(pty.gone(), 3);
    assert_eq!(workspaces(&home), "1", "the new one and no other");
}

#[test]
fn without_a_terminal_the_missing_flags_are_named_before_anything_is_begun() {
    let home = Home::with_acme();
    for (words, named) in [
        (&["restore", "x.tenant"][..], "`--confirm` and `--reason` are missing"),
        (&["restore", "x.tenant", "--yes", "--reason", REASON], "`--confirm` is missing"),
        (&["restore", "x.tenant", "--confirm", "acme"], "`--reason` is missing"),
        (&["operator", "remove", "ada"], "`--yes` is missing"),
        (&["operator", "level", "ada", "viewer"], "`--yes` is missing"),
        (&["demo", "--reset", "--no-console"], "`--yes` is missing"),
    ] {
        let error = home.refused(2, words);
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(named), "{words:?}: {message}");
    }
    assert!(!home.paths.data_dir.join("postmaster.pid").exists(), "no server was started");
}

#[test]
fn with_all_flags_the_plan_is_printed_before_it_is_carried_out() {
    let (home, archive) = home_with_a_loss();
    let wrong = ["restore", word(&archive), "--confirm", "acm", "--reason", REASON];
    assert!(home.refused(3, &wrong)["error"]["message"].as_str().unwrap().contains("`acm`"));
    let words = ["restore", word(&archive), "--confirm", "acme", "--reason", REASON];
    // Both streams into one: what was said first stands first.
    let mut pty = home.on_terminal(&words);
    pty.wait_for("restored acme: 1 inserted");
    let (plan, done) = (pty.text().find("app.workspaces"), pty.text().find("restored acme"));
    assert!(plan.is_some() && plan < done, "{}", pty.text());
    assert_eq!(pty.gone(), 0);
    assert_eq!(workspaces(&home), "1");
    // Without a terminal the plan is data and the rest narration; one run needs one session.
    lose(&home);
    let sessions = "select count(*) from tenantdesk.tenant_sessions where purpose = 'restore'";
    let before: u32 = home.value(sessions).parse().unwrap();
    let output = home.run(&words);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("app.workspaces"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("restored acme"), "{}", text(&output.stderr));
    assert_eq!(home.value(sessions).parse::<u32>().unwrap(), before + 1);
}

#[test]
fn a_slug_that_no_new_tenant_could_have_can_be_confirmed() {
    let (home, _) = home_with_a_loss();
    home.value("update app.tenants set slug = 'admin'");
    let archive = home.base().join("admin.tenant");
    home.answer(&["export", "admin", "-o", word(&archive)]);
    let words = ["restore", word(&archive), "--confirm", "admin", "--reason", REASON];
    assert_eq!(home.answer(&words)["verified"], true);
}

#[test]
fn an_operator_is_changed_and_removed_after_a_yes_only() {
    let home = Home::started();
    home.answer(&["operator", "add", "ada", "--level", "viewer"]);
    let level = "select level from tenantdesk.operators where name = 'ada'";
    let mut pty = home.on_terminal(&["operator", "level", "ada", "support"]);
    pty.wait_for("Give operator ada level support?").press("\r").wait_for("not confirmed");
    assert_eq!((pty.gone(), home.value(level)), (3, "viewer".to_owned()));
    let mut pty = home.on_terminal(&["operator", "level", "ada", "support"]);
    pty.wait_for("[y/N]").press("y\r").wait_for("operator ada has level support");
    assert_eq!((pty.gone(), home.value(level)), (0, "support".to_owned()));
    home.answer(&["operator", "remove", "ada", "--yes"]);
    let login = home.value("select count(*) from pg_roles where rolname = 'ada'");
    assert_eq!(login, "0");
}

#[test]
fn the_receipts_of_exports_and_restores_are_kept_and_named() {
    let (home, archive) = home_with_a_loss();
    let kept = |document: &Value| {
        let path = PathBuf::from(document["receipt_path"].as_str().unwrap());
        assert_eq!(path.parent().unwrap(), home.paths.receipts_dir);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(kept, document["receipt"], "what is kept is what was told");
        path
    };
    let words = ["restore", word(&archive), "--confirm", "acme", "--reason", REASON];
    let restored = kept(&home.answer(&words));
    let exports = [home.answer(&["export", "acme"]), home.answer(&["export", "acme", "-o", "x"])];
    let exported: Vec<PathBuf> = exports.iter().map(kept).collect();
    assert!(exported[0] != exported[1] && !exported.contains(&restored));
    let output = home.run(&["export", "acme", "-o", "y.tenant"]);
    assert_eq!(text(&output.stdout), "y.tenant\n");
    let said = text(&output.stderr);
    let path = said.lines().find_map(|line| line.strip_prefix("receipt: ")).unwrap();
    assert!(Path::new(path).exists(), "{said}");
    let places = home.answer(&["paths"]);
    assert_eq!(places["paths"]["receipts_dir"], word(&home.paths.receipts_dir));
}

#[test]
fn an_archive_goes_to_standard_output_whole_and_alone() {
    let (home, archive) = home_with_a_loss();
    let words = ["restore", word(&archive), "--confirm", "acme", "--reason", REASON];
    home.answer(&words);
    let before = std::fs::read_dir(&home.paths.archives_dir).unwrap().count();
    let output = home.run(&["export", "acme", "-o", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("exported"), "{}", text(&output.stderr));
    let piped = home.base().join("piped.tenant");
    std::fs::write(&piped, &output.stdout).unwrap();
    assert_eq!(home.answer(&["archive", "verify", word(&piped)])["ok"], true);
    // And back through a pipe.
    lose(&home);
    let mut command = home.command(&["restore", "-", "--confirm", "acme", "--reason", REASON]);
    let restored = command.stdin(std::fs::File::open(&piped).unwrap()).output().unwrap();
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored.stderr));
    assert_eq!(workspaces(&home), "1");
    assert_eq!(std::fs::read_dir(&home.paths.archives_dir).unwrap().count(), before);
    // Where it would be mixed with something else it is refused.
    let error = home.refused(2, &["export", "acme", "-o", "-"]);
    assert!(error["error"]["hints"][0].as_str().unwrap().contains("--json"), "{error}");
    let mut pty = home.on_terminal(&["export", "acme", "-o", "-"]);
    pty.wait_for("standard output is a terminal");
    assert_eq!(pty.gone(), 2);
    // A reader that leaves is no failure, and an archive that did not arrive is no export.
    let receipts = || std::fs::read_dir(&home.paths.receipts_dir).unwrap().count();
    let before = receipts();
    let mut command = home.command(&["export", "acme", "-o", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let left = child.wait_with_output().unwrap();
    assert_eq!(left.status.code(), Some(0));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = home.command(&["export", "acme", "-o", "-"]);
    let refused = command.stdout(full).output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    for output in [&left, &refused] {
        assert!(!text(&output.stderr).contains("exported"), "{}", text(&output.stderr));
    }
    assert_eq!(receipts(), before);
    let special = home.refused(3, &["export", "acme", "-o", "/dev/null", "--force"]);
    assert!(special.to_string().contains("a character device"), "{special}");
}
