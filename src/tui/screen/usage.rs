//! Usage of all tenants: one row each, the fullest first, with signs beside the colours.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::format::quantity;
use crate::identity::TenantId;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{LimitState, MetricFacts, UsageFacts};
use crate::tui::request::Slot;
use crate::tui::theme::{Look, Role};
use crate::tui::widget::gauge::{bar, percent};
use crate::tui::widget::pane::pane;
use crate::tui::widget::text::{line, pieces};
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The overview.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    rows: Option<Vec<UsageFacts>>,
    shown: Vec<usize>,
    cursor: Cursor,
    pub(crate) filter: String,
    sort: Sort,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    #[default]
    Fullest,
    Slug,
    Plan,
}

impl Usage {
    /// Id and raw slug of the selected row.
    pub(crate) fn selected(&self) -> Option<(TenantId, String)> {
        let row = self.row(self.cursor.selected)?;
        Some((row.tenant.clone(), row.slug.raw().to_owned()))
    }

    /// The plan of the selected row; empty where it is not known.
    pub(crate) fn selected_plan(&self) -> Option<String> {
        Some(self.row(self.cursor.selected)?.plan.raw().to_owned())
    }

    fn row(&self, index: usize) -> Option<&UsageFacts> {
        self.rows.as_ref()?.get(*self.shown.get(index)?)
    }

    fn refresh(&mut self) {
        let rows = self.rows.as_deref().unwrap_or_default();
        let needle = self.filter.trim().to_lowercase();
        let fits = |row: &UsageFacts| {
            [&row.slug, &row.plan].iter().any(|text| text.raw().to_lowercase().contains(&needle))
        };
        self.shown = (0..rows.len()).filter(|index| fits(&rows[*index])).collect();
        let slug = |index: &usize| rows[*index].slug.raw();
        match self.sort {
            Sort::Fullest => self.shown.sort_by(|a, b| {
                let (full_a, full_b) = (fullness(&rows[*a]), fullness(&rows[*b]));
                full_b.cmp(&full_a).then_with(|| slug(a).cmp(slug(b)))
            }),
            Sort::Slug => self.shown.sort_by_key(slug),
            Sort::Plan => self.shown.sort_by_key(|index| (rows[*index].plan.raw(), slug(index))),
        }
        if self.descending {
            self.shown.reverse();
        }
        self.cursor.step(0, self.shown.len());
    }
}

/// How full the fullest metric is.
fn fullness(row: &UsageFacts) -> (LimitState, i128) {
    row.metrics.iter().map(share).max().unwrap_or((LimitState::Ok, 0))
}

fn share(metric: &MetricFacts) -> (LimitState, i128) {
    crate::usage::fullness(metric.state, metric.used, metric.hard)
}

/// Asks for the overview.
pub(crate) fn load(state: &mut State) {
    state.ask(Slot::Usage, Effect::ListUsage);
}

/// The overview is there.
pub(crate) fn listed(state: &mut State, rows: Vec<UsageFacts>) {
    state.usage.rows = Some(rows);
    state.usage.refresh();
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    text.clone_into(&mut state.usage.filter);
    state.usage.cursor.first();
    state.usage.refresh();
}

/// Esc takes the filter away.
pub(crate) fn step_back(state: &mut State) -> bool {
    let filtered = !state.usage.filter.is_empty();
    if filtered {
        filter(state, "");
    }
    filtered
}

/// Commands of the overview.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.usage;
    if super::travel(&mut own.cursor, own.shown.len(), id) {
        return;
    }
    match id {
        CommandId::Sort => {
            own.sort = match own.sort {
                Sort::Fullest => Sort::Slug,
                Sort::Slug => Sort::Plan,
                Sort::Plan => Sort::Fullest,
            };
            own.descending = false;
        }
        CommandId::SortReverse => own.descending = !own.descending,
        CommandId::Open => {
            if let Some((tenant, slug)) = own.selected() {
                super::tenant::open(state, tenant, &slug);
                state.go(Screen::Tenant);
            }
            return;
        }
        _ => return,
    }
    own.refresh();
}

/// The sign and the meaning of a state.
fn sign(metric: &MetricFacts, look: Look) -> (&'static str, Role) {
    let symbols = look.symbols();
    match metric.state {
        LimitState::Ok => (symbols.good, Role::Good),
        LimitState::Soft => (symbols.soft, Role::Warn),
        LimitState::Hard => (symbols.hard, Role::Bad),
    }
}

/// One metric in one line: sign, name, bar, numbers.
pub(crate) fn metric_line(
    buffer: &mut Buffer,
    at: (u16, u16, u16),
    metric: &MetricFacts,
    look: Look,
) {
    let (x, y, room) = at;
    let (sign, role) = sign(metric, look);
    let unit = metric.unit.raw();
    let numbers = match metric.hard {
        Some(hard) => format!("{} / {}", quantity(metric.used, unit), quantity(hard, unit)),
        None => format!("{}, no limit", quantity(metric.used, unit)),
    };
    // Wide enough for `storage_bytes` where there is room.
    let name = if room < 40 { 11 } else { 13 };
    let bar_room = room.saturating_sub(name + 4 + 18).min(20);
    let full =
        metric.hard.map_or(String::new(), |hard| bar(metric.used, hard, bar_room, look) + " ");
    line(buffer, (x, y, 2), sign, look.style(role), look);
    line(buffer, (x + 3, y, name), metric.metric.raw(), look.style(Role::Text), look);
    let parts = [(full.into(), look.style(role)), (numbers.into(), look.style(Role::Text))];
    pieces(buffer, (x + name + 4, y, room.saturating_sub(name + 4)), &parts, look);
}

/// Draws the overview, and the metrics of the selected tenant below where there is room.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.usage, state.look);
    let mut title = format!("usage {}", own.cursor.position(own.shown.len()));
    title += match own.sort {
        Sort::Fullest => ", by how full",
        Sort::Slug => ", by slug",
        Sort::Plan => ", by plan",
    };
    if !own.filter.is_empty() {
        title = format!("{title}, filtered: {}", own.filter);
    }
    if state.requests.is_open(Slot::Usage) {
        title += ", reading";
    }
    let selected = own.row(own.cursor.selected);
    let below = selected.map_or(0, |row| u16::try_from(row.metrics.len()).unwrap_or(0) + 2);
    let below = if area.height >= below + 9 { below } else { 0 };
    let upper = Rect { height: area.height - below, ..area };
    let inner = pane(frame, upper, &title, true, look);
    let names: Vec<&str> =
        own.rows.as_ref().and_then(|rows| rows.first()).map_or(Vec::new(), |row| {
            row.metrics.iter().map(|metric| metric.metric.raw()).collect()
        });
    let mut columns = vec![Column::new("slug", 16).grows(), Column::new("plan", 10)];
    // Where not all fit, the one that decides the order is shown and none is cut away.
    let all = u16::try_from(names.len()).is_ok_and(|count| inner.width >= 27 + count * 12);
    if all {
        columns.extend(names.iter().map(|name| Column::new(*name, 11)));
    } else {
        columns.push(Column::new("fullest", 26));
    }
    let cell = |row: usize, column: usize| {
        let Some(row) = own.row(row) else { return plain("") };
        match column {
            0 => plain(row.slug.raw().to_owned()),
            1 => (row.plan.raw().to_owned().into(), Role::Dim),
            _ if all => {
                row.metrics.get(column - 2).map_or_else(|| plain(""), |metric| small(metric, look))
            }
            _ => row.metrics.iter().max_by_key(|metric| share(metric)).map_or_else(
                || plain(""),
                |metric| {
                    let (text, role) = small(metric, look);
                    (format!("{text} {}", metric.metric.screen()).into(), role)
                },
            ),
        }
    };
    let empty = if own.rows.is_some() { "no tenant to show" } else { "counting" };
    let (len, cursor) = (own.shown.len(), &own.cursor);
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
    if let Some(row) = selected.filter(|_| below > 0) {
        let area = Rect { y: upper.bottom(), height: below, ..area };
        let inner = pane(frame, area, &row.slug.screen(), false, look);
        for (y, metric) in (inner.y..inner.bottom()).zip(&row.metrics) {
            metric_line(frame.buffer_mut(), (inner.x, y, inner.width), metric, look);
        }
    }
}

/// A metric in one cell: sign, share and a short bar.
fn small(metric: &MetricFacts, look: Look) -> (std::borrow::Cow<'static, str>, Role) {
    let (sign, role) = sign(metric, look);
    let text = match metric.hard {
        Some(hard) => {
            format!("{sign} {} {}", bar(metric.used, hard, 4, look), percent(metric.used, hard))
        }
        None => format!("{sign} {}", quantity(metric.used, metric.unit.raw())),
    };
    (text.into(), role)
}
