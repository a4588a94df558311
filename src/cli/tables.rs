//! `tables list`: the relation map and what is wrong with its guard.

use serde_json::json;

use super::args::operator::Tables;
use super::desk::reading;
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::failure::Failure;
use crate::format;
use crate::isolation::relations;

/// Runs a verb of `tables`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: &Tables) -> Result<(), Failure> {
    let Tables::List = verb;
    let (relations, faults) = reading(invocation, async |console, _| {
        Ok((relations::list(console).await?, relations::faults(console).await?))
    })?;
    for fault in &faults {
        invocation.printer.warning(&format!("{}: {}", fault.object, fault.fault));
    }
    let relations = Shown::first(invocation, relations);
    let mut document = relations.document("relations", &relations.rows);
    document["faults"] = json!(faults);
    invocation.answer(&document, |printer| {
        let mut columns: Vec<Column> =
            ["RELATION", "CLASS", "KEY", "GUARD"].map(Column::left).into();
        columns.push(Column::right("ROWS ~"));
        let mut table = Table::new(columns);
        for relation in &relations.rows {
            let estimate = relation.rows_estimate.map(format::count).unwrap_or_default();
            table.row([
                relation.name.as_str(),
                relation.class.as_str(),
                relation.key.as_deref().unwrap_or_default(),
                relation.guard.as_str(),
                &estimate,
            ]);
        }
        printer.table(&table);
    })?;
    relations.say_what_is_cut(invocation, "relations");
    Ok(())
}
