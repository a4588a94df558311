//! `tables list`: the relation map as it is installed, with estimated rows; and the map itself.

use serde::Serialize;

use super::map::{MapError, RelationMap};
use crate::console::{Console, ConsoleError};
use crate::failure::Failure;
use crate::postgres::Sql;

/// One relation of the installed map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedRelation {
    /// Schema-qualified, quoted as SQL would need it.
    pub name: String,
    /// root, keyed, derived, linked, global or excluded.
    pub class: String,
    /// The tenant key.
    pub key: Option<String>,
    /// The foreign key path of a derived relation.
    pub path: Option<serde_json::Value>,
    /// Why it is excluded.
    pub reason: Option<String>,
    /// `policy`, `view` or `none`.
    pub guard: String,
    /// The planner's estimate of its rows, all tenants together.
    pub rows_estimate: Option<i64>,
    /// The name of its guarded views, where it has them.
    pub view: Option<String>,
}

/// A fault of the guard: what is no longer as setup left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The object.
    pub object: String,
    /// What is wrong.
    pub fault: String,
}

/// The installed relations, the root first.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<ListedRelation>, ConsoleError> {
    let rows = console
        .query(
            &Sql::new("select name, class, key, path, reason, guard, rows_estimate, view from tenantdesk.relation_list()"),
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| ListedRelation {
            name: row.get(0),
            class: row.get(1),
            key: row.get(2),
            path: row.get(3),
            reason: row.get(4),
            guard: row.get(5),
            rows_estimate: row.get(6),
            view: row.get(7),
        })
        .collect())
}

/// What is no longer as setup left it; while there is a fault no session opens.
///
/// # Errors
/// [`ConsoleError`].
pub async fn faults(console: &Console) -> Result<Vec<Fault>, ConsoleError> {
    let rows =
        console.query(&Sql::new("select object, fault from tenantdesk.faults()"), &[]).await?;
    Ok(rows.iter().map(|row| Fault { object: row.get(0), fault: row.get(1) }).collect())
}

/// The map that is installed.
///
/// # Errors
/// Where nothing is installed, or by a program with another form of the map.
pub async fn installed_map(console: &Console) -> Result<RelationMap, Failure> {
    let rows = console.query(&Sql::new("select tenantdesk.map_document()"), &[]).await?;
    let document: Option<serde_json::Value> = rows.first().and_then(|row| row.get(0));
    let document = document.ok_or(ConsoleError::NotSetUp)?;
    RelationMap::from_json(document).map_err(|error: MapError| error.into())
}
