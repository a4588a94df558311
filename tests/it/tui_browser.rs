//! The browser of the console: references followed and the way back, values whole, rows copied and
//! written to a file, earlier statements; and the frame that nothing hides.

use insta::assert_snapshot;
use tenantdesk::identity::Mode;
use tenantdesk::tui::facts::ExportOf;
use tenantdesk::tui::{Effect, Opening, Start};

use crate::harness::desk::Desk;
use crate::harness::terminal::Console;
use crate::harness::terminal::fixtures::{Fixtures, open};
use crate::harness::terminal::real::RealConsole;
use crate::tui_flows::impersonating;

fn copied(console: &Console) -> String {
    let copied = console.asked.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    copied.expect("something was copied")
}

fn sized(size: (u16, u16)) -> Console {
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    Console::open(Start { opening, ..Start::default() }, size, Fixtures::default())
}

#[test]
fn a_value_leads_to_its_record_and_esc_back_to_the_very_row() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>jjf");
    assert!(console.shows("app.projects › app.tasks"), "{}", console.text());
    assert!(console.shows("page 1, 1 row, no more, id = 1"), "{}", console.text());
    // Further on, and back step by step.
    console.press("f");
    assert!(console.shows("app.projects › app.tasks › app.tasks"), "{}", console.text());
    console.press("<esc><esc>");
    assert!(!console.shows("›  app") && console.shows("page 1, 25 rows"), "{}", console.text());
    console.press("y");
    assert_eq!(copied(&console), "3", "the cursor stands where it stood");
    // One more goes to the relations, as ever.
    console.press("<esc>");
    assert!(console.shows("enter open"), "{}", console.text());
}

#[test]
fn a_record_that_is_not_there_is_not_found_and_everything_stays() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>lf");
    assert!(console.shows("not found: the record of app.tasks that title names"));
    assert!(console.shows("page 1, 25 rows") && !console.shows("app.projects ›"));
    console.press("lf");
    assert!(console.shows("note is NULL: it points to nothing"), "{}", console.text());
    console.press("lf");
    assert!(console.shows("payload points to nothing that can be browsed"), "{}", console.text());
}

#[test]
fn children_are_listed_with_their_number_and_open_as_a_page() {
    for size in [(80, 24), (60, 16)] {
        let mut console = sized(size);
        console.press("<enter>r");
        assert_snapshot!(format!("links_{}x{}", size.0, size.1), console.text());
    }
    let mut console = impersonating(Mode::Read);
    console.press("<enter>rjjj<enter>");
    assert!(console.shows("app.projects › app.\"Odd name\""), "{}", console.text());
    assert!(console.shows("task_id = 1"), "{}", console.text());
    let counted = |effect: &Effect| matches!(effect, Effect::ShowLinks { counted: true, .. });
    assert_eq!(console.count(counted), 1, "one question for all counts");
}

#[test]
fn a_picked_value_of_a_record_is_followed_and_looked_at() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter><enter>v");
    assert!(console.shows("id, text"), "{}", console.text());
    console.press("<esc>f");
    assert!(console.shows("app.projects › app.tasks"), "{}", console.text());
}

#[test]
fn a_value_is_shown_whole_searched_and_copied_as_it_is() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>lllv");
    assert_snapshot!("viewer_json", console.text());
    console.press("y");
    assert_eq!(copied(&console), "{\"a\": 1}");
    // One that the page cut is asked for first.
    console.press("<esc>hhjv");
    assert!(console.shows("␛]0;owned␇ and the rest"), "{}", console.text());
    console.press("/REST<enter>");
    assert!(console.shows("found in 1: n next"), "{}", console.text());
    console.press("/nothing<enter>");
    assert!(console.shows("not found"), "{}", console.text());
    console.press("<esc>");
    assert!(!console.shows("not found") && console.shows("IMPERSONATING"));
}

#[test]
fn marked_rows_are_copied_as_a_table_and_as_json_and_never_named_in_a_message() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>Y");
    let table =
        "id\ttitle\tnote\tpayload\tcreated_at\n1\tProject 1\t\t{\"a\": 1}\t2026-11-01 08:00:00+00";
    assert_eq!(copied(&console), table);
    console.press("<space>j<space>");
    assert!(console.shows("2 marked") && console.shows("● "), "{}", console.text());
    console.press("J");
    let rows: serde_json::Value = serde_json::from_str(&copied(&console)).unwrap();
    assert_eq!((&rows[0]["id"], &rows[1]["title"]), (&"1".into(), &"line one\nline two".into()));
    assert_eq!(rows[0]["note"], serde_json::Value::Null);
    assert_eq!(rows.as_array().unwrap().len(), 2);
    console.press("Y");
    assert!(copied(&console).ends_with("line one␊line two\t\t{\"a\": 1}\t2026-11-01 08:00:00+00"));
    assert!(console.shows("copied 2 rows"), "{}", console.text());
    console.press("<ctrl-x>M");
    assert!(console.shows("copied 2 rows") && !console.shows("Project"), "{}", console.text());
}

#[test]
fn the_rows_on_screen_go_to_a_file_that_is_asked_for() {
    let asked = |console: &Console| {
        let ask = console.asked.iter().rev().find_map(|effect| match effect {
            Effect::ExportResult { ask, .. } => Some(ask.clone()),
            _ => None,
        });
        ask.expect("an export")
    };
    let mut console = impersonating(Mode::Read);
    assert!(console.press("w").shows("no rows on screen"), "{}", console.text());
    console.press("<enter>w");
    assert!(console.shows("projects-20261121-120000.csv"), "{}", console.text());
    console.press("<backspace><backspace><backspace>txt<enter>");
    assert!(console.shows("ends with .csv or .json"), "{}", console.text());
    console.press("<ctrl-u>/tmp/rows.json<enter>");
    let ask = asked(&console);
    assert!(matches!(&ask.of, ExportOf::Page(page) if page.relation == "app.projects"));
    assert_eq!((ask.rows.len(), ask.truncated), (25, true));
    assert!(console.shows("written: 25 rows to /tmp/rows.json; more is there"));
    console.press("eselect 1;<enter><tab>w<enter>");
    assert!(matches!(asked(&console).of, ExportOf::Statement(sql) if sql == "select 1;"));
    // A form of the session goes with it.
    console.press("w<ctrl-x>");
    assert!(!console.shows("write the rows on screen"), "{}", console.text());
}

#[test]
fn a_refused_file_keeps_the_form_and_says_why() {
    let fixtures = Fixtures { failing: vec!["ExportResult"], ..Fixtures::default() };
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    let mut console = Console::open(Start { opening, ..Start::default() }, (80, 24), fixtures);
    console.press("<enter>w<enter>");
    assert!(console.shows("ExportResult failed") && console.shows("write the rows on screen"));
}

#[test]
fn earlier_statements_are_found_by_a_part_and_go_with_the_session() {
    let history = vec!["select ? from t".to_owned(), "table tasks;".to_owned()];
    let fixtures = Fixtures { history, ..Fixtures::default() };
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    let start = || Start { opening: opening.clone(), ..Start::default() };
    let mut fresh = Console::open(start(), (80, 24), Fixtures::default());
    assert!(fresh.press("<f4>").shows("no statement was run yet"), "{}", fresh.text());
    let mut console = Console::open(start(), (80, 24), fixtures);
    for sql in ["select 1;", "select name from projects;", "table tasks;"] {
        console.press("e<ctrl-u>").press(&format!("<paste:{sql}>")).press("<enter>");
    }
    console.press("<ctrl-r>");
    assert_snapshot!("history", console.text());
    console.press("NAME sel<enter>");
    assert!(console.shows("│select name from projects;"), "{}", console.text());
    assert!(!console.shows("earlier statements"));
    console.press("<ctrl-x>").press("iticket 4711: again<enter>");
    assert!(!console.shows("select name"));
}

#[test]
fn nothing_that_lies_over_the_screen_hides_who_acts_where_and_until_when() {
    let overlays = ["?", ":", "M", "<enter>", "<enter>r", "<enter>v", "<enter>w", "<enter>/x", "q"];
    for size in [(60, 16), (80, 24), (120, 40)] {
        for keys in overlays.into_iter().chain(["eselect 1;<enter><f4>", "<enter>c<wait:601>", "6"])
        {
            let mut console = sized(size);
            let text = console.press("<enter>").press(keys).text();
            let lines: Vec<&str> = text.lines().collect();
            for part in ["READ", "IMPERSONATING acme", "ctrl-x ends"] {
                assert!(lines[0].contains(part), "no `{part}` after {keys} at {size:?}:\n{text}");
            }
            assert!(lines[0].contains("0s") || lines[0].contains("m "), "{text}");
            assert!(lines[1].contains("maria → ann@acme.example (owner)"), "{keys}:\n{text}");
            let framed = |line: &&str| line.starts_with('║') && line.ends_with('║');
            let sides = &lines[1..lines.len() - 1];
            assert!(sides.iter().all(framed), "{keys} at {size:?}:\n{text}");
        }
    }
}

#[tokio::test]
async fn shapes_are_found_in_the_next_session_and_values_are_not() {
    let desk = Desk::product();
    let mut console = RealConsole::open(desk.endpoint(&desk.operator("support")));
    let act = async |console: &mut RealConsole| {
        console.press("i").wait_for("act as        ‹ user").await;
        console.press("<enter>ticket 4711: rows missing<enter>4711<ctrl-s>");
        console.wait_for("READ ONLY IMPERSONATING acme").await;
    };
    console.wait_for("tenants 1/3").await;
    act(&mut console).await;
    console.press("eselect 'CANARY' as word;<enter>").wait_for("1 row,").await;
    console.press("<ctrl-x>").wait_for("the impersonation is ended").await;
    act(&mut console).await;
    console.press("<f4>").wait_for("select ? as word;").await;
    assert!(console.shows("earlier") && !console.shows("CANARY"), "{}", console.text());
    console.press("<enter>");
    assert!(console.shows("│select ? as word;"), "{}", console.text());
}

#[tokio::test]
async fn the_configuration_says_that_no_history_is_kept() {
    let desk = Desk::product();
    let endpoint = desk.endpoint(&desk.operator("support"));
    let mut console = RealConsole::configured(endpoint, "[console]\nhistory = false\n");
    console.wait_for("tenants 1/3").await;
    console.press("i").wait_for("act as        ‹ user").await;
    console.press("<enter>ticket 4711: rows missing<enter>4711<ctrl-s>");
    console.wait_for("READ ONLY IMPERSONATING acme").await;
    console.press("eselect 1 as one;<enter>").wait_for("1 row,").await;
    assert!(!console.home().join("history").exists());
}
