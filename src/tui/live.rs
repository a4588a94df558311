//! The running impersonation as the console sees it: countdown, warnings, every way it ends.
//!
//! The database ends the session by itself; this only keeps the screen honest. Whatever was read
//! inside the tenant leaves the memory of the console the moment the session ends.

use chrono::TimeDelta;

use super::app::{Screen, State};
use super::effect::Effect;
use super::facts::{EndReason, SessionFacts};
use super::overlay::Overlay;
use super::request::Slot;
use super::screen::{self, FormKind, Impersonation};
use super::theme::Role;
use super::widget::card::{Card, Entry};
use super::widget::notice::Weight;
use crate::failure::Failure;
use crate::text::Untrusted;

/// The live session.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) facts: SessionFacts,
    /// The end was asked for and is not confirmed.
    pub(crate) ending: bool,
    /// How many of the warnings were given.
    warned: usize,
}

/// Minutes before the end at which the console warns.
const WARNINGS: [i64; 2] = [5, 1];
/// How long the card that says that it is over takes no key.
const INSIST: TimeDelta = TimeDelta::seconds(1);

impl Live {
    /// Never negative.
    pub(crate) fn left(&self, now: chrono::DateTime<chrono::Utc>) -> TimeDelta {
        (self.facts.expires_at - now).max(TimeDelta::zero())
    }
}

/// A session was opened: its screen comes up.
pub(crate) fn begin(state: &mut State, facts: SessionFacts) {
    let left = facts.expires_at - state.now;
    // A session shorter than a warning needs no such warning.
    let warned = WARNINGS.iter().filter(|minutes| left <= TimeDelta::minutes(**minutes)).count();
    state.live = Some(Live { facts, ending: false, warned });
    state.overlays.clear();
    show(state);
}

/// Brings up the screen of the session.
pub(crate) fn show(state: &mut State) {
    state.impersonation.get_or_insert_with(Impersonation::default);
    state.go(Screen::Impersonation);
    screen::load(state, Screen::Impersonation);
}

/// The time went on.
pub(crate) fn tick(state: &mut State) {
    let Some(live) = state.live.as_mut().filter(|live| !live.ending) else { return };
    let left = live.left(state.now);
    if left.is_zero() {
        let session = live.facts.id;
        state.ask(Slot::EndSession, Effect::EndSession { session, why: EndReason::Expired });
        return over(state, "its time has expired");
    }
    let due = WARNINGS.iter().filter(|minutes| left <= TimeDelta::minutes(**minutes)).count();
    if due > live.warned {
        live.warned = due;
        let text = format!("the impersonation ends in {}", crate::format::duration(left));
        state.note(Weight::Warning, text);
    }
}

/// Ends it because the operator, or the end of the console, wants it.
pub(crate) fn end(state: &mut State, why: EndReason) {
    let Some(live) = state.live.as_mut().filter(|live| !live.ending) else { return };
    live.ending = true;
    let session = live.facts.id;
    leave(state);
    state.ask(Slot::EndSession, Effect::EndSession { session, why });
}

/// The end is confirmed, or could not be.
pub(crate) fn ended(state: &mut State, result: Result<(), Failure>) {
    let was_ending = state.live.as_ref().is_some_and(|live| live.ending);
    match result {
        Ok(()) if was_ending => {
            state.live = None;
            state.note(Weight::Note, "the impersonation is ended");
            screen::load_after_session(state);
        }
        Err(failure) if was_ending => {
            if let Some(live) = &mut state.live {
                live.ending = false;
                let until = crate::format::time(live.facts.expires_at);
                let text = format!("not ended: {failure}\nthe database ends it at {until}");
                state.note(Weight::Fault, text);
            }
        }
        // Of one that expired or was not wanted: its screen is gone already.
        Err(failure) => {
            let text = format!(
                "a session could not be ended: {failure}\nthe database ends it when its time is over"
            );
            state.note(Weight::Fault, text);
        }
        Ok(()) => {}
    }
    if state.quitting {
        state.ask(Slot::Local, Effect::Quit);
    }
}

/// The database ended it, or its connection is gone.
pub(crate) fn lost(state: &mut State, session: i64, why: &Untrusted) {
    if state.live.as_ref().is_none_or(|live| live.facts.id != session) {
        return;
    }
    // An end of our own is under way: its answer says the same.
    if state.live.as_ref().is_some_and(|live| !live.ending) {
        over(state, &why.screen());
    }
}

/// It ended without the operator: the screen goes, and a card says so that stays until it is
/// closed. What is typed at that moment was meant for the tenant and must not close it.
fn over(state: &mut State, why: &str) {
    leave(state);
    let Some(Live { facts, .. }) = state.live.take() else { return };
    let member = facts.member.as_ref().map_or_else(|| "the tenant".into(), |m| m.email.screen());
    let mode = format!("{} as {member}", facts.mode.as_str());
    let gone = "What was read there is gone from this screen. You act as yourself again.";
    let entries = vec![
        Entry::new("why", why).role(Role::Bad),
        Entry::new("tenant", facts.slug.screen()),
        Entry::new("mode", mode),
        Entry::new("session", facts.id.to_string()),
        Entry::new("at", crate::format::time(state.now)),
        Entry::note("", Role::Text),
        Entry::note(gone, Role::Text),
    ];
    let mut card = Card::new("THE IMPERSONATION IS OVER", entries);
    card.insist(state.now + INSIST);
    state.overlays.push(Overlay::Card(card));
    let text = format!("the impersonation of {} is over: {why}", facts.slug.screen());
    state.notices.record(Weight::Fault, text, state.now);
    screen::load_after_session(state);
}

/// Takes the screen away and forgets everything that was read.
fn leave(state: &mut State) {
    let slots = [Slot::Relations, Slot::Page, Slot::Count, Slot::Record, Slot::Links];
    for slot in slots.into_iter().chain([Slot::CopyValue, Slot::ViewValue, Slot::History]) {
        state.requests.forget(slot);
    }
    if let Some(no) = state.requests.number(Slot::Statement) {
        state.ask(Slot::Cancel, Effect::Cancel(no));
        state.requests.forget(Slot::Statement);
    }
    state.impersonation = None;
    // A form holds what was typed, nothing that was read; one of the session has no sense any more.
    let of_session = |kind: &FormKind| matches!(kind, FormKind::ResultExport);
    state.overlays.retain(|overlay| matches!(overlay, Overlay::Form(kind, _) if !of_session(kind)));
    state.prompt = None;
    state.pressed.clear();
    state.stack.retain(|screen| *screen != Screen::Impersonation);
}
