//! Facts on members and on tenant sessions, running and past.

use chrono::{DateTime, TimeDelta, Utc};

use crate::identity::{Mode, OperatorName, Reason, TenantId};
use crate::tenant::live::Activity;
use crate::text::Untrusted;

/// A member of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFacts {
    /// The key of the user.
    pub id: String,
    /// The e-mail address.
    pub email: Untrusted,
    /// The name of the person.
    pub name: Untrusted,
    /// The role in this tenant.
    pub role: Untrusted,
    /// The target's word for the state of the membership.
    pub state: Untrusted,
    /// Whether that word means active: only active members can be acted as.
    pub active: bool,
}

/// What the start form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAsk {
    /// In which tenant.
    pub tenant: TenantId,
    /// The member's key; `None` where the map has no memberships.
    pub member: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The ticket, where one was named.
    pub ticket: Option<String>,
    /// Reading or writing.
    pub mode: Mode,
    /// For how long.
    pub duration: TimeDelta,
}

/// The live impersonation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its number.
    pub id: i64,
    /// Who acts.
    pub operator: OperatorName,
    /// In which tenant.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub slug: Untrusted,
    /// As whom; `None` where the map has no memberships.
    pub member: Option<MemberFacts>,
    /// Reading or writing.
    pub mode: Mode,
    /// Why.
    pub reason: Untrusted,
    /// The ticket.
    pub ticket: Option<Untrusted>,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// Why the console ends the session it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The operator said so.
    Operator,
    /// Its time is over.
    Expired,
    /// The console is closing.
    Quit,
    /// It was opened after the operator had turned away.
    Unwanted,
}

/// One session of the list of sessions.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// Its number.
    pub id: i64,
    /// In which tenant (its id).
    pub tenant: Untrusted,
    /// Who acted.
    pub operator: Untrusted,
    /// As whom.
    pub member: Option<Untrusted>,
    /// What for: `impersonate`, `export`, ..
    pub purpose: Untrusted,
    /// `read` or `write`.
    pub mode: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it ended; `None` while it lives.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub end_reason: Option<Untrusted>,
    /// What is done in it; `None` once it is over.
    pub activity: Option<Activity>,
}
