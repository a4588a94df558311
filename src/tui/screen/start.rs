//! Starting an impersonation: as whom, why, to read or to write, for how long.

use chrono::TimeDelta;

use crate::format::parse_duration;
use crate::identity::{Mode, Reason};
use crate::text::screen;
use crate::tui::act::Then;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{MemberFacts, OpenAsk};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::widget::choice::Choice;
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::form::{self, Field, Form};

use super::{FormKind, TenantPage};

const MEMBER: usize = 0;
const REASON: usize = 1;
const TICKET: usize = 2;
const MODE: usize = 3;
const DURATION: usize = 4;

/// The longest an impersonation may be asked for.
const LONGEST: TimeDelta = TimeDelta::minutes(60);

/// Opens the form and asks for the members.
pub(crate) fn start_impersonation(state: &mut State) {
    let Some((tenant, slug)) = state.selected_tenant() else { return };
    let fields = vec![
        Field::choice("act as", vec!["reading the members".to_owned()]),
        Field::text("reason", "at least 10 characters, the tenant sees it"),
        Field::text("ticket", "optional"),
        Field::choice("mode", vec!["read".to_owned(), "write".to_owned()]),
        Field::text("for", "at most 60m").with("15m"),
    ];
    let form = Form::new(format!("act inside {}", screen(&slug)), fields);
    state.ask(Slot::Members, Effect::ListMembers(tenant.clone()));
    let kind = FormKind::Start { tenant, slug, members: None };
    state.overlays.push(Overlay::Form(kind, form));
}

/// The members are known: the active ones can be acted as.
pub(crate) fn members(state: &mut State, all: &[MemberFacts]) {
    let page = state.tenant.as_ref().filter(|_| state.screen() == Screen::Tenant);
    let picked = page.and_then(TenantPage::selected_member);
    let Some((FormKind::Start { members, .. }, form)) = state.form() else { return };
    let active: Vec<_> = all.iter().filter(|member| member.active).cloned().collect();
    let said =
        |member: &MemberFacts| format!("{} ({})", member.email.screen(), member.role.screen());
    let options = match active.as_slice() {
        [] if all.is_empty() => vec!["the tenant itself: it has no members".to_owned()],
        [] => vec!["no member is active".to_owned()],
        some => some.iter().map(said).collect(),
    };
    let mut choice = Choice::new(options);
    // Whoever is selected on the page is most likely meant.
    choice.choose(active.iter().position(|m| Some(&m.id) == picked.as_ref()).unwrap_or(0));
    form.fields[MEMBER].entry = form::Entry::Choice(choice);
    if active.is_empty() && !all.is_empty() {
        form.fields[MEMBER].fault = Some("only an active member can be acted as".to_owned());
    }
    *members = Some(active);
}

/// Checks; writing is asked for once more, by typing the slug.
pub(crate) fn send(state: &mut State) {
    let Some((FormKind::Start { tenant, slug, members }, form)) = state.form() else { return };
    let Some(members) = members else {
        form.fault = Some("the members are still being read".to_owned());
        return;
    };
    let member = members.get(form.fields[MEMBER].index());
    let reason = form.fields[REASON].value().parse::<Reason>();
    let duration = match parse_duration(form.fields[DURATION].value().trim()) {
        Ok(span) if span > LONGEST => Err("60m is the most".to_owned()),
        Ok(span) => Ok(span),
        Err(fault) => Err(fault.to_string()),
    };
    form.fields[REASON].fault = reason.as_ref().err().map(ToString::to_string);
    form.fields[DURATION].fault.clone_from(&duration.as_ref().err().cloned());
    let valid = form.settle();
    let (Ok(reason), Ok(duration), true) = (reason, duration, valid) else { return };
    let mode = if form.fields[MODE].index() == 1 { Mode::Write } else { Mode::Read };
    let ticket = Some(form.fields[TICKET].value().trim().to_owned()).filter(|t| !t.is_empty());
    let who = member.map_or_else(|| "the tenant".to_owned(), |member| member.email.screen());
    let member = member.map(|member| member.id.clone());
    let ask = OpenAsk { tenant: tenant.clone(), member, reason, ticket, mode, duration };
    if mode == Mode::Read {
        return open_session(state, ask);
    }
    let (slug, minutes) = (slug.clone(), crate::format::duration(duration));
    let text = format!(
        "You are about to WRITE in {} as {who} for {minutes}. What you change is changed for the \
         customer; nothing is undone when the session ends. Every statement is recorded.",
        screen(&slug)
    );
    let then = Then::Open(Box::new(ask));
    let confirm = Confirm::type_slug("write mode", text, (slug, false), then);
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

/// Sends the request; the form waits for its answer.
pub(crate) fn open_session(state: &mut State, ask: OpenAsk) {
    if let Some((FormKind::Start { .. }, form)) = state.form() {
        form.busy = Some("opening the session");
    }
    state.ask(Slot::OpenSession, Effect::OpenSession(ask));
}

/// Whether somebody waits for a session to open.
pub(crate) fn is_waiting(state: &State) -> bool {
    state.live.is_none()
        && !state.quitting
        && state.overlays.iter().any(|overlay| {
            matches!(overlay, Overlay::Form(FormKind::Start { .. }, form) if form.busy.is_some())
        })
}
