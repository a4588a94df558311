//! Counting, generated from the metrics of the map: `measure` gives one number for each tenant in
//! one pass, `measure_tenant` the number of one, `count_metric` what the counters of the limits
//! should be. A row without tenant, or without time where the metric has a month, counts nowhere.

use super::condition::{Conditions, GuardError};
use crate::isolation::map::{Metric, parse_name};
use crate::postgres::{Ident, Sql};

/// The pieces of SQL of one metric; its rows go by the alias `x`.
pub(super) struct Counted {
    /// The table, quoted.
    pub(super) relation: Sql,
    /// The tenant key of a row.
    pub(super) key: Sql,
    /// The type of the key.
    pub(super) key_type: Sql,
    /// What one row adds.
    pub(super) amount: Sql,
    /// `count(*)` or the sum of the column.
    pub(super) value: Sql,
    /// Which rows count at all.
    pub(super) rows: Sql,
    /// The first day of the period that a row belongs to.
    pub(super) period: Sql,
    /// Which rows belong to the present period.
    pub(super) present: Sql,
    /// Which rows belong to the present period or a later one.
    pub(super) not_past: Sql,
}

impl Counted {
    /// The pieces of a metric.
    ///
    /// # Errors
    /// [`GuardError`] where map and catalogs do not agree.
    pub(super) fn of(conditions: &Conditions<'_>, metric: &Metric) -> Result<Self, GuardError> {
        let missing = || GuardError::NoRelation(metric.relation.clone());
        let relation = conditions.map.find(&metric.relation).ok_or_else(missing)?;
        let key = Sql::new("x.").ident(&relation.key_ident().ok_or_else(missing)?);
        let mut rows = key.clone().text(" is not null");
        if let Some(declared) = &metric.condition {
            let declared = Sql::danger_declared_text(declared.clone());
            rows = rows.text(" and (").append(&declared).text(")");
        }
        let (mut period, mut present, mut not_past) =
            (Sql::new("date '2000-01-01'"), Sql::new("true"), Sql::new("true"));
        if let Some(at) = metric.at.as_deref() {
            let at = Sql::new("x.").ident(&Ident::new(at));
            rows = rows.text(" and ").append(&at).text(" is not null");
            let pieces = [("at", &at)];
            // The functions run with TimeZone UTC, so a column without time zone is read as UTC.
            period = Sql::fill(
                "pg_catalog.date_trunc('month', {at}::timestamptz at time zone 'UTC')::date",
                &pieces,
            );
            not_past = Sql::fill(
                "{at} >= pg_catalog.date_trunc('month', pg_catalog.statement_timestamp())",
                &pieces,
            );
            present = not_past.clone().append(&Sql::fill(
                " and {at} < pg_catalog.date_trunc('month', pg_catalog.statement_timestamp()) + interval '1 month'",
                &pieces,
            ));
        }
        let (amount, value) = match metric.column.as_deref() {
            None => (Sql::new("1"), Sql::new("count(*)")),
            Some(column) => {
                let column = Sql::new("x.").ident(&Ident::new(column));
                let pieces = [("column", &column)];
                (
                    Sql::fill("coalesce({column}, 0)", &pieces),
                    Sql::fill("coalesce(sum({column}), 0)::bigint", &pieces),
                )
            }
        };
        Ok(Self {
            relation: Sql::from(&parse_name(&metric.relation)),
            key,
            key_type: conditions.key_type(&relation)?,
            amount,
            value,
            rows,
            period,
            present,
            not_past,
        })
    }

    /// Fills a template with the pieces.
    pub(super) fn fill(&self, template: &'static str) -> Sql {
        Sql::fill(
            template,
            &[
                ("relation", &self.relation),
                ("key", &self.key),
                ("key_type", &self.key_type),
                ("amount", &self.amount),
                ("value", &self.value),
                ("rows", &self.rows),
                ("period", &self.period),
                ("present", &self.present),
                ("not_past", &self.not_past),
            ],
        )
    }
}

/// One function: a branch for each metric, an error for any other.
struct Shape {
    /// Up to `as`.
    signature: &'static str,
    /// Who may call it; empty where its grants say so.
    door: &'static str,
    /// What a metric gives.
    answer: &'static str,
}

const SHAPES: [Shape; 3] = [
    Shape {
        signature: "tenantdesk.measure(metric text) returns table (tenant text, used bigint)",
        door: "perform tenantdesk.require('viewer', 'usage', true);",
        answer: "return query select {key}::text, {value} from {relation} x where {rows} and {present} group by {key}; return;",
    },
    Shape {
        signature: "tenantdesk.measure_tenant(metric text, tenant text) returns bigint",
        door: "perform tenantdesk.require('viewer', 'usage', true);",
        answer: "return (select {value} from {relation} x where {key} = measure_tenant.tenant::{key_type} and {rows} and {present});",
    },
    Shape {
        signature: "tenantdesk.count_metric(metric text) returns table (tenant text, period_start date, used bigint)",
        door: "",
        answer: "return query select {key}::text, {period}, {value} from {relation} x where {rows} and {not_past} group by 1, 2; return;",
    },
];

/// The functions that count.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn measures(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    SHAPES.iter().map(|shape| function(conditions, shape)).collect()
}

/// Creates one of them.
fn function(conditions: &Conditions<'_>, shape: &Shape) -> Result<Sql, GuardError> {
    let mut branches = Sql::default();
    for metric in &conditions.map.metrics {
        let counted = Counted::of(conditions, metric)?;
        branches = branches
            .text("  if $1 =")
            .literal(&metric.name)
            .text(" then\n    ")
            .append(&counted.fill(shape.answer))
            .text("\n  end if;\n");
    }
    Ok(Sql::fill(
        "create or replace function {signature} language plpgsql stable security definer \
         set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $function$\n\
         #variable_conflict use_column\nbegin\n  {door}\n{branches}  \
         raise exception 'no metric %', $1 using errcode = 'P0002', hint = 'tenantdesk plan list shows the metrics';\nend $function$",
        &[
            ("signature", &Sql::new(shape.signature)),
            ("door", &Sql::new(shape.door)),
            ("branches", &branches),
        ],
    ))
}
