//! The forms of the console: which there are, and where a complete one is sent.

use std::path::PathBuf;

use crate::identity::TenantId;
use crate::tui::app::State;
use crate::tui::facts::{MemberFacts, MetricFacts, OperatorFacts, ProfileFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::widget::form::Form;

use super::{impersonation, limit, operators, profile, provision, restore, start};

/// What a form is for.
#[derive(Debug, Clone)]
pub(crate) enum FormKind {
    Provision,
    /// `None` while the members are being read.
    Start {
        tenant: TenantId,
        slug: String,
        members: Option<Vec<MemberFacts>>,
    },
    Restore {
        archive: PathBuf,
    },
    /// `None` while the usage is being read.
    Limit {
        tenant: TenantId,
        slug: String,
        metrics: Option<Vec<MetricFacts>>,
    },
    /// What has to be typed before one can go to a database.
    Secret {
        profile: ProfileFacts,
    },
    /// Where the rows on screen are to go.
    ResultExport,
    /// `None` while the operators are being read, or where none of them is meant.
    Operators {
        about: operators::About,
        known: Option<Vec<OperatorFacts>>,
    },
}

/// Something was typed: proposals follow.
pub(crate) fn form_changed(kind: &mut FormKind, form: &mut Form) {
    match kind {
        FormKind::Provision => provision::propose(form),
        FormKind::Restore { .. } => restore::hint(form),
        FormKind::Limit { metrics: Some(metrics), .. } => limit::hint(form, metrics),
        FormKind::Operators { known: Some(known), .. } => operators::hint(form, known),
        _ => {}
    }
}

/// The form on top is to be sent; it stays open with messages where it is not valid.
pub(crate) fn form_sent(state: &mut State) {
    let Some(Overlay::Form(kind, _)) = state.overlays.last() else { return };
    match kind {
        FormKind::Provision => provision::send(state),
        FormKind::Start { .. } => start::send(state),
        FormKind::Restore { .. } => restore::send(state),
        FormKind::Limit { .. } => limit::send(state),
        FormKind::Secret { .. } => profile::send(state),
        FormKind::Operators { .. } => operators::send(state),
        FormKind::ResultExport => impersonation::send_export(state),
    }
}

/// The form was closed after it was sent.
pub(crate) fn form_abandoned(state: &mut State, kind: &FormKind) {
    // A session that opens now is ended again (see `answer`); a plan nobody waits for is dropped.
    match kind {
        FormKind::Start { .. } => state.requests.forget(Slot::OpenSession),
        FormKind::Restore { .. } => state.requests.forget(Slot::RestorePlan),
        FormKind::Provision
        | FormKind::Limit { .. }
        | FormKind::Operators { .. }
        | FormKind::ResultExport
        | FormKind::Secret { .. } => {}
    }
}

/// What was sent is refused: the form says why. `false` where it is closed.
pub(crate) fn form_refused(state: &mut State, slot: Slot, text: &str) -> bool {
    let form = state.overlays.iter_mut().rev().find_map(|overlay| match (overlay, slot) {
        (Overlay::Form(FormKind::Provision, form), Slot::Provision)
        | (Overlay::Form(FormKind::Limit { .. }, form), Slot::Override)
        | (Overlay::Form(FormKind::Secret { .. }, form), Slot::Switch)
        | (Overlay::Form(FormKind::ResultExport, form), Slot::ResultExport)
        | (Overlay::Form(FormKind::Operators { .. }, form), Slot::AddOperator | Slot::Operators)
        | (Overlay::Form(FormKind::Start { .. }, form), Slot::OpenSession)
        | (Overlay::Form(FormKind::Restore { .. }, form), Slot::RestorePlan) => Some(form),
        _ => None,
    });
    form.map(|form| (form.busy, form.fault) = (None, Some(text.to_owned()))).is_some()
}

impl State {
    /// The form on top.
    pub(super) fn form(&mut self) -> Option<(&mut FormKind, &mut Form)> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Form(kind, form) => Some((kind, form)),
            _ => None,
        })
    }
}
