//! Loads the snapshot: six statements, whatever the number of tables.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio_postgres::Row;

use super::relation::{
    Catalog, CatalogRelation, Column, ForeignKey, Function, Policy, RelationKind, Rights, Role,
    Sequence,
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

/// One column as the query packs it: name, type, NOT NULL, generated, identity, rights, default,
/// base type, labels.
#[derive(Deserialize)]
struct PackedColumn(
    String,
    String,
    bool,
    bool,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<Vec<String>>,
);

/// One policy as the query packs it: name, permissive, roles, names the application, command, USING,
/// WITH CHECK.
#[derive(Deserialize)]
struct PackedPolicy(String, bool, Vec<String>, bool, String, Option<String>, Option<String>);

/// Takes a snapshot as seen for an application role; without one, no right is seen as its own.
///
/// # Errors
/// [`CatalogError`].
pub async fn load(
    transaction: &Transaction<'_>,
    application_role: Option<&str>,
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
    if let Some(role) = application_role
        && !known.get::<_, bool>(1)
    {
        return Err(CatalogError::NoApplicationRole(role.to_owned()));
    }
    let mut catalog = Catalog { server_version: known.get(0), ..Catalog::default() };
    // Names of types are printed with their schema unless it is on the path: they must mean the
    // same whoever loads them and whoever uses them.
    let path = qualify(transaction).await?;
    let relations = transaction
        .query(&Sql::new(include_str!("sql/relations.sql")), &[&application_role])
        .await?;
    for row in &relations {
        let relation = relation(row)?;
        catalog.relations.insert(relation.name.plain(), relation);
    }
    let foreign_keys =
        transaction.query(&Sql::new(include_str!("sql/foreign_keys.sql")), &[]).await?;
    catalog.foreign_keys = foreign_keys.iter().map(foreign_key).collect();
    let sequences = transaction
        .query(&Sql::new(include_str!("sql/sequences.sql")), &[&application_role])
        .await?;
    catalog.sequences = sequences.iter().map(sequence).collect();
    let roles = transaction.query(&Sql::new(include_str!("sql/roles.sql")), &[]).await?;
    catalog.roles = roles.iter().map(role).collect();
    let functions = transaction.query(&Sql::new(include_str!("sql/functions.sql")), &[]).await?;
    catalog.functions = functions.iter().map(function).collect();
    let back = Sql::new("select pg_catalog.set_config('search_path', $1, true)");
    transaction.query_one(&back, &[&path]).await?;
    Ok(catalog)
}

/// Takes every schema but the system's from the search path, and gives the path that was.
async fn qualify(transaction: &Transaction<'_>) -> Result<String, ServerError> {
    let path = Sql::new("select pg_catalog.current_setting('search_path')");
    let path = transaction.query_one(&path, &[]).await?.get(0);
    let none = Sql::new("select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)");
    transaction.query_one(&none, &[]).await?;
    Ok(path)
}

/// A name in two columns of a row.
fn name(row: &Row, schema: usize, relation: usize) -> RelationName {
    RelationName::new(row.get::<_, String>(schema), row.get::<_, String>(relation))
}

/// Decodes one row of `foreign_keys.sql`.
fn foreign_key(row: &Row) -> ForeignKey {
    ForeignKey {
        name: row.get(0),
        from: name(row, 1, 2).plain(),
        to: name(row, 3, 4).plain(),
        deferrable: row.get(5),
        columns: row.get(6),
        referenced: row.get(7),
        validated: row.get(8),
        delete_action: row.get(9),
        simple: row.get(10),
    }
}

/// Decodes one row of sequences.sql.
fn sequence(row: &Row) -> Sequence {
    Sequence {
        name: name(row, 0, 1),
        relation: name(row, 2, 3).plain(),
        column: row.get(4),
        application_usage: row.get(5),
        is_number: row.get(6),
    }
}

/// Decodes one row of roles.sql.
fn role(row: &Row) -> Role {
    Role {
        name: row.get(0),
        login: row.get(1),
        superuser: row.get(2),
        bypass_rls: row.get(3),
        owned: row.get(4),
        may_select: row.get(5),
        may_insert: row.get(6),
        may_change: row.get(7),
        named_by_policies: row.get(8),
        groups: row.get::<_, Option<Vec<String>>>(9).unwrap_or_default(),
    }
}

/// Decodes one row of functions.sql.
fn function(row: &Row) -> Function {
    Function { name: name(row, 0, 1), source: row.get(2), called_by_policy: row.get(3) }
}

/// Names that the query packs as pairs of schema and relation.
fn plain_names(packed: Vec<(String, String)>) -> Vec<String> {
    packed.into_iter().map(|(schema, name)| RelationName::new(schema, name).plain()).collect()
}

/// Unpacks a list that the query packed; an empty one comes as null.
fn unpacked<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Vec<T>, ServerError> {
    let packed: Option<serde_json::Value> = row.get(column);
    let list = packed.map_or_else(|| Ok(Vec::new()), serde_json::from_value);
    list.map_err(|error| ServerError::Answer(error.to_string()))
}

/// Decodes one row of relations.sql.
fn relation(row: &Row) -> Result<CatalogRelation, ServerError> {
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
        has_heirs: row.get("has_heirs"),
        row_security: row.get("relrowsecurity"),
        forced: row.get("relforcerowsecurity"),
        security_invoker: row.get("invoker"),
        columns: unpacked(row, "columns")?.into_iter().map(column).collect(),
        primary_key: row.get::<_, Option<Vec<String>>>("primary_key").unwrap_or_default(),
        primary_key_equals: row
            .get::<_, Option<Vec<String>>>("primary_key_equals")
            .unwrap_or_default(),
        unique_keys: unpacked(row, "unique_keys")?,
        application: Rights {
            select: row.get("may_select"),
            insert: row.get("may_insert"),
            update: row.get("may_update"),
            delete: row.get("may_delete"),
        },
        policies: unpacked(row, "policies")?.into_iter().map(policy).collect(),
        owner: row.get("owner"),
        extension: row.get("extension"),
        parents: plain_names(unpacked(row, "parents")?),
        rows_estimate: row.get("rows_estimate"),
        comment: row.get("comment"),
        checks: row.get::<_, Option<Vec<String>>>("checks").unwrap_or_default(),
        indexed: row.get::<_, Option<Vec<String>>>("indexed").unwrap_or_default(),
    })
}

/// Decodes one packed policy.
fn policy(packed: PackedPolicy) -> Policy {
    let PackedPolicy(name, permissive, roles, names_application, command, using, check) = packed;
    Policy { name, permissive, roles, names_application, command, using, check }
}

/// Decodes one packed column.
fn column(packed: PackedColumn) -> Column {
    let PackedColumn(name, type_name, not_null, generated, identity, rights, default, base, labels) =
        packed;
    let identity_always = match identity.as_str() {
        "a" => Some(true),
        "d" => Some(false),
        _ => None,
    };
    Column {
        name,
        type_name,
        not_null,
        generated,
        identity_always,
        application_rights: rights,
        default,
        base_type: base,
        labels: labels.unwrap_or_default(),
    }
}
