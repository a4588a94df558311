//! One limit: where it comes from, how a number stands against it, and how an admin raises it for
//! one tenant until a date. The same rules as `tenantdesk.limit_of` in the database; a test compares them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::audit::Attested;
use crate::console::{Console, ConsoleError};
use crate::identity::TenantId;
use crate::postgres::{ServerError, Sql, Transaction};

/// How a number stands against its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitState {
    /// Below the soft limit.
    Ok,
    /// At or over the soft limit.
    Soft,
    /// At or over the hard limit: the next write that adds is refused.
    Hard,
}

impl LimitState {
    /// The word in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

/// How full one metric is: its state, then its share of the hard limit in thousandths. The greatest
/// of a tenant's metrics says how full the tenant is.
#[must_use]
pub fn fullness(state: LimitState, used: i64, hard: Option<i64>) -> (LimitState, i128) {
    let share = |hard| (i128::from(used) * 1000).checked_div(i128::from(hard)).unwrap_or(1000);
    (state, hard.map_or(0, share))
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitSource {
    /// The tenant's plan.
    Plan,
    /// An override that has not ended.
    Override,
    /// There is no limit.
    None,
}

impl LimitSource {
    /// The word in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Override => "override",
            Self::None => "none",
        }
    }
}

/// A soft and a hard limit; none means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// From here on it is worth a word to the tenant.
    pub soft: Option<i64>,
    /// What the database lets nobody pass.
    pub hard: Option<i64>,
    /// Where the limit comes from.
    pub source: LimitSource,
}

impl Gauge {
    /// How a number stands.
    #[must_use]
    pub fn state(&self, used: i64) -> LimitState {
        if self.hard.is_some_and(|hard| used >= hard) {
            LimitState::Hard
        } else if self.soft.is_some_and(|soft| used >= soft) {
            LimitState::Soft
        } else {
            LimitState::Ok
        }
    }

    /// The share of the hard limit in whole percent, rounded down; a limit of nothing is full.
    #[must_use]
    pub fn percent(&self, used: i64) -> Option<i64> {
        let share = (i128::from(used) * 100).checked_div(i128::from(self.hard?)).unwrap_or(100);
        Some(i64::try_from(share).unwrap_or(i64::MAX))
    }

    /// The same with an override in place of the hard limit; the soft one keeps its share.
    #[must_use]
    pub fn raised(self, hard: i64) -> Self {
        let share = self.soft.zip(self.hard.filter(|plan| *plan > 0)).map(|(soft, plan)| {
            let (soft, plan) = (i128::from(soft), i128::from(plan));
            (2 * soft * i128::from(hard) + plan) / (2 * plan)
        });
        let soft = share.and_then(|soft| i64::try_from(soft).ok());
        Self { soft, hard: Some(hard), source: LimitSource::Override }
    }
}

/// The limits of all plans and the overrides of all tenants, in memory.
#[derive(Debug, Default)]
pub struct Limits {
    plans: HashMap<(String, String), Gauge>,
    overrides: HashMap<(String, String), i64>,
}

impl Limits {
    /// Reads them all: a handful of plans, and what was overridden.
    ///
    /// # Errors
    /// What the server says.
    pub async fn read(transaction: &Transaction<'_>) -> Result<Self, ServerError> {
        let mut limits = Self::default();
        let plans = Sql::new(
            "select plan, metric, soft, hard from tenantdesk.plan_list() where metric is not null",
        );
        for row in transaction.query(&plans, &[]).await? {
            let gauge = Gauge { soft: row.get(2), hard: row.get(3), source: LimitSource::Plan };
            limits.plans.insert((row.get(0), row.get(1)), gauge);
        }
        let overrides = Sql::new("select tenant, metric, hard from tenantdesk.override_list()");
        for row in transaction.query(&overrides, &[]).await? {
            limits.overrides.insert((row.get(0), row.get(1)), row.get(2));
        }
        Ok(limits)
    }

    /// What holds for a metric of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId, plan: Option<&str>, metric: &str) -> Gauge {
        let unlimited = Gauge { soft: None, hard: None, source: LimitSource::None };
        let of_plan = plan.and_then(|plan| self.plans.get(&(plan.to_owned(), metric.to_owned())));
        let gauge = of_plan.copied().unwrap_or(unlimited);
        match self.overrides.get(&(tenant.as_str().to_owned(), metric.to_owned())) {
            Some(hard) => gauge.raised(*hard),
            None => gauge,
        }
    }
}

/// Another limit for one tenant, until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideLimit {
    /// For whom.
    pub tenant: TenantId,
    /// Of what.
    pub metric: String,
    /// How much is allowed.
    pub hard: i64,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Sets it; the database writes it into the tenant's chain in the same transaction.
///
/// # Errors
/// Where the level is not admin, or tenant, metric or date are not good.
pub async fn override_limit(console: &Console, ask: &OverrideLimit) -> Result<(), ConsoleError> {
    let (tenant, request) = (ask.tenant.as_str(), console.request().as_uuid());
    let call = Attested::limit_override(
        &tenant,
        &ask.metric,
        &ask.hard,
        &ask.until,
        &ask.reason,
        &request,
    );
    console.call(call).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTER: Gauge = Gauge { soft: Some(4), hard: Some(5), source: LimitSource::Plan };

    #[test]
    fn a_number_stands_below_at_or_over_its_limits() {
        for (used, state, percent) in [
            (0, LimitState::Ok, 0),
            (3, LimitState::Ok, 60),
            (4, LimitState::Soft, 80),
            (5, LimitState::Hard, 100),
            (9, LimitState::Hard, 180),
        ] {
            assert_eq!((STARTER.state(used), STARTER.percent(used)), (state, Some(percent)));
        }
        let nothing = Gauge { soft: None, hard: Some(0), source: LimitSource::Override };
        assert_eq!((nothing.state(0), nothing.percent(0)), (LimitState::Hard, Some(100)));
        let unlimited = Gauge { soft: None, hard: None, source: LimitSource::None };
        assert_eq!((unlimited.state(i64::MAX), unlimited.percent(1)), (LimitState::Ok, None));
        let huge = Gauge { soft: None, hard: Some(i64::MAX), source: LimitSource::Plan };
        assert_eq!(huge.percent(i64::MAX), Some(100));
    }

    #[test]
    fn an_override_keeps_the_share_of_the_soft_limit() {
        let raised = STARTER.raised(8);
        assert_eq!((raised.soft, raised.hard), (Some(6), Some(8)));
        assert_eq!(raised.source, LimitSource::Override);
        assert_eq!(STARTER.raised(i64::MAX).soft, Some(7_378_697_629_483_820_646));
    }
}
