//! Reading the filter of the data browser: `column operator value`, or a word for the selected
//! column. The column must be one of the page, and the value travels as a parameter.

use crate::tui::facts::{ColumnFacts, FilterOperator, GridFilter};

const OPERATORS: [(&str, FilterOperator); 7] = [
    ("!=", FilterOperator::NotEqual),
    ("<=", FilterOperator::AtMost),
    (">=", FilterOperator::AtLeast),
    ("=", FilterOperator::Equal),
    ("~", FilterOperator::Contains),
    ("<", FilterOperator::Less),
    (">", FilterOperator::Greater),
];

/// Reads a filter.
///
/// # Errors
/// A sentence for the person, where the column is not one of these.
pub(super) fn read(
    text: &str,
    columns: &[ColumnFacts],
    selected: usize,
) -> Result<Option<GridFilter>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    for (words, operator) in
        [(" is null", FilterOperator::Null), (" not null", FilterOperator::NotNull)]
    {
        if let Some(column) = text.strip_suffix(words) {
            let column = known(column.trim(), columns)?;
            return Ok(Some(GridFilter { column, operator, value: String::new() }));
        }
    }
    let first = OPERATORS.iter().filter_map(|(sign, operator)| {
        text.find(sign).map(|at| (at, std::cmp::Reverse(sign.len()), *sign, *operator))
    });
    if let Some((at, _, sign, operator)) = first.min_by_key(|found| (found.0, found.1)) {
        let name = text[..at].trim();
        // A sign inside a plain word (`a@b.c=d`) is no operator unless a column stands before it.
        if !name.is_empty() && !name.contains(char::is_whitespace) {
            let column = known(name, columns)?;
            let value = text[at + sign.len()..].trim().to_owned();
            return Ok(Some(GridFilter { column, operator, value }));
        }
    }
    let column = columns.get(selected).ok_or("open a relation first")?;
    let (column, value) = (column.name.raw().to_owned(), text.to_owned());
    Ok(Some(GridFilter { column, operator: FilterOperator::Contains, value }))
}

fn known(name: &str, columns: &[ColumnFacts]) -> Result<String, String> {
    let found = columns.iter().find(|column| column.name.raw() == name);
    found
        .map(|column| column.name.raw().to_owned())
        .ok_or_else(|| format!("there is no column `{}`", crate::text::screen(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Option<(String, FilterOperator, String)>, String> {
        let column = |name: &str| ColumnFacts {
            name: name.into(),
            kind: "text".into(),
            numeric: false,
            sortable: true,
        };
        let filter = read(text, &[column("id"), column("title")], 1)?;
        Ok(filter.map(|filter| (filter.column, filter.operator, filter.value)))
    }

    #[test]
    fn filters_are_read_with_their_column_and_operator() {
        let some = |column: &str, operator, value: &str| {
            Ok(Some((column.to_owned(), operator, value.to_owned())))
        };
        assert_eq!(check("id = 7"), some("id", FilterOperator::Equal, "7"));
        assert_eq!(check("id!=7"), some("id", FilterOperator::NotEqual, "7"));
        assert_eq!(check("id <= 7"), some("id", FilterOperator::AtMost, "7"));
        assert_eq!(check("id>=7"), some("id", FilterOperator::AtLeast, "7"));
        assert_eq!(check("id < 7"), some("id", FilterOperator::Less, "7"));
        assert_eq!(check("title ~ a=b"), some("title", FilterOperator::Contains, "a=b"));
        assert_eq!(check("id is null"), some("id", FilterOperator::Null, ""));
        assert_eq!(check("plain words"), some("title", FilterOperator::Contains, "plain words"));
        assert_eq!(check("  "), Ok(None));
        assert!(check("other = 7").is_err());
    }
}
