//! The running impersonation as the console sees it: countdown, warnings, every way it ends.
//!
//! The database ends the session by itself; this only keeps the screen honest. Whatever was read
//! inside the tenant leaves the memory of the console the moment the session ends.

use chrono::TimeDelta;

use super::app::{Screen, State};
use super::effect::Effect;
use super::facts::{EndReason, SessionFacts};
use super::request::Slot;
use super::screen::{self, Impersonation};
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
        let id = live.facts.id;
        leave(state);
        state.live = None;
        state.ask(Slot::EndSession, Effect::EndSession { session: id, why: EndReason::Expired });
        return state.note(Weight::Fault, "the impersonation is over: its time has expired");
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
        }
        Err(failure) if was_ending => {
            if let Some(live) = &mut state.live {
                live.ending = false;
                let until = crate::format::time(live.facts.expires_at);
                let text = format!("not ended: {failure}\nthe database ends it at {until}");
                state.note(Weight::Fault, text);
            }
        }
        _ => {}
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
    if state.live.take_if(|live| !live.ending).is_some() {
        leave(state);
        state.note(Weight::Fault, format!("the impersonation is over: {}", why.screen()));
    }
}

/// Takes the screen away and forgets everything that was read.
fn leave(state: &mut State) {
    for slot in [Slot::Relations, Slot::Page, Slot::Count] {
        state.requests.forget(slot);
    }
    if let Some(no) = state.requests.number(Slot::Statement) {
        state.ask(Slot::Cancel, Effect::Cancel(no));
        state.requests.forget(Slot::Statement);
    }
    state.impersonation = None;
    state.overlays.clear();
    state.prompt = None;
    state.pressed.clear();
    state.stack.retain(|screen| *screen != Screen::Impersonation);
}
