//! Archives: the list, the inside of one, verification, and what export answers.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{ArchiveFacts, ArchiveLine, ExportFacts, VerifyFacts};
use crate::tui::operation;
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pane::pane;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    rows: Option<Vec<ArchiveLine>>,
    cursor: Cursor,
}

impl Archives {
    pub(crate) fn selected(&self) -> Option<&ArchiveLine> {
        self.rows.as_ref()?.get(self.cursor.selected)
    }
}

/// The name of a file, which is untrusted like any other text.
pub(crate) fn file_name(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    Untrusted::new(name.to_string_lossy()).screen()
}

fn rows(number: u64) -> String {
    crate::format::counted(i64::try_from(number).unwrap_or(i64::MAX), "row")
}

fn count(number: u64) -> String {
    crate::format::count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Asks for the list.
pub(crate) fn load(state: &mut State) {
    state.ask(Slot::Archives, Effect::ListArchives);
}

/// The list is there.
pub(crate) fn listed(state: &mut State, archives: Vec<ArchiveLine>) {
    state.archives.cursor.step(0, archives.len());
    state.archives.rows = Some(archives);
}

/// Commands of the list.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.archives;
    let len = own.rows.as_ref().map_or(0, Vec::len);
    if super::travel(&mut own.cursor, len, id) {
        return;
    }
    let Some(path) = own.selected().map(|archive| archive.path.clone()) else { return };
    match id {
        CommandId::Copy => crate::tui::act::copy(state, &path.to_string_lossy()),
        CommandId::Open | CommandId::ArchiveInspect => {
            state.ask(Slot::Inspect, Effect::InspectArchive(path));
        }
        CommandId::ArchiveVerify => {
            let title = format!("verifying {}", file_name(&path));
            operation::begin(state, Slot::Verify, title, Effect::VerifyArchive(path));
        }
        CommandId::Restore => super::restore::ask(state, path),
        _ => {}
    }
}

/// What an archive says of itself is there.
pub(crate) fn inspected(state: &mut State, facts: &ArchiveFacts) {
    let told = facts.facts.iter().map(|(label, text)| {
        let role = if label == "fault" { Role::Bad } else { Role::Text };
        Entry::new(label.clone(), text.raw()).role(role)
    });
    let mut entries: Vec<Entry> = told.collect();
    entries.push(Entry::note("", Role::Text));
    entries.push(Entry::note("relations", Role::Header));
    entries.extend(facts.relations.iter().map(|relation| {
        let text = match relation.content {
            Some((count, bytes)) => format!("{}, {}", rows(count), crate::format::bytes(bytes)),
            None => "its rows are not known".to_owned(),
        };
        Entry::new(relation.name.raw(), text)
    }));
    if !facts.omitted.is_empty() {
        entries.push(Entry::note("", Role::Text));
        entries.push(Entry::note("left out", Role::Header));
        let omitted = facts.omitted.iter();
        entries.extend(omitted.map(|(name, why)| Entry::new(name.raw(), why.raw())));
    }
    let verifies = state.keymap.name(CommandId::ArchiveVerify);
    let mut card = Card::new(file_name(&facts.path), entries);
    card.foot = format!("as it says itself, nothing is verified: {verifies} verifies   esc close");
    state.overlays.push(Overlay::Card(card));
}

/// The verification is over.
pub(crate) fn verified(state: &mut State, verified: &VerifyFacts) {
    let name = file_name(&verified.path);
    if verified.faults.is_empty() {
        return state
            .note(Weight::Note, format!("{name} is sound: every digest and the signature"));
    }
    let faults = verified.faults.iter().map(|fault| Entry::note(fault.raw(), Role::Bad));
    let mut entries = vec![Entry::note("do not restore from it", Role::Title)];
    entries.extend(faults);
    state.overlays.push(Overlay::Card(Card::new(format!("{name} is damaged"), entries)));
}

/// An export is written.
pub(crate) fn exported(state: &mut State, export: &ExportFacts) {
    let entries = vec![
        Entry::new("tenant", export.slug.raw()),
        Entry::new("file", export.path.to_string_lossy()),
        Entry::new("rows", count(export.rows)),
        Entry::new("size", crate::format::bytes(export.bytes)),
        Entry::new("digest", export.digest.clone()),
    ];
    // A question or a form that is open meanwhile must not be covered.
    if state.overlays.is_empty() && state.prompt.is_none() {
        state.overlays.push(Overlay::Card(Card::new("the export is written", entries)));
    } else {
        let name = file_name(&export.path);
        state.note(Weight::Note, format!("exported {} to {name}", rows(export.rows)));
    }
    super::load(state, Screen::Archives);
}

/// Draws the list.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.archives, state.look);
    let rows = own.rows.as_deref().unwrap_or_default();
    let title = format!("archives {}", own.cursor.position(rows.len()));
    let inner = pane(frame, area, &title, true, look);
    let columns = [
        Column::new("tenant", 14).grows(),
        Column::new("written", 16),
        Column::new("size", 8).right(),
        Column::new("file", 16).grows(),
    ];
    let cell = |row: usize, column: usize| {
        let archive = &rows[row];
        if let (Some(fault), 3) = (&archive.fault, column) {
            let sign = look.symbols().hard;
            return (format!("{sign} {}", fault.screen()).into(), Role::Bad);
        }
        let at = archive.created_at.map(|at| at.format("%Y-%m-%d %H:%M").to_string());
        match column {
            0 => plain(archive.slug.raw().to_owned()),
            1 => plain(at.unwrap_or_default()),
            2 => plain(crate::format::bytes(archive.bytes)),
            _ => (file_name(&archive.path).into(), Role::Dim),
        }
    };
    let empty = if own.rows.is_some() {
        "no archive yet: export a tenant from its page"
    } else {
        "reading the archives"
    };
    let (len, cursor) = (rows.len(), &own.cursor);
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}
