//! The line below the screen: a filter while it is typed, or a search by the database.

use crate::tui::app::{Prompt, Screen, State};
use crate::tui::effect::Effect;
use crate::tui::request::Slot;

use super::{audit, impersonation, tenants, usage};

/// Opens the filter of the screen on top, with what it is now.
pub(crate) fn prompt_filter(state: &mut State) {
    let (label, before) = match state.screen() {
        Screen::Tenants => ("filter", state.tenants.filter.clone()),
        Screen::Usage => ("filter", state.usage.filter.clone()),
        Screen::Audit => ("tenant: operator: action: since:", state.audit.text.clone()),
        Screen::Impersonation => match &state.impersonation {
            Some(own) if !own.is_sql() => ("filter", own.filter_text().to_owned()),
            _ => return,
        },
        _ => return,
    };
    let input = before.as_str().into();
    state.prompt = Some(Prompt { label, input, find: false, before });
}

/// Opens the search that the database does, at the list of tenants.
pub(crate) fn prompt_find(state: &mut State) {
    if state.screen() != Screen::Tenants {
        state.go_top(Screen::Tenants);
    }
    let (input, before) = Default::default();
    state.prompt = Some(Prompt { label: "find", input, find: true, before });
}

/// A letter more or less: a list in memory is filtered at once.
pub(crate) fn prompt_changed(state: &mut State) {
    let Some(prompt) = state.prompt.as_ref().filter(|prompt| !prompt.find) else { return };
    let text = prompt.input.value().to_owned();
    match state.screen() {
        Screen::Tenants => tenants::filter(state, &text),
        Screen::Usage => usage::filter(state, &text),
        _ => {}
    }
}

/// The line is complete (`true`), or left without effect.
pub(crate) fn prompt_done(state: &mut State, wanted: bool) {
    let Some(prompt) = state.prompt.take() else { return };
    let text = prompt.input.value().trim().to_owned();
    if prompt.find {
        if wanted && !text.is_empty() {
            state.ask(Slot::Found, Effect::FindTenants(text));
        }
        return;
    }
    match state.screen() {
        Screen::Tenants if !wanted => tenants::filter(state, &prompt.before),
        Screen::Usage if !wanted => usage::filter(state, &prompt.before),
        Screen::Audit if wanted => audit::filter(state, &text),
        Screen::Impersonation if wanted => impersonation::filter(state, &text),
        _ => {}
    }
}
