//! Drawing the screen of an impersonation.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};

use crate::command::CommandId;
use crate::tui::app::State;
use crate::tui::facts::{PageFrom, RelationFacts};
use crate::tui::request::Slot;
use crate::tui::theme::{Look, Role};
use crate::tui::widget::pane::pane;
use crate::tui::widget::text::{line, width, wrap};
use crate::tui::widget::window::{Column, Table, plain};

use super::browse::Browse;
use super::prompt::{Outcome, SqlPrompt};
use super::{Impersonation, Tab};

/// Draws the tab on screen.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    match &state.impersonation {
        Some(Impersonation { tab: Tab::Browse, browse, .. }) => {
            draw_browse(state, browse, frame, area);
        }
        Some(Impersonation { tab: Tab::Sql, sql, .. }) => draw_sql(state, sql, frame, area),
        None => {}
    }
}

/// Beside each other where there is room, else the pane that has the focus.
fn draw_browse(state: &State, browse: &Browse, frame: &mut Frame<'_>, area: Rect) {
    if area.width < 70 {
        if browse.rows_focused {
            draw_rows(state, browse, frame, area);
        } else {
            draw_relations(state, browse, frame, area);
        }
        return;
    }
    let names = browse.relations.iter().flatten().map(|relation| width(&relation.name));
    // As wide as the names want, and never so wide that the rows have no room.
    let wanted = names.max().unwrap_or(0).saturating_add(ROWS_AND_BORDERS);
    let left = wanted.clamp((area.width / 3).min(36), area.width * 2 / 5);
    let [left, right] =
        Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(area);
    draw_relations(state, browse, frame, left);
    draw_rows(state, browse, frame, right);
}

/// What stands beside a name: the number of rows, a gap, two borders.
const ROWS_AND_BORDERS: u16 = 9 + 1 + 2;

fn draw_relations(state: &State, browse: &Browse, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let relations = browse.relations.as_deref().unwrap_or_default();
    // One schema for all of them is said once: names are long and the pane is not.
    let schema = common_schema(relations);
    let of = schema.map(|schema| format!(" of {}", schema.trim_end_matches('.')));
    let position = browse.cursor.position(relations.len());
    let title = format!("relations{} {position}", of.unwrap_or_default());
    let focused = !browse.rows_focused;
    let inner = pane(frame, area, &title, focused, look);
    let columns = [Column::new("name", 10).grows(), Column::new("rows", 9).right()];
    let cell = |row: usize, column: usize| {
        let relation = &relations[row];
        match (column, relation.rows_estimate) {
            (0, _) => plain(relation.name[schema.map_or(0, str::len)..].to_owned()),
            (_, Some(rows)) => {
                let about = look.symbols().about;
                (format!("{about}{}", crate::format::count(rows)).into(), Role::Dim)
            }
            (_, None) => plain("?"),
        }
    };
    let empty = if browse.relations.is_some() { "no relation to browse" } else { "reading" };
    let (len, cursor) = (relations.len(), &browse.cursor);
    Table { columns: &columns, len, cursor, focused, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}

/// The schema that all names begin with, its point included.
fn common_schema(relations: &[RelationFacts]) -> Option<&str> {
    let first = relations.first()?.name.as_str();
    // A quoted name may hold a point: then nothing is cut.
    let schema = &first[..=first.find('.').filter(|_| !first.starts_with('"'))?];
    relations.iter().all(|relation| relation.name.starts_with(schema)).then_some(schema)
}

fn draw_rows(state: &State, browse: &Browse, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let view = &browse.view;
    let title = match &view.ask {
        Some(ask) if state.requests.is_open(Slot::Page) => format!("{}, reading", ask.relation),
        Some(_) => way(browse, area.width.saturating_sub(6), look),
        None => "rows".to_owned(),
    };
    let inner = pane(frame, area, &title, browse.rows_focused, look);
    let remarks = remarks(state, browse, inner.width);
    let below = u16::try_from(remarks.len()).unwrap_or(0) + 1;
    let table = Rect { height: inner.height.saturating_sub(below), ..inner };
    for (y, text) in (table.bottom()..inner.bottom()).zip(&remarks) {
        let at = (inner.x, y, inner.width);
        line(frame.buffer_mut(), at, text, look.style(Role::Warn), look);
    }
    let order = view.ask.as_ref().and_then(|ask| ask.order.as_ref());
    let order = order.map(|order| (order.column.as_str(), order.descending));
    match &view.grid {
        Some(grid) => grid.draw(frame.buffer_mut(), table, (browse.rows_focused, order), look),
        None if view.fault.is_none() => {
            let opens = || format!("{} opens a relation", state.keymap.name(CommandId::Record));
            let text = view.ask.as_ref().map_or_else(opens, |_| "reading".to_owned());
            let at = (inner.x, inner.y, inner.width);
            line(frame.buffer_mut(), at, &text, look.style(Role::Dim), look);
        }
        None => {}
    }
    let (text, role) = match &view.fault {
        Some(fault) => (fault.lines().next().unwrap_or("").to_owned(), Role::Bad),
        None => (foot(state, browse), Role::Dim),
    };
    let at = (inner.x, inner.bottom().saturating_sub(1), inner.width);
    line(frame.buffer_mut(), at, &text, look.style(role), look);
}

/// The relations on the way here; where the room is short, what is furthest goes first.
fn way(browse: &Browse, room: u16, look: Look) -> String {
    let views = browse.trail.iter().chain([&browse.view]);
    let names: Vec<&str> =
        views.filter_map(|view| Some(view.ask.as_ref()?.relation.as_str())).collect();
    let crumb = look.symbols().crumb;
    let from = (0..names.len()).find(|from| width(&names[*from..].join(crumb)) <= room);
    names[from.unwrap_or(names.len().saturating_sub(1))..].join(crumb)
}

/// What is to be known of the page on screen, in at most three lines.
fn remarks(state: &State, browse: &Browse, room: u16) -> Vec<String> {
    let Some(links) = &browse.view.page else { return Vec::new() };
    let mut remarks: Vec<String> =
        links.note.iter().flat_map(|note| wrap(note.raw(), room)).take(2).collect();
    if links.cut {
        let next = state.keymap.name(CommandId::NextPage);
        let text = match links.after {
            Some(_) => format!("cut short, because its rows are large: {next} goes on"),
            None => "cut short, because its rows are large: more rows are not shown".to_owned(),
        };
        remarks.extend(wrap(&text, room).into_iter().take(1));
    }
    remarks
}

/// `page 2, 200 rows of ≈12,345, more: [ ], filtered: ..`
fn foot(state: &State, browse: &Browse) -> String {
    let look = state.look;
    let view = &browse.view;
    let (Some(grid), Some(links)) = (&view.grid, &view.page) else { return String::new() };
    let count = crate::format::count;
    let rows = i64::try_from(grid.rows.len()).unwrap_or(i64::MAX);
    let ask = view.ask.as_ref();
    let estimate = browse.relations.iter().flatten();
    let estimate = estimate
        .filter(|relation| ask.is_some_and(|ask| ask.relation == relation.name))
        .find_map(|relation| relation.rows_estimate);
    let last = links.after.is_none() && (grid.has_keys() || links.note.is_none());
    let of = match (view.exact, estimate) {
        (Some(exact), _) => format!(" of {}", count(exact)),
        // What is on screen is all there is: an estimate would only confuse.
        (None, _) if last && links.before.is_none() => ", no more".to_owned(),
        (None, Some(about))
            if view.filter.is_empty() && ask.is_none_or(|ask| ask.at.is_empty()) =>
        {
            format!(" of {}{}", look.symbols().about, count(about))
        }
        _ => String::new(),
    };
    let rows = crate::format::counted(rows, "row");
    let mut text = format!("page {}, {rows}{of}", view.number);
    if !grid.marked.is_empty() {
        text = format!("{text}, {} marked", grid.marked.len());
    }
    let at_start = ask.is_some_and(|ask| ask.from == PageFrom::Start);
    let more = [
        (links.before.is_some() && !at_start, CommandId::PreviousPage),
        (links.after.is_some(), CommandId::NextPage),
    ];
    let keys = more.iter().filter(|(there, _)| *there).map(|(_, turn)| state.keymap.name(*turn));
    let keys = keys.collect::<Vec<_>>().join(" ");
    if !keys.is_empty() {
        text = format!("{text}, more: {keys}");
    }
    // At the end, because they can be long.
    for one in ask.iter().flat_map(|ask| &ask.at) {
        text = format!("{text}, {} = {}", one.column, one.value);
    }
    if view.filter.is_empty() { text } else { format!("{text}, filtered: {}", view.filter) }
}

fn draw_sql(state: &State, sql: &SqlPrompt, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let lines = u16::try_from(sql.editor.lines().len()).unwrap_or(u16::MAX);
    let height = lines.clamp(3, (area.height / 2).max(3)).saturating_add(2);
    let [upper, lower] =
        Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    let running = state.requests.is_open(Slot::Statement);
    let cancels = || format!("SQL, running: {} cancels", state.keymap.name(CommandId::Cancel));
    let title = if running { cancels() } else { "SQL".to_owned() };
    let inner = pane(frame, upper, &title, sql.editing, look);
    let mut editor = sql.editor.clone();
    editor.set_cursor_line_style(Style::new());
    let cursor = if sql.editing { Modifier::REVERSED } else { Modifier::empty() };
    editor.set_cursor_style(Style::new().add_modifier(cursor));
    editor.set_style(look.style(Role::Text));
    let runs = state.keymap.name(CommandId::SqlRun);
    editor.set_placeholder_text(format!("one statement; enter after ; runs it, so does {runs}"));
    editor.set_placeholder_style(look.style(Role::Dim));
    frame.render_widget(&editor, inner);
    let title = match &sql.outcome {
        Some(Outcome::Rows { summary, .. }) => summary.as_str(),
        Some(Outcome::Failed(_)) => "failed",
        None => "result",
    };
    let inner = pane(frame, lower, title, !sql.editing, look);
    match &sql.outcome {
        Some(Outcome::Rows { grid, .. }) if !grid.columns.is_empty() => {
            grid.draw(frame.buffer_mut(), inner, (!sql.editing, None), look);
        }
        Some(Outcome::Failed(fault)) => {
            for (y, text) in (inner.y..inner.bottom()).zip(wrap(fault, inner.width)) {
                let at = (inner.x, y, inner.width);
                line(frame.buffer_mut(), at, &text, look.style(Role::Bad), look);
            }
        }
        _ => {}
    }
}
