//! The sessions of everybody: who is where, until when, and the end of one of them.

use insta::assert_snapshot;
use tenantdesk::identity::{Level, Mode};
use tenantdesk::tui::{Effect, Opening, Start};

use crate::harness::desk::Desk;
use crate::harness::terminal::fixtures::{Fixtures, open};
use crate::harness::terminal::real::RealConsole;
use crate::harness::terminal::{Console, screen};

fn console(level: Level) -> Console {
    let mut console =
        Console::open(Start::default(), (80, 24), Fixtures { level, ..Fixtures::default() });
    console.press("6");
    console
}

fn ended(console: &Console) -> usize {
    console.count(|effect| matches!(effect, Effect::EndOther(_)))
}

#[test]
fn sessions_are_listed_running_ones_on_top_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 40)] {
        let name = format!("sessions_{}x{}", size.0, size.1);
        assert_snapshot!(name, screen("6", size, Fixtures::default()));
    }
    let ascii = Start { ascii: true, ..Start::default() };
    let mut console = Console::open(ascii, (80, 24), Fixtures::default());
    let text = console.press("6").text();
    assert!(text.is_ascii() || !text.contains(['▲', '●', '↑']), "{text}");
}

#[test]
fn the_selected_session_is_ended_after_a_question() {
    let mut console = console(Level::Approver);
    console.press("X");
    assert!(console.shows("end this session?") && ended(&console) == 0, "{}", console.text());
    console.press("<enter>");
    assert_eq!(ended(&console), 0, "enter on a fresh question means no");
    let listed = console.count(|effect| matches!(effect, Effect::ListAllSessions));
    console.press("Xy");
    assert_eq!(ended(&console), 1);
    let again = console.count(|effect| matches!(effect, Effect::ListAllSessions));
    assert_eq!(again, listed + 1, "the list is read again");
}

#[test]
fn who_may_not_end_it_is_told_why() {
    let mut other = console(Level::Support);
    other.press("X");
    assert!(other.shows("only an approver ends the session of somebody else"), "{}", other.text());
    let mut over = console(Level::Admin);
    over.press("GX");
    assert!(over.shows("select a running session first"), "{}", over.text());
    assert_eq!(ended(&other) + ended(&over), 0);
}

#[test]
fn the_list_is_read_again_while_it_is_on_screen_and_never_otherwise() {
    let mut console = console(Level::Admin);
    let lists = |console: &Console| console.count(|e| matches!(e, Effect::ListAllSessions));
    assert_eq!(lists(&console), 1);
    console.press("<wait:2>");
    assert_eq!(lists(&console), 1);
    console.press("<wait:4>");
    assert_eq!(lists(&console), 2);
    console.press("1<wait:60>");
    assert_eq!(lists(&console), 2);
    assert_eq!(console.state.wake_at(), None, "nothing wakes it elsewhere");
}

#[test]
fn a_filter_finds_a_session_and_enter_shows_all_of_it() {
    let mut console = console(Level::Admin);
    console.press("/jonas<enter>");
    assert!(console.shows("1 running, filtered"), "{}", console.text());
    console.press("<enter>");
    assert!(console.shows("session 6") && console.shows("reason"), "{}", console.text());
    console.press("<esc><esc>");
    assert!(!console.shows("filtered"), "{}", console.text());
}

#[test]
fn the_frame_of_ones_own_impersonation_stays_around_the_list() {
    let opening = Opening::Impersonation(Box::new(open(Mode::Write)));
    let mut console =
        Console::open(Start { opening, ..Start::default() }, (80, 24), Fixtures::default());
    console.press("6");
    assert!(console.shows("WRITE IMPERSONATING acme") && console.shows("sessions 1/"));
}

#[tokio::test]
async fn a_session_is_ended_from_another_console_in_the_middle_of_a_query() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    let mut inside = RealConsole::open(desk.endpoint(&operator));
    inside.wait_for("tenants 1/3").await;
    inside.press("i").wait_for("act as        ‹ user").await;
    inside.press("<enter>ticket 4711: rows missing<enter>4711<ctrl-s>");
    inside.wait_for("READ ONLY IMPERSONATING acme").await;
    inside
        .press("eselect count(*) from generate_series(1, 100000000000) n where n % 7 = 9;<enter>");
    inside.wait_for("running").await;
    let mut outside = RealConsole::open(desk.endpoint(&desk.operator("approver")));
    outside.wait_for("tenants 1/3").await;
    // What is on screen goes on elsewhere: it is read again until the query is seen.
    outside.press("6").wait_for("RUNNING: select count(*) from generate_series(?, ?)").await;
    outside.wait_for("active").await;
    outside.press("X").wait_for("end this session?").await;
    outside.press("y").wait_for("the session is ended").await;
    outside.wait_for("0 running").await;
    inside.wait_for("THE IMPERSONATION IS OVER").await;
}
