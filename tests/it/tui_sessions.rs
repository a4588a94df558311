//! The sessions of everybody: who is where, until when, and the end of one of them.

use insta::assert_snapshot;
use tenantdesk::identity::{Level, Mode};
use tenantdesk::tui::{Effect, Opening, Start};

use crate::harness::terminal::fixtures::{Fixtures, open};
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
