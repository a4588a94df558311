//! Tenant sessions of everybody that this operator may see: running ones on top, with one key to end
//! the selected one.
//!
//! What is looked at here goes on elsewhere, so it is read again every few seconds while it is on
//! screen, and never otherwise.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use super::tenant::{confirm_end, session_card};
use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{Activity, Backend, SessionLine};
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::pane::pane;
use crate::tui::widget::text::line;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// How old the list may become while it is on screen.
const FRESH: TimeDelta = TimeDelta::seconds(5);

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// Each with the slug of its tenant.
    rows: Option<Vec<(String, SessionLine)>>,
    shown: Vec<usize>,
    cursor: Cursor,
    pub(crate) filter: String,
    /// When it was asked for.
    asked_at: Option<DateTime<Utc>>,
}

impl Sessions {
    pub(crate) fn selected(&self) -> Option<&SessionLine> {
        let index = *self.shown.get(self.cursor.selected)?;
        self.rows.as_ref()?.get(index).map(|(_, session)| session)
    }

    /// Whose session is selected, where it is a running one.
    pub(crate) fn running(&self) -> Option<&Untrusted> {
        let session = self.selected().filter(|session| session.ended_at.is_none())?;
        Some(&session.operator)
    }

    fn refresh(&mut self) {
        let rows = self.rows.as_deref().unwrap_or_default();
        let needle = self.filter.trim().to_lowercase();
        let fits = |(slug, session): &(String, SessionLine)| {
            let member = session.member.as_ref().map_or("", Untrusted::raw);
            let texts = [&session.operator, &session.purpose, &session.mode, &session.reason];
            let texts = texts.into_iter().map(Untrusted::raw).chain([slug.as_str(), member]);
            texts.into_iter().any(|text| text.to_lowercase().contains(&needle))
        };
        self.shown = (0..rows.len()).filter(|index| fits(&rows[*index])).collect();
        self.cursor.step(0, self.shown.len());
    }
}

/// Asks for the list.
pub(crate) fn load(state: &mut State) {
    state.sessions.asked_at = Some(state.now);
    state.ask(Slot::AllSessions, Effect::ListAllSessions);
}

/// Asks again where the list on screen is old.
pub(crate) fn tick(state: &mut State) {
    let old = state.sessions.asked_at.is_none_or(|at| state.now - at >= FRESH);
    let waits = state.requests.is_open(Slot::AllSessions);
    if state.screen() == Screen::Sessions && old && !waits && !state.quitting {
        load(state);
    }
}

/// The list is there; the selected session stays selected.
pub(crate) fn listed(state: &mut State, sessions: Vec<SessionLine>) {
    let ids = sessions.iter().map(|line| line.tenant.raw()).collect();
    let slugs = state.tenants.slugs(&ids);
    let slug = |session: &SessionLine| {
        let id = session.tenant.raw();
        slugs.get(id).map_or(id, String::as_str).to_owned()
    };
    let own = &mut state.sessions;
    let selected = own.selected().map(|session| session.id);
    own.rows = Some(sessions.into_iter().map(|session| (slug(&session), session)).collect());
    own.refresh();
    let rows = own.rows.as_deref().unwrap_or_default();
    let there = own.shown.iter().position(|index| Some(rows[*index].1.id) == selected);
    if let Some(there) = there {
        own.cursor.selected = there;
    }
}

/// The filter is another one now.
pub(crate) fn filter(state: &mut State, text: &str) {
    text.clone_into(&mut state.sessions.filter);
    state.sessions.cursor.first();
    state.sessions.refresh();
}

/// Esc takes the filter away.
pub(crate) fn step_back(state: &mut State) -> bool {
    let filtered = !state.sessions.filter.is_empty();
    if filtered {
        filter(state, "");
    }
    filtered
}

/// Commands of the list.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.sessions;
    if super::travel(&mut own.cursor, own.shown.len(), id) {
        return;
    }
    let Some(session) = own.selected().cloned() else { return };
    match id {
        CommandId::Open => session_card(state, &session),
        CommandId::SessionEnd => confirm_end(state, &session),
        CommandId::Copy => crate::tui::act::copy(state, &session.id.to_string()),
        _ => {}
    }
}

/// Draws the list, and below it what is known of the selected one.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let [upper, lower] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(DETAILS + 2)]).areas(area);
    draw_list(state, frame, upper);
    let Some(session) = state.sessions.selected() else {
        pane(frame, lower, "session", false, state.look);
        return;
    };
    let inner = pane(frame, lower, &format!("session {}", session.id), false, state.look);
    for (y, (text, role)) in (inner.y..inner.bottom()).zip(details(session)) {
        let at = (inner.x, y, inner.width);
        line(frame.buffer_mut(), at, &text, state.look.style(role), state.look);
    }
}

/// Lines about the selected session.
const DETAILS: u16 = 4;

/// As whom and since when, why, on which connections, and what was asked last.
fn details(session: &SessionLine) -> [(String, Role); DETAILS as usize] {
    let member = session.member.as_ref().map_or("nobody", Untrusted::raw);
    let time = crate::format::time;
    let (since, until) = (time(session.opened_at), time(session.expires_at));
    let who = format!("as {member}, since {since}, until {until}");
    let why = format!("{}: {}", session.purpose.raw(), session.reason.raw());
    let Some(activity) = &session.activity else {
        let over = ("it is over: the ledger has what was done in it".to_owned(), Role::Dim);
        return [(who, Role::Text), (why, Role::Text), over, (String::new(), Role::Text)];
    };
    let statements = crate::format::counted(activity.statements, "statement");
    let rows = crate::format::counted(activity.rows, "row");
    let size = crate::format::bytes(u64::try_from(activity.bytes).unwrap_or(0));
    let doing = format!("{}; {statements}, {rows}, {size}", connections(activity));
    let last = activity.last.as_ref().map_or_else(
        || "no statement yet".to_owned(),
        |last| {
            let sql = last.sql.as_ref().map_or("(erased)", Untrusted::raw);
            format!("{}: {sql}", last.outcome.as_deref().unwrap_or("RUNNING"))
        },
    );
    [(who, Role::Text), (why, Role::Text), (doing, Role::Text), (last, Role::Title)]
}

/// `active, waits for Lock:transactionid`, for each connection that belongs to the session.
fn connections(activity: &Activity) -> String {
    let one = |backend: &Backend| {
        let state = backend.state.as_deref().unwrap_or("connected");
        let wait = backend.wait.as_ref().filter(|_| backend.is_running());
        wait.map_or_else(|| state.to_owned(), |wait| format!("{state}, waits for {wait}"))
    };
    match activity.backends.as_slice() {
        [] => "no connection".to_owned(),
        some => some.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

/// The state of the connection that does most, in one word.
fn doing(session: &SessionLine) -> (String, Role) {
    let Some(activity) = &session.activity else { return (String::new(), Role::Text) };
    if activity.backends.iter().any(Backend::is_running) {
        return ("active".to_owned(), Role::Title);
    }
    let first = activity.backends.first();
    let state = first.map_or("none", |backend| backend.state.as_deref().unwrap_or("?"));
    (state.to_owned(), Role::Text)
}

fn draw_list(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.sessions, state.look);
    let rows = own.rows.as_deref().unwrap_or_default();
    let running = rows.iter().filter(|(_, session)| session.ended_at.is_none()).count();
    let position = own.cursor.position(own.shown.len());
    let filtered = if own.filter.is_empty() { "" } else { ", filtered" };
    let title = format!("sessions {position}, {running} running{filtered}");
    let inner = pane(frame, area, &title, true, look);
    let columns = [
        Column::new("id", 6).right(),
        Column::new("operator", 10),
        Column::new("tenant", 10).grows(),
        Column::new("as", 12).from(100).grows(),
        Column::new("for", 11).from(90),
        Column::new("mode", 5),
        Column::new("since", 16).from(110),
        Column::new("state", 15),
        Column::new("doing", 8),
        Column::new("rows", 7).right().from(70),
        Column::new("reason", 10).from(70).grows(),
    ];
    let cell = |row: usize, column: usize| {
        let (slug, session) = &rows[own.shown[row]];
        let text = |text: &Untrusted| plain(text.raw().to_owned());
        let write = session.mode.raw() == "write";
        match column {
            0 => plain(session.id.to_string()),
            1 => text(&session.operator),
            2 => plain(slug.clone()),
            3 => plain(session.member.as_ref().map_or("", Untrusted::raw).to_owned()),
            4 => text(&session.purpose),
            5 if write => (session.mode.raw().to_owned().into(), Role::Warn),
            5 => text(&session.mode),
            6 => plain(session.opened_at.format("%Y-%m-%d %H:%M").to_string()),
            7 => standing(state, session),
            8 => {
                let (text, role) = doing(session);
                (text.into(), role)
            }
            9 => {
                let rows = session.activity.as_ref().map(|activity| activity.rows);
                plain(rows.map(crate::format::count).unwrap_or_default())
            }
            _ => text(&session.reason),
        }
    };
    let empty = match (&own.rows, own.filter.is_empty()) {
        (None, _) => "reading the sessions",
        (Some(_), true) => "nobody was in a tenant yet",
        (Some(_), false) => "no session has these letters",
    };
    let (len, cursor) = (own.shown.len(), &own.cursor);
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}

/// How long it still runs, or how it ended.
fn standing<'p>(state: &State, session: &SessionLine) -> crate::tui::widget::window::Piece<'p> {
    if session.ended_at.is_some() {
        let how = session.end_reason.as_ref().map_or("expired", Untrusted::raw);
        return (how.to_owned().into(), Role::Dim);
    }
    let left = (session.expires_at - state.now).max(TimeDelta::zero());
    let sign = state.look.symbols().soft;
    (format!("{sign} {} left", crate::format::duration(left)).into(), Role::Warn)
}
