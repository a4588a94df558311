//! The data browser: relations at the left, the rows of one of them at the right.

use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{KeySet, Order, PageAsk, PageFacts, PageFrom, RelationFacts};
use crate::tui::request::Slot;
use crate::tui::widget::notice::Weight;
use crate::tui::widget::window::Cursor;

use super::condition;
use super::grid::Grid;
use super::session;

/// Rows of a page.
const PAGE: usize = 200;

/// What is browsed.
#[derive(Debug, Default)]
pub(super) struct Browse {
    pub(super) relations: Option<Vec<RelationFacts>>,
    pub(super) cursor: Cursor,
    pub(super) rows_focused: bool,
    /// What the page on screen was asked with.
    pub(super) ask: Option<PageAsk>,
    pub(super) grid: Option<Grid>,
    pub(super) page: Option<PageLinks>,
    pub(super) number: i64,
    next_number: i64,
    pub(super) exact: Option<i64>,
    pub(super) fault: Option<String>,
    /// The filter as typed.
    pub(super) filter: String,
}

/// Where the neighbours of the page begin, and what is to be known of it.
#[derive(Debug)]
pub(super) struct PageLinks {
    pub(super) before: Option<KeySet>,
    pub(super) after: Option<KeySet>,
    pub(super) note: Option<Untrusted>,
    /// Whether rows are left out because they are too large.
    pub(super) cut: bool,
}

impl Browse {
    pub(super) fn has_row(&self) -> bool {
        match &self.grid {
            Some(grid) if self.rows_focused => !grid.rows.is_empty(),
            _ => self.selected().is_some(),
        }
    }

    /// Why there is no page to go to, or no rows to count.
    pub(super) fn no_page(&self, id: CommandId) -> Option<String> {
        let (Some(links), Some(grid)) = (&self.page, &self.grid) else {
            return Some("open a relation first".to_owned());
        };
        let reason = match id {
            // There may be more rows, and the note says why they cannot be paged to.
            CommandId::NextPage if links.after.is_none() && !grid.has_keys() => links
                .note
                .as_ref()
                .map_or_else(|| "this is the last page".into(), Untrusted::screen),
            CommandId::NextPage if links.after.is_none() => "this is the last page".to_owned(),
            CommandId::PreviousPage if links.before.is_none() => {
                "this is the first page".to_owned()
            }
            _ => return None,
        };
        Some(reason)
    }

    pub(super) fn in_relations(&self) -> bool {
        !self.rows_focused
    }

    pub(super) fn selected(&self) -> Option<&RelationFacts> {
        self.relations.as_ref()?.get(self.cursor.selected)
    }
}

/// The relations are there.
pub(crate) fn relations(state: &mut State, relations: Vec<RelationFacts>) {
    let Some(own) = &mut state.impersonation else { return };
    own.browse.cursor.step(0, relations.len());
    own.browse.relations = Some(relations);
    own.browse.fault = None;
}

/// Opens the selected relation at its first page.
pub(super) fn open_relation(state: &mut State) {
    let Some(own) = &mut state.impersonation else { return };
    let Some(name) = own.browse.selected().map(|relation| relation.name.clone()) else { return };
    let browse = &mut own.browse;
    browse.rows_focused = true;
    if browse.ask.as_ref().is_some_and(|ask| ask.relation == name) && browse.grid.is_some() {
        return;
    }
    (browse.grid, browse.page, browse.exact) = (None, None, None);
    browse.filter.clear();
    browse.ask = Some(PageAsk {
        relation: name,
        from: PageFrom::Start,
        order: None,
        filter: None,
        limit: PAGE,
    });
    browse.next_number = 1;
    state.requests.forget(Slot::Count);
    fetch_again(state);
}

/// Asks for the page that `ask` names.
pub(super) fn fetch_again(state: &mut State) {
    let Some(session) = session(state) else { return };
    let own = state.impersonation.as_mut();
    let Some(ask) = own.and_then(|own| own.browse.ask.clone()) else { return };
    state.ask(Slot::Page, Effect::FetchPage { session, ask });
}

/// A page is there; the columns keep their place where it is the same relation.
pub(crate) fn page(state: &mut State, page: PageFacts) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let column = browse.grid.as_ref().map_or(0, |grid| grid.column);
    let mut grid = Grid::new(page.columns, page.rows).with_keys(page.keys, page.shortened);
    grid.column = column.min(grid.columns.len().saturating_sub(1));
    browse.grid = Some(grid);
    let (note, cut) = (page.note, page.cut);
    browse.page = Some(PageLinks { before: page.before, after: page.after, note, cut });
    browse.number = browse.next_number;
    browse.fault = None;
}

/// The page could not be read; what is on screen stays.
pub(crate) fn page_failed(state: &mut State, text: &str) -> bool {
    if let Some(own) = &mut state.impersonation {
        own.browse.fault = Some(text.to_owned());
        own.browse.next_number = own.browse.number;
    }
    false
}

/// The rows are counted.
pub(crate) fn counted(state: &mut State, rows: i64) {
    if let Some(own) = &mut state.impersonation {
        own.browse.exact = Some(rows);
    }
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let (Some(ask), Some(grid)) = (&mut browse.ask, &browse.grid) else {
        return state.note(Weight::Warning, "open a relation first");
    };
    match condition::read(text, &grid.columns, grid.column) {
        Ok(filter) => {
            text.clone_into(&mut browse.filter);
            (ask.filter, ask.from) = (filter, PageFrom::Start);
            (browse.next_number, browse.exact) = (1, None);
            // A count that is under way is one of other rows.
            state.requests.forget(Slot::Count);
            fetch_again(state);
        }
        Err(fault) => state.note(Weight::Warning, fault),
    }
}

/// Esc takes the filter away, then goes to the relations.
pub(super) fn step_back(state: &mut State) -> bool {
    let Some(own) = &mut state.impersonation else { return false };
    if !own.browse.filter.is_empty() {
        filter(state, "");
        return true;
    }
    std::mem::take(&mut own.browse.rows_focused)
}

/// Commands of the browser.
pub(super) fn act(state: &mut State, id: CommandId) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let len = browse.relations.as_ref().map_or(0, Vec::len);
    let moved = match &mut browse.grid {
        Some(grid) if browse.rows_focused => grid.travel(id),
        _ => crate::tui::screen::travel(&mut browse.cursor, len, id),
    };
    if moved {
        return;
    }
    match id {
        CommandId::NextPane | CommandId::PreviousPane => {
            browse.rows_focused = !browse.rows_focused && browse.grid.is_some();
        }
        CommandId::Right if !browse.rows_focused => browse.rows_focused = browse.grid.is_some(),
        CommandId::NextPage => turn(state, 1),
        CommandId::PreviousPage => turn(state, -1),
        CommandId::Sort => sort(state, false),
        CommandId::SortReverse => sort(state, true),
        CommandId::CountRows => count(state),
        _ => {}
    }
}

/// Goes to the neighbouring page, by key and never by offset.
fn turn(state: &mut State, step: i64) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let (Some(ask), Some(links)) = (&mut browse.ask, &browse.page) else { return };
    let from = match (step, &links.before, &links.after) {
        (1, _, Some(after)) => PageFrom::After(after.clone()),
        (-1, Some(before), _) => PageFrom::Before(before.clone()),
        // The command is not available there.
        _ => return,
    };
    ask.from = from;
    browse.next_number = browse.number + step;
    fetch_again(state);
}

/// Orders by the selected column: up, then by the key again; or the other way round.
fn sort(state: &mut State, reverse: bool) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let (Some(ask), Some(grid)) = (&mut browse.ask, &browse.grid) else { return };
    let Some(column) = grid.columns.get(grid.column) else { return };
    if !column.sortable {
        let text = format!("{} cannot be ordered", column.name.screen());
        return state.note(Weight::Warning, text);
    }
    let name = column.name.raw().to_owned();
    let current = ask.order.take().filter(|order| order.column == name);
    ask.order = match (current, reverse) {
        (Some(order), true) => Some(Order { column: name, descending: !order.descending }),
        (Some(_), false) => None,
        (None, descending) => Some(Order { column: name, descending }),
    };
    ask.from = PageFrom::Start;
    browse.next_number = 1;
    fetch_again(state);
}

fn count(state: &mut State) {
    let Some(session) = session(state) else { return };
    let own = state.impersonation.as_ref();
    if let Some(ask) = own.and_then(|own| own.browse.ask.clone()) {
        state.ask(Slot::Count, Effect::CountRows { session, ask });
    }
}
