//! Limits: for each metric a statement trigger that counts what a statement changed and refuses
//! what goes over the hard limit. The counter's row is held until the writer commits, so two
//! writers at the cap cannot both pass; a statement of a million rows costs one update.

use super::condition::{Conditions, GuardError};
use super::functions::{key_of, value_of};
use crate::isolation::map::{Metric, parse_name};
use crate::postgres::{Ident, Sql};

/// The functions (of `tenantdesk_meter`) and the triggers (of the table's owner) of all metrics.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn limits(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let mut statements = Vec::new();
    for metric in &conditions.map.metrics {
        statements.extend(limit(conditions, metric)?);
    }
    Ok(statements)
}

/// One metric.
fn limit(conditions: &Conditions<'_>, metric: &Metric) -> Result<Vec<Sql>, GuardError> {
    let function = Sql::new("tenantdesk.").ident(&Ident::new(format!("limit_{}", metric.name)));
    let relation = Sql::from(&parse_name(&metric.relation));
    let mut statements = vec![
        Sql::new("set local role tenantdesk_meter"),
        function_of(conditions, metric, &function)?,
        Sql::fill(
            "grant execute on function {function} to {owner}",
            &[("function", &function), ("owner", &Sql::new("public"))],
        ),
        Sql::new("reset role"),
    ];
    let events = [
        ("insert", "referencing new table as fresh"),
        ("update", "referencing new table as fresh old table as gone"),
        ("delete", "referencing old table as gone"),
    ];
    for (event, tables) in events {
        let name = Ident::new(format!("!tenantdesk limit {} {event}", metric.name));
        statements.push(Sql::fill(
            "create trigger {name} after {event} on {relation} {tables} for each statement execute function {function}()",
            &[
                ("name", &Sql::from(&name)),
                ("event", &Sql::new(event)),
                ("relation", &relation),
                ("tables", &Sql::new(tables)),
                ("function", &function),
            ],
        ));
    }
    // Only CREATE TRIGGER asks for the right; a trigger function cannot be called by hand anyway.
    statements.push(Sql::new("set local role tenantdesk_meter"));
    statements.push(Sql::fill(
        "revoke execute on function {function} from public",
        &[("function", &function)],
    ));
    statements.push(Sql::new("reset role"));
    Ok(statements)
}

/// The trigger function: the change of each tenant and period, in a fixed order against deadlocks.
fn function_of(
    conditions: &Conditions<'_>,
    metric: &Metric,
    function: &Sql,
) -> Result<Sql, GuardError> {
    let key = key_of(conditions, metric)?;
    let declared = metric
        .condition
        .as_ref()
        .map_or_else(|| Sql::new("true"), |text| Sql::danger_declared_text(text.clone()));
    let amount = metric.column.as_deref().map_or_else(
        || Sql::new("1"),
        |column| Sql::new("coalesce(x.").ident(&Ident::new(column)).text(", 0)"),
    );
    let period = metric.at.as_deref().map_or_else(
        || Sql::new("date '2000-01-01'"),
        |at| {
            Sql::new("pg_catalog.date_trunc('month', x.")
                .ident(&Ident::new(at))
                .text(" at time zone 'UTC')::date")
        },
    );
    let window = metric.at.as_deref().map_or_else(
        || Sql::new("$2 = $2"),
        |at| {
            let column = Sql::new("x.").ident(&Ident::new(at));
            Sql::fill(
                "{at} >= $2::timestamp at time zone 'UTC' and {at} < ($2 + interval '1 month') at time zone 'UTC'",
                &[("at", &column)],
            )
        },
    );
    let relation = conditions
        .map
        .find(&metric.relation)
        .ok_or_else(|| GuardError::NoRelation(metric.relation.clone()))?;
    let recount = Sql::fill(
        "select {value}::bigint from {relation} x where x.{key} = $1::{type} and ({declared}) and {window}",
        &[
            ("value", &value_of(metric, "x")),
            ("relation", &Sql::from(&parse_name(&metric.relation))),
            ("key", &key),
            ("type", &conditions.key_type(&relation)?),
            ("declared", &declared),
            ("window", &window),
        ],
    );
    let rows = |table: &'static str, sign: &'static str| {
        Sql::fill(
            "select x.{key}::text as tenant, {period} as period, {sign}{amount} as amount from {table} x where ({declared})",
            &[
                ("key", &key),
                ("period", &period),
                ("sign", &Sql::new(sign)),
                ("amount", &amount),
                ("table", &Sql::new(table)),
                ("declared", &declared),
            ],
        )
    };
    let fresh = rows("fresh", "");
    let gone = rows("gone", "-");
    let both = fresh.clone().text(" union all ").append(&gone);
    let branch = |rows: &Sql| {
        Sql::fill(
            "for change in select r.tenant, r.period, sum(r.amount)::bigint as amount from ({rows}) r\n      \
             group by r.tenant, r.period having sum(r.amount) <> 0 order by r.tenant, r.period loop\n      \
             perform tenantdesk.count_usage(change.tenant, (select s.plan from tenantdesk.tenant_state(change.tenant) s),{metric}, change.period, change.amount,{recount});\n    \
             end loop;",
            &[
                ("rows", rows),
                ("metric", &Sql::default().literal(&metric.name)),
                ("recount", &Sql::default().literal(recount.as_str())),
            ],
        )
    };
    Ok(Sql::fill(
        "create or replace function {function}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $function$\n\
         declare\n  change record;\nbegin\n  if tg_op = 'INSERT' then\n    {insert}\n  elsif tg_op = 'DELETE' then\n    {delete}\n  else\n    {update}\n  end if;\n  return null;\nend $function$",
        &[
            ("function", function),
            ("insert", &branch(&fresh)),
            ("delete", &branch(&gone)),
            ("update", &branch(&both)),
        ],
    ))
}
