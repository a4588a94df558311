//! `operator list|add|level|remove`.

use serde_json::json;

use super::args::operator::Operator as Verb;
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::failure::Failure;
use crate::format;
use crate::startup;
use crate::tenant::operators;

/// Runs a verb of `operator`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => list(invocation),
        Verb::Add(add) => {
            let url = with_console(invocation, async |console, progress| {
                operators::add(console, &add.name, add.level).await?;
                startup::let_in(console, &add.name, progress).await
            })?;
            let document = json!({
                "operator": { "name": add.name, "level": add.level },
                "url": url,
                "password": null,
            });
            invocation
                .printer
                .status(&format!("added operator {} with level {}", add.name, add.level));
            invocation.answer(&document, |printer| printer.line(&url))
        }
        Verb::Level(set) => {
            let question = format!(
                "Give operator {} level {}? Sessions that are open end.",
                set.name, set.level
            );
            invocation.asker.confirm(&mut invocation.printer, &question)?;
            with_console(invocation, async |console, _| {
                Ok(operators::level(console, &set.name, set.level).await?)
            })?;
            invocation.printer.status(&format!("operator {} has level {}", set.name, set.level));
            invocation
                .answer(&json!({ "operator": { "name": set.name, "level": set.level } }), |_| ())
        }
        Verb::Remove(name) => {
            let question =
                format!("Remove operator {}, end their sessions and drop their login?", name.name);
            invocation.asker.confirm(&mut invocation.printer, &question)?;
            with_console(invocation, async |console, progress| {
                operators::remove(console, &name.name).await?;
                startup::keep_out(console, &name.name, progress).await
            })?;
            invocation.printer.status(&format!("removed operator {}", name.name));
            invocation.answer(&json!({ "removed": name.name }), |_| ())
        }
    }
}

/// `operator list`.
fn list(invocation: &mut Invocation) -> Result<(), Failure> {
    let operators = reading(invocation, async |console, _| Ok(operators::list(console).await?))?;
    let operators = Shown::first(invocation, operators);
    invocation.answer(&operators.document("operators", &operators.rows), |printer| {
        let mut table = Table::new(["NAME", "LEVEL", "SINCE", "ADDED BY"].map(Column::left));
        for operator in &operators.rows {
            table.row([
                operator.name.as_str(),
                operator.level.as_str(),
                &format::time(operator.added_at),
                &operator.added_by,
            ]);
        }
        printer.table(&table);
    })?;
    operators.say_what_is_cut(invocation, "operators");
    Ok(())
}
