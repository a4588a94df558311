//! The data browser: relations at the left, the rows of one of them at the right, and the way on
//! which one came to them.

use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{KeySet, Match, Order, PageAsk, PageFacts, PageFrom, RelationFacts};
use crate::tui::request::Slot;
use crate::tui::widget::notice::Weight;
use crate::tui::widget::window::Cursor;

use super::condition;
use super::grid::Grid;
use super::session;

/// Rows of a page.
const PAGE: usize = 200;
/// Steps of the way back that are kept.
const TRAIL: usize = 20;

/// What is browsed.
#[derive(Debug, Default)]
pub(super) struct Browse {
    pub(super) relations: Option<Vec<RelationFacts>>,
    pub(super) cursor: Cursor,
    pub(super) rows_focused: bool,
    pub(super) view: View,
    /// Where references were followed from, the first step first.
    pub(super) trail: Vec<View>,
}

/// The rows of one relation, as they are looked at.
#[derive(Debug, Default)]
pub(super) struct View {
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
    /// What led here, where one record is expected: without a row there is nothing to stay for.
    pub(super) sought: Option<String>,
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

impl View {
    /// At the first page of a relation, of which only these rows are wanted.
    fn of(relation: String, at: Vec<Match>) -> Self {
        let (from, limit) = (PageFrom::Start, PAGE);
        let ask = PageAsk { relation, from, order: None, filter: None, at, limit };
        Self { ask: Some(ask), next_number: 1, ..Self::default() }
    }
}

impl Browse {
    pub(super) fn has_row(&self) -> bool {
        match &self.view.grid {
            Some(grid) if self.rows_focused => !grid.rows.is_empty(),
            _ => self.selected().is_some(),
        }
    }

    /// Why there is no page to go to, or no rows to count.
    pub(super) fn no_page(&self, id: CommandId) -> Option<String> {
        let (Some(links), Some(grid)) = (&self.view.page, &self.view.grid) else {
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
    own.browse.view.fault = None;
}

/// Opens the selected relation at its first page; the way that led elsewhere is forgotten.
pub(super) fn open_relation(state: &mut State) {
    let Some(own) = &mut state.impersonation else { return };
    let Some(name) = own.browse.selected().map(|relation| relation.name.clone()) else { return };
    let browse = &mut own.browse;
    browse.rows_focused = true;
    let whole = |ask: &PageAsk| ask.relation == name && ask.at.is_empty();
    if browse.view.ask.as_ref().is_some_and(whole) && browse.view.grid.is_some() {
        return;
    }
    browse.trail.clear();
    browse.view = View::of(name, Vec::new());
    state.requests.forget(Slot::Count);
    fetch_again(state);
}

/// Goes along a reference; `sought` says what is looked for, where it is one record.
pub(super) fn go_to(state: &mut State, relation: String, at: Vec<Match>, sought: Option<String>) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let there = browse.relations.iter().flatten().position(|one| one.name == relation);
    if let Some(there) = there {
        browse.cursor.selected = there;
    }
    let view = View { sought, ..View::of(relation, at) };
    browse.trail.push(std::mem::replace(&mut browse.view, view));
    if browse.trail.len() > TRAIL {
        browse.trail.remove(0);
    }
    browse.rows_focused = true;
    state.requests.forget(Slot::Count);
    fetch_again(state);
}

/// Back to where a reference was followed from, as it was left; `false` where none was.
fn go_back(state: &mut State) -> bool {
    let Some(own) = &mut state.impersonation else { return false };
    let Some(before) = own.browse.trail.pop() else { return false };
    let browse = &mut own.browse;
    browse.view = before;
    let name = browse.view.ask.as_ref().map(|ask| &ask.relation);
    let there = browse.relations.iter().flatten().position(|one| Some(&one.name) == name);
    if let Some(there) = there {
        browse.cursor.selected = there;
    }
    for slot in [Slot::Page, Slot::Count, Slot::Links] {
        state.requests.forget(slot);
    }
    true
}

/// Asks for the page that `ask` names.
pub(super) fn fetch_again(state: &mut State) {
    let Some(session) = session(state) else { return };
    let own = state.impersonation.as_mut();
    let Some(ask) = own.and_then(|own| own.browse.view.ask.clone()) else { return };
    state.ask(Slot::Page, Effect::FetchPage { session, ask });
}

/// A page is there; the columns keep their place where it is the same relation.
pub(crate) fn page(state: &mut State, page: PageFacts) {
    let Some(own) = &mut state.impersonation else { return };
    let view = &mut own.browse.view;
    if let Some(sought) = view.sought.take_if(|_| page.rows.is_empty()) {
        go_back(state);
        return state.note(Weight::Warning, format!("not found: {sought}"));
    }
    view.sought = None;
    let column = view.grid.as_ref().map_or(0, |grid| grid.column);
    let mut grid = Grid::new(page.columns, page.rows).with_keys(page.keys, page.shortened);
    grid.column = column.min(grid.columns.len().saturating_sub(1));
    view.grid = Some(grid);
    let (note, cut) = (page.note, page.cut);
    view.page = Some(PageLinks { before: page.before, after: page.after, note, cut });
    view.number = view.next_number;
    view.fault = None;
}

/// The page could not be read; what is on screen stays.
pub(crate) fn page_failed(state: &mut State, text: &str) -> bool {
    if let Some(own) = &mut state.impersonation {
        if own.browse.view.grid.is_none() && own.browse.view.sought.is_some() {
            go_back(state);
            return false;
        }
        own.browse.view.fault = Some(text.to_owned());
        own.browse.view.next_number = own.browse.view.number;
    }
    false
}

/// The rows are counted.
pub(crate) fn counted(state: &mut State, rows: i64) {
    if let Some(own) = &mut state.impersonation {
        own.browse.view.exact = Some(rows);
    }
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    let Some(own) = &mut state.impersonation else { return };
    let view = &mut own.browse.view;
    let (Some(ask), Some(grid)) = (&mut view.ask, &view.grid) else {
        return state.note(Weight::Warning, "open a relation first");
    };
    match condition::read(text, &grid.columns, grid.column) {
        Ok(filter) => {
            text.clone_into(&mut view.filter);
            (ask.filter, ask.from) = (filter, PageFrom::Start);
            (view.next_number, view.exact) = (1, None);
            // A count that is under way is one of other rows.
            state.requests.forget(Slot::Count);
            fetch_again(state);
        }
        Err(fault) => state.note(Weight::Warning, fault),
    }
}

/// Esc takes the filter away, then goes the way back, then to the relations.
pub(super) fn step_back(state: &mut State) -> bool {
    let Some(own) = &mut state.impersonation else { return false };
    if own.browse.rows_focused && !own.browse.view.filter.is_empty() {
        filter(state, "");
        return true;
    }
    if own.browse.rows_focused && go_back(state) {
        return true;
    }
    let Some(own) = &mut state.impersonation else { return false };
    std::mem::take(&mut own.browse.rows_focused)
}

/// Commands of the browser.
pub(super) fn act(state: &mut State, id: CommandId) {
    let Some(own) = &mut state.impersonation else { return };
    let browse = &mut own.browse;
    let len = browse.relations.as_ref().map_or(0, Vec::len);
    let moved = match &mut browse.view.grid {
        Some(grid) if browse.rows_focused => grid.travel(id),
        _ => crate::tui::screen::travel(&mut browse.cursor, len, id),
    };
    if moved {
        return;
    }
    let there = browse.view.grid.is_some();
    match id {
        CommandId::NextPane | CommandId::PreviousPane => {
            browse.rows_focused = !browse.rows_focused && there;
        }
        CommandId::Right if !browse.rows_focused => browse.rows_focused = there,
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
    let view = &mut own.browse.view;
    let (Some(ask), Some(links)) = (&mut view.ask, &view.page) else { return };
    let from = match (step, &links.before, &links.after) {
        (1, _, Some(after)) => PageFrom::After(after.clone()),
        (-1, Some(before), _) => PageFrom::Before(before.clone()),
        // The command is not available there.
        _ => return,
    };
    ask.from = from;
    view.next_number = view.number + step;
    fetch_again(state);
}

/// Orders by the selected column: up, then by the key again; or the other way round.
fn sort(state: &mut State, reverse: bool) {
    let Some(own) = &mut state.impersonation else { return };
    let view = &mut own.browse.view;
    let (Some(ask), Some(grid)) = (&mut view.ask, &view.grid) else { return };
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
    view.next_number = 1;
    fetch_again(state);
}

fn count(state: &mut State) {
    let Some(session) = session(state) else { return };
    let own = state.impersonation.as_ref();
    if let Some(ask) = own.and_then(|own| own.browse.view.ask.clone()) {
        state.ask(Slot::Count, Effect::CountRows { session, ask });
    }
}
