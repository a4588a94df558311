//! Operators are added, given another level, and removed: the forms of an admin, and what is asked before.

use secrecy::ExposeSecret as _;

use super::FormKind;
use crate::identity::{Level, OperatorName};
use crate::text::screen;
use crate::tui::act::Then;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{AddedFacts, OperatorAsk, OperatorFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::choice::Choice;
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::form::{self, Field, Form};
use crate::tui::widget::notice::Weight;

/// What a form about operators is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Add,
    Level,
    Remove,
}

/// What is done after the person agreed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Level(OperatorName, Level),
    Remove(OperatorName),
}

const NAME: usize = 0;
const LEVEL: usize = 1;
const SHARED: usize = 2;
const PROOF: usize = 3;

fn levels() -> Vec<String> {
    Level::ALL.iter().map(ToString::to_string).collect()
}

/// Opens a form; where one of the operators is meant, they are read.
pub(crate) fn open(state: &mut State, about: About) {
    let who = || Field::choice("operator", vec!["reading the operators".to_owned()]);
    let level = || Field::choice("level", levels());
    let (title, fields) = match about {
        About::Add => {
            let proof = ["as the server needs it", "a certificate, no password"].map(str::to_owned);
            let shared = ["one person", "several people"].map(str::to_owned);
            let name = Field::text("login", "a-z, 0-9, _ and -, starting with a letter");
            let shared = Field::choice("used by", shared.to_vec());
            let proof = Field::choice("logs in by", proof.to_vec());
            ("add an operator", vec![name, level(), shared, proof])
        }
        About::Level => ("change the level of an operator", vec![who(), level()]),
        About::Remove => ("remove an operator", vec![who()]),
    };
    if about != About::Add {
        state.ask(Slot::Operators, Effect::ListOperators);
    }
    let kind = FormKind::Operators { about, known: None };
    state.overlays.push(Overlay::Form(kind, Form::new(title, fields)));
}

/// The operators are known: one can be chosen.
pub(crate) fn known(state: &mut State, operators: Vec<OperatorFacts>) {
    let Some((FormKind::Operators { known, .. }, form)) = state.form() else { return };
    let names = operators.iter().map(|operator| operator.name.as_str().to_owned()).collect();
    form.fields[NAME].entry = form::Entry::Choice(Choice::new(names));
    hint(form, &operators);
    *known = Some(operators);
}

/// What the chosen one is now stands beside the name.
pub(crate) fn hint(form: &mut Form, operators: &[OperatorFacts]) {
    if let Some(operator) = operators.get(form.fields[NAME].index()) {
        let by = operator.added_by.screen();
        form.fields[NAME].hint = format!("{} now, added by {by}", operator.level);
    }
}

/// Checks, and sends or asks.
pub(crate) fn send(state: &mut State) {
    let Some((FormKind::Operators { about, known }, form)) = state.form() else { return };
    if *about == About::Add {
        return add(state);
    }
    let (about, chosen) = (*about, form.fields[NAME].index());
    let Some(known) = known else {
        form.fault = Some("the operators are still being read".to_owned());
        return;
    };
    let Some(operator) = known.get(chosen).cloned() else {
        form.fault = Some("there is no operator".to_owned());
        return;
    };
    let level = Level::ALL.get(form.fields.get(LEVEL).map_or(0, Field::index)).copied();
    let name = screen(operator.name.as_str());
    let confirm = match level.filter(|_| about == About::Level) {
        Some(level) if level == operator.level => {
            form.fault = Some(format!("{name} has level {level} already"));
            return;
        }
        Some(level) => {
            let text = format!(
                "{name} has level {} and gets {level}. Tenant sessions that are open end, and \
                 their connections are closed.",
                operator.level
            );
            let then = Then::Operator(Change::Level(operator.name, level));
            Confirm::yes_no("change the level?", text, then)
        }
        None => {
            let text = format!(
                "{name} is locked, their sessions end and their connections are closed. The login \
                 is dropped, unless another database of this server knows it."
            );
            Confirm::yes_no(
                "remove the operator?",
                text,
                Then::Operator(Change::Remove(operator.name)),
            )
        }
    };
    close(state);
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

fn add(state: &mut State) {
    let Some((_, form)) = state.form() else { return };
    let name = form.fields[NAME].value().trim().parse::<OperatorName>();
    form.fields[NAME].fault = name.as_ref().err().map(ToString::to_string);
    form.settle();
    let level = Level::ALL.get(form.fields[LEVEL].index()).copied();
    let (shared, certificate) = (form.fields[SHARED].index() > 0, form.fields[PROOF].index() > 0);
    if let (Ok(name), Some(level)) = (name, level) {
        form.busy = Some("adding the operator");
        let ask = OperatorAsk { name, level, shared, certificate };
        state.ask(Slot::AddOperator, Effect::AddOperator(ask));
    }
}

fn close(state: &mut State) {
    state
        .overlays
        .retain(|overlay| !matches!(overlay, Overlay::Form(FormKind::Operators { .. }, _)));
}

/// The person agreed.
pub(crate) fn agreed(state: &mut State, change: Change) {
    let effect = match change {
        Change::Level(name, level) => Effect::SetLevel { name, level },
        Change::Remove(name) => Effect::RemoveOperator(name),
    };
    state.ask(Slot::ChangeOperator, effect);
}

/// An operator was added: how they log in comes up once.
pub(crate) fn added(state: &mut State, added: &AddedFacts) {
    close(state);
    let mut entries = vec![
        Entry::new("operator", added.name.as_str()).role(Role::Title),
        Entry::new("level", added.level.to_string()),
        Entry::new("address", added.url.screen()),
    ];
    entries.push(match (&added.password, added.joined) {
        (Some(password), _) => Entry::new("password", password.expose_secret()).role(Role::Title),
        (None, true) => {
            let text = "unchanged: another database of this server has this operator too";
            Entry::new("password", text).role(Role::Dim)
        }
        (None, false) => Entry::new("password", "none is needed").role(Role::Dim),
    });
    let mut card = Card::new("the operator is added", entries);
    let foot =
        if added.password.is_some() { "shown only now   enter close" } else { "enter close" };
    foot.clone_into(&mut card.foot);
    state.overlays.push(Overlay::Card(card));
}

/// A level was changed.
pub(crate) fn changed(state: &mut State, name: &OperatorName, level: Level) {
    state.note(Weight::Note, format!("{} has level {level}", screen(name.as_str())));
}

/// Somebody was removed; the login may stay for another database.
pub(crate) fn removed(state: &mut State, name: &OperatorName, kept: bool) {
    let name = screen(name.as_str());
    let text = if kept {
        format!("{name} is removed here; another database of this server keeps the login")
    } else {
        format!("{name} is removed")
    };
    state.note(Weight::Note, text);
}
