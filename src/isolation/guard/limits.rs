//! Limits: for each metric statement triggers that count what a statement changed and refuse what
//! goes over the hard limit. The counter's row is held until the writer commits, so two writers at
//! the cap cannot both pass; a statement of a million rows costs one update. No counter means none,
//! which holds because setup counts what is there in the transaction that makes the triggers.
//!
//! What passes them by: `session_replication_role`, a disabled trigger, and statements that name a
//! partition or a child of the counted table. `tenantdesk.recount_usage` mends the counters then.
//! Two transactions that count for two tenants, or two metrics of one, in opposite order are a
//! deadlock that the server ends with 40P01; one statement counts in a fixed order (docs/plans.md).

use super::condition::{Conditions, GuardError};
use super::measure::Counted;
use crate::isolation::map::Metric;
use crate::postgres::{Ident, Sql};

/// Which statements are counted, and what the trigger sees of them.
const EVENTS: [(&str, &str); 4] = [
    ("insert", "referencing new table as fresh"),
    ("update", "referencing new table as fresh old table as gone"),
    ("delete", "referencing old table as gone"),
    ("truncate", ""),
];

/// The functions (of `tenantdesk_meter`) and the triggers (of the table's owner) of all metrics.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn limits(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let mut statements = Vec::new();
    for metric in &conditions.map.metrics {
        let counted = Counted::of(conditions, metric)?;
        statements.extend(limit(metric, &counted));
    }
    Ok(statements)
}

/// One metric.
fn limit(metric: &Metric, counted: &Counted) -> Vec<Sql> {
    let function = Sql::new("tenantdesk.").ident(&Ident::new(format!("limit_{}", metric.name)));
    let pieces = [("function", &function)];
    // Only CREATE TRIGGER asks for the right; a trigger function cannot be called by hand anyway.
    let mut statements = vec![
        Sql::new("set local role tenantdesk_meter"),
        function_of(metric, counted, &function),
        Sql::fill("grant execute on function {function} to public", &pieces),
        Sql::new("reset role"),
    ];
    for (event, tables) in EVENTS {
        let name = Ident::new(format!("!tenantdesk limit {} {event}", metric.name));
        statements.push(Sql::fill(
            "create trigger {name} after {event} on {relation} {tables} for each statement execute function {function}()",
            &[
                ("name", &Sql::from(&name)),
                ("event", &Sql::new(event)),
                ("relation", &counted.relation),
                ("tables", &Sql::new(tables)),
                ("function", &function),
            ],
        ));
    }
    statements.push(Sql::new("set local role tenantdesk_meter"));
    statements.push(Sql::fill("revoke execute on function {function} from public", &pieces));
    statements.push(Sql::new("reset role"));
    statements
}

/// The trigger function: the change of each tenant and period, in a fixed order against deadlocks.
fn function_of(metric: &Metric, counted: &Counted, function: &Sql) -> Sql {
    let fresh = counted.fill(
        "select {key}::text as tenant, {period} as period, {amount} as amount from fresh x where {rows}",
    );
    let gone = counted.fill(
        "select {key}::text as tenant, {period} as period, -{amount} as amount from gone x where {rows}",
    );
    let both = fresh.clone().text(" union all ").append(&gone);
    let name = Sql::default().literal(&metric.name);
    let branch = |rows: &Sql| {
        Sql::fill(
            "for change in select r.tenant, r.period, sum(r.amount)::bigint as amount from ({rows}) r\n      \
             group by r.tenant, r.period having sum(r.amount) <> 0 order by r.tenant, r.period loop\n      \
             perform tenantdesk.count_usage(change.tenant,{name}, change.period, change.amount);\n    \
             end loop;",
            &[("rows", rows), ("name", &name)],
        )
    };
    Sql::fill(
        "create or replace function {function}() returns trigger language plpgsql security definer \
         set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $function$\n\
         #variable_conflict use_column\ndeclare\n  change record;\nbegin\n  \
         if tg_op = 'INSERT' then\n    {insert}\n  elsif tg_op = 'DELETE' then\n    {delete}\n  elsif tg_op = 'UPDATE' then\n    {update}\n  \
         else\n    delete from tenantdesk.usage_counters c where c.metric ={name};\n  end if;\n  return null;\nend $function$",
        &[
            ("function", function),
            ("name", &name),
            ("insert", &branch(&fresh)),
            ("delete", &branch(&gone)),
            ("update", &branch(&both)),
        ],
    )
}
