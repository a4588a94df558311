//! How the console behaves: what it asks for, what it drops, what it asks before it acts.
//!
//! More than 400 lines: one list of sentences on one state, which read best beside each other.

use tenantdesk::failure::{Failure, Kind};
use tenantdesk::identity::{Level, Mode, TenantId};
use tenantdesk::tui::facts::{EndReason, PageFrom, TenantState};
use tenantdesk::tui::{Answer, Effect, Message, Opening, Start};

use crate::harness::terminal::fixtures::{Fixtures, open};
use crate::harness::terminal::{Console, noon};

const USUAL: (u16, u16) = (80, 24);
const READ: &str = "i<enter>ticket 4711: rows missing<enter>4711<enter><enter><enter>";

pub fn console() -> Console {
    Console::open(Start::default(), USUAL, Fixtures::default())
}

pub fn impersonating(mode: Mode) -> Console {
    let opening = Opening::Impersonation(Box::new(open(mode)));
    Console::open(Start { opening, ..Start::default() }, USUAL, Fixtures::default())
}

fn quits(console: &Console) -> bool {
    console.asked.contains(&Effect::Quit)
}

fn ends(console: &Console) -> Vec<EndReason> {
    let end = |effect: &Effect| match effect {
        Effect::EndSession { why, .. } => Some(*why),
        _ => None,
    };
    console.asked.iter().filter_map(end).collect()
}

#[test]
fn control_and_bidi_characters_are_shown_and_never_sent() {
    let mut console = console();
    for keys in ["", "jjj<enter>", "4", "1", READ, "<enter>", "j<enter>", "<esc>eselect 1;<enter>"]
    {
        let text = console.press(keys).text();
        let hidden =
            |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(Console::open(Start::default(), USUAL, Fixtures::default()).shows("␛[31mEvil<U+202E>"));
}

#[test]
fn the_first_frame_needs_no_answer() {
    let console = Console::open_holding(Start::default(), USUAL, Fixtures::default(), |_| true);
    assert!(console.shows("reading the tenants") && console.shows("connecting"));
}

#[test]
fn a_late_answer_is_dropped_and_stale_rows_stay_while_reading() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::ListTenants);
    console.press("<ctrl-r><ctrl-r>");
    assert!(console.shows("acme") && console.shows("reading"));
    let late = console.held.remove(0);
    console.answer(late.no, Ok(Answer::Tenants([].into_iter().collect())));
    assert!(console.shows("acme") && console.shows("reading"), "the late answer was taken");
    console.release();
    assert!(console.shows("acme") && !console.shows("reading"));
}

#[test]
fn an_answer_for_a_tenant_that_was_left_does_not_reach_the_next() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::ShowTenant(_));
    console.press("<enter>");
    let late = console.held.remove(0);
    console.press("<esc>j<enter>");
    let facts = Fixtures::default().tenants[0].clone();
    console.answer(late.no, Ok(Answer::Tenant(facts)));
    assert!(!console.shows("Acme Corporation"));
}

#[test]
fn a_session_that_opens_after_its_form_was_closed_is_ended_at_once() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::OpenSession(_));
    console.press(READ).press("<esc>");
    console.release();
    assert_eq!(ends(&console), [EndReason::Unwanted]);
    assert!(!console.shows("IMPERSONATING"));
}

#[test]
fn the_countdown_goes_down_and_warns_at_five_and_at_one_minute() {
    let mut console = impersonating(Mode::Read);
    assert!(console.shows("15m 00s left"));
    assert!(console.press("<wait:61>").shows("13m 59s left"));
    assert!(!console.shows("warning"));
    assert!(console.press("<wait:540>").shows("the impersonation ends in 4m 59s"));
    console.press("<wait:30>");
    assert!(!console.shows("warning"), "the warning was repeated");
    assert!(console.press("<wait:215>").shows("the impersonation ends in 54s"));
}

#[test]
fn expiry_ends_the_session_on_the_screen_and_forgets_what_was_read() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>");
    assert!(console.shows("Project 1"));
    console.press("<enter>").press("<wait:901>");
    assert_eq!(ends(&console), [EndReason::Expired]);
    assert!(console.shows("its time has expired"));
    assert!(!console.shows("IMPERSONATING") && !console.shows("Project 1"));
    console.press("<enter>");
    assert!(console.shows("THE IMPERSONATION IS OVER"), "a key typed on closed it");
    assert!(console.press("<wait:1><enter>gi").shows("no impersonation is open"));
}

#[test]
fn one_key_ends_it_from_everywhere_even_out_of_a_text() {
    for before in ["", "<enter>", "<enter><enter>", "eselect", "?", ":", "4", "<enter>/x"] {
        let mut console = impersonating(Mode::Write);
        console.press(before).press("<ctrl-x>");
        assert_eq!(ends(&console), [EndReason::Operator], "after `{before}`");
        assert!(!console.shows("IMPERSONATING"));
    }
}

#[test]
fn an_end_that_fails_is_said_and_can_be_tried_again() {
    let mut console = impersonating(Mode::Read);
    console.hold = |effect| matches!(effect, Effect::EndSession { .. });
    console.press("<ctrl-x>");
    assert!(console.shows("ending"));
    let request = console.held.remove(0);
    console.answer(request.no, Err(Failure::new(Kind::Server, "connection is gone")));
    assert!(console.shows("not ended: connection is gone") && console.shows("IMPERSONATING"));
    console.hold = |_| false;
    assert!(!console.press("<ctrl-x>").shows("IMPERSONATING"));
}

#[test]
fn an_end_that_fails_is_said_where_the_session_has_no_screen_any_more() {
    let fixtures = Fixtures { failing: vec!["EndSession"], ..Fixtures::default() };
    let opening = Opening::Impersonation(Box::new(open(Mode::Read)));
    let start = Start { opening, ..Start::default() };
    let mut console = Console::open(start, USUAL, fixtures.clone());
    console.press("<wait:901><wait:2><enter>");
    assert!(console.shows("a session could not be ended: EndSession failed"), "{}", console.text());
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    console.hold = |effect| matches!(effect, Effect::OpenSession(_));
    console.press(READ).press("<esc>");
    console.release();
    assert!(console.press("M").shows("a session could not be ended"), "{}", console.text());
}

#[test]
fn a_session_lost_in_the_database_is_gone_from_the_screen() {
    let mut console = impersonating(Mode::Read);
    let why = "ended by \u{1b}jonas".into();
    console.send(Message::SessionLost { session: 99, why });
    assert!(console.shows("IMPERSONATING"), "another session was lost");
    console.send(Message::SessionLost { session: 7, why: "ended by \u{1b}jonas".into() });
    assert!(!console.shows("IMPERSONATING") && console.shows("ended by ␛jonas"));
    assert_eq!(ends(&console), []);
}

#[test]
fn impersonations_are_never_nested() {
    let mut console = impersonating(Mode::Read);
    console.press("gti");
    assert!(console.shows("end the impersonation first"));
    assert_eq!(console.count(|effect| matches!(effect, Effect::OpenSession(_))), 0);
}

#[test]
fn leaving_the_screen_asks_with_no_in_focus() {
    let mut console = impersonating(Mode::Read);
    assert!(console.press("<esc>").shows("end the impersonation?"));
    console.press("<enter>");
    assert!(console.shows("IMPERSONATING") && ends(&console).is_empty());
    console.press("qy");
    assert_eq!(ends(&console), [EndReason::Operator]);
}

#[test]
fn q_backs_out_and_quits_at_the_first_screen_where_esc_does_nothing() {
    let mut console = console();
    console.press("<esc><esc>");
    assert!(!quits(&console));
    console.press("<enter>q");
    assert!(!quits(&console));
    console.press("q");
    assert!(quits(&console));
}

#[test]
fn esc_takes_the_filter_away_before_it_goes_back() {
    let mut console = console();
    console.press("/acm<enter>");
    assert!(!console.shows("beijing"));
    assert!(console.press("<esc>").shows("beijing"));
    console.press("/acm<esc>");
    assert!(console.shows("beijing"), "esc while typing gives the filter up");
}

#[test]
fn quitting_asks_while_impersonating_and_then_ends_the_session_first() {
    let mut console = impersonating(Mode::Read);
    console.hold = |effect| matches!(effect, Effect::EndSession { .. });
    assert!(console.press("<ctrl-q>").shows("quit?"));
    assert!(!quits(&console));
    console.press("y");
    assert_eq!(ends(&console), [EndReason::Quit]);
    assert!(!quits(&console), "it must wait for the end of the session");
    console.release();
    assert!(quits(&console));
}

#[test]
fn a_signal_ends_the_session_without_asking() {
    let mut console = impersonating(Mode::Read);
    console.send(Message::Terminate);
    assert_eq!(ends(&console), [EndReason::Quit]);
    assert!(quits(&console));
}

#[test]
fn a_text_takes_letters_before_any_command() {
    let mut console = impersonating(Mode::Read);
    console.press("eqx?:/gg<");
    assert!(console.shows("qx?:/gg<"));
    assert!(!quits(&console) && ends(&console).is_empty());
}

#[test]
fn pages_are_fetched_by_key_and_what_failed_leaves_the_rows() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>]");
    assert!(console.shows("page 2") && console.shows("Project 29"));
    console.press("[");
    let Some(Effect::FetchPage { ask, .. }) = console.asked.last() else { panic!("no page") };
    assert!(matches!(ask.from, PageFrom::Before(_)));
    console.hold = |effect| matches!(effect, Effect::FetchPage { .. });
    console.press("]");
    let request = console.held.remove(0);
    console.answer(request.no, Err(Failure::new(Kind::Server, "connection is gone")));
    assert!(console.shows("connection is gone"));
}

fn copied(console: &Console) -> Vec<String> {
    let copied = console.asked.iter().filter_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    copied.collect()
}

#[test]
fn a_value_that_the_page_cut_is_copied_whole_and_never_named_in_a_message() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>ly");
    assert_eq!(copied(&console), ["Project 1"], "a short value is copied as it is here");
    console.press("jy");
    assert_eq!(copied(&console)[1], "␛]0;owned␇ and the rest");
    assert!(console.shows("copied title: 23 characters"), "{}", console.text());
    console.press("<ctrl-x>M");
    assert!(console.shows("copied title") && !console.shows("Project"), "{}", console.text());
}

#[test]
fn values_of_a_record_are_picked_and_copied() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>jl<enter>y<tab>y<backtab><backtab>y");
    assert_eq!(copied(&console), ["␛]0;owned␇ and the rest", "", "2"]);
    assert!(console.shows("cut here: the value is longer"), "{}", console.text());
    // The row of a statement is whole and needs no question.
    let asked = console.count(|effect| matches!(effect, Effect::ShowRecord { .. }));
    console.press("<esc>eselect 1;<enter><tab><enter>").press("y");
    assert!(console.shows("row of the result"), "{}", console.text());
    assert_eq!(console.count(|effect| matches!(effect, Effect::ShowRecord { .. })), asked);
}

#[test]
fn a_page_of_rows_without_a_key_says_why_there_is_no_other() {
    let mut console = impersonating(Mode::Read);
    console.hold = |effect| matches!(effect, Effect::FetchPage { .. });
    console.press("<enter>");
    let request = console.held.remove(0);
    let Some(Ok(Answer::Page(mut page))) = Fixtures::default().answer(&request.effect) else {
        panic!("no page")
    };
    (page.keys, page.after, page.cut) = (Vec::new(), None, true);
    page.note = Some("no primary key: only the first page can be shown".into());
    console.answer(request.no, Ok(Answer::Page(page)));
    assert!(console.shows("no primary key: only the first"), "{}", console.text());
    assert!(console.shows("cut short"), "{}", console.text());
    console.press("]");
    assert!(!console.shows("this is the last page"), "{}", console.text());
    assert!(console.shows("Next page of rows: no primary key"), "{}", console.text());
    // A row without a key is shown as far as it is here, and says so.
    console.press("jl<enter>");
    assert!(console.shows("cut here: a row without a key"), "{}", console.text());
    console.press("<esc>y");
    assert!(console.shows("only its beginning is copied"), "{}", console.text());
}

#[test]
fn writing_is_asked_for_by_typing_the_slug() {
    let mut console = console();
    let start = "i<enter>ticket 4711: rows missing<enter><enter><right><enter><enter>";
    console.press(start);
    assert_eq!(console.count(|effect| matches!(effect, Effect::OpenSession(_))), 0);
    console.press("<paste:acme><enter>");
    assert_eq!(console.count(|effect| matches!(effect, Effect::OpenSession(_))), 0, "pasted");
    console.press("acme<enter>");
    assert!(console.shows("WRITE IMPERSONATING acme"));
}

#[test]
fn a_level_too_low_is_said_before_anything_is_asked() {
    let fixtures = Fixtures { level: Level::Viewer, ..Fixtures::default() };
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    assert!(console.press("i").shows("needs level support"));
    assert!(console.press("n").shows("needs level support"));
    assert_eq!(console.count(|effect| matches!(effect, Effect::ListMembers(_))), 0);
}

#[test]
fn a_refused_form_stays_open_and_says_why() {
    let fixtures = Fixtures { failing: vec!["Provision"], ..Fixtures::default() };
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    console.press("nNew Customer<enter><enter>boss@new.example<enter><enter>");
    assert!(console.shows("Provision failed") && console.shows("hint: try again"));
    assert!(console.shows("New Customer"));
}

#[test]
fn without_users_a_tenant_is_made_without_an_admin() {
    let fixtures = Fixtures { people: false, ..Fixtures::default() };
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    assert!(!console.press("nNew Customer").shows("admin e-mail"));
    console.press("<enter><enter><right><enter>");
    let asked = |effect: &Effect| matches!(effect, Effect::Provision(ask) if ask.admin_email.is_none() && ask.plan.is_some());
    assert_eq!(console.count(asked), 1, "{}", console.text());
    assert!(console.shows("the tenant is ready") && !console.shows("owner"));
    let mut usual = Console::open(Start::default(), USUAL, Fixtures::default());
    assert!(usual.press("nNew Customer").shows("admin e-mail"));
}

#[test]
fn without_a_connection_every_screen_says_why_until_it_is_tried_again() {
    let mut console =
        Console::open_holding(Start::default(), (80, 24), Fixtures::default(), |_| true);
    for request in std::mem::take(&mut console.held) {
        let failure = Failure::refused("the data are of another major version");
        console.answer(request.no, Err(failure.hint("use its programs")));
    }
    assert!(console.shows("─ not connected ─") && console.shows("hint: use its programs"));
    console.press("5");
    assert!(console.shows("─ not connected ─") && console.shows("ctrl-r tries again"));
    console.held.clear();
    console.press("q<ctrl-r>");
    assert_eq!(console.count(|effect| *effect == Effect::Greet), 2);
    while !console.held.is_empty() {
        console.release();
    }
    assert!(console.shows("Acme Corporation"), "{}", console.text());
    assert!(!console.shows("─ not connected ─"), "{}", console.text());
}

#[test]
fn an_emptied_slug_stays_empty_until_the_name_changes() {
    let mut console = console();
    console.press("nNew Tenant<tab>");
    assert!(console.shows("new-tenant"));
    console.press("<ctrl-u>");
    assert!(!console.shows("new-tenant"));
    console.press("<up>s");
    assert!(console.shows("new-tenants"));
}

#[test]
fn the_slug_follows_the_name_until_it_is_typed() {
    let mut console = console();
    assert!(console.press("nNew Customer").shows("new-customer"));
    assert!(console.press("<enter><ctrl-u>mine<backtab> Inc").shows("mine"));
    assert!(!console.shows("new-customer-inc"));
}

#[test]
fn a_value_of_any_length_can_be_pasted_into_a_form() {
    let mut console = console();
    for field in ["n", "<tab>", "<tab>"] {
        console.press(field);
        console.send(Message::Paste("x".repeat(66_000)));
    }
    for keys in ["<ctrl-s>", "<size:60x16>", "<tab>", "<tab>", "<tab>", "<tab>"] {
        assert!(console.press(keys).shows("create a tenant"), "{}", console.text());
    }
}

#[test]
fn nothing_wakes_the_console_while_it_is_idle() {
    let mut console = console();
    assert_eq!(console.state.wake_at(), None);
    console.press("y");
    assert!(console.state.wake_at().is_some(), "a notice goes away by itself");
    console.press("<wait:5>");
    assert_eq!(console.state.wake_at(), None);
    let live = impersonating(Mode::Read);
    assert_eq!(live.state.wake_at(), Some(noon() + chrono::TimeDelta::seconds(1)));
}

#[test]
fn keys_can_be_bound_anew_and_a_bad_one_is_only_reported() {
    let keys =
        [("usage".to_owned(), vec!["U".to_owned()]), ("help".to_owned(), vec!["!!".to_owned()])];
    let start = Start { keys: keys.into(), ..Start::default() };
    let mut console = Console::open(start, USUAL, Fixtures::default());
    assert!(console.shows("`!!` is no key"));
    assert!(console.press("U").shows("by how full"));
}

#[test]
fn no_screen_names_a_key_that_was_bound_anew() {
    let own = [
        ("impersonation end", "f12"),
        ("cancel", "f11"),
        ("sql run", "f10"),
        ("next page", ">"),
        ("record", "t"),
        ("restore apply", "A"),
        ("archive verify", "V"),
        ("next pane", "f9"),
        ("tenant create", "N"),
        ("copy", "Y"),
    ];
    let own = || own.map(|(words, key)| (words.to_owned(), vec![key.to_owned()])).into();
    let start = || Start { keys: own(), ..Start::default() };
    let gone = ["ctrl-x", "ctrl-c", "f5", "more: ]", "enter opens", "enter record", ": a carries"];
    let shows = |console: &Console| {
        let text = console.text();
        for key in gone.iter().chain(&[": v verifies", "(tab", ": n creates", "y copies"]) {
            assert!(!text.contains(key), "{key} in {text}");
        }
    };
    let mut console = Console::open(start(), USUAL, Fixtures::default());
    console.hold = |effect| matches!(effect, Effect::RunSql { .. } | Effect::VerifyAudit);
    for keys in
        ["<enter>X", "3<enter>", "<esc>R<enter>", "4v", "1", READ, "t", "t", "<esc>e", "s;<enter>"]
    {
        console.press(keys);
        shows(&console);
    }
    console.press("<wait:11>");
    assert!(console.shows("f11 cancels") && console.shows("f11 stops"), "{}", console.text());
    console.press("<size:40x10>");
    assert!(console.shows("f12 ends it"), "{}", console.text());
    shows(&console);
    let mut empty =
        Console::open(start(), USUAL, Fixtures { tenants: Vec::new(), ..Fixtures::default() });
    assert!(empty.press("").shows("no tenant yet: N creates one"), "{}", empty.text());
}

#[test]
fn a_hundred_thousand_tenants_are_filtered_sorted_and_kept_small() {
    let mut fixtures = Fixtures::default();
    let pattern = fixtures.tenants[1].clone();
    fixtures.tenants = (0..100_000)
        .map(|index| {
            let mut tenant = pattern.clone();
            tenant.id = TenantId::from_database(format!("id-{index}"));
            tenant.slug = format!("tenant-{index:06}").into();
            tenant.state = TenantState::Active;
            tenant
        })
        .collect();
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    assert!(console.press("G").shows("100,000/100,000") && console.shows("tenant-099999"));
    console.press("/tenant-09999");
    assert!(console.shows("1/10 of 100,000, filtered"), "{}", console.text());
    console.press("<backspace><enter>G");
    assert!(console.shows("100/100 of 100,000"), "{}", console.text());
    assert!(console.press("<esc>gg").shows("tenant-000000"));
}

#[test]
fn the_frame_names_mode_tenant_and_end_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 40)] {
        for (mode, word) in [(Mode::Read, "READ"), (Mode::Write, "WRITE")] {
            let opening = Opening::Impersonation(Box::new(open(mode)));
            let mut console =
                Console::open(Start { opening, ..Start::default() }, size, Fixtures::default());
            for keys in ["", "?", "<esc>:", "<esc>4", "m"] {
                let text = console.press(keys).text();
                let frame = text.lines().next().unwrap();
                for part in [word, "IMPERSONATING", "acme", "15m 00s", "ctrl-x ends"] {
                    assert!(frame.contains(part), "no `{part}` at {size:?}: {frame}");
                }
                assert!(text.contains("maria → ann@acme.example (owner)"), "{text}");
            }
        }
    }
}
