//! Effects on usage and plans.

use super::Site;
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::tenant::directory;
use crate::text::Untrusted;
use crate::tui::facts::{LimitFacts, MetricFacts, OverrideAsk, PlanFacts, UsageFacts};
use crate::usage::report::TenantUsage;
use crate::usage::{self, OverrideLimit, plans, report};

impl Site {
    /// The plans.
    pub(super) async fn plans(&self) -> Result<Vec<PlanFacts>, Failure> {
        let console = self.console().await?;
        Ok(plans::list(&console).await?.into_iter().map(plan).collect())
    }

    /// One plan.
    pub(super) async fn plan(&self, name: &str) -> Result<PlanFacts, Failure> {
        let console = self.console().await?;
        Ok(plan(plans::show(&console, name).await?))
    }

    /// Sets another limit for one tenant.
    pub(super) async fn override_limit(&self, ask: OverrideAsk) -> Result<OverrideAsk, Failure> {
        let console = self.console().await?;
        let request = OverrideLimit {
            tenant: ask.tenant.clone(),
            metric: ask.metric.clone(),
            hard: ask.hard,
            until: ask.until,
            reason: ask.reason.to_string(),
        };
        usage::override_limit(&console, &request).await?;
        Ok(ask)
    }

    /// Usage of all tenants.
    pub(super) async fn usage(&self) -> Result<Vec<UsageFacts>, Failure> {
        let console = self.console().await?;
        Ok(report::overview(&console).await?.into_iter().map(facts).collect())
    }

    /// Usage of one tenant.
    pub(super) async fn tenant_usage(&self, id: &TenantId) -> Result<UsageFacts, Failure> {
        let console = self.console().await?;
        let tenant = directory::resolve(&console, id.as_str()).await?;
        Ok(facts(report::of_tenant(&console, &tenant).await?))
    }
}

/// A plan as the screens want it.
fn plan(plan: plans::Plan) -> PlanFacts {
    let limit = |limit: plans::PlanLimit| LimitFacts {
        metric: limit.metric,
        unit: limit.unit,
        period: limit.period,
        soft: limit.soft,
        hard: limit.hard,
    };
    let limits = plan.limits.into_iter().map(limit).collect();
    PlanFacts { name: plan.name, title: plan.title, limits }
}

/// Usage as the screens want it.
fn facts(usage: TenantUsage) -> UsageFacts {
    let metrics = usage.metrics.into_iter().map(|metric| MetricFacts {
        metric: metric.metric,
        used: metric.used,
        soft: metric.soft,
        hard: metric.hard,
        unit: metric.unit,
        source: Untrusted::from(metric.source.as_str()),
        state: metric.state,
    });
    UsageFacts {
        tenant: usage.id,
        slug: usage.slug,
        plan: usage.plan.unwrap_or_default(),
        metrics: metrics.collect(),
    }
}
