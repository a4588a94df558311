//! Work that takes long: how far it is, and asking it to stop. It survives changes of the screen.

use super::app::State;
use super::effect::{Effect, RequestNo};
use super::request::Slot;
use super::widget::notice::Weight;
use crate::progress::Event;

/// One running operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) no: RequestNo,
    pub(crate) slot: Slot,
    pub(crate) title: String,
    pub(crate) step: String,
    pub(crate) unit: &'static str,
    pub(crate) total: Option<u64>,
    pub(crate) done: u64,
    pub(crate) cancelling: bool,
}

/// Starts an operation.
pub(crate) fn begin(state: &mut State, slot: Slot, title: impl Into<String>, effect: Effect) {
    // An operation whose answer is not wanted any more has no line either, and must not hold what
    // the new one needs.
    if slot.replaces() {
        let replaced = |running: &&Operation| running.slot == slot;
        let numbers: Vec<_> = state.operations.iter().filter(replaced).map(|old| old.no).collect();
        for old in numbers {
            cancel(state, old);
            end(state, old);
        }
    }
    let no = state.ask(slot, effect);
    state.operations.push(Operation {
        no,
        slot,
        title: title.into(),
        step: String::new(),
        unit: "",
        total: None,
        done: 0,
        cancelling: false,
    });
}

/// It told how far it is; late news of one that is over are dropped.
pub(crate) fn progress(state: &mut State, no: RequestNo, event: Event) {
    let Some(running) = state.operations.iter_mut().find(|running| running.no == no) else {
        return;
    };
    match event {
        Event::Planned { unit, total } => (running.unit, running.total) = (unit, total),
        Event::Entered { step } => running.step = step,
        Event::Advanced { done } => running.done = done,
        Event::Warned { message } => state.note(Weight::Warning, message),
    }
}

/// Asks it to stop at its next checkpoint.
pub(crate) fn cancel(state: &mut State, no: RequestNo) {
    if let Some(running) = state.operations.iter_mut().find(|running| running.no == no) {
        running.cancelling = true;
        state.ask(Slot::Cancel, Effect::Cancel(no));
    }
}

/// It is over.
pub(crate) fn end(state: &mut State, no: RequestNo) {
    state.operations.retain(|running| running.no != no);
}
