//! What can be browsed: the relations of the map as the reader sees them, with columns and keys.

use serde::Deserialize;

use crate::isolation::map::{Class, Relation};
use crate::isolation::relations::ListedRelation;
use crate::postgres::{RelationName, ServerError, Sql, Transaction};

/// Where guarded views for reading stand.
const VIEW_SCHEMA: &str = "tenantdesk_read";

/// A column as the data browser knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowsedColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL names it.
    pub type_name: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Whether it holds numbers.
    pub numeric: bool,
    /// Whether rows can be ordered by it.
    pub sortable: bool,
    /// Whether its values can be long; pages show their beginning only.
    pub wide: bool,
}

/// By what a row is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKey {
    /// The primary key.
    Columns(Vec<String>),
    /// The place in the table (`ctid`), which a change of the row moves.
    Physical,
    /// Nothing: there is only a first page.
    None,
}

/// A relation that can be browsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowsedRelation {
    /// As the relation map names it.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Its columns, as far as the application may read them.
    pub columns: Vec<BrowsedColumn>,
    /// By what a row is found again.
    pub key: RowKey,
    /// The planner's estimate of the tenant's rows.
    pub rows_estimate: Option<i64>,
    /// What is read: the table, or the guarded view in its place.
    pub(super) target: RelationName,
}

impl BrowsedRelation {
    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&BrowsedColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// What a person should know before browsing.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        match self.key {
            RowKey::Columns(_) => None,
            RowKey::Physical => {
                Some("no primary key: rows that change while you look may show twice or not at all")
            }
            RowKey::None => {
                Some("no primary key: only the first page can be shown; a filter narrows it")
            }
        }
    }
}

/// One column as the query packs it: name, type, NOT NULL, numeric, sortable, wide.
#[derive(Deserialize)]
struct PackedColumn(String, String, bool, bool, bool, bool);

/// Reads columns and keys of all relations that may be read, in the order of the map.
pub(super) async fn load(
    transaction: &Transaction<'_>,
    relations: &[Relation],
    listed: &[ListedRelation],
) -> Result<Vec<BrowsedRelation>, ServerError> {
    let shown: Vec<(&Relation, RelationName)> = relations
        .iter()
        .filter(|relation| relation.class != Class::Excluded)
        .map(|relation| (relation, target(relation, listed)))
        .collect();
    let part = |of: fn(&RelationName) -> &str, own: bool| -> Vec<String> {
        let name = |(relation, target): &(&Relation, RelationName)| {
            if own { of(&relation.relation_name()).to_owned() } else { of(target).to_owned() }
        };
        shown.iter().map(name).collect()
    };
    let schema: fn(&RelationName) -> &str = |name| name.schema.as_str();
    let name: fn(&RelationName) -> &str = |name| name.name.as_str();
    let rows = transaction
        .query(
            &Sql::new(include_str!("sql/grid.sql")),
            &[&part(schema, false), &part(name, false), &part(schema, true), &part(name, true)],
        )
        .await?;
    let mut browsed = Vec::with_capacity(rows.len());
    for row in rows {
        let place: i64 = row.get("place");
        let Some((relation, target)) =
            usize::try_from(place - 1).ok().and_then(|index| shown.get(index))
        else {
            continue;
        };
        let columns =
            columns(row.get("columns")).map_err(|error| ServerError::Answer(error.to_string()))?;
        let key: Option<Vec<String>> = row.get("key");
        browsed.push(BrowsedRelation {
            name: relation.name.clone(),
            class: relation.class,
            key: row_key(key, row.get("physical"), &columns),
            columns,
            rows_estimate: None,
            target: target.clone(),
        });
    }
    Ok(browsed)
}

/// What is read: the table itself, or the guarded view that stands in its place.
fn target(relation: &Relation, listed: &[ListedRelation]) -> RelationName {
    let view = listed.iter().find(|l| l.name == relation.name && l.guard == "view");
    match view.and_then(|listed| listed.view.as_deref()) {
        Some(view) => RelationName::new(VIEW_SCHEMA, view),
        None => relation.relation_name(),
    }
}

fn columns(packed: Option<serde_json::Value>) -> serde_json::Result<Vec<BrowsedColumn>> {
    let packed: Vec<PackedColumn> =
        packed.map_or_else(|| Ok(Vec::new()), serde_json::from_value)?;
    let column = |PackedColumn(name, type_name, not_null, numeric, sortable, wide)| BrowsedColumn {
        name,
        type_name,
        not_null,
        numeric,
        sortable,
        wide,
    };
    Ok(packed.into_iter().map(column).collect())
}

/// A key counts where all of it can be read and ordered.
fn row_key(key: Option<Vec<String>>, physical: bool, columns: &[BrowsedColumn]) -> RowKey {
    let usable = |name: &String| columns.iter().any(|c| c.name == *name && c.sortable);
    match key {
        Some(key) if !key.is_empty() && key.iter().all(usable) => RowKey::Columns(key),
        _ if physical => RowKey::Physical,
        _ => RowKey::None,
    }
}
