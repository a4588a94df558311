//! What the login of setup must be able to do, and the statement that gives what is missing. Looked
//! at before anything is changed, so that nobody finds out in the middle.

use serde::Serialize;

use crate::isolation::map::{Class, RelationMap};
use crate::postgres::{ServerError, Sql, Transaction};

/// A right that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingRight {
    /// On what: a database, a role, tables of an owner.
    pub object: String,
    /// What it is needed for.
    pub why: String,
    /// The statement that gives it.
    pub fix: String,
}

/// The rights that are missing for this map; none where setup can run.
///
/// # Errors
/// What the server says.
pub(super) async fn missing(
    transaction: &Transaction<'_>,
    map: &RelationMap,
) -> Result<Vec<MissingRight>, ServerError> {
    let tables: Vec<String> = map
        .all()
        .into_iter()
        .filter(|relation| relation.class != Class::Excluded)
        .map(|relation| relation.relation_name().to_string())
        .collect();
    let rows =
        transaction.query(&Sql::new(include_str!("sql/missing_rights.sql")), &[&tables]).await?;
    Ok(rows
        .iter()
        .map(|row| MissingRight { object: row.get(0), why: row.get(1), fix: row.get(2) })
        .collect())
}
