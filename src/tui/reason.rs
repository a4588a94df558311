//! Why a command cannot run now; the same sentence in help, palette and notice.

use super::app::{Screen, State};
use super::request::Slot;
use super::screen;
use crate::command::{Command, CommandId, Facts, Scope};
use crate::identity::Level;

/// Commands whose keys belong to one screen and that the palette can start from any other.
const FROM_ANYWHERE: [CommandId; 2] = [CommandId::TenantCreate, CommandId::TenantFind];

/// `None` where it can run.
pub(crate) fn unavailable(state: &State, command: &Command) -> Option<String> {
    let (scope, id) = (state.scope(), command.id);
    let facts = facts(state);
    if let Some(reason) = command.above(&facts) {
        return Some(reason);
    }
    let here = command.scopes.contains(&scope) || command.scopes.contains(&Scope::Everywhere);
    if !here && !FROM_ANYWHERE.contains(&id) {
        let scopes: Vec<_> = command.scopes.iter().map(|scope| scope.as_str()).collect();
        return Some(format!("only at: {}", scopes.join(", ")));
    }
    command.unavailable(&facts).or_else(|| of_state(state, command))
}

/// What is known of the moment.
fn facts(state: &State) -> Facts {
    let live = state.live.as_ref();
    Facts {
        level: state.greeting.as_ref().map(|greeting| greeting.level),
        manager: state.greeting.as_ref().is_some_and(|greeting| greeting.manager),
        tenant: state.selected_tenant().is_some(),
        impersonation: live.map(|live| live.facts.mode),
        row: screen::has_row(state),
        // Ctrl-C has a meaning even when nothing runs: it leaves.
        operation: true,
    }
}

/// What is looked at inside a tenant, where that is on screen.
fn inside(state: &State) -> Option<&screen::Impersonation> {
    state.impersonation.as_ref().filter(|_| state.screen() == Screen::Impersonation)
}

/// What the moment says: of the place, of what is looked at inside a tenant, of what is running.
fn of_state(state: &State, command: &Command) -> Option<String> {
    let id = command.id;
    let inside = inside(state).and_then(|own| of_inside(state, own, id));
    let fixed = of_place(state, id).or_else(|| of_running(state, id)).map(str::to_owned);
    inside.or(fixed)
}

/// Commands that work on every screen which has something for them.
fn of_place(state: &State, id: CommandId) -> Option<&'static str> {
    use Screen::{Archives, Audit, Impersonation, Restore, Server, Tenant, Tenants, Usage};
    let screen = state.screen();
    match id {
        CommandId::Sort | CommandId::SortReverse => {
            (!matches!(screen, Tenants | Usage | Impersonation)).then_some("nothing to sort here")
        }
        CommandId::NextPane | CommandId::PreviousPane => {
            (!matches!(screen, Tenant | Impersonation)).then_some("there is one pane only")
        }
        CommandId::Filter => matches!(screen, Server | Restore | Archives | Tenant)
            .then_some("nothing to filter here"),
        CommandId::Copy => matches!(screen, Restore | Audit).then_some("nothing to copy here"),
        CommandId::Open => (screen == Server).then_some("nothing to open here"),
        CommandId::NextPage => {
            (screen == Audit && !state.audit.has_older()).then_some("there are no older events")
        }
        CommandId::SessionEnd => match screen::running_session(state) {
            None => Some("select a running session first"),
            Some(operator) => {
                let mine = state.greeting.as_ref().is_some_and(|greeting| {
                    greeting.level >= Level::Approver
                        || greeting.operator.as_str() == operator.raw()
                });
                (!mine).then_some("only an approver ends the session of somebody else")
            }
        },
        CommandId::PlanShow => screen::cards::plan_in_question(state)
            .is_none()
            .then_some("select a tenant that has a plan"),
        _ => None,
    }
}

/// Commands inside a tenant.
fn of_inside(state: &State, own: &screen::Impersonation, id: CommandId) -> Option<String> {
    let sql = own.is_sql();
    let reason = match id {
        CommandId::NextPage | CommandId::PreviousPage | CommandId::CountRows if !sql => {
            return own.no_page(id);
        }
        CommandId::NextPage | CommandId::PreviousPage | CommandId::CountRows => {
            "only where rows are browsed"
        }
        CommandId::Follow | CommandId::Links if sql => "only where rows are browsed",
        CommandId::Follow
        | CommandId::Links
        | CommandId::ViewValue
        | CommandId::Mark
        | CommandId::CopyRows
        | CommandId::CopyRowsJson
            if own.in_relations() || !own.has_rows() || own.is_typing() =>
        {
            "select a row first"
        }
        CommandId::ResultExport if !own.has_rows() => "there are no rows on screen",
        CommandId::SqlRun if !sql => "write a statement first",
        CommandId::Browse if !sql => "rows are browsed already",
        CommandId::Sql if screen::is_typing(state) => "one is being written",
        CommandId::Sort | CommandId::SortReverse if sql => "nothing to sort here",
        CommandId::Filter if sql => "nothing to filter here",
        CommandId::Filter if !own.has_rows() => "open a relation first",
        CommandId::NextPane | CommandId::PreviousPane if !own.has_rows() => {
            "there are no rows to go to"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}

/// Commands that wait for something that is running, or is over.
fn of_running(state: &State, id: CommandId) -> Option<&'static str> {
    let ending = state.live.as_ref().is_some_and(|live| live.ending);
    let is_open = |slot| state.requests.is_open(slot);
    let reason = match id {
        CommandId::ImpersonationEnd | CommandId::ImpersonationShow if ending => "it is ending",
        CommandId::ImpersonationShow if state.live.is_none() => "no impersonation is open",
        CommandId::SqlRun if is_open(Slot::Statement) => "a statement is running",
        // What would be begun here would be ended by the arrival there.
        CommandId::Profile
        | CommandId::Impersonate
        | CommandId::TenantCreate
        | CommandId::LimitOverride
        | CommandId::Export
        | CommandId::Restore
        | CommandId::RestoreApply
        | CommandId::AuditVerify
            if is_open(Slot::Switch) =>
        {
            "the way to another database is under way"
        }
        CommandId::RestoreApply if is_open(Slot::Restore) => "a restore is running",
        CommandId::RestoreApply if state.restore.as_ref().is_some_and(screen::Restore::is_used) => {
            "the plan is used up: make a new one from the archive"
        }
        CommandId::AuditVerify if is_open(Slot::VerifyAudit) => "the verification is running",
        _ => return None,
    };
    Some(reason)
}
