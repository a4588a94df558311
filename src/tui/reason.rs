//! Why a command cannot run now; the same sentence in help, palette and notice.

use super::app::{Screen, State};
use super::request::Slot;
use super::screen;
use crate::command::{Command, CommandId, Facts, Scope};

/// Commands whose keys belong to one screen and that the palette can start from any other.
const FROM_ANYWHERE: [CommandId; 2] = [CommandId::TenantCreate, CommandId::TenantFind];

/// `None` where it can run.
pub(crate) fn unavailable(state: &State, command: &Command) -> Option<String> {
    let (scope, id) = (state.scope(), command.id);
    let here = command.scopes.contains(&scope) || command.scopes.contains(&Scope::Everywhere);
    if !here && !FROM_ANYWHERE.contains(&id) {
        let scopes: Vec<_> = command.scopes.iter().map(|scope| scope.as_str()).collect();
        return Some(format!("only at: {}", scopes.join(", ")));
    }
    let live = state.live.as_ref();
    let facts = Facts {
        level: state.greeting.as_ref().map(|greeting| greeting.level),
        tenant: state.selected_tenant().is_some(),
        impersonation: live.map(|live| live.facts.mode),
        row: screen::has_row(state),
        // Ctrl-C has a meaning even when nothing runs: it leaves.
        operation: true,
    };
    command.unavailable(&facts).or_else(|| of_state(state, command))
}

fn is_sql(state: &State) -> bool {
    let own = state.impersonation.as_ref();
    state.screen() == Screen::Impersonation && own.is_some_and(screen::Impersonation::is_sql)
}

fn of_state(state: &State, command: &Command) -> Option<String> {
    let live = state.live.as_ref();
    let reason = match command.id {
        CommandId::ImpersonationEnd | CommandId::ImpersonationShow
            if live.is_some_and(|live| live.ending) =>
        {
            "it is ending"
        }
        CommandId::ImpersonationShow if live.is_none() => "no impersonation is open",
        CommandId::SqlRun if !is_sql(state) => "write a statement first",
        CommandId::NextPage | CommandId::PreviousPage | CommandId::CountRows if is_sql(state) => {
            "only where rows are browsed"
        }
        CommandId::SqlRun if state.requests.is_open(Slot::Statement) => "a statement is running",
        CommandId::RestoreApply if state.requests.is_open(Slot::Restore) => "a restore is running",
        CommandId::RestoreApply if state.restore.as_ref().is_some_and(screen::Restore::is_used) => {
            "the plan is used up: make a new one from the archive"
        }
        CommandId::AuditVerify if state.requests.is_open(Slot::VerifyAudit) => {
            "the verification is running"
        }
        CommandId::Filter
            if is_sql(state)
                || matches!(
                    state.screen(),
                    Screen::Server | Screen::Restore | Screen::Archives
                ) =>
        {
            "nothing to filter here"
        }
        CommandId::PlanShow if screen::cards::plan_in_question(state).is_none() => {
            "select a tenant that has a plan"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}
