//! The list of tenants: 100,000 of them, filtered and sorted in memory, found by the database.

use std::collections::{HashMap, HashSet};

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::identity::TenantId;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{TenantFacts, TenantLine, TenantOrder, TenantState, TenantTable};
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::pane::pane;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    table: TenantTable,
    /// Rows that pass the filter, in the order of the list.
    shown: Vec<u32>,
    cursor: Cursor,
    pub(crate) filter: String,
    /// The ids the database found, and for which words.
    found: Option<(HashSet<String>, String)>,
    /// The words it is looking for.
    pub(crate) wanted: String,
    sort: TenantOrder,
    descending: bool,
    listed: bool,
    pub(crate) fault: Option<String>,
}

impl Tenants {
    /// Id and raw slug of the selected row.
    pub(crate) fn selected(&self) -> Option<(TenantId, String)> {
        let line = self.line(self.cursor.selected)?;
        Some((TenantId::from_database(line.id), line.slug.to_owned()))
    }

    /// The plan of the selected row; empty where it is not known.
    pub(crate) fn selected_plan(&self) -> Option<String> {
        Some(self.line(self.cursor.selected)?.plan.to_owned())
    }

    /// The slugs of some tenants, as far as the list knows them.
    pub(crate) fn slugs(&self, ids: &HashSet<&str>) -> HashMap<String, String> {
        let lines = (0..self.table.len()).filter_map(|row| self.table.line(row));
        let wanted = lines.filter(|line| ids.contains(line.id));
        wanted.map(|line| (line.id.to_owned(), line.slug.to_owned())).collect()
    }

    fn line(&self, place: usize) -> Option<TenantLine<'_>> {
        self.table.line(*self.shown.get(place)? as usize)
    }

    /// Selects and sorts anew; the tenant of this row stays selected where it is still there.
    fn refresh(&mut self, keep: Option<u32>) {
        let passes = self.table.matches(&self.filter);
        let found = self.found.as_ref().map(|(ids, _)| self.table.among(ids));
        let shown = |row: &&u32| {
            let row = **row as usize;
            passes[row] && found.as_ref().is_none_or(|found| found[row])
        };
        let ordered = self.table.ordered(self.sort).iter();
        self.shown = if self.descending {
            ordered.rev().filter(shown).copied().collect()
        } else {
            ordered.filter(shown).copied().collect()
        };
        let place = keep.and_then(|row| self.shown.iter().position(|shown| *shown == row));
        self.cursor.selected = place.unwrap_or(0);
    }

    fn selected_row(&self) -> Option<u32> {
        self.shown.get(self.cursor.selected).copied()
    }
}

/// Asks for the directory.
pub(crate) fn load(state: &mut State) {
    state.ask(Slot::Tenants, Effect::ListTenants);
}

/// The directory is there.
pub(crate) fn listed(state: &mut State, table: TenantTable) {
    let own = &mut state.tenants;
    let keep = own.selected().and_then(|(id, _)| {
        let row = (0..table.len()).find(|r| table.line(*r).is_some_and(|l| l.id == id.as_str()));
        row.and_then(|row| u32::try_from(row).ok())
    });
    own.table = table;
    (own.listed, own.fault) = (true, None);
    own.refresh(keep);
}

/// The database found these; tenants newer than the list join it.
pub(crate) fn found(state: &mut State, found: &[TenantFacts]) {
    let own = &mut state.tenants;
    own.table.join(found);
    let ids = found.iter().map(|tenant| tenant.id.as_str().to_owned()).collect();
    own.found = Some((ids, own.wanted.clone()));
    own.filter.clear();
    own.refresh(None);
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    let own = &mut state.tenants;
    // While words grow one looks at the best of what is left; else the selected tenant stays.
    let grows = !own.filter.is_empty() && text.starts_with(&own.filter);
    let keep = own.selected_row().filter(|_| !grows);
    text.clone_into(&mut own.filter);
    own.refresh(keep);
}

/// Esc takes the filter and what was found away.
pub(crate) fn step_back(state: &mut State) -> bool {
    let own = &mut state.tenants;
    let narrowed = !own.filter.is_empty() || own.found.is_some();
    if narrowed {
        own.filter.clear();
        own.found = None;
        own.refresh(own.selected_row());
    }
    narrowed
}

/// Commands of the list.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.tenants;
    if super::travel(&mut own.cursor, own.shown.len(), id) {
        return;
    }
    match id {
        CommandId::Sort => (own.sort, own.descending) = (own.sort.next(), false),
        CommandId::SortReverse => own.descending = !own.descending,
        CommandId::Open | CommandId::TenantShow | CommandId::MemberList => {
            if let Some((tenant, slug)) = own.selected() {
                super::tenant::open(state, tenant, &slug);
                state.go(Screen::Tenant);
            }
            return;
        }
        _ => return,
    }
    own.refresh(own.selected_row());
}

/// Draws the list.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.tenants, state.look);
    let mut title = format!("tenants {}", own.cursor.position(own.shown.len()));
    if own.shown.len() != own.table.len() {
        let all = crate::format::count(i64::try_from(own.table.len()).unwrap_or(i64::MAX));
        title = format!("{title} of {all}");
    }
    if let Some((_, wanted)) = &own.found {
        title = format!("{title}, found by the database: {wanted}");
    }
    if !own.filter.is_empty() {
        title = format!("{title}, filtered: {}", own.filter);
    }
    if state.requests.is_open(Slot::Tenants) {
        title += ", reading";
    }
    let inner = pane(frame, area, &title, true, look);
    let arrow = if own.descending { look.symbols().descending } else { look.symbols().ascending };
    let titled = |sort: TenantOrder, name: &str| {
        if own.sort == sort { format!("{name} {arrow}") } else { name.to_owned() }
    };
    let columns = [
        Column::new(titled(TenantOrder::Slug, "slug"), 16).grows(),
        Column::new(titled(TenantOrder::Name, "name"), 16).grows(),
        Column::new(titled(TenantOrder::Plan, "plan"), 10),
        Column::new(titled(TenantOrder::Status, "status"), 12),
        Column::new(titled(TenantOrder::Created, "created"), 10).from(74),
        Column::new("domain", 24).from(110).grows(),
    ];
    let cell = |row: usize, column: usize| {
        let Some(line) = own.line(row) else { return plain("") };
        match column {
            0 => plain(line.slug.to_owned()),
            1 => plain(line.name.to_owned()),
            2 => (line.plan.to_owned().into(), Role::Dim),
            3 => status(line.status, line.state, state),
            4 => (date(line.created_at).into(), Role::Dim),
            _ => (line.domain.to_owned().into(), Role::Dim),
        }
    };
    let creates = state.keymap.name(CommandId::TenantCreate);
    let empty = match (&own.fault, own.listed, own.table.is_empty()) {
        (Some(fault), ..) => fault.lines().next().unwrap_or("").to_owned(),
        (None, false, _) => "reading the tenants".to_owned(),
        (None, true, true) => format!("no tenant yet: {creates} creates one"),
        (None, true, false) if own.found.is_some() && own.filter.is_empty() => {
            "the database finds no tenant by these words: esc shows all".to_owned()
        }
        (None, true, false) => "no tenant passes the filter: esc shows all".to_owned(),
    };
    let (len, cursor, empty) = (own.shown.len(), &own.cursor, empty.as_str());
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}

/// The status with its sign, since colour alone says nothing to many.
pub(crate) fn status(
    word: &str,
    meaning: TenantState,
    state: &State,
) -> (std::borrow::Cow<'static, str>, Role) {
    let symbols = state.look.symbols();
    let (sign, role) = match meaning {
        TenantState::Active => (symbols.good, Role::Good),
        TenantState::Suspended => (symbols.hard, Role::Bad),
        TenantState::Other => (symbols.soft, Role::Warn),
    };
    (format!("{sign} {word}").into(), role)
}

/// A day, or nothing.
pub(crate) fn date(at: Option<chrono::DateTime<chrono::Utc>>) -> String {
    at.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default()
}
