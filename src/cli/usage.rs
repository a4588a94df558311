//! `usage`, `plan list|show` and `limit override`.

use serde::Serialize;
use serde_json::json;

use super::args::usage::{Limit, Override, Plan as PlanVerb, Usage, UsageFormat};
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::json::{self, integer};
use super::output::Printer;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::failure::{Failure, Kind};
use crate::format::{self, quantity};
use crate::tenant::directory;
use crate::text::Untrusted;
use crate::usage::plans::{self, Plan, PlanLimit};
use crate::usage::report::{self, MetricUsage, TenantUsage};
use crate::usage::{LimitState, OverrideLimit, override_limit};

/// Cells of a gauge.
const GAUGE: i64 = 12;

/// One tenant in JSON.
#[derive(Serialize)]
struct TenantDocument<'u> {
    id: &'u str,
    slug: &'u Untrusted,
    plan: Option<&'u Untrusted>,
    state: LimitState,
    metrics: Vec<MetricDocument<'u>>,
}

/// One metric in JSON.
#[derive(Serialize)]
struct MetricDocument<'u> {
    metric: &'u Untrusted,
    #[serde(serialize_with = "integer")]
    used: i64,
    soft: Option<Number>,
    hard: Option<Number>,
    unit: &'u Untrusted,
    period: &'u Untrusted,
    source: &'static str,
    state: LimitState,
    percent: Option<i64>,
}

/// A number that JSON readers keep exactly.
#[derive(Serialize)]
struct Number(#[serde(serialize_with = "integer")] i64);

impl<'u> From<&'u TenantUsage> for TenantDocument<'u> {
    fn from(usage: &'u TenantUsage) -> Self {
        let metric = |metric: &'u MetricUsage| MetricDocument {
            metric: &metric.metric,
            used: metric.used,
            soft: metric.soft.map(Number),
            hard: metric.hard.map(Number),
            unit: &metric.unit,
            period: &metric.period,
            source: metric.source.as_str(),
            state: metric.state,
            percent: metric.percent,
        };
        Self {
            id: usage.id.as_str(),
            slug: &usage.slug,
            plan: usage.plan.as_ref(),
            state: usage.state(),
            metrics: usage.metrics.iter().map(metric).collect(),
        }
    }
}

/// `usage [TENANT]`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, args: &Usage) -> Result<(), Failure> {
    let usage = reading(invocation, async |console, _| match &args.tenant {
        Some(text) => {
            let tenant = directory::resolve(console, text).await?;
            Ok(vec![report::of_tenant(console, &tenant).await?])
        }
        None => report::overview(console).await,
    })?;
    let usage = Shown::first(invocation, usage);
    let documents: Vec<TenantDocument<'_>> = usage.rows.iter().map(TenantDocument::from).collect();
    if args.format == UsageFormat::Jsonl {
        for document in &documents {
            let line = json::document(invocation.request, document).map_err(|error| {
                Failure::new(Kind::Internal, "the usage has no JSON form")
                    .caused_by(error.to_string())
            })?;
            invocation.printer.line(&line);
        }
        usage.say_what_is_cut(invocation, "tenants");
        return Ok(());
    }
    let document = usage.document("tenants", &documents);
    let (ascii, one) = (invocation.printer.look().ascii, args.tenant.is_some());
    invocation.answer(&document, |printer| match usage.rows.first() {
        Some(tenant) if one => printer.table(&of_one(tenant, ascii)),
        _ => printer.table(&of_all(&usage.rows, ascii)),
    })?;
    usage.say_what_is_cut(invocation, "tenants");
    if !one && !usage.rows.is_empty() && !usage.truncated {
        invocation.printer.hint("`tenantdesk usage TENANT` shows every metric of one tenant");
    }
    Ok(())
}

/// Every tenant with the metric that is nearest to its limit.
fn of_all(usage: &[TenantUsage], ascii: bool) -> Table {
    let mut table = Table::new([
        Column::left("TENANT"),
        Column::left("PLAN"),
        Column::left("STATE"),
        Column::left("FULLEST"),
        Column::right("USED"),
        Column::right("LIMIT"),
        Column::left("OF THE LIMIT"),
    ]);
    for tenant in usage {
        let fullest = tenant.metrics.iter().max_by_key(|metric| (metric.state, metric.percent));
        let [state, name, used, limit, gauge] = fullest.map_or_else(Default::default, |metric| {
            [
                metric.state.as_str().to_owned(),
                metric.metric.screen(),
                quantity(metric.used, metric.unit.raw()),
                limit_of(metric),
                gauge(metric, ascii),
            ]
        });
        table.row([tenant.slug.screen(), plan_of(tenant), state, name, used, limit, gauge]);
    }
    table
}

/// All metrics of one tenant.
fn of_one(tenant: &TenantUsage, ascii: bool) -> Table {
    let mut table = Table::new([
        Column::left("METRIC"),
        Column::left("STATE"),
        Column::right("USED"),
        Column::right("SOFT"),
        Column::right("LIMIT"),
        Column::left("OF THE LIMIT"),
        Column::left("FROM"),
    ]);
    for metric in &tenant.metrics {
        let month = if metric.period.raw() == "month" { " (month)" } else { "" };
        table.row([
            metric.metric.screen() + month,
            metric.state.as_str().to_owned(),
            quantity(metric.used, metric.unit.raw()),
            metric.soft.map(|soft| quantity(soft, metric.unit.raw())).unwrap_or_default(),
            limit_of(metric),
            gauge(metric, ascii),
            metric.source.as_str().to_owned(),
        ]);
    }
    table
}

fn plan_of(tenant: &TenantUsage) -> String {
    tenant.plan.as_ref().map(Untrusted::screen).unwrap_or_default()
}

fn limit_of(metric: &MetricUsage) -> String {
    metric.hard.map_or_else(|| "none".to_owned(), |hard| quantity(hard, metric.unit.raw()))
}

/// A bar and the share; something used never looks like nothing, and only a full bar is at the limit.
fn gauge(metric: &MetricUsage, ascii: bool) -> String {
    let Some(percent) = metric.percent else { return String::new() };
    let mut full = (percent.clamp(0, 100) * GAUGE / 100).clamp(0, GAUGE);
    if metric.used > 0 {
        full = full.max(1);
    }
    let (on, off) = if ascii { ("#", ".") } else { ("█", "░") };
    let full = usize::try_from(full).unwrap_or(0);
    let rest = usize::try_from(GAUGE).unwrap_or(0).saturating_sub(full);
    format!("{}{} {percent}%", on.repeat(full), off.repeat(rest))
}

/// Runs a verb of `plan`.
///
/// # Errors
/// What the verb says.
pub(super) fn plan(invocation: &mut Invocation, verb: &PlanVerb) -> Result<(), Failure> {
    match verb {
        PlanVerb::List => {
            let plans = reading(invocation, async |console, _| Ok(plans::list(console).await?))?;
            let plans = Shown::first(invocation, plans);
            let documents: Vec<_> = plans.rows.iter().map(plan_document).collect();
            invocation.answer(&plans.document("plans", &documents), |printer| {
                let mut table = limits_table(&[Column::left("PLAN"), Column::left("TITLE")]);
                for plan in &plans.rows {
                    limit_rows(&mut table, &[plan.name.screen(), plan.title.screen()], plan);
                }
                printer.table(&table);
            })?;
            plans.say_what_is_cut(invocation, "plans");
            Ok(())
        }
        PlanVerb::Show(which) => {
            let plan = reading(invocation, async |console, _| {
                Ok(plans::show(console, &which.plan).await?)
            })?;
            let document = json!({ "plan": plan_document(&plan) });
            invocation.answer(&document, |printer: &mut Printer| {
                printer.pairs([("plan", plan.name.screen()), ("title", plan.title.screen())]);
                let mut table = limits_table(&[]);
                limit_rows(&mut table, &[], &plan);
                printer.table(&table);
            })
        }
    }
}

/// The columns of limits behind some others.
fn limits_table(first: &[Column]) -> Table {
    let mut columns = first.to_vec();
    columns.extend([
        Column::left("METRIC"),
        Column::left("PERIOD"),
        Column::right("SOFT"),
        Column::right("LIMIT"),
    ]);
    Table::new(columns)
}

/// A row for each limit of a plan; a plan without limits has one as well.
fn limit_rows(table: &mut Table, first: &[String], plan: &Plan) {
    let cells = |limit: &PlanLimit| {
        let number =
            |amount: Option<i64>| amount.map(|n| quantity(n, limit.unit.raw())).unwrap_or_default();
        [limit.metric.screen(), limit.period.screen(), number(limit.soft), number(limit.hard)]
    };
    if plan.limits.is_empty() && !first.is_empty() {
        table.row(first);
    }
    for limit in &plan.limits {
        table.row(first.iter().cloned().chain(cells(limit)));
    }
}

/// One plan in JSON.
fn plan_document(plan: &Plan) -> serde_json::Value {
    let limits: Vec<_> = plan
        .limits
        .iter()
        .map(|limit| {
            json!({
                "metric": limit.metric, "unit": limit.unit, "period": limit.period,
                "soft": limit.soft.map(Number), "hard": limit.hard.map(Number),
            })
        })
        .collect();
    json!({ "name": plan.name, "title": plan.title, "limits": limits })
}

/// Runs a verb of `limit`.
///
/// # Errors
/// What the verb says.
pub(super) fn limit(invocation: &mut Invocation, verb: Limit) -> Result<(), Failure> {
    let Limit::Override(Override { tenant, metric, hard, until, reason }) = verb;
    let (slug, ask) = with_console(invocation, async |console, _| {
        let tenant = directory::resolve(console, &tenant).await?;
        let slug = tenant.handle();
        let ask =
            OverrideLimit { tenant: tenant.id, metric, hard, until, reason: reason.to_string() };
        override_limit(console, &ask).await?;
        Ok((slug, ask))
    })?;
    let until = format::time(ask.until);
    let document = json!({ "override": {
        "tenant": ask.tenant, "slug": slug, "metric": ask.metric, "hard": Number(ask.hard), "until": until, "reason": ask.reason,
    } });
    invocation.answer(&document, |printer| {
        printer.line(&format!(
            "{slug} may have {} {} until {until}",
            format::count(ask.hard),
            ask.metric
        ));
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::LimitSource;

    fn metric(used: i64, percent: Option<i64>) -> MetricUsage {
        MetricUsage {
            metric: "storage_bytes".into(),
            used,
            soft: None,
            hard: percent.map(|_| 1 << 60),
            unit: "bytes".into(),
            period: "total".into(),
            source: LimitSource::Plan,
            state: LimitState::Ok,
            percent,
        }
    }

    #[test]
    fn a_gauge_never_lies_at_its_ends() {
        for (used, percent, shown) in [
            (0, Some(0), "............ 0%"),
            (1, Some(0), "#........... 0%"),
            (99, Some(99), "###########. 99%"),
            (100, Some(100), "############ 100%"),
            (300, Some(300), "############ 300%"),
            (300, None, ""),
        ] {
            assert_eq!(gauge(&metric(used, percent), true), shown);
        }
    }

    #[test]
    fn large_numbers_in_json_are_text() {
        let usage = TenantUsage {
            id: crate::identity::TenantId::from_database("1"),
            slug: "acme".into(),
            plan: None,
            metrics: vec![metric(7, Some(1))],
        };
        let document = serde_json::to_value(TenantDocument::from(&usage)).unwrap();
        assert_eq!(document["metrics"][0]["hard"], "1152921504606846976");
        assert_eq!(document["metrics"][0]["used"], 7);
        assert_eq!(document["metrics"][0]["source"], "plan");
        assert_eq!(document["state"], "ok");
    }
}
