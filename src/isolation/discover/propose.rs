//! The way through discovery, question by question: see the files beside it.

use std::collections::{HashMap, HashSet};

use super::decisions::Decisions;
use super::error::DecisionError;
use super::graph::Graph;
use super::keys::{Key, Keys};
use super::names::{joined, stem};
use super::people::People;
use super::proposal::{Certainty, ChosenRoot, KeyFacts, Proposal, Verdict};
use super::root::{self, Choice, key_of};
use super::scope::{Scope, scope};
use super::settings::{Readings, readings};
use super::sort::Sorting;
use super::{assemble, decide, keys, pairs, paths, people};
use crate::catalog::Catalog;
use crate::isolation::map::{Class, Relation};

/// Everything that was found on the way, before it is put together.
#[derive(Debug)]
pub(super) struct Findings<'a, 'c> {
    /// The snapshot.
    pub(super) catalog: &'c Catalog,
    /// The decisions.
    pub(super) decisions: &'a Decisions,
    /// What is classified and what is only listed.
    pub(super) scope: Scope<'c>,
    /// Tables and references.
    pub(super) graph: &'a Graph<'c>,
    /// What policies read.
    pub(super) readings: &'a Readings,
    /// The root.
    pub(super) choice: &'a Choice,
    /// The keys.
    pub(super) keys: &'a Keys,
    /// The people.
    pub(super) people: &'a People,
}

/// Proposes a relation map for what the catalogs say.
///
/// # Errors
/// [`DecisionError`] where a decision contradicts the catalogs.
pub fn discover(catalog: &Catalog, decisions: &Decisions) -> Result<Proposal, DecisionError> {
    decide::check(catalog, decisions)?;
    let scope = scope(catalog).with_decided(catalog, &decisions.relations);
    let mut graph = Graph::new(catalog, &scope.tables);
    let readings = readings(catalog, &scope.tables);
    let choice = choose(catalog, decisions, &graph, &readings)?;
    let hinted = &decisions.hints.tenant_keys;
    let mut keys = keys::find(&graph, &readings, (&choice.root, choice.table), hinted);
    let mut people = people::find(&graph, choice.table);
    let settled = settle(&mut graph, &mut keys, &decisions.relations);
    tie_people(&graph, decisions, &mut people, &mut keys, &settled);
    let blocked = blocked(&people, &keys, &settled);
    graph.turn_around(&blocked);
    // A policy that compares the key knows better than we.
    let compared = |table: usize| readings.compares(graph.tables[table].name);
    let first = paths::find(&graph, &keys, choice.table, &blocked, settled.ways.clone());
    for table in first.better_than_keys(&graph, &keys) {
        if !compared(table)
            && people.members != Some(table)
            && !settled.verdicts.contains_key(&table)
        {
            keys.remove(table);
        }
    }
    let ways = paths::find(&graph, &keys, choice.table, &blocked, settled.ways);
    let mut sorting = Sorting {
        graph: &graph,
        keys: &keys,
        people: &people,
        ways: &ways,
        root: choice.table,
        style: pairs::style(catalog),
        found: settled.verdicts,
        undecided: Vec::new(),
        asked: HashSet::new(),
    };
    if !matches!(choice.root, ChosenRoot::Undecided { .. }) {
        sorting.run(&readings);
    }
    let (found, undecided) = (sorting.found, sorting.undecided);
    let findings = Findings {
        catalog,
        decisions,
        scope,
        graph: &graph,
        readings: &readings,
        choice: &choice,
        keys: &keys,
        people: &people,
    };
    assemble::proposal(&findings, found, undecided)
}

/// The root as a person decided it, or as it is found.
fn choose(
    catalog: &Catalog,
    decisions: &Decisions,
    graph: &Graph<'_>,
    readings: &Readings,
) -> Result<Choice, DecisionError> {
    let found = root::choose(graph, readings);
    let corrected = decisions.root.as_ref().map(|root| (root.table.clone(), root.key.clone()));
    let hinted = match decisions.hints.tenant_root.as_deref() {
        Some("") => Some((None, None)),
        Some(typed) => Some((Some(decide::resolve(catalog, "--tenant-root", typed)?), None)),
        None => None,
    };
    let Some((table, key)) = corrected.or(hinted) else { return Ok(found) };
    let why = "a person decided it".to_owned();
    let impossible = |why: &str| DecisionError::Impossible {
        decision: "--tenant-root".to_owned(),
        why: why.to_owned(),
    };
    let Some(table) = table else {
        let spelled = decisions.hints.tenant_keys.first().cloned();
        let guessed = match &found.root {
            ChosenRoot::KeyOnly { key, .. } => Some(key.clone()),
            _ => root::commonest_key(graph, readings),
        };
        let key = spelled.or(guessed).ok_or_else(|| {
            impossible("without a root table the key has to be named: add --tenant-key COLUMN")
        })?;
        let root = ChosenRoot::KeyOnly { key, sure: Certainty::Certain, why };
        return Ok(Choice { root, table: None, ..found });
    };
    let number = *graph
        .numbers
        .get(table.as_str())
        .ok_or_else(|| impossible(&format!("`{table}` is no table of the application")))?;
    let key = key.or_else(|| key_of(graph, number));
    let key = key.ok_or_else(|| {
        impossible(&format!("`{table}` has no primary key of one column, and nothing points to it"))
    })?;
    let root = ChosenRoot::Table { table, key, sure: Certainty::Certain, why };
    Ok(Choice { root, table: Some(number), ..found })
}

/// What decisions about relations settle.
#[derive(Debug, Default)]
struct Settled {
    /// The verdicts.
    verdicts: HashMap<usize, Verdict>,
    /// Ways of derived relations, so that others can go through them.
    ways: HashMap<usize, paths::Way>,
}

/// Makes verdicts of decisions, and keys and ways of what they say.
fn settle(graph: &mut Graph<'_>, keys: &mut Keys, decided: &[Relation]) -> Settled {
    let mut settled = Settled::default();
    for relation in decided {
        let Some(&number) = graph.numbers.get(relation.name.as_str()) else { continue };
        keys.remove(number);
        let mut facts = None;
        if let (Class::Keyed, Some(column)) = (relation.class, &relation.key) {
            let present = graph.tables[number].relation;
            let nullable = present.column(column).is_none_or(|column| !column.not_null);
            facts = Some(KeyFacts { nullable, indexed: present.indexed.contains(column) });
            keys.set(
                number,
                Key {
                    column: column.clone(),
                    stem: joined(&stem(column).words),
                    nullable,
                    sure: Certainty::Certain,
                    why: "a person decided it".to_owned(),
                    others: Vec::new(),
                },
            );
        }
        if !relation.path.is_empty() {
            settled.ways.insert(number, graph.way_of(number, &relation.path));
        }
        settled.verdicts.insert(
            number,
            Verdict {
                relation: relation.clone(),
                sure: Certainty::Certain,
                why: "a person decided it".to_owned(),
                remarks: Vec::new(),
                other_paths: Vec::new(),
                key: facts,
                decided: true,
            },
        );
    }
    settled
}

/// Finds the memberships, and takes the key of users away who are tied to tenants by them.
fn tie_people(
    graph: &Graph<'_>,
    decisions: &Decisions,
    people: &mut People,
    keys: &mut Keys,
    settled: &Settled,
) {
    let number = |table: &String| graph.numbers.get(table.as_str()).copied();
    if let Some(users) = decisions.users.as_ref().and_then(|users| number(&users.table)) {
        people.users = Some(users);
        people.all.retain(|other| *other != users);
        people.all.insert(0, users);
    }
    let told = decisions.members.as_ref().and_then(|members| number(&members.table));
    people.members = told.or_else(|| people::memberships(graph, people, keys));
    if let Some(users) = people.users
        && people.members != Some(users)
        && !settled.verdicts.contains_key(&users)
    {
        keys.remove(users);
    }
}

/// Tables that no way leads through.
fn blocked(people: &People, keys: &Keys, settled: &Settled) -> HashSet<usize> {
    let unkeyed = people.users.filter(|users| keys.of(*users).is_none());
    let decided = settled.verdicts.iter().filter(|(_, v)| v.relation.class != Class::Keyed);
    decided.map(|(number, _)| *number).chain(unkeyed).collect()
}
