//! The shipped binary in a pseudo-terminal: a foreign key is followed on a real server, the rows go
//! to a file, and the ledger has both.

use crate::harness::binary::text;
use crate::harness::home::Home;

const ENTER: &str = "\r";
const CTRL_S: &str = "\u{13}";
const CTRL_U: &str = "\u{15}";
const CTRL_X: &str = "\u{18}";
const CTRL_Q: &str = "\u{11}";

#[test]
fn a_foreign_key_is_followed_and_what_is_on_screen_goes_to_a_file() {
    let home = Home::started();
    let mut pty = home.on_terminal(&[]);
    // The list and the level are two answers, in any order.
    pty.wait_for("tenants 1/1").wait_for("(admin)");
    pty.press("i").wait_for("ann@acme.test");
    pty.press(ENTER).press("ticket 4711: rows missing").press(CTRL_S);
    pty.wait_for("READ ONLY IMPERSONATING acme").wait_for("│workspaces ");
    pty.press("jjjj").press(ENTER).wait_for("[tenant_id]");
    pty.press("f").wait_for("› app.tenants").wait_for("page 1, 1 row");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tenant.csv");
    pty.press("w").wait_for("write the rows on screen");
    pty.press(CTRL_U).press(file.to_str().unwrap()).press(ENTER).wait_for("written: 1 row");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("\"id\","));
    pty.press("\u{1b}").wait_for("[tenant_id]");
    pty.press(CTRL_X).wait_for("the impersonation is ended").wait_gone("IMPERSONATING");
    pty.press(CTRL_Q);
    assert_eq!(pty.gone(), 0);
    let events = home.run(&["audit", "list", "--action", "result.export", "--json"]);
    let events = text(&events.stdout);
    assert_eq!(events.matches("\"action\":\"result.export\"").count(), 2, "{events}");
}
