//! Earlier statements of this session, found by a part of them, as Ctrl-R does in a shell.
//!
//! They are as they were typed, values and all, and so they live in memory and die with the session.

use crate::tui::app::State;
use crate::tui::overlay::Overlay;
use crate::tui::theme::Role;
use crate::tui::widget::pick::{Line, Pick};

use super::Tab;

/// Opens the list, the newest first.
pub(super) fn show(state: &mut State) {
    let Some(own) = &state.impersonation else { return };
    let statements: Vec<String> = own.sql.history().iter().rev().cloned().collect();
    let line = |sql: &String| {
        let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        Line { text, beside: String::new(), role: Role::Text }
    };
    let lines = statements.iter().map(line).collect();
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
