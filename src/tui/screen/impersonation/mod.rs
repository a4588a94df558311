//! Acting inside one tenant: relations, their rows page by page, one record, SQL.
//!
//! Everything here was read inside a tenant and dies with the session (see `live`).

mod browse;
mod condition;
mod draw;
mod follow;
mod grid;
mod history;
mod prompt;
mod record;
mod rows;

pub(crate) use browse::{counted, filter, page, page_failed, relations};
pub(crate) use draw::draw;
pub(crate) use follow::{Way, arrived as links, follow_column, go as go_along};
pub(crate) use history::{listed as history, recall};
pub(crate) use prompt::{statement, statement_failed};
pub(crate) use record::{copied, copy_value, record, view_value, viewed};
pub(crate) use rows::{send as send_export, written};

use crate::command::{CommandId, Key};
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::request::Slot;

use browse::Browse;
use follow::Wanted;
use grid::Grid;
use prompt::SqlPrompt;

/// The screen of the running impersonation.
#[derive(Debug, Default)]
pub(crate) struct Impersonation {
    tab: Tab,
    browse: Browse,
    sql: SqlPrompt,
    /// The column whose value is to be copied as soon as its record is there.
    copying: Option<String>,
    /// The column whose value is to be looked at as soon as its record is there.
    viewing: Option<String>,
    /// What the ways from a row are asked for.
    following: Option<Wanted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Browse,
    Sql,
}

impl Impersonation {
    pub(crate) fn is_sql(&self) -> bool {
        self.tab == Tab::Sql
    }

    /// Whether letters go into the statement.
    pub(crate) fn is_typing(&self) -> bool {
        self.is_sql() && self.sql.editing
    }

    pub(crate) fn has_row(&self) -> bool {
        match self.tab {
            Tab::Browse => self.browse.has_row(),
            Tab::Sql => self.sql.grid().is_some_and(|grid| !grid.rows.is_empty()),
        }
    }

    /// Why there is no page to go to, or no rows to count.
    pub(crate) fn no_page(&self, id: CommandId) -> Option<String> {
        self.browse.no_page(id)
    }

    /// Whether there is a relation that was opened, or the result of a statement.
    pub(crate) fn has_rows(&self) -> bool {
        match self.tab {
            Tab::Browse => self.browse.view.grid.is_some(),
            Tab::Sql => self.sql.grid().is_some(),
        }
    }

    /// Whether relations have the focus, so that one is opened and no record shown.
    pub(crate) fn in_relations(&self) -> bool {
        !self.is_sql() && self.browse.in_relations()
    }

    /// Whether an earlier statement can be fetched.
    pub(crate) fn has_history(&self) -> bool {
        self.is_sql() && self.sql.has_history()
    }

    /// The filter as typed.
    pub(crate) fn filter_text(&self) -> &String {
        &self.browse.view.filter
    }

    /// The grid on screen.
    fn grid(&mut self) -> Option<&mut Grid> {
        match self.tab {
            Tab::Browse => self.browse.view.grid.as_mut(),
            Tab::Sql => self.sql.grid_mut(),
        }
    }
}

/// Asks for the relations, and for the page on screen anew.
pub(crate) fn load(state: &mut State) {
    let Some(session) = session(state) else { return };
    state.ask(Slot::Relations, Effect::ListRelations { session });
    browse::fetch_again(state);
}

/// The session that statements run in.
fn session(state: &State) -> Option<i64> {
    state.live.as_ref().filter(|live| !live.ending).map(|live| live.facts.id)
}

/// Commands of both tabs, then of the tab on screen.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let Some(own) = &mut state.impersonation else { return };
    match id {
        CommandId::Browse => own.tab = Tab::Browse,
        CommandId::Sql => {
            own.tab = Tab::Sql;
            own.sql.edit(true);
        }
        CommandId::Record => {
            if own.tab == Tab::Browse && own.browse.in_relations() {
                browse::open_relation(state);
            } else {
                record::show(state);
            }
        }
        CommandId::Copy => record::copy(state),
        CommandId::ViewValue => record::view(state),
        CommandId::Follow => follow::follow(state),
        CommandId::Links => follow::links(state),
        CommandId::Mark => rows::mark(state),
        CommandId::CopyRows => rows::copy_table(state),
        CommandId::CopyRowsJson => rows::copy_json(state),
        CommandId::ResultExport => rows::ask_file(state),
        CommandId::History => history::show(state),
        CommandId::SqlRun => prompt::run(state),
        id => match own.tab {
            Tab::Browse => browse::act(state, id),
            Tab::Sql => own.sql.act(id),
        },
    }
}

/// A key while SQL is typed.
pub(crate) fn typed(state: &mut State, key: Key) -> bool {
    prompt::typed(state, key)
}

/// A text was pasted while SQL is typed.
pub(crate) fn pasted(state: &mut State, text: &str) {
    if let Some(own) = state.impersonation.as_mut().filter(|own| own.is_sql()) {
        own.sql.paste(text);
    }
}

/// One step back inside the screen.
pub(crate) fn step_back(state: &mut State) -> bool {
    let Some(own) = &mut state.impersonation else { return false };
    if own.tab == Tab::Sql {
        if !own.sql.leave_editor() {
            own.tab = Tab::Browse;
        }
        return true;
    }
    browse::step_back(state)
}
