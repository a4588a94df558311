//! Earlier statements, found by a part of them, as Ctrl-R does in a shell.
//!
//! Those of this session are as they were typed, values and all: they live in memory and die with
//! it. Of earlier sessions only shapes are known, with `?` in the place of each value.

use crate::impersonation::Shape;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pick::{Line, Pick};

use super::Tab;

/// Asks for what was run in earlier sessions.
pub(super) fn show(state: &mut State) {
    state.ask(Slot::History, Effect::ListHistory);
}

/// It is there: the list opens, the newest first, what this session ran on top.
pub(crate) fn listed(state: &mut State, shapes: &[String]) {
    let Some(own) = &state.impersonation else { return };
    let here = own.sql.history();
    // What this session ran is kept as a shape already.
    let known: Vec<String> = here.iter().map(|sql| Shape::of(sql).text).collect();
    let earlier = shapes.iter().filter(|shape| !known.contains(shape));
    let statements: Vec<String> = here.iter().rev().chain(earlier.rev()).cloned().collect();
    if statements.is_empty() {
        return state.note(Weight::Warning, "no statement was run yet");
    }
    let line = |(index, sql): (usize, &String)| {
        let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let of_now = index < here.len();
        let beside = if of_now { "" } else { "earlier" }.to_owned();
        Line { text, beside, role: if of_now { Role::Text } else { Role::Dim } }
    };
    let lines = statements.iter().enumerate().map(line).collect();
    let pick = Pick::new("earlier statements, newest first", lines).searchable();
    state.overlays.push(Overlay::History(statements, pick));
}

/// Puts a statement into the editor, to be changed or run.
pub(crate) fn recall(state: &mut State, sql: &str) {
    if let Some(own) = &mut state.impersonation {
        own.tab = Tab::Sql;
        own.sql.edit(true);
        own.sql.show(sql);
    }
}
