//! `tables list|set|explain`: the relation map. Before a database is set up, what setup would make of it.

use serde_json::{Value, json};

use super::args::setup::{Explain, List, Set, Tables};
use super::desk::{with_console, with_setup};
use super::invocation::Invocation;
use super::output::Printer;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::console::ConsoleError::NotSetUp;
use crate::failure::Failure;
use crate::format::{self, counted, length};
use crate::isolation::discover::{ChosenRoot, Proposal, Verdict};
use crate::isolation::map::{Class, Relation, RelationMap, Step};
use crate::isolation::relations::{self, Fault, ListedRelation};
use crate::isolation::setup::{self, Decision, Explained, Request};
use crate::text::screen;

/// Runs a verb of `tables`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Tables) -> Result<(), Failure> {
    match verb {
        Tables::List(args) => list(invocation, &args),
        Tables::Set(args) => set(invocation, *args),
        Tables::Explain(args) => explain(invocation, &args),
    }
}

/// The relations as they are installed, or as setup would install them.
fn list(invocation: &mut Invocation, args: &List) -> Result<(), Failure> {
    let installed = with_console(invocation, async |console, progress| {
        let look = async {
            let map = relations::installed_map(console).await?;
            Ok((relations::list(console).await?, relations::faults(console).await?, map))
        };
        progress.unless_cancelled(look).await
    });
    let (relations, faults, map) = match installed {
        Ok((relations, faults, map)) => (relations, faults, Some(map)),
        Err(failure) if failure.message == NotSetUp.to_string() => match proposed(invocation)? {
            Some((relations, map)) => (relations, Vec::new(), map),
            None => return Err(failure),
        },
        Err(failure) => return Err(failure),
    };
    if args.toml {
        let map = map.ok_or_else(|| {
            Failure::refused("there is no whole map while relations are undecided")
                .hint("`tenantdesk tables list` shows them, `tenantdesk tables set` decides them")
        })?;
        let text = map.to_toml()?;
        return invocation.answer(&json!({ "map": map }), |printer| printer.text(&text));
    }
    show_list(invocation, relations, &faults)
}

/// The relations that setup would make, and the whole map where nothing is undecided.
type Proposed = (Vec<ListedRelation>, Option<RelationMap>);

/// What setup would make of a database that was never set up; none where it was.
fn proposed(invocation: &mut Invocation) -> Result<Option<Proposed>, Failure> {
    let found = with_setup(invocation, async |invocation, desk| {
        let look = async |_progress| setup::propose(desk, &Request::default()).await;
        invocation.watch(look).await
    })?;
    // A control schema that this login may not read is one all the same.
    if found.standing.map.is_some() || found.standing.controlled && !found.standing.member {
        return Ok(None);
    }
    invocation
        .printer
        .status("this database was never set up; this is what setup would make of it");
    Ok(Some((of_proposal(&found.proposal), found.proposal.map)))
}

/// A proposal in the form of the installed list.
fn of_proposal(proposal: &Proposal) -> Vec<ListedRelation> {
    let listed =
        |name: &str, class: &str, relation: Option<&Relation>, reason: &str| ListedRelation {
            name: name.to_owned(),
            class: class.to_owned(),
            key: relation.and_then(|relation| relation.key.clone()),
            path: relation
                .filter(|relation| !relation.path.is_empty())
                .and_then(|relation| serde_json::to_value(&relation.path).ok()),
            reason: Some(reason.to_owned()),
            guard: "none".to_owned(),
            rows_estimate: None,
            view: None,
        };
    let verdicts = proposal.verdicts.iter().map(|verdict| {
        let relation = &verdict.relation;
        listed(&relation.name, relation.class.as_str(), Some(relation), &verdict.why)
    });
    let undecided =
        proposal.undecided.iter().map(|one| listed(&one.relation, "undecided", None, &one.why));
    let views = proposal.listed.iter().map(|one| {
        let of = one.of.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
        listed(
            &one.relation,
            &one.kind,
            None,
            &format!("it is a {}{of} and has no class of its own", one.kind),
        )
    });
    let root = match &proposal.root {
        ChosenRoot::Table { table, key, why, .. }
            if proposal.verdicts.iter().all(|verdict| verdict.relation.name != *table) =>
        {
            let relation = Relation { key: Some(key.clone()), ..Relation::new(table, Class::Root) };
            Some(listed(table, "root", Some(&relation), why))
        }
        _ => None,
    };
    undecided.chain(root).chain(verdicts).chain(views).collect()
}

/// Prints a list.
fn show_list(
    invocation: &mut Invocation,
    relations: Vec<ListedRelation>,
    faults: &[Fault],
) -> Result<(), Failure> {
    for fault in faults {
        invocation.printer.warning(&format!("{}: {}", fault.object, fault.fault));
    }
    let relations = Shown::first(invocation, relations);
    let mut document = relations.document("relations", &relations.rows);
    document["faults"] = json!(faults);
    invocation.answer(&document, |printer| {
        let mut columns: Vec<Column> =
            ["RELATION", "CLASS", "KEY", "THROUGH", "GUARD"].map(Column::left).into();
        columns.push(Column::right("ROWS ~"));
        let mut table = Table::new(columns);
        for relation in &relations.rows {
            let estimate = relation.rows_estimate.map(format::count).unwrap_or_default();
            table.row([
                relation.name.as_str(),
                relation.class.as_str(),
                relation.key.as_deref().unwrap_or_default(),
                &through(relation.path.as_ref()),
                relation.guard.as_str(),
                &estimate,
            ]);
        }
        printer.table(&table);
    })?;
    relations.say_what_is_cut(invocation, "relations");
    Ok(())
}

/// The parents of a path, nearest first.
fn through(path: Option<&Value>) -> String {
    let steps = path.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // Of a polymorphic pair, the first parent of each way.
    let parent = |step: &Value| {
        let parent = step["references"].as_str().or(step["path"][0]["references"].as_str());
        parent.map(str::to_owned)
    };
    steps.iter().filter_map(parent).collect::<Vec<_>>().join(", ")
}

/// Keeps a decision.
fn set(invocation: &mut Invocation, args: Set) -> Result<(), Failure> {
    let decision = Decision {
        relation: args.table,
        class: args.class.class(),
        key: args.key,
        shared: args.shared,
        path: args.path,
        ways: args.way,
        via: args.via,
        reason: args.reason,
    };
    let request = invocation.request;
    let decided = with_setup(invocation, async |invocation, desk| {
        let decide = async |_progress| setup::decide(desk, &decision, request).await;
        invocation.watch(decide).await
    })?;
    invocation.printer.status(&format!(
        "{} was {}, and is {} from the next setup on",
        screen(&decided.relation),
        screen(&decided.before),
        screen(&decided.now)
    ));
    if let Some(warning) = &decided.warning {
        invocation.printer.warning(&format!("{}: {warning}", screen(&decided.relation)));
    }
    if decided.undecided > 0 {
        let left = format!("{} still undecided", counted(length(decided.undecided), "table"));
        invocation.printer.hint(&left);
    } else {
        invocation.printer.hint("`tenantdesk setup` puts it into effect");
    }
    let document = json!({ "decided": decided });
    invocation.answer(&document, |_already_told| ())
}

/// Says all about one relation.
fn explain(invocation: &mut Invocation, args: &Explain) -> Result<(), Failure> {
    let explained = with_setup(invocation, async |invocation, desk| {
        let look = async |_progress| setup::explain(desk, &args.table).await;
        invocation.watch(look).await
    })?;
    let document = json!(explained);
    invocation.answer(&document, |printer| show(printer, &explained))
}

/// Prints an explanation.
fn show(printer: &mut Printer, explained: &Explained) {
    if let Some(verdict) = &explained.verdict {
        printer.pairs(pairs(verdict));
    }
    if let Some(one) = &explained.undecided {
        printer.pairs([
            ("relation", one.relation.clone()),
            ("class", "undecided".to_owned()),
            ("why", one.why.clone()),
        ]);
        for command in &one.commands {
            printer.hint(&format!("`{command}`"));
        }
    }
    if let Some(one) = &explained.listed {
        let of = one.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        printer.pairs([
            ("relation", one.relation.clone()),
            ("what", format!("{}{of}; it has no class of its own", one.kind)),
        ]);
    }
    for disagreement in &explained.disagreements {
        let rows = disagreement.rows.map_or_else(
            || "rows that could not be counted in time".to_owned(),
            |rows| format!("{} rows", format::count(rows)),
        );
        printer.warning(&format!(
            "{rows} belong to another tenant by the way through {}",
            disagreement.through
        ));
    }
}

/// What a verdict says, as labels and values.
fn pairs(verdict: &Verdict) -> Vec<(&'static str, String)> {
    let relation = &verdict.relation;
    let sure = if verdict.decided { "decided by a person" } else { verdict.sure.as_str() };
    let mut pairs = vec![
        ("relation", relation.name.clone()),
        ("class", format!("{} ({sure})", relation.class.as_str())),
        ("why", verdict.why.clone()),
    ];
    if let (Class::Keyed | Class::Root, Some(key)) = (relation.class, &relation.key) {
        let facts = verdict.key.map_or_else(String::new, |facts| {
            let null = if facts.nullable { ", may be null" } else { "" };
            let index = if facts.indexed { "" } else { ", no index begins with it" };
            format!("{null}{index}")
        });
        pairs.push(("key", format!("{key}{facts}")));
    }
    for path in relation.paths() {
        pairs.push(("path", steps(path)));
    }
    for path in &verdict.other_paths {
        pairs.push(("also", steps(path)));
    }
    pairs.extend(verdict.remarks.iter().map(|remark| ("note", remark.clone())));
    pairs
}

/// A path in the form of `tables set --path`.
fn steps(path: &[Step]) -> String {
    let step = |step: &Step| {
        format!("{}>{}.{}", step.columns.join(","), step.references, step.referenced.join(","))
    };
    path.iter().map(step).collect::<Vec<_>>().join("/")
}
