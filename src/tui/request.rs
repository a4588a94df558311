//! Which questions are open: the newest of a kind wins, answers to older ones are late.

use super::effect::RequestNo;

/// What a request is for. A new request of a kind that replaces makes older ones late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Greeting,
    Tenants,
    Found,
    Tenant,
    Members,
    TenantUsage,
    Sessions,
    /// Of all tenants.
    AllSessions,
    Usage,
    Plans,
    /// What is shown on a card and has no screen.
    Card,
    Override,
    /// The operators, for a form.
    Operators,
    AddOperator,
    ChangeOperator,
    Provision,
    OpenSession,
    EndSession,
    EndOther,
    Relations,
    Page,
    Count,
    /// A record to show.
    Record,
    /// A record of which one value is to be copied.
    CopyValue,
    /// A record of which one value is to be looked at.
    ViewValue,
    /// Where one can go from a row.
    Links,
    /// What was run earlier.
    History,
    /// Rows that go to a file.
    ResultExport,
    Statement,
    Archives,
    Inspect,
    Verify,
    Export,
    RestorePlan,
    Restore,
    Cancel,
    Audit,
    VerifyAudit,
    Server,
    Profiles,
    Switch,
    /// Carried out by the loop, never answered.
    Local,
}

impl Slot {
    /// Work that changes something is never forgotten while it runs.
    pub(crate) const fn replaces(self) -> bool {
        !matches!(
            self,
            Self::Provision
                | Self::Override
                | Self::AddOperator
                | Self::ChangeOperator
                | Self::EndSession
                | Self::EndOther
                | Self::Export
                | Self::Restore
                | Self::ResultExport
                | Self::Cancel
                | Self::Switch
                | Self::Local
        )
    }
}

/// The open requests.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    open: Vec<(RequestNo, Slot)>,
}

impl Requests {
    /// A new request; older ones of the same kind become late.
    pub(crate) fn issue(&mut self, slot: Slot) -> RequestNo {
        if slot.replaces() {
            self.forget(slot);
        }
        self.last += 1;
        let no = RequestNo(self.last);
        if slot != Slot::Local {
            self.open.push((no, slot));
        }
        no
    }

    /// Takes the request out; `None` where nobody waits for it any more.
    pub(crate) fn settle(&mut self, no: RequestNo) -> Option<Slot> {
        let index = self.open.iter().position(|(open, _)| *open == no)?;
        Some(self.open.swap_remove(index).1)
    }

    /// The answer is not wanted any more.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.open.retain(|(_, open)| *open != slot);
    }

    /// No answer is wanted any more: they are about another database.
    pub(crate) fn forget_all(&mut self) {
        self.open.clear();
    }

    /// Whether an answer is awaited.
    pub(crate) fn is_open(&self, slot: Slot) -> bool {
        self.number(slot).is_some()
    }

    /// The number of the newest open request of this kind.
    pub(crate) fn number(&self, slot: Slot) -> Option<RequestNo> {
        self.open.iter().rev().find(|(_, open)| *open == slot).map(|(no, _)| *no)
    }
}
