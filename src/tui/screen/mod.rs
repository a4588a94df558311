//! The screens: each has its state, what its commands do, what answers do to it, and its drawing.
//!
//! The functions here only choose the screen on top; none of them knows what a screen shows.

pub(super) mod archives;
pub(super) mod audit;
pub(super) mod cards;
pub(super) mod impersonation;
pub(super) mod limit;
pub(super) mod operators;
pub(super) mod profile;
pub(super) mod provision;
pub(super) mod restore;
pub(super) mod server;
pub(super) mod sessions;
pub(super) mod start;
pub(super) mod tenant;
pub(super) mod tenants;
pub(super) mod usage;

mod prompt;
mod sheet;

pub(super) use archives::Archives;
pub(super) use audit::Audit;
pub(super) use impersonation::Impersonation;
pub(super) use profile::ProfileList;
pub(super) use prompt::{prompt_changed, prompt_done, prompt_filter, prompt_find};
pub(super) use provision::provision;
pub(super) use restore::Restore;
pub(super) use server::Server;
pub(super) use sessions::Sessions;
pub(super) use sheet::{FormKind, form_abandoned, form_changed, form_refused, form_sent};
pub(super) use start::{open_session, start_impersonation};
pub(super) use tenant::TenantPage;
pub(super) use tenants::Tenants;
pub(super) use usage::Usage;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::app::{Screen, State};
use super::widget::window::Cursor;
use crate::command::{CommandId, Key};
use crate::identity::TenantId;
use crate::text::Untrusted;

/// Asks for what the screen shows; what is there stays until the answer comes.
pub(super) fn load(state: &mut State, screen: Screen) {
    match screen {
        Screen::Tenants => tenants::load(state),
        Screen::Tenant => tenant::load(state),
        Screen::Impersonation => impersonation::load(state),
        Screen::Usage => usage::load(state),
        Screen::Archives => archives::load(state),
        Screen::Restore => restore::load(state),
        Screen::Audit => audit::load(state),
        Screen::Server => server::load(state),
        Screen::Sessions => sessions::load(state),
    }
}

/// Where sessions are listed, one of them has just ended.
pub(super) fn load_after_session(state: &mut State) {
    let screen = state.screen();
    if matches!(screen, Screen::Tenant | Screen::Sessions) && !state.quitting {
        load(state, screen);
    }
}

/// A command for the screen on top.
pub(super) fn act(state: &mut State, id: CommandId) {
    match state.screen() {
        Screen::Tenants => tenants::act(state, id),
        Screen::Tenant => tenant::act(state, id),
        Screen::Impersonation => impersonation::act(state, id),
        Screen::Usage => usage::act(state, id),
        Screen::Archives => archives::act(state, id),
        Screen::Restore => restore::act(state, id),
        Screen::Audit => audit::act(state, id),
        Screen::Server => server::act(state, id),
        Screen::Sessions => sessions::act(state, id),
    }
}

/// Draws the screen on top.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    match state.screen() {
        Screen::Tenants => tenants::draw(state, frame, area),
        Screen::Tenant => tenant::draw(state, frame, area),
        Screen::Impersonation => impersonation::draw(state, frame, area),
        Screen::Usage => usage::draw(state, frame, area),
        Screen::Archives => archives::draw(state, frame, area),
        Screen::Restore => restore::draw(state, frame, area),
        Screen::Audit => audit::draw(state, frame, area),
        Screen::Server => server::draw(state, frame, area),
        Screen::Sessions => sessions::draw(state, frame, area),
    }
}

/// Gives a key to a text of the screen; `false` where none is being typed or it is no text key.
pub(super) fn typed(state: &mut State, key: Key) -> bool {
    state.screen() == Screen::Impersonation && impersonation::typed(state, key)
}

/// Whether letters go into a text of the screen.
pub(super) fn is_typing(state: &State) -> bool {
    state.screen() == Screen::Impersonation
        && state.impersonation.as_ref().is_some_and(Impersonation::is_typing)
}

/// A text was pasted into the screen.
pub(super) fn pasted(state: &mut State, text: &str) {
    if state.screen() == Screen::Impersonation {
        impersonation::pasted(state, text);
    }
}

/// Leaves something inside the screen (a filter); `false` where there is nothing to leave.
pub(super) fn step_back(state: &mut State) -> bool {
    match state.screen() {
        Screen::Tenants => tenants::step_back(state),
        Screen::Usage => usage::step_back(state),
        Screen::Audit => audit::step_back(state),
        Screen::Sessions => sessions::step_back(state),
        Screen::Impersonation => impersonation::step_back(state),
        _ => false,
    }
}

/// Moves through a list; `false` for a command that is no movement.
pub(super) fn travel(cursor: &mut Cursor, len: usize, id: CommandId) -> bool {
    match id {
        CommandId::Up => cursor.step(-1, len),
        CommandId::Down => cursor.step(1, len),
        CommandId::PageUp => cursor.page(-1, len),
        CommandId::PageDown => cursor.page(1, len),
        CommandId::First => cursor.first(),
        CommandId::Last => cursor.last(len),
        _ => return false,
    }
    true
}

impl State {
    /// The tenant that tenant commands mean: of the page, or of the selected row. Id and raw slug.
    pub(super) fn selected_tenant(&self) -> Option<(TenantId, String)> {
        match self.screen() {
            Screen::Tenants => self.tenants.selected(),
            Screen::Usage => self.usage.selected(),
            Screen::Tenant => self.tenant.as_ref().map(TenantPage::reference),
            _ => None,
        }
    }
}

/// Whose session is selected, where it is a running one.
pub(super) fn running_session(state: &State) -> Option<&Untrusted> {
    match state.screen() {
        Screen::Tenant => state.tenant.as_ref().and_then(TenantPage::running_session),
        Screen::Sessions => state.sessions.running(),
        _ => None,
    }
}

/// Whether the list on screen has a selected row.
pub(super) fn has_row(state: &State) -> bool {
    match state.screen() {
        Screen::Tenants | Screen::Usage => state.selected_tenant().is_some(),
        Screen::Tenant => state.tenant.as_ref().is_some_and(TenantPage::has_row),
        Screen::Impersonation => state.impersonation.as_ref().is_some_and(Impersonation::has_row),
        Screen::Archives => state.archives.selected().is_some(),
        Screen::Restore => state.restore.is_some(),
        Screen::Audit => state.audit.has_row(),
        Screen::Sessions => state.sessions.selected().is_some(),
        Screen::Server => true,
    }
}
