//! Lists that need no screen, as cards; another limit for one tenant, as a form.

use tenantdesk::identity::Level;
use tenantdesk::tui::{Effect, Start};

use crate::harness::terminal::{Console, Fixtures, screen};

const USUAL: (u16, u16) = (80, 24);

fn check(name: &str, keys: &str) {
    for (size, label) in [((60, 16), "60x16"), (USUAL, "80x24")] {
        insta::assert_snapshot!(format!("{name}_{label}"), screen(keys, size, Fixtures::default()));
    }
}

#[test]
fn the_palette_shows_lists_on_cards() {
    check("card_tables", ":tables list<enter>");
    check("card_operators", ":operator list<enter>");
    check("card_plans", ":plan list<enter>");
}

#[test]
fn the_plan_of_the_selected_tenant_is_shown() {
    let mut console = Console::open(Start::default(), USUAL, Fixtures::default());
    for (keys, plan) in
        [("", "enterprise"), ("j", "growth"), ("2", "growth"), ("1<enter>", "growth")]
    {
        console.press(keys).press(":plan show<enter>");
        assert_eq!(console.asked.last(), Some(&Effect::ShowPlan(plan.to_owned())), "{keys}");
        assert!(console.shows(&format!("{plan}: A ␛plan")), "{}", console.text());
        console.press("<esc>");
    }
    console.press("5:plan show<enter>");
    assert!(console.shows("select a tenant that has a"), "{}", console.text());
}

#[test]
fn another_limit_is_set_by_a_form_that_says_what_is_used() {
    check("limit_form", "oshort<enter>");
    let mut console = Console::open(Start::default(), USUAL, Fixtures::default());
    console.press("o").press("<right><right>");
    assert!(console.shows("48 MiB used; the limit is 1.0 GiB, by plan"), "{}", console.text());
    console.press("<enter>many<enter>yesterday<enter>short<enter>");
    for part in ["`many` is no amount", "`yesterday` is no date"] {
        assert!(console.shows(part), "no {part} in {}", console.text());
    }
    assert_eq!(console.count(|effect| matches!(effect, Effect::OverrideLimit(_))), 0);
    console.press("<ctrl-u>20 GiB<enter><ctrl-u>2026-11-20<enter>er than it should be<enter>");
    assert!(console.shows("that is over already"), "{}", console.text());
    console.press("<ctrl-u>2027-01-31<ctrl-s>");
    let asked = console.asked.iter().find_map(|effect| match effect {
        Effect::OverrideLimit(ask) => Some(ask.clone()),
        _ => None,
    });
    let asked = asked.unwrap_or_else(|| panic!("nothing was set:\n{}", console.text()));
    assert_eq!((asked.metric.as_str(), asked.hard), ("storage", 20 << 30));
    assert_eq!(asked.until.to_rfc3339(), "2027-02-01T00:00:00+00:00");
    assert_eq!(asked.reason.as_str(), "shorter than it should be");
    assert!(console.shows("acme may have"), "{}", console.text());
}

#[test]
fn a_limit_that_is_refused_stays_in_the_form_and_only_an_admin_gets_it() {
    let fixtures = Fixtures { failing: vec!["OverrideLimit"], ..Fixtures::default() };
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    console.press("2o<enter>5<enter>30d<enter>because they asked<enter>");
    assert!(console.shows("OverrideLimit failed") && console.shows("because they asked"));
    let fixtures = Fixtures { level: Level::Approver, ..Fixtures::default() };
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    assert!(console.press("o").shows("yours is approver"), "{}", console.text());
}
