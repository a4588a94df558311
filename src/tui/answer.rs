//! Answers find their way: late ones are dropped, failures go to where the question was asked.

use super::app::State;
use super::effect::{Answer, Effect, RequestNo};
use super::facts::{EndReason, Greeting};
use super::request::Slot;
use super::widget::notice::{Weight, failure_text};
use super::{live, operation, screen};
use crate::failure::{Failure, Kind};

/// A request is answered.
pub(crate) fn take(state: &mut State, no: RequestNo, result: Result<Answer, Failure>) {
    operation::end(state, no);
    match (state.requests.settle(no), result) {
        (Some(slot), Ok(answer)) => arrived(state, slot, answer),
        (Some(slot), Err(failure)) => failed(state, slot, &failure),
        // Nobody waits for it; but a session must not stay open behind the operator's back.
        (None, Ok(Answer::SessionOpened(facts))) => unwanted(state, facts.id),
        (None, _) => {}
    }
}

fn unwanted(state: &mut State, session: i64) {
    state.ask(Slot::EndSession, Effect::EndSession { session, why: EndReason::Unwanted });
    state.note(Weight::Warning, "a session opened after its form was closed; it is ended again");
}

fn arrived(state: &mut State, slot: Slot, answer: Answer) {
    if !matches!(answer, Answer::Profiles(_)) {
        state.unreachable = None;
    }
    match answer {
        Answer::Greeting(greeting) => greeted(state, greeting),
        Answer::Tenants(table) => screen::tenants::listed(state, table),
        Answer::Found(found) => screen::tenants::found(state, &found),
        Answer::Tenant(facts) => screen::tenant::shown(state, facts),
        Answer::Members(members) => screen::tenant::members(state, members),
        Answer::TenantUsage(usage) => {
            screen::limit::metrics(state, &usage);
            screen::tenant::usage(state, usage);
        }
        Answer::Sessions(sessions) => screen::tenant::sessions(state, sessions),
        Answer::Usage(usage) => screen::usage::listed(state, usage),
        Answer::Plans(plans) if slot == Slot::Card => screen::cards::plans(state, &plans),
        Answer::Plans(plans) => screen::provision::plans(state, plans),
        Answer::Plan(plan) => screen::cards::plans(state, &[plan]),
        Answer::LimitSet(ask) => screen::limit::done(state, &ask),
        Answer::Map(map) => screen::cards::map(state, &map),
        Answer::Operators(operators) if slot == Slot::Operators => {
            screen::operators::known(state, operators);
        }
        Answer::Operators(operators) => screen::cards::operators(state, &operators),
        Answer::OperatorAdded(added) => screen::operators::added(state, &added),
        Answer::LevelSet(name, level) => screen::operators::changed(state, &name, level),
        Answer::OperatorRemoved { name, kept } => screen::operators::removed(state, &name, kept),
        Answer::AllSessions(sessions) => screen::sessions::listed(state, sessions),
        Answer::Provisioned(welcome) => screen::provision::done(state, &welcome),
        Answer::SessionOpened(facts) if !screen::start::is_waiting(state) => {
            unwanted(state, facts.id);
        }
        Answer::SessionOpened(facts) => live::begin(state, facts),
        Answer::SessionEnded => live::ended(state, Ok(())),
        Answer::OtherEnded => {
            state.note(Weight::Note, "the session is ended");
            screen::load(state, state.screen());
        }
        answer @ (Answer::Relations(_)
        | Answer::Page(_)
        | Answer::Record(_)
        | Answer::Links(_)
        | Answer::ResultExported(_)
        | Answer::Counted(_)
        | Answer::History(_)
        | Answer::Statement(_)) => inside(state, slot, answer),
        Answer::Archives(archives) => screen::archives::listed(state, archives),
        Answer::Archive(facts) => screen::archives::inspected(state, &facts),
        Answer::Verified(verified) => screen::archives::verified(state, &verified),
        Answer::Exported(export) => screen::archives::exported(state, &export),
        Answer::RestorePlan(plan) => screen::restore::planned(state, plan),
        Answer::Restored(result) => screen::restore::restored(state, result),
        Answer::Audit(page) => screen::audit::listed(state, page),
        Answer::AuditVerified(chains) => screen::audit::verified(state, chains),
        Answer::Server(facts) => screen::server::shown(state, facts),
        Answer::Profiles(profiles) => screen::profile::listed(state, profiles),
        Answer::Switched(place) => screen::profile::arrived(state, place),
        Answer::Done if slot == Slot::EndSession => live::ended(state, Ok(())),
        Answer::Done => {}
    }
}

/// Answers from inside a tenant.
fn inside(state: &mut State, slot: Slot, answer: Answer) {
    match answer {
        Answer::Relations(relations) => screen::impersonation::relations(state, relations),
        Answer::Page(page) => screen::impersonation::page(state, page),
        Answer::Record(record) if slot == Slot::CopyValue => {
            screen::impersonation::copied(state, record);
        }
        Answer::Record(record) if slot == Slot::ViewValue => {
            screen::impersonation::viewed(state, record);
        }
        Answer::Record(record) => screen::impersonation::record(state, record),
        Answer::Links(links) => screen::impersonation::links(state, links),
        Answer::ResultExported(facts) => screen::impersonation::written(state, &facts),
        Answer::History(shapes) => screen::impersonation::history(state, &shapes),
        Answer::Counted(rows) => screen::impersonation::counted(state, rows),
        Answer::Statement(result) => screen::impersonation::statement(state, result),
        _ => {}
    }
}

fn greeted(state: &mut State, greeting: Greeting) {
    if greeting.shared {
        let text = "this is a shared or owner login: every record says so, write mode is refused";
        state.note(Weight::Warning, text);
    }
    for warning in &greeting.warnings {
        state.note(Weight::Warning, warning.screen());
    }
    state.greeting = Some(greeting);
}

fn failed(state: &mut State, slot: Slot, failure: &Failure) {
    if failure.kind == Kind::Interrupted {
        state.note(Weight::Note, failure.message.clone());
    }
    let text = failure_text(failure);
    let shown = match slot {
        Slot::Provision
        | Slot::Override
        | Slot::AddOperator
        | Slot::Operators
        | Slot::OpenSession
        | Slot::RestorePlan
        | Slot::ResultExport
        | Slot::Switch => screen::form_refused(state, slot, &text),
        Slot::Page | Slot::Relations => screen::impersonation::page_failed(state, &text),
        Slot::Statement => screen::impersonation::statement_failed(state, &text),
        // Where nothing could be connected, the whole screen says so and not a notice that passes.
        Slot::Greeting => {
            state.unreachable = Some(text.clone());
            true
        }
        Slot::Tenants => {
            state.tenants.fault = Some(text.clone());
            state.greeting.is_none()
        }
        Slot::Restore => screen::restore::failed(state, &text),
        Slot::EndSession => {
            live::ended(state, Err(failure.clone()));
            true
        }
        _ => false,
    };
    if failure.kind == Kind::Interrupted {
        return;
    }
    let notice = state.notices.record_failure(failure, state.now);
    if !shown {
        state.notices.show(notice);
    }
}
