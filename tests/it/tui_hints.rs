//! What the console says one can do, and what it does when there is nothing to be done: no key is
//! silent, and nothing is offered that cannot be.

use tenantdesk::identity::{Level, Mode};
use tenantdesk::tui::facts::RestoreMode;
use tenantdesk::tui::{Answer, Effect, Opening, Start};

use crate::harness::terminal::Console;
use crate::harness::terminal::fixtures::{Fixtures, open};

const USUAL: (u16, u16) = (80, 24);

fn console() -> Console {
    Console::open(Start::default(), USUAL, Fixtures::default())
}

fn impersonating() -> Console {
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    Console::open(Start { opening, ..Start::default() }, USUAL, Fixtures::default())
}

/// The key bar, or what stands in its place.
fn last_line(console: &Console) -> String {
    let text = console.text();
    let lines: Vec<&str> = text.lines().collect();
    let framed = lines[0].contains("IMPERSONATING");
    lines[lines.len() - if framed { 2 } else { 1 }].to_owned()
}

fn copied(console: &Console) -> Option<&str> {
    console.asked.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    })
}

#[test]
fn keys_that_can_do_nothing_say_so_on_every_screen() {
    for (screen, keys) in [
        ("3", "s/<tab>"),
        ("4", "s<tab>y"),
        ("5", "s/<tab><enter>"),
        ("<enter>", "s/X"),
        ("3R<enter>", "s/<tab>y"),
    ] {
        for key in keys.split_inclusive(['s', '/', 'y', 'X', '>']) {
            let mut console = console();
            console.press(screen);
            let before = console.text();
            console.press(key);
            assert!(console.text() != before, "`{key}` after `{screen}` is silent:\n{before}");
            assert!(console.shows("warning:"), "{}", console.text());
        }
    }
}

#[test]
fn the_key_bar_offers_what_is_possible_and_only_that() {
    let mut console = impersonating();
    assert!(last_line(&console).contains("enter open") && !last_line(&console).contains("tab"));
    console.press("<enter>");
    for hint in ["enter record", "tab next pane", "/ filter", "f3 sql"] {
        assert!(last_line(&console).contains(hint), "no `{hint}` in {}", last_line(&console));
    }
    assert!(!last_line(&console).contains("f2"), "rows are browsed already");
    console.press("]");
    assert!(console.press("]").shows("this is the last page"), "{}", console.text());
    console.press("?");
    assert!(last_line(&console).contains("ctrl-x end the impersonation"));
    assert!(!last_line(&console).contains("filter"), "{}", last_line(&console));
    console.press("<esc>e");
    assert!(!last_line(&console).contains("pageup"), "nothing was run yet");
    console.press("select 1;<enter>").press("<ctrl-u>");
    assert!(console.press("<size:120x24>").shows("f4 history"), "{}", console.text());
}

#[test]
fn a_line_to_type_in_says_what_can_be_typed() {
    for (keys, hint) in [
        ("/", "a part of any column"),
        ("f", "a member's e-mail"),
        ("2/", "slug or plan"),
        ("4/", "operator:jo"),
    ] {
        let mut console = console();
        console.press(keys);
        assert!(last_line(&console).contains(hint), "{}", last_line(&console));
        console.press("x");
        assert!(!last_line(&console).contains(hint), "{}", last_line(&console));
    }
    let mut console = console();
    assert!(console.press("/growth").shows("tenants 1/3 of 6"), "{}", console.text());
    assert!(console.press("<esc>fnobody<enter>").shows("found by the database: nobody"));
    assert!(console.shows("the database finds no tenant by these words"), "{}", console.text());
}

#[test]
fn the_palette_shows_what_can_run_first() {
    let mut console = console();
    console.press(":");
    let text = console.text();
    assert!(!text.contains("(only at"), "{text}");
    // What is typed exactly wins all the same.
    assert!(console.press("sql run").text().contains("Run the statement (only at"));
}

#[test]
fn the_selected_member_is_proposed_and_others_are_found_by_typing() {
    let mut console = console();
    assert!(console.press("<enter>ji").shows("act as        ‹ bo@acme.example (viewer) ›"));
    console.press("ann");
    assert!(console.shows("‹ ann@acme.example (owner) ›"), "{}", console.text());
    assert!(console.shows("found by: ann"), "{}", console.text());
    // From the list of tenants nobody is selected.
    assert!(console.press("<esc>1i").shows("‹ ann@acme.example (owner) ›"));
}

#[test]
fn a_session_of_somebody_else_is_ended_by_an_approver_only() {
    for (level, said) in
        [(Level::Support, "only an approver"), (Level::Approver, "end this session?")]
    {
        let fixtures = Fixtures { level, ..Fixtures::default() };
        let mut console = Console::open(Start::default(), USUAL, fixtures);
        assert!(console.press("<enter><tab>X").shows(said), "{}", console.text());
    }
}

#[test]
fn a_member_has_a_card() {
    let mut console = console();
    console.press("<enter>j<enter>");
    assert!(console.shows("─ member ─") && console.shows("bo@acme.example"), "{}", console.text());
}

#[test]
fn paths_and_values_are_copied_where_they_stand() {
    let mut console = console();
    console.press("3y");
    assert_eq!(copied(&console), Some("/home/maria/archives/acme-20261120T090000Z.tenant"));
    console.press("5jjy");
    assert_eq!(copied(&console), Some("18.1"));
    console.press("4<enter>").press(&"<tab>".repeat(12)).press("y");
    assert_eq!(copied(&console), Some("019a9c1e-0000-7000-8000-00000000002a"), "a request");
}

#[test]
fn a_plan_with_nothing_to_do_says_so_and_can_be_made_again() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::PlanRestore { .. });
    console.press("3R");
    assert!(console.shows("adds the rows that are gone"), "{}", console.text());
    assert!(console.press("<right>").shows("makes the tenant what the archive holds"));
    console.press("<left><enter>");
    let request = console.held.remove(0);
    let Some(Ok(Answer::RestorePlan(mut plan))) = Fixtures::default().answer(&request.effect)
    else {
        panic!("no plan")
    };
    plan.relations.iter_mut().for_each(|relation| relation.missing = 0);
    console.answer(request.no, Ok(Answer::RestorePlan(plan)));
    assert!(console.shows("nothing to do: the tenant has every row"), "{}", console.text());
    console.press("a");
    assert!(console.shows("there is nothing to restore") && !console.shows("type acme"));
    console.press("<ctrl-r>");
    let again =
        |effect: &Effect| matches!(effect, Effect::PlanRestore { mode: RestoreMode::Missing, .. });
    assert_eq!(console.count(again), 2);
    let request = console.held.remove(0);
    let Some(Ok(Answer::RestorePlan(mut plan))) = Fixtures::default().answer(&request.effect)
    else {
        panic!("no plan")
    };
    plan.relations.rotate_left(1);
    console.answer(request.no, Ok(Answer::RestorePlan(plan)));
    let text = console.text();
    assert!(text.contains("would add 1 row") && text.contains("nothing is changed yet"), "{text}");
    // What would change stands above what would not.
    assert!(text.find("app.projects") < text.find("app.tasks"), "{text}");
}

#[test]
fn the_page_of_the_tenant_is_read_again_when_its_session_has_ended() {
    let mut console = console();
    console.press("<enter>i<enter>ticket 4711: rows missing<enter><enter><enter><enter>");
    assert!(console.shows("IMPERSONATING"));
    let listed = |effect: &Effect| matches!(effect, Effect::ListSessions(_));
    let before = console.count(listed);
    console.press("<ctrl-x>");
    assert!(console.shows("─ acme ─"), "{}", console.text());
    assert_eq!(console.count(listed), before + 1);
}

#[test]
fn a_single_page_is_all_there_is() {
    let fixtures = Fixtures { rows: 1, ..Fixtures::default() };
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    let mut console = Console::open(Start { opening, ..Start::default() }, USUAL, fixtures);
    console.hold = |effect| matches!(effect, Effect::FetchPage { .. });
    console.press("<enter>");
    let request = console.held.remove(0);
    let Some(Ok(Answer::Page(mut page))) =
        Fixtures { rows: 1, ..Fixtures::default() }.answer(&request.effect)
    else {
        panic!("no page")
    };
    page.after = None;
    console.answer(request.no, Ok(Answer::Page(page)));
    assert!(console.shows("page 1, 1 row, no more"), "{}", console.text());
}
