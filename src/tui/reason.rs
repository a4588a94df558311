//! Why a command cannot run now; the same sentence in help, palette and notice.

use super::app::{Screen, State};
use super::request::Slot;
use crate::command::registry::{Command, CommandId, Place};

/// `None` where it can run.
pub(crate) fn unavailable(state: &State, command: &Command) -> Option<String> {
    if let Some(reason) = command.unavailable {
        return Some(reason.to_owned());
    }
    if let Some(greeting) = state.greeting.as_ref().filter(|own| own.level < command.level) {
        return Some(format!("needs level {}, yours is {}", command.level, greeting.level));
    }
    if !command.everywhere && !command.places.contains(&state.place()) {
        let places: Vec<_> = command.places.iter().map(|place| Place::title(*place)).collect();
        return Some(format!("only at: {}", places.join(", ")));
    }
    of_state(state, command.id).map(str::to_owned)
}

fn of_state(state: &State, id: CommandId) -> Option<&'static str> {
    let on_tenant = || state.selected_tenant().is_none().then_some("no tenant is selected");
    let live = state.live.as_ref();
    match id {
        CommandId::Impersonate if live.is_some() => {
            Some("an impersonation is running: end it first, they are never nested")
        }
        CommandId::Impersonate | CommandId::CopySlug => on_tenant(),
        CommandId::Export => on_tenant(),
        CommandId::EndSession if live.is_none() => Some("no impersonation is running"),
        CommandId::EndSession if live.is_some_and(|live| live.ending) => Some("it is ending"),
        CommandId::GoSession if live.is_none_or(|live| live.ending) => {
            Some("no impersonation is running")
        }
        CommandId::RunSql if state.requests.is_open(Slot::Statement) => {
            Some("a statement is running")
        }
        CommandId::ApplyRestore if state.requests.is_open(Slot::Restore) => {
            Some("a restore is running")
        }
        CommandId::VerifyAudit if state.requests.is_open(Slot::VerifyAudit) => {
            Some("the verification is running")
        }
        CommandId::Filter if matches!(state.screen(), Screen::Server | Screen::Restore) => {
            Some("nothing to filter here")
        }
        _ => None,
    }
}
