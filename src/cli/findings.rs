//! What setup found, for a person: the reading of the schema, what to look at, and what is not right.

use std::collections::BTreeMap;

use super::output::Printer;
use crate::isolation::discover::{Certainty, ChosenRoot, Proposal};
use crate::isolation::map::Class;
use crate::isolation::setup::{Disagreement, Prepared};

/// Tells all of it as narration.
pub(super) fn show(printer: &mut Printer, prepared: &Prepared) {
    reading(printer, prepared);
    verdicts(printer, &prepared.proposal);
    for drift in &prepared.drift {
        printer.warning(&format!("the schema has moved on: {}: {}", drift.relation, drift.change));
    }
    // A resume undoes the one fault that a suspended guard has.
    let suspended = prepared.standing.suspended.is_some();
    for fault in prepared.faults.iter().filter(|_| !suspended) {
        printer.warning(&format!("{}: {}", fault.object, fault.fault));
    }
    for disagreement in &prepared.disagreements {
        disagrees(printer, disagreement);
    }
    for need in &prepared.needs {
        let told = format!("tenant create: {}.{}: {}", need.relation, need.column, need.why);
        match &need.parameter {
            Some(parameter) => {
                printer.warning(&told);
                printer.hint(&format!(
                    "`tenant create --set {parameter}=VALUE`, or a value of your own in the map's template"
                ));
            }
            None => printer.detail(&told),
        }
    }
}

/// What a tenant is, and who the application.
fn reading(printer: &mut Printer, prepared: &Prepared) {
    let (proposal, map) = (&prepared.proposal, &prepared.map);
    printer.status(&format!("tenant: {}", root(proposal)));
    let keys: Vec<&str> = proposal.keys.iter().map(|key| key.column.as_str()).collect();
    printer.status(&format!("key: {}", keys.join(", ")));
    printer.status(&format!(
        "setting: {}; application role: {}",
        map.tenant_setting, map.application_role
    ));
    let members = map.members.as_ref().map_or_else(
        || "none: impersonation has no member to act as".to_owned(),
        |members| members.table.clone(),
    );
    printer.status(&format!("members: {members}"));
}

/// How many tables have which class, and which somebody should look at.
fn verdicts(printer: &mut Printer, proposal: &Proposal) {
    let mut classes = BTreeMap::new();
    for verdict in &proposal.verdicts {
        *classes.entry(verdict.relation.class.as_str()).or_insert(0_usize) += 1;
    }
    let counts: Vec<String> =
        classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
    printer.status(&format!("{}; `tenantdesk tables list` shows each", counts.join(", ")));
    for verdict in proposal.verdicts.iter().filter(|verdict| !verdict.decided) {
        let class = verdict.relation.class.as_str();
        let told = format!("{}: {class}: {}", verdict.relation.name, verdict.why);
        if verdict.sure == Certainty::Guess {
            printer.warning(&format!("a guess: {told}"));
        } else {
            printer.detail(&told);
        }
    }
    let keyless = proposal.verdicts.iter().filter(|verdict| {
        let nullable = verdict.key.is_some_and(|key| key.nullable);
        verdict.relation.class == Class::Keyed && nullable && !verdict.relation.shared
    });
    let keyless: Vec<&str> = keyless.map(|verdict| verdict.relation.name.as_str()).collect();
    if !keyless.is_empty() {
        let names = keyless.join(", ");
        printer.status(&format!("rows without a key are shown to nobody, of {names}"));
    }
}

/// Several ways to a tenant that do not agree.
fn disagrees(printer: &mut Printer, disagreement: &Disagreement) {
    let Disagreement { relation, through, rows } = disagreement;
    match rows {
        Some(1) => printer.warning(&format!(
            "{relation}: 1 row belongs to another tenant by the way through {through}"
        )),
        Some(rows) => printer.warning(&format!(
            "{relation}: {rows} rows belong to another tenant by the way through {through}"
        )),
        None => printer.detail(&format!(
            "{relation}: whether the way through {through} agrees could not be counted in time"
        )),
    }
}

/// What a tenant is.
fn root(proposal: &Proposal) -> String {
    match &proposal.root {
        ChosenRoot::Table { table, key, sure, why } => {
            format!("a row of {table} ({key}), {}: {why}", sure.as_str())
        }
        ChosenRoot::KeyOnly { key, sure, why } => {
            format!("what {key} says, {}: {why}", sure.as_str())
        }
        ChosenRoot::Undecided { why } => format!("undecided: {why}"),
    }
}
