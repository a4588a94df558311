//! Facts on tenants: the row, its usage, what provisioning takes and gives.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::LimitState;
use crate::identity::{DisplayName, Email, Level, OperatorName, Reason, TenantId, TenantSlug};
use crate::text::Untrusted;

/// Who we are and where; answers the first question the console asks.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// The personal login.
    pub operator: OperatorName,
    /// What it may do.
    pub level: Level,
    /// Whether the login is a shared or owner login, which every record says.
    pub shared: bool,
    /// Whether it manages the installation; such a login may have no level, and is shown as a viewer.
    pub manager: bool,
    /// The profile, as in `--profile`.
    pub profile: Untrusted,
    /// What the operator must know at once (an old server, an incomplete guard).
    pub warnings: Vec<Untrusted>,
    /// Whether a tenant begins with a first admin.
    pub has_people: bool,
}

/// Which sort of status a tenant has; the word itself is the target's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantState {
    /// In use.
    Active,
    /// Switched off.
    Suspended,
    /// Some other word of the target.
    Other,
}

/// One tenant of the directory.
#[derive(Debug, Clone)]
pub struct TenantFacts {
    /// Its key.
    pub id: TenantId,
    /// Its slug; the id where the target has none.
    pub slug: Untrusted,
    /// Its display name.
    pub name: Untrusted,
    /// Its plan; empty where unknown.
    pub plan: Untrusted,
    /// The target's word for its status.
    pub status: Untrusted,
    /// What that word means.
    pub state: TenantState,
    /// Its domain; empty where it has none.
    pub domain: Untrusted,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// One metric of one tenant.
#[derive(Debug, Clone)]
pub struct MetricFacts {
    /// Its name.
    pub metric: Untrusted,
    /// How much is used.
    pub used: i64,
    /// The soft limit.
    pub soft: Option<i64>,
    /// The hard limit; `None` is unlimited.
    pub hard: Option<i64>,
    /// `count`, `bytes` or another unit.
    pub unit: Untrusted,
    /// Where the limit comes from: the plan or an override.
    pub source: Untrusted,
    /// How it stands, as the usage module decided.
    pub state: LimitState,
}

/// The usage of one tenant.
#[derive(Debug, Clone)]
pub struct UsageFacts {
    /// Whose.
    pub tenant: TenantId,
    /// Its slug.
    pub slug: Untrusted,
    /// Its plan.
    pub plan: Untrusted,
    /// Its metrics, in the same order for every tenant.
    pub metrics: Vec<MetricFacts>,
}

/// A plan and its limits.
#[derive(Debug, Clone)]
pub struct PlanFacts {
    /// Its name, as tenants carry it.
    pub name: Untrusted,
    /// Its name for people.
    pub title: Untrusted,
    /// Its limits; a metric without one is unlimited.
    pub limits: Vec<LimitFacts>,
}

/// One limit of a plan.
#[derive(Debug, Clone)]
pub struct LimitFacts {
    /// What is counted.
    pub metric: Untrusted,
    /// `count` or `bytes`.
    pub unit: Untrusted,
    /// `total` or `month`.
    pub period: Untrusted,
    /// Where a warning begins.
    pub soft: Option<i64>,
    /// What nobody passes.
    pub hard: Option<i64>,
}

/// What the form for another limit asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideAsk {
    /// For whom.
    pub tenant: TenantId,
    /// Of what.
    pub metric: String,
    /// How much is allowed.
    pub hard: i64,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

/// What the provision form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionAsk {
    /// The display name.
    pub name: DisplayName,
    /// The slug.
    pub slug: TenantSlug,
    /// Who becomes its owner; none where the database has no users.
    pub admin_email: Option<Email>,
    /// The plan; `None` takes the default.
    pub plan: Option<String>,
}

/// What provisioning gives, shown once.
#[derive(Debug, Clone)]
pub struct WelcomeFacts {
    /// The new tenant.
    pub tenant: TenantId,
    /// Its slug.
    pub slug: Untrusted,
    /// Its owner; none where the database has no users.
    pub admin_email: Option<Untrusted>,
    /// The password to change at the first login; `None` where none was made.
    pub temporary_password: Option<SecretString>,
    /// Whether the owner is a user who was there before.
    pub linked: bool,
    /// The welcome text, several lines.
    pub welcome: Untrusted,
}
