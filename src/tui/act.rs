//! Carrying commands out: what belongs to every screen here, the rest by the screen on top.

use super::app::{Screen, State};
use super::effect::{Effect, RequestNo};
use super::facts::{EndReason, OpenAsk, ProfileFacts};
use super::overlay::Overlay;
use super::request::Slot;
use super::screen::operators::About;
use super::widget::card::{Card, Entry};
use super::widget::confirm::Confirm;
use super::widget::notice::Weight;
use super::widget::palette::Palette;
use super::{live, operation, reason, screen};
use crate::command::{COMMANDS, Command, CommandId, Group, command};
use crate::identity::{Reason, TenantId};
use crate::tui::theme::Role;

/// What happens after a person agreed.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    Quit,
    EndSession,
    EndOther(i64),
    Open(Box<OpenAsk>),
    Export { tenant: TenantId, slug: String },
    Restore { plan: u64, confirm: String },
    Cancel(RequestNo),
    Switch(Box<ProfileFacts>),
    Operator(screen::operators::Change),
}

/// Runs a command, or says why it cannot.
pub(crate) fn run(state: &mut State, id: CommandId) {
    if let Some(reason) = reason::unavailable(state, command(id)) {
        let title = command(id).title;
        return state.note(Weight::Warning, format!("{title}: {reason}"));
    }
    match id {
        CommandId::Help => help(state),
        CommandId::Palette => {
            let able = |id| reason::unavailable(state, command(id)).is_none();
            let palette = Palette::new(able);
            state.overlays.push(Overlay::Palette(palette));
        }
        CommandId::Messages => messages(state),
        CommandId::Back => back(state, true),
        CommandId::Cancel => cancel(state),
        CommandId::Quit => quit(state),
        CommandId::Redraw => {
            state.notices.dismiss();
            state.ask(Slot::Local, Effect::Redraw);
        }
        CommandId::Suspend => {
            state.ask(Slot::Local, Effect::Suspend);
        }
        CommandId::TenantList => state.go_top(Screen::Tenants),
        CommandId::ImpersonationShow => live::show(state),
        CommandId::Usage => state.go_top(Screen::Usage),
        CommandId::ArchiveList => state.go_top(Screen::Archives),
        CommandId::AuditList => state.go_top(Screen::Audit),
        CommandId::ServerStatus => state.go_top(Screen::Server),
        CommandId::ImpersonationEnd => live::end(state, EndReason::Operator),
        CommandId::Profile => screen::profile::ask(state),
        CommandId::Refresh => refresh(state),
        CommandId::Filter => screen::prompt_filter(state),
        CommandId::TenantFind => screen::prompt_find(state),
        CommandId::TenantCreate => screen::provision(state),
        CommandId::Impersonate => screen::start_impersonation(state),
        CommandId::Export => ask_export(state),
        CommandId::LimitOverride => screen::limit::open(state),
        CommandId::OperatorAdd => screen::operators::open(state, About::Add),
        CommandId::OperatorLevel => screen::operators::open(state, About::Level),
        CommandId::OperatorRemove => screen::operators::open(state, About::Remove),
        CommandId::ImpersonationList => state.go_top(Screen::Sessions),
        CommandId::PlanList
        | CommandId::PlanShow
        | CommandId::TablesList
        | CommandId::OperatorList => screen::cards::ask(state, id),
        CommandId::Copy if state.selected_tenant().is_some() => {
            if let Some((_, slug)) = state.selected_tenant() {
                copy(state, &slug);
            }
        }
        id => screen::act(state, id),
    }
}

/// Reads again what is on screen, and connects where there is no connection yet.
fn refresh(state: &mut State) {
    if state.greeting.is_none() {
        state.unreachable = None;
        state.ask(Slot::Greeting, Effect::Greet);
    }
    screen::load(state, state.screen());
}

/// Copies a short text and says which.
pub(crate) fn copy(state: &mut State, text: &str) {
    state.note(Weight::Note, format!("copied: {}", crate::text::screen(text)));
    to_clipboard(state, text);
}

/// The clipboard is a sink like any other: what would be obeyed unseen is shown.
pub(crate) fn to_clipboard(state: &mut State, text: &str) {
    let text = crate::text::Untrusted::new(text).clipboard();
    state.ask(Slot::Local, Effect::Copy(text));
}

/// Commands on the picked value of the card on top, or on the value in the viewer.
pub(crate) fn on_picked(state: &mut State, id: CommandId) {
    let picked = match state.overlays.last() {
        Some(Overlay::Card(card)) => card.picked(),
        Some(Overlay::Viewer(viewer)) => Some((viewer.name.as_str(), viewer.value.as_str())),
        _ => None,
    };
    let picked = picked.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let Some((name, text)) = picked else { return };
    let of_card = matches!(state.overlays.last(), Some(Overlay::Card(_)));
    match id {
        CommandId::Copy => screen::impersonation::copy_value(state, &name, &text),
        CommandId::ViewValue if of_card => {
            screen::impersonation::view_value(state, &name, &text, None);
        }
        CommandId::Follow if of_card && reason::unavailable(state, command(id)).is_none() => {
            state.overlays.pop();
            screen::impersonation::follow_column(state, &name);
        }
        _ => {}
    }
}

/// One step back; at the first screen `q` quits and esc does nothing.
pub(crate) fn back(state: &mut State, may_quit: bool) {
    if screen::step_back(state) {
        return;
    }
    if state.screen() == Screen::Impersonation && state.live.is_some() {
        let text = "The session is closed in the database at once.\nNo keeps it running.";
        let confirm = Confirm::yes_no("end the impersonation?", text, Then::EndSession);
        return state.overlays.push(Overlay::Confirm(Box::new(confirm)));
    }
    if state.stack.len() > 1 {
        state.stack.pop();
    } else if may_quit {
        quit(state);
    }
}

/// What Ctrl-C cancels at the server, and what it is called.
const CANCELLED: [(Slot, &str); 7] = [
    (Slot::Statement, "statement"),
    (Slot::Count, "count"),
    (Slot::Record, "reading of the record"),
    (Slot::CopyValue, "reading of the value"),
    (Slot::ViewValue, "reading of the value"),
    (Slot::Links, "counting of the children"),
    (Slot::Page, "reading of the page"),
];

/// Ctrl-C: what the server works on first, then an operation, then what is open, then the console.
fn cancel(state: &mut State) {
    let running = |(slot, what)| Some((state.requests.number(slot)?, what));
    if let Some((no, what)) = CANCELLED.into_iter().find_map(running) {
        state.ask(Slot::Cancel, Effect::Cancel(no));
        return state.note(Weight::Note, format!("asked the server to cancel the {what}"));
    }
    if let Some(running) = state.operations.iter().rev().find(|running| !running.cancelling) {
        let title = format!("cancel {}?", running.title);
        let then = Then::Cancel(running.no);
        let confirm =
            Confirm::yes_no(title, "It stops at its next step; nothing half done stays.", then);
        return state.overlays.push(Overlay::Confirm(Box::new(confirm)));
    }
    if state.overlays.pop().is_some() || state.prompt.take().is_some() {
        return;
    }
    quit(state);
}

/// Quits; asks where an impersonation or an operation runs.
fn quit(state: &mut State) {
    let text = match (&state.live, state.operations.as_slice()) {
        (Some(live), _) => {
            format!(
                "You are acting in {}. Quitting ends the impersonation.",
                live.facts.slug.screen()
            )
        }
        (None, [running, ..]) => {
            format!("{} is running. Quitting cancels it.", running.title)
        }
        (None, []) => return quit_now(state),
    };
    let asked = state.overlays.iter().any(|overlay| {
        matches!(overlay, Overlay::Confirm(confirm) if matches!(confirm.then, Then::Quit))
    });
    if !asked {
        let confirm = Confirm::yes_no("quit?", text, Then::Quit);
        state.overlays.push(Overlay::Confirm(Box::new(confirm)));
    }
}

/// Quits without asking, but never leaves a session open behind it.
pub(crate) fn quit_now(state: &mut State) {
    for no in state.operations.iter().map(|running| running.no).collect::<Vec<_>>() {
        operation::cancel(state, no);
    }
    state.quitting = true;
    live::end(state, EndReason::Quit);
    if state.live.is_none() {
        state.ask(Slot::Local, Effect::Quit);
    }
}

/// The person agreed.
pub(crate) fn agreed(state: &mut State, then: Then, reason: Option<Reason>) {
    match then {
        Then::Quit => quit_now(state),
        Then::EndSession => live::end(state, EndReason::Operator),
        Then::EndOther(id) => {
            state.ask(Slot::EndOther, Effect::EndOther(id));
        }
        Then::Open(ask) => screen::open_session(state, *ask),
        Then::Export { tenant, slug } => {
            operation::begin(
                state,
                Slot::Export,
                format!("export of {slug}"),
                Effect::Export(tenant),
            );
        }
        Then::Restore { plan, confirm } => {
            if let Some(reason) = reason {
                let effect = Effect::Restore { plan, confirm, reason };
                operation::begin(state, Slot::Restore, "restore", effect);
            }
        }
        Then::Cancel(no) => operation::cancel(state, no),
        Then::Switch(profile) => screen::profile::go(state, &profile),
        Then::Operator(change) => screen::operators::agreed(state, change),
    }
}

fn ask_export(state: &mut State) {
    let Some((tenant, slug)) = state.selected_tenant() else { return };
    let slug = crate::text::screen(&slug);
    let text = format!(
        "Writes every row of {slug} to a new archive on this machine, under the archives of \
         tenantdesk. The archive holds personal data. The export is recorded in the ledger."
    );
    let then = Then::Export { tenant, slug };
    let confirm = Confirm::yes_no("export the tenant?", text, then);
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

/// Help is generated: every command, its keys, and why it cannot be used now. What works here
/// comes first.
fn help(state: &mut State) {
    let scope = state.scope();
    let mut entries = Vec::new();
    let (here, other): (Vec<_>, Vec<_>) = COMMANDS
        .iter()
        .filter(|command| command.in_console())
        .partition(|command| command.scopes.contains(&scope));
    if !here.is_empty() {
        entries.push(Entry::note("Here", Role::Header));
    }
    entries.extend(here.into_iter().map(|command| help_entry(state, command)));
    for group in Group::ALL {
        let mut rows = other.iter().filter(|command| command.group == group).peekable();
        if rows.peek().is_some() {
            if !entries.is_empty() {
                entries.push(Entry::note("", Role::Text));
            }
            entries.push(Entry::note(group.as_str(), Role::Header));
        }
        entries.extend(rows.map(|command| help_entry(state, command)));
    }
    let mut card = Card::new(format!("help: {}", scope.as_str()), entries);
    let palette = state.keymap.name(CommandId::Palette);
    card.foot = format!("esc close   up and down scroll   {palette} finds a command");
    state.overlays.push(Overlay::Card(card));
}

fn help_entry(state: &State, command: &Command) -> Entry {
    let keys = state.keymap.keys_of(command.id);
    let keys = if keys.is_empty() { format!(":{}", command.words) } else { keys };
    match reason::unavailable(state, command) {
        Some(reason) => Entry::new(keys, format!("{} ({reason})", command.title)).role(Role::Dim),
        None => Entry::new(keys, command.title),
    }
}

fn messages(state: &mut State) {
    let mut entries: Vec<Entry> = state
        .notices
        .logged()
        .iter()
        .rev()
        .map(|notice| {
            let label = format!("{} {}", notice.at.format("%H:%M:%S"), notice.weight.word());
            let mut text = notice.text.clone();
            // Where the message does not end with it already.
            let request = notice.request.map(|request| format!("request {request}"));
            if let Some(request) = request.filter(|request| !text.ends_with(request.as_str())) {
                text = format!("{text}\n{request}");
            }
            Entry::new(label, text).role(notice.weight.role())
        })
        .collect();
    if entries.is_empty() {
        entries.push(Entry::note("no message yet", Role::Dim));
    }
    state.overlays.push(Overlay::Card(Card::new("messages, newest first", entries)));
}
