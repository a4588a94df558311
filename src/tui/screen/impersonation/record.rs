//! One row in full, and copying a value: a page shows the beginning of long values only, so the
//! whole row is asked for where it can be found again.

use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{KeySet, RecordFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::notice::Weight;
use crate::tui::widget::viewer::Viewer;

use super::grid::Grid;
use super::session;

/// Some terminals, and programs between them and us, take no more from the clipboard sequence.
pub(super) const CLIPBOARD_BYTES: usize = 56_000;

/// Shows the selected row: as the database has it, or as it is here where it has no key and where
/// it came from a statement, whose values are whole.
pub(super) fn show(state: &mut State) {
    let Some((relation, key)) = found_again(state) else { return as_it_is_here(state) };
    let Some(session) = session(state) else { return };
    state.ask(Slot::Record, Effect::ShowRecord { session, relation, key });
}

/// The record is there.
pub(crate) fn record(state: &mut State, record: RecordFacts) {
    let Some(own) = &state.impersonation else { return };
    let relation = own.browse.view.ask.as_ref().map_or("", |ask| ask.relation.as_str());
    let title = format!("record of {relation}");
    let column = own.browse.view.grid.as_ref().and_then(Grid::column_name).unwrap_or_default();
    let picked = record.fields.iter().position(|field| field.name.raw() == column);
    let mut entries = Vec::new();
    for field in record.fields {
        entries.push(Entry::value(field.name.raw(), field.value.as_ref().map(Untrusted::raw)));
        if field.shortened {
            let text = "cut here: the value is longer than a record shows";
            entries.push(Entry::note(text, Role::Warn));
        }
    }
    push(state, title, entries, picked.unwrap_or(0));
}

fn as_it_is_here(state: &mut State) {
    let Some(own) = &mut state.impersonation else { return };
    let title = if own.is_sql() { "row of the result" } else { "row, as the page shows it" };
    let Some(grid) = own.grid() else { return };
    let Some(row) = grid.rows.get(grid.cursor.selected) else { return };
    let mut entries = Vec::new();
    for (index, (column, cell)) in grid.columns.iter().zip(row).enumerate() {
        entries.push(Entry::value(column.name.raw(), cell.as_ref().map(Untrusted::raw)));
        if grid.is_shortened(index) {
            let text = "cut here: a row without a key is shown as far as its page has it";
            entries.push(Entry::note(text, Role::Warn));
        }
    }
    let picked = grid.column;
    push(state, title.to_owned(), entries, picked);
}

fn push(state: &mut State, title: String, entries: Vec<Entry>, picked: usize) {
    let copies = state.keymap.name(CommandId::Copy);
    let mut card = Card::new(title, entries);
    let views = state.keymap.name(CommandId::ViewValue);
    let follows = state.keymap.name(CommandId::Follow);
    let follows =
        if found_again(state).is_some() { format!("   {follows} follows") } else { String::new() };
    card.foot = format!("tab next value   {copies} copies   {views} whole{follows}   esc close");
    card.pick(picked);
    state.overlays.push(Overlay::Card(card));
}

/// Copies the selected value, whole where it can be had.
pub(super) fn copy(state: &mut State) {
    let Some(own) = &mut state.impersonation else { return };
    let Some(grid) = own.grid() else { return };
    let (Some(name), Some(text)) = (grid.column_name(), grid.selected_text()) else { return };
    if !grid.is_shortened(grid.column) {
        return copy_value(state, &name, &text);
    }
    let (Some((relation, key)), Some(session)) = (found_again(state), session(state)) else {
        copy_value(state, &name, &text);
        let text = "only its beginning is copied: a row without a key cannot be asked for";
        return state.note(Weight::Warning, text);
    };
    if let Some(own) = &mut state.impersonation {
        own.copying = Some(name);
    }
    state.ask(Slot::CopyValue, Effect::ShowRecord { session, relation, key });
}

/// The record of the value that was to be copied is there.
pub(crate) fn copied(state: &mut State, record: RecordFacts) {
    let wanted = state.impersonation.as_mut().and_then(|own| own.copying.take());
    let found = record.fields.into_iter().find(|field| Some(field.name.raw()) == wanted.as_deref());
    let Some(field) = found else { return };
    let text = field.value.as_ref().map_or("", Untrusted::raw);
    copy_value(state, field.name.raw(), text);
    if field.shortened {
        state.note(Weight::Warning, "only its beginning is copied: the value is longer");
    }
}

/// Shows the selected value whole, as far as it can be had.
pub(super) fn view(state: &mut State) {
    let Some(own) = &mut state.impersonation else { return };
    let Some(grid) = own.grid() else { return };
    let (Some(name), Some(cell)) = (grid.column_name(), grid.selected_cell()) else { return };
    let (cell, shortened) = (cell.clone(), grid.is_shortened(grid.column));
    if shortened
        && let (Some((relation, key)), Some(session)) = (found_again(state), session(state))
    {
        if let Some(own) = &mut state.impersonation {
            own.viewing = Some(name);
        }
        state.ask(Slot::ViewValue, Effect::ShowRecord { session, relation, key });
        return;
    }
    let remark = "cut here: a row without a key is shown as far as its page has it";
    open_viewer(state, &name, cell.as_ref(), shortened.then_some(remark));
}

/// The record of the value that is to be looked at is there.
pub(crate) fn viewed(state: &mut State, record: RecordFacts) {
    let wanted = state.impersonation.as_mut().and_then(|own| own.viewing.take());
    let found = record.fields.into_iter().find(|field| Some(field.name.raw()) == wanted.as_deref());
    let Some(field) = found else { return };
    let remark = field.shortened.then_some("cut here: the value is longer than a record shows");
    open_viewer(state, field.name.raw(), field.value.as_ref(), remark);
}

fn open_viewer(state: &mut State, name: &str, value: Option<&Untrusted>, remark: Option<&str>) {
    let Some(value) = value else {
        return state.note(Weight::Note, format!("{} is NULL", crate::text::screen(name)));
    };
    view_value(state, name, value.raw(), remark);
}

/// Opens the viewer for a value of the selected row.
pub(crate) fn view_value(state: &mut State, name: &str, value: &str, remark: Option<&str>) {
    let Some(own) = &mut state.impersonation else { return };
    let kind = own.grid().map_or_else(String::new, |grid| grid.kind_of(name).to_owned());
    let mut viewer = Viewer::new(name, &kind, value, remark.map(str::to_owned));
    viewer.copies = state.keymap.name(CommandId::Copy);
    state.overlays.push(Overlay::Viewer(Box::new(viewer)));
}

/// Copies a value and says so without showing it: messages outlive the session.
pub(crate) fn copy_value(state: &mut State, name: &str, text: &str) {
    let count = |number: usize| crate::format::count(i64::try_from(number).unwrap_or(i64::MAX));
    let said = format!("copied {name}: {} characters", count(text.chars().count()));
    if text.len() > CLIPBOARD_BYTES {
        let most = count(CLIPBOARD_BYTES);
        state.note(Weight::Warning, format!("{said}; some terminals take {most} bytes at most"));
    } else {
        state.note(Weight::Note, said);
    }
    crate::tui::act::to_clipboard(state, text);
}

/// The relation and the key of the selected row, where rows are browsed and have one.
fn found_again(state: &State) -> Option<(String, KeySet)> {
    let own = state.impersonation.as_ref().filter(|own| !own.is_sql())?;
    let view = &own.browse.view;
    let relation = view.ask.as_ref()?.relation.clone();
    Some((relation, view.grid.as_ref()?.key()?.clone()))
}
