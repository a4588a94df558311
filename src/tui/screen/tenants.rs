//! The list of tenants: 100,000 of them, filtered and sorted in memory, found by the database.

use std::collections::{HashMap, HashSet};
use std::mem;

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::identity::TenantId;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{TenantFacts, TenantLine, TenantState, TenantTable};
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pane::pane;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    table: TenantTable,
    /// All rows in the order of the list.
    sorted: Vec<u32>,
    /// Those that pass the filter.
    shown: Vec<u32>,
    cursor: Cursor,
    pub(crate) filter: String,
    /// The ids the database found, and the words it looked for.
    found: Option<HashSet<String>>,
    sort: Sort,
    descending: bool,
    listed: bool,
    pub(crate) fault: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    #[default]
    Slug,
    Name,
    Plan,
    Status,
    Created,
}

impl Sort {
    const ALL: [Self; 5] = [Self::Slug, Self::Name, Self::Plan, Self::Status, Self::Created];
}

impl Tenants {
    /// Id and raw slug of the selected row.
    pub(crate) fn selected(&self) -> Option<(TenantId, String)> {
        let line = self.line(self.cursor.selected)?;
        Some((TenantId::from_database(line.id), line.slug.to_owned()))
    }

    /// The slugs of some tenants, as far as the list knows them.
    pub(crate) fn slugs(&self, ids: &HashSet<&str>) -> HashMap<String, String> {
        let lines = (0..self.table.len()).filter_map(|row| self.table.line(row));
        let wanted = lines.filter(|line| ids.contains(line.id));
        wanted.map(|line| (line.id.to_owned(), line.slug.to_owned())).collect()
    }

    fn line(&self, row: usize) -> Option<TenantLine<'_>> {
        self.table.line(*self.shown.get(row)? as usize)
    }

    fn sort(&mut self) {
        let table = &self.table;
        let line = |index: &u32| table.line(*index as usize);
        match self.sort {
            Sort::Slug => self.sorted.sort_by_key(|i| line(i).map(|l| l.slug)),
            Sort::Name => self.sorted.sort_by_key(|i| line(i).map(|l| (l.name, l.slug))),
            Sort::Plan => self.sorted.sort_by_key(|i| line(i).map(|l| (l.plan, l.slug))),
            Sort::Status => self.sorted.sort_by_key(|i| line(i).map(|l| (l.status, l.slug))),
            Sort::Created => self.sorted.sort_by_key(|i| line(i).map(|l| (l.created_at, l.slug))),
        }
        if self.descending {
            self.sorted.reverse();
        }
    }

    /// Substring of any field, whatever the case; a leading `~` finds scattered letters as well.
    fn select(&mut self, rows: &[u32]) {
        let needle = self.filter.trim();
        let (kind, needle) = match needle.strip_prefix('~') {
            Some(rest) => (AtomKind::Fuzzy, rest),
            None => (AtomKind::Substring, needle),
        };
        let atom = Atom::new(needle, CaseMatching::Ignore, Normalization::Smart, kind, false);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut chars = Vec::new();
        let (table, found) = (&self.table, self.found.as_ref());
        let fits = |index: &&u32| {
            let row = **index as usize;
            let known = found.is_none_or(|ids| table.line(row).is_some_and(|l| ids.contains(l.id)));
            let text = Utf32Str::new(table.haystack(row), &mut chars);
            known && (needle.is_empty() || atom.score(text, &mut matcher).is_some())
        };
        self.shown = rows.iter().filter(fits).copied().collect();
    }

    /// Filters anew; the selected tenant stays selected where it is still there.
    fn refresh(&mut self, keep: Option<&str>) {
        let sorted = mem::take(&mut self.sorted);
        self.select(&sorted);
        self.sorted = sorted;
        let line_id = |index: &u32| self.table.line(*index as usize).map(|line| line.id);
        let place = keep.and_then(|id| self.shown.iter().position(|i| line_id(i) == Some(id)));
        self.cursor.selected = place.unwrap_or(0);
    }

    fn selected_id(&self) -> Option<String> {
        self.line(self.cursor.selected).map(|line| line.id.to_owned())
    }
}

/// Asks for the directory.
pub(crate) fn load(state: &mut State) {
    state.ask(Slot::Tenants, Effect::ListTenants);
}

/// The directory is there.
pub(crate) fn listed(state: &mut State, table: TenantTable) {
    let own = &mut state.tenants;
    let keep = own.selected_id();
    own.sorted = (0..u32::try_from(table.len()).unwrap_or(u32::MAX)).collect();
    own.table = table;
    (own.listed, own.fault) = (true, None);
    own.sort();
    own.refresh(keep.as_deref());
}

/// The database found these; tenants newer than the list join it.
pub(crate) fn found(state: &mut State, found: &[TenantFacts]) {
    let own = &mut state.tenants;
    let known: HashSet<&str> =
        (0..own.table.len()).filter_map(|i| own.table.line(i)).map(|l| l.id).collect();
    let new: Vec<&TenantFacts> = found.iter().filter(|t| !known.contains(t.id.as_str())).collect();
    own.table.extend(new);
    own.sorted = (0..u32::try_from(own.table.len()).unwrap_or(u32::MAX)).collect();
    own.found = Some(found.iter().map(|tenant| tenant.id.as_str().to_owned()).collect());
    own.filter.clear();
    own.sort();
    own.refresh(None);
    if found.is_empty() {
        state.note(Weight::Warning, "no tenant is found; esc shows all");
    }
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    let own = &mut state.tenants;
    // A longer needle can only lose rows, so only those on screen are looked at again.
    let narrower = !own.filter.is_empty()
        && !text.starts_with('~')
        && text.trim().starts_with(own.filter.trim())
        && !own.filter.contains(char::is_whitespace);
    let keep = own.selected_id();
    text.clone_into(&mut own.filter);
    if narrower {
        let shown = mem::take(&mut own.shown);
        own.select(&shown);
        own.cursor.first();
    } else {
        own.refresh(keep.as_deref());
    }
}

/// Esc takes the filter and what was found away.
pub(crate) fn step_back(state: &mut State) -> bool {
    let own = &mut state.tenants;
    let narrowed = !own.filter.is_empty() || own.found.is_some();
    if narrowed {
        let keep = own.selected_id();
        own.filter.clear();
        own.found = None;
        own.refresh(keep.as_deref());
    }
    narrowed
}

/// Commands of the list.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.tenants;
    let keep = own.selected_id();
    if super::travel(&mut own.cursor, own.shown.len(), id) {
        return;
    }
    match id {
        CommandId::Sort => {
            let next = Sort::ALL.iter().position(|sort| *sort == own.sort).unwrap_or(0) + 1;
            own.sort = Sort::ALL[next % Sort::ALL.len()];
            own.descending = false;
        }
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
    own.sort();
    own.refresh(keep.as_deref());
}

/// Draws the list.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.tenants, state.look);
    let mut title = format!("tenants {}", own.cursor.position(own.shown.len()));
    if own.shown.len() != own.table.len() {
        let all = crate::format::count(i64::try_from(own.table.len()).unwrap_or(i64::MAX));
        title = format!("{title} of {all}, filtered");
    }
    if !own.filter.is_empty() {
        title = format!("{title}: {}", own.filter);
    }
    if own.found.is_some() {
        title += ", found by the database";
    }
    if state.requests.is_open(Slot::Tenants) {
        title += ", reading";
    }
    let inner = pane(frame, area, &title, true, look);
    let arrow = if own.descending { look.symbols().descending } else { look.symbols().ascending };
    let titled = |sort: Sort, name: &str| {
        if own.sort == sort { format!("{name} {arrow}") } else { name.to_owned() }
    };
    let columns = [
        Column::new(titled(Sort::Slug, "slug"), 16).grows(),
        Column::new(titled(Sort::Name, "name"), 20).grows(),
        Column::new(titled(Sort::Plan, "plan"), 10),
        Column::new(titled(Sort::Status, "status"), 12),
        Column::new(titled(Sort::Created, "created"), 10).from(74),
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
    let empty = match (&own.fault, own.listed, own.table.is_empty()) {
        (Some(fault), ..) => fault.lines().next().unwrap_or(""),
        (None, false, _) => "reading the tenants",
        (None, true, true) => "no tenant yet: n creates one",
        (None, true, false) => "no tenant passes the filter: esc shows all",
    };
    let (len, cursor) = (own.shown.len(), &own.cursor);
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
