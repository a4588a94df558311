//! Effects on usage and plans.

use super::Runner;
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::tenant::directory;
use crate::text::Untrusted;
use crate::tui::facts::{LimitState, MetricFacts, UsageFacts};
use crate::usage::report::TenantUsage;
use crate::usage::{self, plans, report};

impl Runner {
    /// Names of plans.
    pub(super) async fn plans(&self) -> Result<Vec<String>, Failure> {
        let console = self.console().await?;
        Ok(plans::list(&console)
            .await?
            .into_iter()
            .map(|plan| plan.name.raw().to_owned())
            .collect())
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

/// Usage as the screens want it.
fn facts(usage: TenantUsage) -> UsageFacts {
    let metrics = usage.metrics.into_iter().map(|metric| MetricFacts {
        metric: metric.metric,
        used: metric.used,
        soft: metric.soft,
        hard: metric.hard,
        unit: metric.unit,
        source: Untrusted::from(metric.source.as_str()),
        state: match metric.state {
            usage::LimitState::Ok => LimitState::Ok,
            usage::LimitState::Soft => LimitState::Soft,
            usage::LimitState::Hard => LimitState::Hard,
        },
    });
    UsageFacts {
        tenant: usage.id,
        slug: usage.slug,
        plan: usage.plan.unwrap_or_default(),
        metrics: metrics.collect(),
    }
}
