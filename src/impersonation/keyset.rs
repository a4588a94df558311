//! Keyset conditions: the rows beyond a row, in an order where NULL is the largest value.

use crate::postgres::{Ident, Sql};

/// Where a page begins: the text form of the ordering keys of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(pub Vec<Option<String>>);

/// One column that rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ordering {
    pub(super) name: Ident,
    pub(super) type_name: String,
    pub(super) not_null: bool,
}

/// A value as a text parameter with its cast.
pub(super) fn parameter(
    value: Option<String>,
    type_name: &str,
    values: &mut Vec<Option<String>>,
) -> Sql {
    values.push(value);
    Sql::new("(($")
        .number(values.len() as u64)
        .text("::pg_catalog.text)::")
        .append(&Sql::danger_declared_text(type_name))
        .text(")")
}

/// The rows beyond a row: larger in the order given, NULL being the largest of all.
pub(super) fn beyond(
    ordering: &[Ordering],
    keys: &KeySet,
    descending: bool,
    values: &mut Vec<Option<String>>,
) -> Sql {
    let sign = if descending { " < " } else { " > " };
    let mut row = |columns: &[Ordering], keys: &[Option<String>]| {
        let names: Vec<Sql> = columns.iter().map(|column| Sql::from(&column.name)).collect();
        let given: Vec<Sql> = columns
            .iter()
            .zip(keys)
            .map(|(column, key)| parameter(key.clone(), &column.type_name, values))
            .collect();
        Sql::new("(")
            .append(&Sql::join(&names, ", "))
            .text(")")
            .text(sign)
            .text("(")
            .append(&Sql::join(&given, ", "))
            .text(")")
    };
    let Some((first, rest)) = ordering.split_first() else { return Sql::new("true") };
    if first.not_null || rest.is_empty() {
        return row(ordering, &keys.0);
    }
    let ties = row(rest, &keys.0[1..]);
    let name = Sql::from(&first.name);
    if keys.0[0].is_none() {
        let others = if descending {
            Sql::new(" or ").append(&name).text(" is not null")
        } else {
            Sql::default()
        };
        return Sql::new("((")
            .append(&name)
            .text(" is null and ")
            .append(&ties)
            .text(")")
            .append(&others)
            .text(")");
    }
    let value = parameter(keys.0[0].clone(), &first.type_name, values);
    let nulls =
        if descending { Sql::default() } else { Sql::new(" or ").append(&name).text(" is null") };
    Sql::new("(")
        .append(&name)
        .text(sign)
        .append(&value)
        .text(" or (")
        .append(&name)
        .text(" = ")
        .append(&value)
        .text(" and ")
        .append(&ties)
        .text(")")
        .append(&nulls)
        .text(")")
}
