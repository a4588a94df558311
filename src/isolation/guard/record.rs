//! What an installation leaves in the control schema: the map, its relations with their columns,
//! the metrics, who ran it and with which consent, and the seal over the catalogs.

use super::install::{Consent, InstallError, fingerprint, run};
use super::plan::GuardPlan;
use crate::catalog::Catalog;
use crate::isolation::map::{MapError, Relation, RelationMap};
use crate::postgres::{Sql, Transaction};

/// Records map, relations and metrics in the control schema.
///
/// # Errors
/// What the server says.
pub(super) async fn record(
    transaction: &Transaction<'_>,
    map: &RelationMap,
    catalog: &Catalog,
    plan: &GuardPlan,
    consent: Consent,
) -> Result<(), InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner; delete from tenantdesk.relations; delete from tenantdesk.map")).await?;
    let document = serde_json::to_value(map).map_err(|e| MapError::Syntax(e.to_string()))?;
    transaction
        .execute(&Sql::new("insert into tenantdesk.map (document) values ($1)"), &[&document])
        .await?;
    transaction
        .execute(
            &Sql::new(include_str!("sql/record_relations.sql")),
            &[&relations(map, catalog, plan)],
        )
        .await?;
    metrics(transaction, map).await?;
    let settings = serde_json::json!({
        "setup.fingerprint": fingerprint(map),
        "setup.guard": plan.digest(),
        "setup.limits": if consent.enforce_limits { "on" } else { "off" },
        "setup.close_doors": if consent.close_doors { "on" } else { "off" },
        "setup.pin_public": if consent.pin_public { "on" } else { "off" },
    });
    transaction.execute(&Sql::new(include_str!("sql/record_settings.sql")), &[&settings]).await?;
    run(transaction, Sql::new("reset role")).await
}

/// Keeps the decisions that led to the map.
///
/// # Errors
/// What the server says.
pub(super) async fn decisions(
    transaction: &Transaction<'_>,
    decisions: &serde_json::Value,
) -> Result<(), InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
    let keep = Sql::new(
        "insert into tenantdesk.decisions (document) values ($1) on conflict (only_row) do update \
         set document = excluded.document, decided_at = pg_catalog.clock_timestamp(), decided_by = session_user \
         where tenantdesk.decisions.document is distinct from excluded.document",
    );
    transaction.execute(&keep, &[decisions]).await?;
    run(transaction, Sql::new("reset role")).await
}

/// Records who ran setup, where nothing else is to be recorded yet.
///
/// # Errors
/// What the server says.
pub(super) async fn manager(transaction: &Transaction<'_>) -> Result<(), InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
    let nothing = serde_json::json!({});
    transaction.execute(&Sql::new(include_str!("sql/record_settings.sql")), &[&nothing]).await?;
    run(transaction, Sql::new("reset role")).await
}

/// All relations as one document, for one statement.
fn relations(map: &RelationMap, catalog: &Catalog, plan: &GuardPlan) -> serde_json::Value {
    let views = map.view_names();
    let one = |(relation, oid, form): &(Relation, u32, &'static str)| {
        let present = catalog.relations.get(&relation.name);
        let columns: Vec<String> = present
            .iter()
            .flat_map(|present| &present.columns)
            .map(|column| format!("{} {}", column.name, column.type_name))
            .collect();
        let path = if relation.ways.is_empty() {
            serde_json::to_value(&relation.path)
        } else {
            serde_json::to_value(&relation.ways)
        };
        let view = views.get(&relation.name).filter(|_| *form == "view");
        serde_json::json!({
            "name": relation.name,
            "class": relation.class.as_str(),
            "key": relation.key,
            "path": path.ok().filter(|path| path.as_array().is_some_and(|path| !path.is_empty())),
            "reason": relation.reason,
            "guard": form,
            "relation": oid,
            "view": view.map(crate::postgres::Ident::as_str),
            "columns": columns,
        })
    };
    serde_json::Value::Array(plan.forms.iter().map(one).collect())
}

/// The metrics of the map; those that it does not have any more go.
async fn metrics(transaction: &Transaction<'_>, map: &RelationMap) -> Result<(), InstallError> {
    let known: Vec<&str> = map.metrics.iter().map(|metric| metric.name.as_str()).collect();
    transaction
        .execute(&Sql::new("delete from tenantdesk.metrics where name <> all ($1)"), &[&known])
        .await?;
    for metric in &map.metrics {
        let period = if metric.window.is_some() { "month" } else { "total" };
        transaction
            .execute(
                &Sql::new("insert into tenantdesk.metrics (name, unit, period, source) values ($1, $2, $3, $4) on conflict (name) do update set unit = excluded.unit, period = excluded.period, source = excluded.source"),
                &[&metric.name, &metric.unit, &period, &metric.relation],
            )
            .await?;
    }
    Ok(())
}

/// Records what the catalogs hold now, and the installation itself in the ledger.
///
/// # Errors
/// What the server says.
pub(super) async fn seal(transaction: &Transaction<'_>, open: usize) -> Result<(), InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner; select tenantdesk.seal_guard()"))
        .await?;
    let outcome = if open == 0 { "ok".to_owned() } else { format!("incomplete: {open}") };
    transaction
        .query(
            &Sql::new("select tenantdesk.append('installation', 'setup', pg_catalog.current_database()::text, $1, 'database', null, null, null)"),
            &[&outcome],
        )
        .await?;
    run(transaction, Sql::new("reset role")).await
}
