//! Operators in the console: forms of an admin, and what a lower level sees instead.

use tenantdesk::command::COMMANDS;
use tenantdesk::identity::Level;
use tenantdesk::tui::{Effect, Start};

use crate::harness::terminal::{Console, Fixtures, screen};

const USUAL: (u16, u16) = (80, 24);

fn console(fixtures: Fixtures) -> Console {
    Console::open(Start::default(), USUAL, fixtures)
}

fn check(name: &str, keys: &str) {
    for (size, label) in [((60, 16), "60x16"), (USUAL, "80x24")] {
        insta::assert_snapshot!(format!("{name}_{label}"), screen(keys, size, Fixtures::default()));
    }
}

#[test]
fn the_forms_and_what_is_asked_before() {
    check("operator_add", ":operator add<enter>Ada<ctrl-s>");
    check("operator_added", ":operator add<enter>ada<enter><right><ctrl-s>");
    check("operator_level", ":operator level<enter><right>");
    check("operator_remove", ":operator remove<enter><right><enter>");
}

#[test]
fn an_operator_is_added_with_a_password_that_is_shown_once() {
    let mut console = console(Fixtures::default());
    console.press(":operator add<enter>ada<enter><right><right><enter><right><enter><enter>");
    let asked = console.asked.iter().find_map(|effect| match effect {
        Effect::AddOperator(ask) => Some(ask.clone()),
        _ => None,
    });
    let asked = asked.unwrap_or_else(|| panic!("nothing was asked:\n{}", console.text()));
    assert_eq!((asked.name.as_str(), asked.level), ("ada", Level::Approver));
    assert!(asked.shared && !asked.certificate);
    assert!(console.shows("correct-horse-battery") && console.shows("shown only now"));
    console.press("<enter>");
    assert!(!console.shows("correct-horse"), "{}", console.text());
}

#[test]
fn a_level_is_changed_and_somebody_removed_only_after_a_yes() {
    let is_change =
        |effect: &Effect| matches!(effect, Effect::SetLevel { .. } | Effect::RemoveOperator(_));
    let mut console = console(Fixtures::default());
    console.press(":operator level<enter><right><enter><right><right><enter>");
    assert!(console.shows("change the level?") && console.shows("desk has level support"));
    console.press("<enter>");
    assert_eq!(console.count(is_change), 0, "enter on a fresh question means no");
    console.press(":operator level<enter><right><enter><right><right><enter>y");
    assert!(console.shows("desk has level approver"), "{}", console.text());
    console.press(":operator level<enter><right><enter><right><enter>");
    assert!(console.shows("has level support already"), "{}", console.text());
    console.press("<esc>:operator remove<enter>desk<enter>");
    assert!(console.shows("remove the operator?"), "{}", console.text());
    assert_eq!(console.count(is_change), 1);
    console.press("y");
    assert!(console.shows("another database of this server"), "{}", console.text());
    assert_eq!(console.count(is_change), 2);
}

#[test]
fn what_is_refused_stays_in_the_form() {
    let mut console = console(Fixtures { failing: vec!["AddOperator"], ..Fixtures::default() });
    console.press(":operator add<enter>ada<ctrl-s>");
    assert!(console.shows("AddOperator failed") && console.shows("ada"), "{}", console.text());
}

#[test]
fn every_command_above_ones_level_is_dim_and_says_why() {
    let above = |level: Level| {
        COMMANDS
            .iter()
            .filter(move |c| c.in_console() && c.level.is_some_and(|least| least > level))
    };
    let fixtures = Fixtures { level: Level::Viewer, ..Fixtures::default() };
    assert!(above(Level::Viewer).count() > 15);
    for command in above(Level::Viewer) {
        let least = command.level.unwrap();
        let reason = format!("needs level {least}, yours is viewer");
        let mut console = Console::open(Start::default(), (160, 40), fixtures.clone());
        console.press(&format!(":{}", command.words));
        let text = console.text();
        let told = text.lines().any(|line| line.contains(command.words) && line.contains(&reason));
        assert!(told, "{}: {text}", command.words);
        // An admin sees another reason there, or none.
        let mut console = Console::open(Start::default(), (160, 40), Fixtures::default());
        console.press(&format!(":{}", command.words));
        assert!(!console.text().contains("needs level"), "{}", command.words);
    }
    let mut console = Console::open(Start::default(), (160, 200), fixtures.clone());
    console.press("?");
    for command in above(Level::Viewer) {
        let text = console.text();
        let mut lines = text.lines().skip_while(|line| !line.contains(command.title));
        let told: String = lines.by_ref().take(2).collect();
        assert!(told.contains("needs level"), "{}", command.words);
    }
    let mut console = Console::open(Start::default(), USUAL, fixtures);
    console.press(":operator add<enter>");
    assert!(console.shows("needs level admin, yours is viewer"), "{}", console.text());
}
