//! Loads the snapshot: four statements, whatever the number of tables.

use serde::Deserialize;
use thiserror::Error;
use tokio_postgres::Row;

use super::relation::{
    Catalog, CatalogRelation, Column, ForeignKey, Policy, RelationKind, Rights, Sequence,
};
use crate::failure::{Explain, Kind};
use crate::postgres::{RelationName, ServerError, Sql, Transaction};

/// Why a snapshot could not be taken.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The server refused.
    #[error("the catalogs cannot be read")]
    Server(#[from] ServerError),
    /// The role that the map names does not exist.
    #[error("the application role `{0}` does not exist")]
    NoApplicationRole(String),
}

impl Explain for CatalogError {
    fn kind(&self) -> Kind {
        match self {
            Self::Server(error) => error.kind(),
            Self::NoApplicationRole(_) => Kind::Refused,
        }
    }
}

/// One column as the query packs it: name, type, NOT NULL, generated, identity, rights.
#[derive(Deserialize)]
struct PackedColumn(String, String, bool, bool, String, String);

/// One policy as the query packs it: name, permissive, roles, names the application.
#[derive(Deserialize)]
struct PackedPolicy(String, bool, Vec<String>, bool);

/// Takes a snapshot as seen for an application role.
///
/// # Errors
/// [`CatalogError`].
pub async fn load(
    transaction: &Transaction<'_>,
    application_role: &str,
) -> Result<Catalog, CatalogError> {
    let known = transaction
        .query_one(
            &Sql::new(
                "select pg_catalog.current_setting('server_version_num')::int, \
                 exists (select from pg_catalog.pg_roles where rolname = $1)",
            ),
            &[&application_role],
        )
        .await?;
    if !known.get::<_, bool>(1) {
        return Err(CatalogError::NoApplicationRole(application_role.to_owned()));
    }
    let mut catalog = Catalog { server_version: known.get(0), ..Catalog::default() };
    let relations = transaction
        .query(&Sql::new(include_str!("sql/relations.sql")), &[&application_role])
        .await?;
    for row in &relations {
        let relation = relation(row)?;
        catalog.relations.insert(relation.name.plain(), relation);
    }
    for row in transaction.query(&Sql::new(include_str!("sql/foreign_keys.sql")), &[]).await? {
        catalog.foreign_keys.push(ForeignKey {
            name: row.get(0),
            from: RelationName::new(row.get::<_, String>(1), row.get::<_, String>(2)).plain(),
            to: RelationName::new(row.get::<_, String>(3), row.get::<_, String>(4)).plain(),
            deferrable: row.get(5),
            columns: row.get(6),
            referenced: row.get(7),
        });
    }
    let sequences = transaction
        .query(&Sql::new(include_str!("sql/sequences.sql")), &[&application_role])
        .await?;
    for row in sequences {
        catalog.sequences.push(Sequence {
            name: RelationName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
            relation: RelationName::new(row.get::<_, String>(2), row.get::<_, String>(3)).plain(),
            column: row.get(4),
            application_usage: row.get(5),
        });
    }
    Ok(catalog)
}

/// Decodes one row of relations.sql.
fn relation(row: &Row) -> Result<CatalogRelation, ServerError> {
    let unreadable = |error: serde_json::Error| ServerError::Answer(error.to_string());
    let columns: Option<serde_json::Value> = row.get("columns");
    let columns: Vec<PackedColumn> =
        columns.map_or_else(|| Ok(Vec::new()), serde_json::from_value).map_err(unreadable)?;
    let policies: Option<serde_json::Value> = row.get("policies");
    let policies: Vec<PackedPolicy> =
        policies.map_or_else(|| Ok(Vec::new()), serde_json::from_value).map_err(unreadable)?;
    let unique_keys: Option<serde_json::Value> = row.get("unique_keys");
    let unique_keys: Vec<Vec<String>> =
        unique_keys.map_or_else(|| Ok(Vec::new()), serde_json::from_value).map_err(unreadable)?;
    Ok(CatalogRelation {
        oid: row.get("oid"),
        name: RelationName::new(row.get::<_, String>("nspname"), row.get::<_, String>("relname")),
        kind: match row.get::<_, &str>("relkind") {
            "p" => RelationKind::Partitioned,
            "v" => RelationKind::View,
            "m" => RelationKind::Materialized,
            "f" => RelationKind::Foreign,
            _ => RelationKind::Table,
        },
        is_partition: row.get("relispartition"),
        row_security: row.get("relrowsecurity"),
        forced: row.get("relforcerowsecurity"),
        security_invoker: row.get("invoker"),
        columns: columns.into_iter().map(column).collect(),
        primary_key: row.get::<_, Option<Vec<String>>>("primary_key").unwrap_or_default(),
        unique_keys,
        application: Rights {
            select: row.get("may_select"),
            insert: row.get("may_insert"),
            update: row.get("may_update"),
            delete: row.get("may_delete"),
        },
        policies: policies
            .into_iter()
            .map(|PackedPolicy(name, permissive, roles, names_application)| Policy {
                name,
                permissive,
                roles,
                names_application,
            })
            .collect(),
    })
}

/// Decodes one packed column.
fn column(packed: PackedColumn) -> Column {
    let PackedColumn(name, type_name, not_null, generated, identity, application_rights) = packed;
    let identity_always = match identity.as_str() {
        "a" => Some(true),
        "d" => Some(false),
        _ => None,
    };
    Column { name, type_name, not_null, generated, identity_always, application_rights }
}
