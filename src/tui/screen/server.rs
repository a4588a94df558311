//! The server, and whether its guard is sound.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::ServerFacts;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::pane::pane;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The page.
#[derive(Debug, Default)]
pub(crate) struct Server {
    facts: Option<ServerFacts>,
    cursor: Cursor,
}

impl Server {
    fn len(&self) -> usize {
        self.facts.as_ref().map_or(0, |facts| facts.facts.len() + facts.faults.len().max(1))
    }
}

/// Asks for the page.
pub(crate) fn load(state: &mut State) {
    state.ask(Slot::Server, Effect::ShowServer);
}

/// The page is there.
pub(crate) fn shown(state: &mut State, facts: ServerFacts) {
    state.server.facts = Some(facts);
    state.server.cursor.step(0, state.server.len());
}

/// Commands of the page.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let len = state.server.len();
    if super::travel(&mut state.server.cursor, len, id) || id != CommandId::Copy {
        return;
    }
    let own = &state.server;
    let value = own.facts.as_ref().and_then(|facts| {
        let (_, value) = facts.facts.get(own.cursor.selected)?;
        Some(value.raw().to_owned())
    });
    if let Some(value) = value {
        crate::tui::act::copy(state, &value);
    }
}

/// Draws the page.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.server, state.look);
    let inner = pane(frame, area, "server", true, look);
    let columns = [Column::new("what", 16), Column::new("value", 20).grows()];
    let cell = |row: usize, column: usize| {
        let Some(facts) = &own.facts else { return plain("") };
        let after = row.checked_sub(facts.facts.len());
        match (facts.facts.get(row), after.and_then(|index| facts.faults.get(index)), column) {
            (Some((label, _)), _, 0) => (label.clone().into(), Role::Dim),
            (Some((_, text)), ..) => plain(text.raw().to_owned()),
            (None, Some(_), 0) => (format!("{} guard", look.symbols().hard).into(), Role::Bad),
            (None, Some((object, fault)), _) => {
                (format!("{}: {}", object.screen(), fault.screen()).into(), Role::Bad)
            }
            (None, None, 0) => (format!("{} guard", look.symbols().good).into(), Role::Good),
            (None, None, _) => ("sound: no fault is found".into(), Role::Good),
        }
    };
    let (len, cursor, empty) = (own.len(), &own.cursor, "asking the server");
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}
