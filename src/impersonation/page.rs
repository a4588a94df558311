//! One page of rows: the request, and the query that is made of it.
//!
//! Paging goes by the keys of the last row, never by OFFSET, so the thousandth page costs what
//! the first does. The query is built from identifiers of the catalogs only; every value travels as
//! a text parameter and is cast on the server.

use super::fetch::Cut;
use super::grid::{BrowsedColumn, BrowsedRelation, RowKey};
use super::keyset::{KeySet, Ordering, beyond, parameter};
use super::reference::Match;
use crate::identity::RequestId;
use crate::postgres::{Ident, Sql};
use crate::text::Untrusted;

/// Characters of a long value that a page shows.
pub(super) const CELL: u64 = 1_000;
/// Characters of a long value that a single record shows.
pub(super) const CELL_OF_RECORD: u64 = 1_000_000;
/// Bytes of all values of a single record; a page has the usual limit.
pub(super) const RECORD_BYTES: u64 = 32 << 20;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The first.
    Start,
    /// The one after this row.
    After(KeySet),
    /// The one before this row.
    Before(KeySet),
}

/// By which column rows are ordered; NULL is the largest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: String,
    /// Largest first.
    pub descending: bool,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterOperator {
    /// Contains the text, whatever the case.
    Contains,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `IS NULL`
    Null,
    /// `IS NOT NULL`
    NotNull,
}

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The column.
    pub column: String,
    /// How it compares.
    pub operator: FilterOperator,
    /// With what; not looked at by the two tests for NULL.
    pub value: String,
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// Of which relation, as the map names it.
    pub relation: String,
    /// Which columns; all where none is named.
    pub columns: Vec<String>,
    /// Which page.
    pub from: From,
    /// In which order; the key's where none is named.
    pub order: Option<Order>,
    /// Which rows.
    pub filter: Option<Filter>,
    /// Only rows that hold exactly these values: where a reference was followed to.
    pub at: Vec<Match>,
    /// How many rows.
    pub limit: usize,
    /// The request it belongs to; the session's own where none is named.
    pub request: Option<RequestId>,
}

impl PageAsk {
    /// The first page of a relation.
    #[must_use]
    pub fn new(relation: impl Into<String>, limit: usize) -> Self {
        Self {
            relation: relation.into(),
            columns: Vec::new(),
            from: From::Start,
            order: None,
            filter: None,
            at: Vec::new(),
            limit,
            request: None,
        }
    }

    /// What the operator typed or followed.
    pub(super) fn typed(&self) -> Vec<&str> {
        let filter = self.filter.iter().map(|filter| filter.value.as_str());
        self.at.iter().map(|one| one.value.as_str()).chain(filter).collect()
    }
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The columns.
    pub columns: Vec<BrowsedColumn>,
    /// The rows; none is NULL. Long values end with `…`.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// The cells whose value is longer than what is here: row and column.
    pub shortened: Vec<(usize, usize)>,
    /// By what each row is found again; empty where rows have no key.
    pub keys: Vec<KeySet>,
    /// Where the page before begins.
    pub before: Option<KeySet>,
    /// Where the page after begins.
    pub after: Option<KeySet>,
    /// Whether a cap on bytes made the page shorter.
    pub cut: Option<Cut>,
    /// What a person should know.
    pub note: Option<&'static str>,
}

/// One value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordField {
    /// The column.
    pub column: BrowsedColumn,
    /// The value; none is NULL.
    pub value: Option<Untrusted>,
    /// Whether the value is longer than what is here.
    pub shortened: bool,
}

/// A query with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageQuery {
    pub(super) sql: Sql,
    pub(super) values: Vec<Option<String>>,
    /// The columns that are shown; ordering keys in text form follow them.
    pub(super) shown: Vec<BrowsedColumn>,
    /// The place of each key column among the ordering keys.
    pub(super) key_places: Vec<usize>,
    /// Rows come in the opposite order.
    pub(super) backwards: bool,
}

/// What a page cannot be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoSuch(pub(super) String);

/// Makes the query of a page; it asks for one row more than is shown.
pub(super) fn page_query(relation: &BrowsedRelation, ask: &PageAsk) -> Result<PageQuery, NoSuch> {
    let shown = shown(relation, &ask.columns)?;
    let ordering = ordering(relation, ask.order.as_ref())?;
    let key_places = key_places(relation, &ordering);
    let mut values = Vec::new();
    let mut conditions = conditions(relation, ask, &mut values)?;
    let (start, backwards) = match &ask.from {
        From::Start => (None, false),
        From::After(keys) => (Some(keys), false),
        From::Before(keys) => (Some(keys), true),
    };
    let descending = ask.order.as_ref().is_some_and(|order| order.descending) != backwards;
    if let Some(keys) = start {
        if keys.0.len() != ordering.len() || ordering.is_empty() {
            return Err(NoSuch("a page of another order".to_owned()));
        }
        conditions.push(beyond(&ordering, keys, descending, &mut values));
    }
    let mut sql = Sql::new("select ")
        .append(&Sql::join(&select_list(&shown, &ordering, CELL), ", "))
        .text(" from ")
        .relation(&relation.target);
    if !conditions.is_empty() {
        sql = sql.text(" where ").append(&Sql::join(&conditions, " and "));
    }
    if !ordering.is_empty() {
        // NULL is the largest, as the server's own default has it: an index fits both directions.
        let direction = Sql::new(if descending { " desc" } else { " asc" });
        let places: Vec<Sql> =
            ordering.iter().map(|o| Sql::from(&o.name).append(&direction)).collect();
        sql = sql.text(" order by ").append(&Sql::join(&places, ", "));
    }
    sql = sql.text(" limit ").number(ask.limit as u64 + 1);
    Ok(PageQuery { sql, values, shown, key_places, backwards })
}

/// Makes the query of one record.
pub(super) fn record_query(relation: &BrowsedRelation, key: &KeySet) -> Result<PageQuery, NoSuch> {
    let shown = shown(relation, &[])?;
    let ordering = ordering(relation, None)?;
    if ordering.is_empty() || ordering.len() != key.0.len() {
        return Err(NoSuch("a record without a key".to_owned()));
    }
    let mut values = Vec::new();
    let conditions: Vec<Sql> = ordering
        .iter()
        .zip(&key.0)
        .map(|(column, value)| {
            Sql::from(&column.name).text(" = ").append(&parameter(
                value.clone(),
                &column.type_name,
                &mut values,
            ))
        })
        .collect();
    let sql = Sql::new("select ")
        .append(&Sql::join(&select_list(&shown, &[], CELL_OF_RECORD), ", "))
        .text(" from ")
        .relation(&relation.target)
        .text(" where ")
        .append(&Sql::join(&conditions, " and "));
    Ok(PageQuery { sql, values, shown, key_places: Vec::new(), backwards: false })
}

/// Makes the query that counts.
pub(super) fn count_query(
    relation: &BrowsedRelation,
    ask: &PageAsk,
) -> Result<(Sql, Vec<Option<String>>), NoSuch> {
    let mut values = Vec::new();
    let mut sql = Sql::new("select pg_catalog.count(*) from ").relation(&relation.target);
    let conditions = conditions(relation, ask, &mut values)?;
    if !conditions.is_empty() {
        sql = sql.text(" where ").append(&Sql::join(&conditions, " and "));
    }
    Ok((sql, values))
}

/// Which rows are meant, wherever a page of them begins.
fn conditions(
    relation: &BrowsedRelation,
    ask: &PageAsk,
    values: &mut Vec<Option<String>>,
) -> Result<Vec<Sql>, NoSuch> {
    let mut conditions = matching(relation, &ask.at, values)?;
    if let Some(filter) = &ask.filter {
        conditions.push(filter_condition(relation, filter, values)?);
    }
    Ok(conditions)
}

/// One condition for each column that must hold a value.
pub(super) fn matching(
    relation: &BrowsedRelation,
    at: &[Match],
    values: &mut Vec<Option<String>>,
) -> Result<Vec<Sql>, NoSuch> {
    at.iter()
        .map(|one| {
            let (column, value) = (one.column.clone(), one.value.clone());
            let filter = Filter { column, operator: FilterOperator::Equal, value };
            filter_condition(relation, &filter, values)
        })
        .collect()
}

fn shown(relation: &BrowsedRelation, wanted: &[String]) -> Result<Vec<BrowsedColumn>, NoSuch> {
    if wanted.is_empty() {
        return Ok(relation.columns.clone());
    }
    wanted.iter().map(|name| find(relation, name).cloned()).collect()
}

fn find<'r>(relation: &'r BrowsedRelation, name: &str) -> Result<&'r BrowsedColumn, NoSuch> {
    relation.column(name).ok_or_else(|| NoSuch(format!("column `{name}` of {}", relation.name)))
}

/// The sort column, then the key: an order that no two rows share.
fn ordering(relation: &BrowsedRelation, order: Option<&Order>) -> Result<Vec<Ordering>, NoSuch> {
    let mut ordering = Vec::new();
    if let Some(order) = order {
        let column = find(relation, &order.column)?;
        if !column.sortable {
            return Err(NoSuch(format!("an order of type {}", column.type_name)));
        }
        ordering.push(of_column(column, is_key(relation, &column.name)));
    }
    match &relation.key {
        RowKey::Columns(names) => {
            for name in names {
                if order.is_none_or(|order| order.column != *name) {
                    ordering.push(of_column(find(relation, name)?, true));
                }
            }
        }
        RowKey::Physical => ordering.push(Ordering {
            name: Ident::new("ctid"),
            type_name: "tid".to_owned(),
            not_null: true,
        }),
        RowKey::None => {}
    }
    Ok(ordering)
}

fn is_key(relation: &BrowsedRelation, name: &str) -> bool {
    matches!(&relation.key, RowKey::Columns(names) if names.iter().any(|key| key == name))
}

fn of_column(column: &BrowsedColumn, key: bool) -> Ordering {
    Ordering {
        name: Ident::new(&column.name),
        type_name: column.type_name.clone(),
        not_null: key || column.not_null,
    }
}

/// Where the key columns stand among the ordering keys, in the order of the key.
fn key_places(relation: &BrowsedRelation, ordering: &[Ordering]) -> Vec<usize> {
    let place = |name: &str| ordering.iter().position(|o| o.name.as_str() == name);
    match &relation.key {
        RowKey::Columns(names) => names.iter().filter_map(|name| place(name)).collect(),
        RowKey::Physical => place("ctid").into_iter().collect(),
        RowKey::None => Vec::new(),
    }
}

/// The columns as they are shown, then the ordering keys as text.
fn select_list(shown: &[BrowsedColumn], ordering: &[Ordering], cell: u64) -> Vec<Sql> {
    let visible = shown.iter().map(|column| {
        let name = Ident::new(&column.name);
        if !column.wide {
            return Sql::from(&name);
        }
        // One more than is shown, so that a cut is seen; qualified, because the target may shadow it.
        Sql::new("pg_catalog.left(")
            .ident(&name)
            .text("::pg_catalog.text, ")
            .number(cell + 1)
            .text(") as ")
            .ident(&name)
    });
    let keys = ordering.iter().enumerate().map(|(index, column)| {
        Sql::from(&column.name)
            .text("::pg_catalog.text as ")
            .ident(&Ident::new(format!("tenantdesk_key_{index}")))
    });
    visible.chain(keys).collect()
}

fn filter_condition(
    relation: &BrowsedRelation,
    filter: &Filter,
    values: &mut Vec<Option<String>>,
) -> Result<Sql, NoSuch> {
    let column = find(relation, &filter.column)?;
    let name = Sql::from(&Ident::new(&column.name));
    let as_text = name.clone().text("::pg_catalog.text");
    let sign = match filter.operator {
        FilterOperator::Null => return Ok(name.text(" is null")),
        FilterOperator::NotNull => return Ok(name.text(" is not null")),
        FilterOperator::Contains => {
            let value = parameter(Some(filter.value.clone()), "pg_catalog.text", values);
            return Ok(Sql::new("pg_catalog.strpos(pg_catalog.lower(")
                .append(&as_text)
                .text("), pg_catalog.lower(")
                .append(&value)
                .text(")) > 0"));
        }
        FilterOperator::Equal => " = ",
        FilterOperator::NotEqual => " <> ",
        FilterOperator::Less => " < ",
        FilterOperator::AtMost => " <= ",
        FilterOperator::Greater => " > ",
        FilterOperator::AtLeast => " >= ",
    };
    // Types without an order (json, points) are compared as text.
    let (left, type_name) = if column.sortable {
        (name, column.type_name.as_str())
    } else {
        (as_text, "pg_catalog.text")
    };
    let value = parameter(Some(filter.value.clone()), type_name, values);
    Ok(left.text(sign).append(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::map::Class;
    use crate::postgres::RelationName;

    fn column(name: &str, type_name: &str, not_null: bool, wide: bool) -> BrowsedColumn {
        let sortable = type_name != "json";
        let (name, type_name) = (name.to_owned(), type_name.to_owned());
        BrowsedColumn { name, type_name, not_null, numeric: false, sortable, wide }
    }

    fn relation(key: RowKey) -> BrowsedRelation {
        BrowsedRelation {
            name: "app.x".into(),
            class: Class::Keyed,
            columns: vec![
                column("id", "bigint", true, false),
                column("n\"m", "text", false, true),
                column("j", "json", false, true),
            ],
            key,
            rows_estimate: None,
            target: RelationName::new("app", "x"),
        }
    }

    fn keyed() -> BrowsedRelation {
        relation(RowKey::Columns(vec!["id".into()]))
    }

    #[test]
    fn a_page_goes_by_keys_and_every_value_is_a_parameter() {
        let mut ask = PageAsk::new("app.x", 50);
        ask.order = Some(Order { column: "n\"m".into(), descending: false });
        ask.filter = Some(Filter {
            column: "j".into(),
            operator: FilterOperator::Equal,
            value: "x' or true".into(),
        });
        ask.from = From::After(KeySet(vec![Some("a".into()), Some("7".into())]));
        let query = page_query(&keyed(), &ask).unwrap();
        let sql = query.sql.as_str();
        assert!(sql.contains("where \"j\"::pg_catalog.text = (($1::pg_catalog.text)::pg_catalog.text) and (\"n\"\"m\" > "), "{sql}");
        assert!(
            sql.ends_with("or \"n\"\"m\" is null) order by \"n\"\"m\" asc, \"id\" asc limit 51"),
            "{sql}"
        );
        assert_eq!(query.values.len(), 3);
        assert_eq!(query.key_places, [1]);
    }

    #[test]
    fn backwards_turns_the_order_around() {
        let mut ask = PageAsk::new("app.x", 50);
        ask.from = From::Before(KeySet(vec![Some("7".into())]));
        let query = page_query(&keyed(), &ask).unwrap();
        assert!(query.backwards);
        assert!(
            query.sql.as_str().ends_with(
                "where (\"id\") < ((($1::pg_catalog.text)::bigint)) order by \"id\" desc limit 51"
            ),
            "{}",
            query.sql
        );
    }

    #[test]
    fn without_a_key_there_is_only_a_first_page() {
        let mut ask = PageAsk::new("app.x", 50);
        assert!(page_query(&relation(RowKey::None), &ask).is_ok());
        ask.from = From::After(KeySet(Vec::new()));
        assert!(page_query(&relation(RowKey::None), &ask).is_err());
        let physical = page_query(&relation(RowKey::Physical), &PageAsk::new("app.x", 1)).unwrap();
        assert!(physical.sql.as_str().contains("order by \"ctid\""), "{}", physical.sql);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let mut ask = PageAsk::new("app.x", 50);
        ask.columns = vec!["secret".into()];
        assert!(page_query(&keyed(), &ask).is_err());
        ask.columns.clear();
        ask.order = Some(Order { column: "j".into(), descending: true });
        assert!(page_query(&keyed(), &ask).is_err());
        assert!(record_query(&keyed(), &KeySet(Vec::new())).is_err());
    }
}
