//! One tenant: its facts, members, usage and recent sessions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::command::CommandId;
use crate::identity::TenantId;
use crate::text::{Untrusted, screen};
use crate::tui::act::Then;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{MemberFacts, SessionLine, TenantFacts, UsageFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::pane::pane;
use crate::tui::widget::text::line;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

use super::usage::metric_line;

/// The page of one tenant.
#[derive(Debug)]
pub(crate) struct TenantPage {
    id: TenantId,
    slug: String,
    facts: Option<TenantFacts>,
    members: Option<Vec<MemberFacts>>,
    usage: Option<UsageFacts>,
    sessions: Option<Vec<SessionLine>>,
    pane: Pane,
    member: Cursor,
    session: Cursor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pane {
    Members,
    Sessions,
}

impl TenantPage {
    /// Id and raw slug.
    pub(crate) fn reference(&self) -> (TenantId, String) {
        (self.id.clone(), self.slug.clone())
    }

    /// Its plan; empty where it is not known.
    pub(crate) fn plan(&self) -> Option<String> {
        Some(self.facts.as_ref()?.plan.raw().to_owned())
    }

    pub(crate) fn has_row(&self) -> bool {
        match self.pane {
            Pane::Members => self.members.as_ref().is_some_and(|rows| !rows.is_empty()),
            Pane::Sessions => self.selected_session().is_some(),
        }
    }

    /// The id of the selected member, where members have the focus.
    pub(crate) fn selected_member(&self) -> Option<String> {
        let members = self.members.as_ref().filter(|_| self.pane == Pane::Members)?;
        Some(members.get(self.member.selected)?.id.clone())
    }

    /// Whose session is selected, where it is a running one.
    pub(crate) fn running_session(&self) -> Option<&Untrusted> {
        let session = self.selected_session().filter(|_| self.pane == Pane::Sessions)?;
        session.ended_at.is_none().then_some(&session.operator)
    }

    fn selected_session(&self) -> Option<&SessionLine> {
        self.sessions.as_ref()?.get(self.session.selected)
    }
}

/// Opens the page; what another tenant left behind is gone at once.
pub(crate) fn open(state: &mut State, id: TenantId, slug: &str) {
    if state.tenant.as_ref().is_none_or(|page| page.id != id) {
        state.tenant = Some(TenantPage {
            id,
            slug: slug.to_owned(),
            facts: None,
            members: None,
            usage: None,
            sessions: None,
            pane: Pane::Members,
            member: Cursor::default(),
            session: Cursor::default(),
        });
    }
    load(state);
}

/// Asks for everything on the page.
pub(crate) fn load(state: &mut State) {
    let Some(id) = state.tenant.as_ref().map(|page| page.id.clone()) else { return };
    state.ask(Slot::Tenant, Effect::ShowTenant(id.clone()));
    state.ask(Slot::Members, Effect::ListMembers(id.clone()));
    state.ask(Slot::TenantUsage, Effect::ShowUsage(id.clone()));
    state.ask(Slot::Sessions, Effect::ListSessions(id));
}

/// The row is there.
pub(crate) fn shown(state: &mut State, facts: TenantFacts) {
    if let Some(page) = state.tenant.as_mut().filter(|page| page.id == facts.id) {
        facts.slug.raw().clone_into(&mut page.slug);
        page.facts = Some(facts);
    }
}

/// The members are there: for the page, or for the form that asked.
pub(crate) fn members(state: &mut State, members: Vec<MemberFacts>) {
    super::start::members(state, &members);
    let form = state.form().and_then(|(kind, _)| match kind {
        super::FormKind::Start { tenant, .. } => Some(tenant.clone()),
        _ => None,
    });
    if let Some(page) = &mut state.tenant
        && form.is_none_or(|tenant| tenant == page.id)
    {
        page.member.step(0, members.len());
        page.members = Some(members);
    }
}

/// The usage is there.
pub(crate) fn usage(state: &mut State, usage: UsageFacts) {
    if let Some(page) = state.tenant.as_mut().filter(|page| page.id == usage.tenant) {
        page.usage = Some(usage);
    }
}

/// The sessions are there.
pub(crate) fn sessions(state: &mut State, sessions: Vec<SessionLine>) {
    if let Some(page) = &mut state.tenant {
        page.session.step(0, sessions.len());
        page.sessions = Some(sessions);
    }
}

/// Commands of the page.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let Some(page) = &mut state.tenant else { return };
    let (cursor, len) = match page.pane {
        Pane::Members => (&mut page.member, page.members.as_ref().map_or(0, Vec::len)),
        Pane::Sessions => (&mut page.session, page.sessions.as_ref().map_or(0, Vec::len)),
    };
    if super::travel(cursor, len, id) {
        return;
    }
    match (id, page.pane) {
        (CommandId::MemberList, _) => page.pane = Pane::Members,
        (CommandId::NextPane | CommandId::PreviousPane, Pane::Members) => {
            page.pane = Pane::Sessions;
        }
        (CommandId::NextPane | CommandId::PreviousPane, Pane::Sessions) => {
            page.pane = Pane::Members;
        }
        (CommandId::Open, Pane::Sessions) => {
            if let Some(session) = page.selected_session().cloned() {
                session_card(state, &session);
            }
        }
        (CommandId::Open, Pane::Members) => {
            let members = page.members.as_deref().unwrap_or_default();
            if let Some(member) = members.get(page.member.selected) {
                let entries = vec![
                    Entry::new("e-mail", member.email.raw()),
                    Entry::new("name", member.name.raw()),
                    Entry::new("role", member.role.raw()),
                    Entry::new("state", member.state.raw()),
                    Entry::new("id", member.id.clone()),
                ];
                state.overlays.push(Overlay::Card(Card::new("member", entries)));
            }
        }
        (CommandId::SessionEnd, _) => end_other(state),
        _ => {}
    }
}

fn end_other(state: &mut State) {
    let session = state.tenant.as_ref().and_then(TenantPage::selected_session);
    if let Some(session) = session.cloned() {
        confirm_end(state, &session);
    }
}

/// Everything that is known of a session.
pub(super) fn session_card(state: &mut State, session: &SessionLine) {
    let card = Card::new(format!("session {}", session.id), session_entries(session));
    state.overlays.push(Overlay::Card(card));
}

/// Asks whether a session is to end.
pub(super) fn confirm_end(state: &mut State, session: &SessionLine) {
    let text = format!(
        "Ends session {} of {} and its connections at once. What it changed stays.",
        session.id,
        session.operator.screen()
    );
    let confirm = Confirm::yes_no("end this session?", text, Then::EndOther(session.id));
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

fn session_entries(session: &SessionLine) -> Vec<Entry> {
    let time = crate::format::time;
    let text = |text: &Option<Untrusted>| {
        text.as_ref().map_or_else(|| "-".to_owned(), |text| text.raw().to_owned())
    };
    vec![
        Entry::new("operator", session.operator.raw()),
        Entry::new("as", text(&session.member)),
        Entry::new("purpose", session.purpose.raw()),
        Entry::new("mode", session.mode.raw()),
        Entry::new("reason", session.reason.raw()),
        Entry::new("opened", time(session.opened_at)),
        Entry::new("expires", time(session.expires_at)),
        Entry::new("ended", session.ended_at.map_or_else(|| "running".to_owned(), time)),
        Entry::new("how", text(&session.end_reason)),
    ]
}

/// Draws the page; on a small screen only the pane that has the focus beside the facts.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(page) = &state.tenant else { return };
    let top = if area.height >= 18 { 9 } else { 6 };
    let [upper, lower] =
        Layout::vertical([Constraint::Length(top), Constraint::Fill(1)]).areas(area);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(45), Constraint::Fill(1)]).areas(upper);
    draw_facts(state, page, frame, left);
    draw_usage(state, page, frame, right);
    if lower.height < 12 {
        match page.pane {
            Pane::Members => draw_members(state, page, frame, lower),
            Pane::Sessions => draw_sessions(state, page, frame, lower),
        }
        return;
    }
    let [members, sessions] = Layout::vertical([Constraint::Fill(1); 2]).areas(lower);
    draw_members(state, page, frame, members);
    draw_sessions(state, page, frame, sessions);
}

fn draw_facts(state: &State, page: &TenantPage, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let inner = pane(frame, area, &screen(&page.slug), false, look);
    let Some(facts) = &page.facts else {
        let at = (inner.x, inner.y, inner.width);
        return line(frame.buffer_mut(), at, "reading", look.style(Role::Dim), look);
    };
    let (status, role) = super::tenants::status(facts.status.raw(), facts.state, state);
    let rows = [
        ("name", facts.name.raw().to_owned(), Role::Title),
        ("status", status.into_owned(), role),
        ("plan", facts.plan.raw().to_owned(), Role::Text),
        ("created", super::tenants::date(facts.created_at), Role::Text),
        ("domain", facts.domain.raw().to_owned(), Role::Text),
        ("id", facts.id.as_str().to_owned(), Role::Dim),
    ];
    for (y, (label, text, role)) in (inner.y..inner.bottom()).zip(rows) {
        line(frame.buffer_mut(), (inner.x, y, 8), label, look.style(Role::Dim), look);
        let at = (inner.x + 8, y, inner.width.saturating_sub(8));
        line(frame.buffer_mut(), at, &text, look.style(role), look);
    }
}

fn draw_usage(state: &State, page: &TenantPage, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let inner = pane(frame, area, "usage", false, look);
    let metrics = page.usage.as_ref().map_or(&[][..], |usage| &usage.metrics);
    if metrics.is_empty() {
        let text = if page.usage.is_some() { "nothing is counted" } else { "reading" };
        let at = (inner.x, inner.y, inner.width);
        line(frame.buffer_mut(), at, text, look.style(Role::Dim), look);
    }
    for (y, metric) in (inner.y..inner.bottom()).zip(metrics) {
        metric_line(frame.buffer_mut(), (inner.x, y, inner.width), metric, look);
    }
}

fn draw_members(state: &State, page: &TenantPage, frame: &mut Frame<'_>, area: Rect) {
    let members = page.members.as_deref().unwrap_or_default();
    let focused = page.pane == Pane::Members;
    let title = format!("members {}", page.member.position(members.len()));
    let inner = pane(frame, area, &title, focused, state.look);
    let columns = [
        Column::new("e-mail", 20).grows(),
        Column::new("name", 14).grows(),
        Column::new("role", 8),
        Column::new("state", 10),
    ];
    let cell = |row: usize, column: usize| {
        let member = &members[row];
        let role = if member.active { Role::Text } else { Role::Dim };
        let text = match column {
            0 => &member.email,
            1 => &member.name,
            2 => &member.role,
            _ => &member.state,
        };
        (text.raw().to_owned().into(), role)
    };
    let empty = if page.members.is_some() { "no members" } else { "reading the members" };
    let (len, cursor) = (members.len(), &page.member);
    Table { columns: &columns, len, cursor, focused, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        state.look,
    );
}

fn draw_sessions(state: &State, page: &TenantPage, frame: &mut Frame<'_>, area: Rect) {
    let sessions = page.sessions.as_deref().unwrap_or_default();
    let focused = page.pane == Pane::Sessions;
    let title = format!("sessions {}", page.session.position(sessions.len()));
    let inner = pane(frame, area, &title, focused, state.look);
    let columns = [
        Column::new("opened", 16),
        Column::new("operator", 12),
        Column::new("for", 11),
        Column::new("mode", 5),
        Column::new("state", 9),
        Column::new("reason", 12).grows(),
    ];
    let cell = |row: usize, column: usize| {
        let session = &sessions[row];
        let running = session.ended_at.is_none();
        match column {
            0 => plain(session.opened_at.format("%Y-%m-%d %H:%M").to_string()),
            1 => plain(session.operator.raw().to_owned()),
            2 => plain(session.purpose.raw().to_owned()),
            3 => plain(session.mode.raw().to_owned()),
            4 if running => (format!("{} running", state.look.symbols().soft).into(), Role::Warn),
            4 => ("ended".into(), Role::Dim),
            _ => plain(session.reason.raw().to_owned()),
        }
    };
    let empty = if page.sessions.is_some() { "nobody was here" } else { "reading the sessions" };
    let (len, cursor) = (sessions.len(), &page.session);
    Table { columns: &columns, len, cursor, focused, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        state.look,
    );
}
