//! The console goes from one database to another: the list, what is asked, what stays until the
//! other one has answered, what is ended, and how a production place looks.

use tenantdesk::config::ThemeName;
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::tui::facts::{EndReason, PlaceFacts};
use tenantdesk::tui::theme::Themes;
use tenantdesk::tui::{Colours, Effect, Start};

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;
use crate::harness::terminal::real::RealConsole;
use crate::harness::terminal::{Console, Fixtures, screen, styled};

const SIZES: [((u16, u16), &str); 2] = [((60, 16), "60x16"), ((80, 24), "80x24")];
/// Starts an impersonation of `acme` to read.
const READ: &str = "i<enter>ticket 4711: rows missing<enter>4711<enter><enter><enter>";

fn at(theme: Option<ThemeName>, colours: Colours) -> Start {
    let place = PlaceFacts { name: Some("embedded".to_owned()), theme };
    Start { place, themes: Themes { colours, usual: None }, ..Start::default() }
}

fn opened(hold: fn(&Effect) -> bool) -> Console {
    let start = at(None, Colours::Configured);
    Console::open_holding(start, (80, 24), Fixtures::default(), hold)
}

fn switches(effect: &Effect) -> bool {
    matches!(effect, Effect::Switch(_))
}

#[test]
fn the_databases_are_listed_and_a_secret_is_asked_for_unseen() {
    for (size, label) in SIZES {
        let list = screen(":profile<enter>", size, Fixtures::default());
        insta::assert_snapshot!(format!("profiles_{label}"), list);
        let asked = screen("gpjj<enter>secret word", size, Fixtures::default());
        assert!(!asked.contains("secret word"), "{asked}");
        insta::assert_snapshot!(format!("profiles_secret_{label}"), asked);
    }
}

#[test]
fn a_production_place_is_loud_with_colours_and_without() {
    let mut console = opened(|_| false);
    console.press("gpj<enter>");
    assert!(console.shows("eu-production"), "{}", console.text());
    insta::assert_snapshot!("profiles_production", styled(&console.buffer()));
    let start = at(Some(ThemeName::Production), Colours::Never);
    let mut plain = Console::open(start, (80, 24), Fixtures::default());
    let header = plain.press("").text().lines().next().unwrap().to_owned();
    assert!(header.contains("▲ embedded · maria (admin)"), "{header}");
    insta::assert_snapshot!("profiles_production_plain", styled(&plain.buffer()));
}

#[test]
fn the_old_screen_stays_until_the_other_database_has_answered() {
    let mut console = opened(switches);
    console.press("2gpj<enter>");
    assert!(
        console.shows("going to eu-production") && console.shows("usage"),
        "{}",
        console.text()
    );
    assert!(console.shows("acme"), "what was read stays: {}", console.text());
    // What would be begun here would be ended by the arrival there.
    console.press("1i");
    assert!(console.shows("the way to another database"), "{}", console.text());
    let greeted = console.count(|effect| matches!(effect, Effect::Greet));
    console.release();
    assert!(console.shows("this is eu-production now"), "{}", console.text());
    assert!(!console.shows("going to"), "{}", console.text());
    assert_eq!(console.count(|effect| matches!(effect, Effect::Greet)), greeted + 1);
}

#[test]
fn a_database_that_does_not_answer_changes_nothing() {
    let mut console = opened(switches);
    console.press("2gpj<enter>");
    let request = console.held.remove(0);
    let refused = Failure::new(Kind::Server, "cannot connect to db.eu.example.com");
    console.answer(request.no, Err(refused));
    assert!(console.shows("cannot connect to db.eu.example.com"), "{}", console.text());
    assert!(console.shows("usage") && console.shows("maria (admin)"), "{}", console.text());
    // It can be stopped, too, like all that takes long.
    console.press("<ctrl-l>gpj<enter><ctrl-c>y");
    assert_eq!(console.count(|effect| matches!(effect, Effect::Cancel(_))), 1);
}

#[test]
fn a_secret_that_does_not_open_is_asked_for_again() {
    let mut console = opened(switches);
    console.press("gpjj<enter><enter>");
    assert!(console.shows("nothing was typed") && console.held.is_empty(), "{}", console.text());
    console.press("wrong<enter>");
    let request = console.held.remove(0);
    let Effect::Switch(ask) = &request.effect else { panic!("{request:?}") };
    assert_eq!(ask.name, "eu-staging");
    assert!(ask.typed.is_some() && !format!("{request:?}").contains("wrong"), "{request:?}");
    console.answer(request.no, Err(Failure::new(Kind::Server, "the password is not accepted")));
    assert!(console.shows("the password is not accepted"), "{}", console.text());
    console.press("<ctrl-u>right<enter>");
    console.release();
    assert!(console.shows("this is eu-staging now"), "{}", console.text());
}

#[test]
fn an_impersonation_is_ended_first_and_not_without_asking() {
    let mut console = opened(switches);
    console.press(READ);
    assert!(console.shows("IMPERSONATING"), "{}", console.text());
    console.press("gpj<enter>");
    assert!(console.shows("Going elsewhere ends the impersonation"), "{}", console.text());
    console.press("<esc>");
    assert!(console.shows("IMPERSONATING") && console.held.is_empty(), "{}", console.text());
    console.press("gpj<enter>y");
    let ended = |effect: &Effect| matches!(effect, Effect::EndSession { why: EndReason::Quit, .. });
    assert_eq!(console.count(ended), 1);
    let place = |like: fn(&Effect) -> bool| console.asked.iter().position(like).unwrap();
    assert!(place(|effect| matches!(effect, Effect::EndSession { .. })) < place(switches));
    assert!(!console.shows("IMPERSONATING"), "{}", console.text());
    console.release();
    assert!(console.shows("this is eu-production now"), "{}", console.text());
}

#[test]
fn where_one_is_already_nothing_happens() {
    let mut console = opened(switches);
    console.press("gp<enter>");
    assert!(console.shows("this is embedded already") && console.held.is_empty());
}

#[tokio::test]
async fn the_runner_goes_to_another_database_and_ends_what_was_open() {
    let (here, there) = (Desk::product(), Desk::starter());
    let (operator, other) = (here.operator("support"), there.operator("viewer"));
    let configuration = format!(
        "[profiles.gone]\nurl = \"postgresql:///app?host=/nowhere&user=ada\"\n\
         [profiles.there]\nurl = \"{}\"\ntheme = \"production\"\n",
        there.endpoint(&other).url()
    );
    let mut console = RealConsole::configured(here.endpoint(&operator), &configuration);
    console.wait_for("tenants 1/3").await;
    console.press("i").wait_for("act as        ‹ user").await;
    console.press("<enter>ticket 4711: rows missing<enter>4711<enter><enter><enter>");
    console.wait_for("READ ONLY IMPERSONATING acme").await;
    // One that is not there: the impersonation is over, everything else is as it was.
    console.press("gp").wait_for("databases 1/3").await;
    console.press("j<enter>").wait_for("go to gone?").await;
    console.press("y").wait_for("cannot connect").await;
    console.wait_gone("IMPERSONATING").await;
    assert!(console.shows("acme") && console.shows(&operator), "{}", console.text());
    let open = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    console.wait_for("the impersonation is ended").await;
    assert_eq!(here.rows(SUPERUSER, open), "0");
    console.press("gp").wait_for("databases 1/3").await;
    console.press("jj<enter>").wait_for("this is there now").await;
    console.wait_for(&format!("{other} (viewer)")).await;
    console.wait_gone("acme").await;
    // The connections of the old place are closed while the console goes on.
    let connected = format!(
        "select count(*) from pg_stat_activity where usename = '{operator}' and datname = '{}'",
        here.database
    );
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while here.rows(SUPERUSER, &connected) != "0" {
        assert!(std::time::Instant::now() < deadline, "the old place is still held");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
