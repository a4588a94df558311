//! The line below the screen: a filter while it is typed, or a search by the database.

use crate::tui::app::{Prompt, Screen, State};
use crate::tui::effect::Effect;
use crate::tui::request::Slot;

use super::{audit, impersonation, sessions, tenants, usage};

/// Opens the filter of the screen on top, with what it is now.
pub(crate) fn prompt_filter(state: &mut State) {
    let (hint, before) = match state.screen() {
        Screen::Tenants => {
            ("a part of any column; ~abc finds scattered letters", &state.tenants.filter)
        }
        Screen::Usage => ("a part of slug or plan", &state.usage.filter),
        Screen::Sessions => ("a part of operator, tenant, mode or reason", &state.sessions.filter),
        Screen::Audit => ("tenant:acme operator:jo action:export since:2d", &state.audit.text),
        Screen::Impersonation => match &state.impersonation {
            Some(own) if !own.is_sql() => {
                ("column = value, column ~ part, column is null, or a part", own.filter_text())
            }
            _ => return,
        },
        _ => return,
    };
    let (input, before) = (before.as_str().into(), before.clone());
    state.prompt = Some(Prompt { label: "filter", hint, input, find: false, before });
}

/// Opens the search that the database does, at the list of tenants.
pub(crate) fn prompt_find(state: &mut State) {
    if state.screen() != Screen::Tenants {
        state.go_top(Screen::Tenants);
    }
    let (input, before) = Default::default();
    let hint = "name, slug, id, domain or a member's e-mail; enter asks the database";
    state.prompt = Some(Prompt { label: "find", hint, input, find: true, before });
}

/// A letter more or less: a list in memory is filtered at once.
pub(crate) fn prompt_changed(state: &mut State) {
    let Some(prompt) = state.prompt.as_ref().filter(|prompt| !prompt.find) else { return };
    let text = prompt.input.value().to_owned();
    match state.screen() {
        Screen::Tenants => tenants::filter(state, &text),
        Screen::Usage => usage::filter(state, &text),
        Screen::Sessions => sessions::filter(state, &text),
        _ => {}
    }
}

/// The line is complete (`true`), or left without effect.
pub(crate) fn prompt_done(state: &mut State, wanted: bool) {
    let Some(prompt) = state.prompt.take() else { return };
    let text = prompt.input.value().trim().to_owned();
    if prompt.find {
        if wanted && !text.is_empty() {
            state.tenants.wanted.clone_from(&text);
            state.ask(Slot::Found, Effect::FindTenants(text));
        }
        return;
    }
    match state.screen() {
        Screen::Tenants if !wanted => tenants::filter(state, &prompt.before),
        Screen::Usage if !wanted => usage::filter(state, &prompt.before),
        Screen::Sessions if !wanted => sessions::filter(state, &prompt.before),
        Screen::Audit if wanted => audit::filter(state, &text),
        Screen::Impersonation if wanted => impersonation::filter(state, &text),
        _ => {}
    }
}
