//! Facts on rows inside a tenant: relations, pages of rows, results of statements.

use std::path::PathBuf;

use chrono::TimeDelta;

use super::{GridFilter, Match, Order};
use crate::text::Untrusted;

/// A relation that can be browsed.
#[derive(Debug, Clone)]
pub struct RelationFacts {
    /// The name, schema-qualified and quoted as SQL would need it.
    pub name: String,
    /// Its class in the relation map.
    pub class: Untrusted,
    /// How many rows the tenant has, as estimated.
    pub rows_estimate: Option<i64>,
}

/// A column of a page or a result.
#[derive(Debug, Clone)]
pub struct ColumnFacts {
    /// Its name.
    pub name: Untrusted,
    /// Its type, as SQL names it.
    pub kind: Untrusted,
    /// Whether it stands at the right edge (numbers).
    pub numeric: bool,
    /// Whether pages can be ordered by it.
    pub sortable: bool,
}

/// Where a page begins, opaque to the console: the text form of the ordering keys of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(pub Vec<Option<String>>);

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageFrom {
    /// The first.
    Start,
    /// The one after this row.
    After(KeySet),
    /// The one before this row.
    Before(KeySet),
}

/// A page of rows to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// Of which relation, by the name it was listed under.
    pub relation: String,
    /// Which page.
    pub from: PageFrom,
    /// In which order; `None` is the key's.
    pub order: Option<Order>,
    /// Which rows.
    pub filter: Option<GridFilter>,
    /// Only rows that hold exactly these values: where a reference was followed to.
    pub at: Vec<Match>,
    /// How many rows at most.
    pub limit: usize,
}

/// What rows that go to a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportOf {
    /// A page.
    Page(PageAsk),
    /// A statement as typed.
    Statement(String),
}

/// The rows on screen, for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportAsk {
    /// What they came from.
    pub of: ExportOf,
    /// The names of the columns.
    pub columns: Vec<Untrusted>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Whether there are more rows, or longer values, than these.
    pub truncated: bool,
    /// Where to; its ending is the format.
    pub path: PathBuf,
}

/// A page of rows.
#[derive(Debug, Clone)]
pub struct PageFacts {
    /// The columns.
    pub columns: Vec<ColumnFacts>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// By what each row is found again, in their order; empty where rows have no key.
    pub keys: Vec<KeySet>,
    /// The cells whose value is longer than what is here: row and column.
    pub shortened: Vec<(usize, usize)>,
    /// What a person should know of this page.
    pub note: Option<Untrusted>,
    /// Whether rows are left out because they are too large.
    pub cut: bool,
    /// The ordering keys of the first row, where a page lies before it.
    pub before: Option<KeySet>,
    /// The ordering keys of the last row, where a page lies after it.
    pub after: Option<KeySet>,
}

/// One record, every value as whole as the library gives it.
#[derive(Debug, Clone)]
pub struct RecordFacts {
    /// Its values, in the order of the columns.
    pub fields: Vec<RecordField>,
}

/// One value of a record.
#[derive(Debug, Clone)]
pub struct RecordField {
    /// The name of its column.
    pub name: Untrusted,
    /// The value; `None` is NULL.
    pub value: Option<Untrusted>,
    /// Whether the value is longer than what is here.
    pub shortened: bool,
}

/// What a statement gave.
#[derive(Debug, Clone)]
pub struct StatementFacts {
    /// The columns; empty where it returns none.
    pub columns: Vec<ColumnFacts>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Rows changed, for a statement that changes.
    pub rows_affected: Option<u64>,
    /// Whether a cap on rows or bytes cut the result.
    pub truncated: bool,
    /// How long the server took.
    pub took: TimeDelta,
}
