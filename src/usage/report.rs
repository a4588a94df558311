//! `usage`: what each tenant uses beside what it may, measured in one pass for each metric and
//! joined in memory, all in one snapshot.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::console::Console;
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::postgres::{ServerError, Sql, Transaction};
use crate::tenant::directory::{self, Tenant};
use crate::text::Untrusted;

use super::limit::{LimitSource, LimitState, Limits, fullness};

/// What one tenant uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantUsage {
    /// Its id.
    pub id: TenantId,
    /// Its slug; the id where the target has none.
    pub slug: Untrusted,
    /// Its plan, where the target knows one.
    pub plan: Option<Untrusted>,
    /// Its metrics, in the same order for every tenant.
    pub metrics: Vec<MetricUsage>,
}

/// One metric of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricUsage {
    /// Its name.
    pub metric: Untrusted,
    /// How much is used, this month where `period` says so.
    pub used: i64,
    /// The soft limit.
    pub soft: Option<i64>,
    /// The hard limit; none is unlimited.
    pub hard: Option<i64>,
    /// `count` or `bytes`.
    pub unit: Untrusted,
    /// `total` or `month`.
    pub period: Untrusted,
    /// Where the limit comes from.
    pub source: LimitSource,
    /// How it stands.
    pub state: LimitState,
    /// The share of the hard limit in whole percent.
    pub percent: Option<i64>,
}

impl TenantUsage {
    /// The worst state of its metrics.
    #[must_use]
    pub fn state(&self) -> LimitState {
        self.metrics.iter().map(|metric| metric.state).max().unwrap_or(LimitState::Ok)
    }

    /// The fullest of its metrics.
    fn fullness(&self) -> (LimitState, i128) {
        let full = |metric: &MetricUsage| fullness(metric.state, metric.used, metric.hard);
        self.metrics.iter().map(full).max().unwrap_or((LimitState::Ok, 0))
    }
}

/// What is counted.
#[derive(Debug, Clone)]
struct Metric {
    name: String,
    unit: Untrusted,
    period: Untrusted,
}

/// All tenants, those nearest to a limit first.
///
/// # Errors
/// What the server says; level viewer is needed.
pub async fn overview(console: &Console) -> Result<Vec<TenantUsage>, Failure> {
    let tenants = directory::list(console).await?;
    let (metrics, limits, used) = console
        .reading(async |transaction| {
            let metrics = metrics(transaction).await?;
            let limits = Limits::read(transaction).await?;
            let mut used = Vec::with_capacity(metrics.len());
            for metric in &metrics {
                used.push(measure(transaction, &metric.name).await?);
            }
            Ok((metrics, limits, used))
        })
        .await?;
    let mut usage: Vec<TenantUsage> = tenants
        .iter()
        .map(|tenant| {
            let id = tenant.id.as_str();
            let used = used.iter().map(|metric| metric.get(id).copied().unwrap_or(0));
            join(tenant, &metrics, &limits, used)
        })
        .collect();
    sort(&mut usage);
    Ok(usage)
}

/// One tenant.
///
/// # Errors
/// What the server says; level viewer is needed.
pub async fn of_tenant(console: &Console, tenant: &Tenant) -> Result<TenantUsage, Failure> {
    console
        .reading(async |transaction| {
            let metrics = metrics(transaction).await?;
            let limits = Limits::read(transaction).await?;
            let sql = Sql::new("select tenantdesk.measure_tenant($1, $2)");
            let mut used = Vec::with_capacity(metrics.len());
            for metric in &metrics {
                let row = transaction.query_one(&sql, &[&metric.name, &tenant.id.as_str()]).await?;
                used.push(row.get::<_, i64>(0));
            }
            Ok(join(tenant, &metrics, &limits, used.into_iter()))
        })
        .await
}

/// What this target counts.
async fn metrics(transaction: &Transaction<'_>) -> Result<Vec<Metric>, ServerError> {
    let rows = transaction
        .query(&Sql::new("select metric, unit, period from tenantdesk.metric_list()"), &[])
        .await?;
    let metric = |row: &tokio_postgres::Row| Metric {
        name: row.get(0),
        unit: row.get::<_, String>(1).into(),
        period: row.get::<_, String>(2).into(),
    };
    Ok(rows.iter().map(metric).collect())
}

/// One pass: the number of each tenant that has one.
async fn measure(
    transaction: &Transaction<'_>,
    metric: &str,
) -> Result<HashMap<String, i64>, ServerError> {
    let sql = Sql::new("select tenant, used from tenantdesk.measure($1)");
    let rows = transaction.query(&sql, &[&metric]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Numbers and limits side by side.
fn join(
    tenant: &Tenant,
    metrics: &[Metric],
    limits: &Limits,
    used: impl Iterator<Item = i64>,
) -> TenantUsage {
    let plan = tenant.plan.as_ref().map(Untrusted::raw);
    let metrics = metrics
        .iter()
        .zip(used)
        .map(|(metric, used)| {
            let gauge = limits.of(&tenant.id, plan, &metric.name);
            MetricUsage {
                metric: metric.name.as_str().into(),
                used,
                soft: gauge.soft,
                hard: gauge.hard,
                unit: metric.unit.clone(),
                period: metric.period.clone(),
                source: gauge.source,
                state: gauge.state(used),
                percent: gauge.percent(used),
            }
        })
        .collect();
    TenantUsage {
        id: tenant.id.clone(),
        slug: tenant.handle().into(),
        plan: tenant.plan.clone(),
        metrics,
    }
}

/// The worst first, then by slug.
fn sort(usage: &mut [TenantUsage]) {
    usage.sort_by_cached_key(|tenant| (Reverse(tenant.fullness()), tenant.slug.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(slug: &str, states: &[(LimitState, i64)]) -> TenantUsage {
        let metric = |(state, percent): &(LimitState, i64)| MetricUsage {
            metric: "users".into(),
            used: *percent,
            soft: None,
            hard: Some(100),
            unit: "count".into(),
            period: "total".into(),
            source: LimitSource::Plan,
            state: *state,
            percent: Some(*percent),
        };
        TenantUsage {
            id: TenantId::from_database(slug),
            slug: slug.into(),
            plan: None,
            metrics: states.iter().map(metric).collect(),
        }
    }

    #[test]
    fn the_tenant_nearest_to_a_limit_stands_first() {
        let mut usage = [
            tenant("bolt", &[(LimitState::Ok, 70)]),
            tenant("acme", &[(LimitState::Ok, 70), (LimitState::Ok, 10)]),
            tenant("delta", &[(LimitState::Hard, 100), (LimitState::Ok, 0)]),
            tenant("carol", &[(LimitState::Soft, 99)]),
            tenant("empty", &[]),
        ];
        sort(&mut usage);
        let order: Vec<&str> = usage.iter().map(|tenant| tenant.slug.raw()).collect();
        assert_eq!(order, ["delta", "carol", "acme", "bolt", "empty"]);
    }
}
