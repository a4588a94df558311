//! Which table is the tenant root: the top of the hierarchy that owns the others. Its name, how many
//! tables point to it, how many lie below it, and what policies compare are weighed against each other.
//!
//! A project that most tables point to is not it where it belongs to an organization itself; people
//! and reference data are never it. Some schemas have no such table: the key is then a name alone.

use std::collections::{HashMap, HashSet};

use super::graph::{Edge, Graph, family};
use super::names::{joined, stem};
use super::people::is_user_like;
use super::proposal::{Certainty, ChosenRoot, RootCandidate};
use super::settings::Readings;
use super::vocabulary::{is_reference, tenant_weight};

/// Below this, no candidate is convincing.
const CONVINCING: u32 = 38;

/// The choice with what was weighed.
#[derive(Debug)]
pub(super) struct Choice {
    /// The root.
    pub(super) root: ChosenRoot,
    /// The table's number, where there is one.
    pub(super) table: Option<usize>,
    /// All candidates, the best first.
    pub(super) candidates: Vec<RootCandidate>,
}

/// A candidate with its number.
struct Weighed {
    number: usize,
    candidate: RootCandidate,
}

/// Chooses the root.
pub(super) fn choose(graph: &Graph<'_>, readings: &Readings) -> Choice {
    let mut weighed: Vec<Weighed> =
        (0..graph.tables.len()).filter_map(|n| weigh(graph, readings, n)).collect();
    support(graph, &mut weighed);
    weighed.sort_by(|a, b| {
        (b.candidate.score, &a.candidate.table).cmp(&(a.candidate.score, &b.candidate.table))
    });
    let name_only = key_only(graph, readings);
    let best = weighed.first().map(|best| (best.number, best.candidate.score));
    let candidates = |first: Option<usize>| {
        let mut list: Vec<&Weighed> = weighed.iter().collect();
        list.sort_by_key(|w| Some(w.number) != first);
        list.iter().take(8).map(|w| w.candidate.clone()).collect()
    };
    let convincing = best.filter(|(_, score)| *score >= CONVINCING);
    if let Some((key, share, by_policy)) = name_only
        && (convincing.is_none()
            || by_policy && share > 0.6
            || share >= 0.4 && convincing.is_some_and(|(number, _)| carries(graph, number, &key)))
        && !convincing.is_some_and(|(number, _)| named_after(graph, number, &key))
    {
        let percent = (share * 100.0).round();
        let why = format!(
            "column {key} is in {percent} % of the tables and points to no table: the key is a name"
        );
        let sure = if by_policy { Certainty::Certain } else { Certainty::Likely };
        return Choice {
            root: ChosenRoot::KeyOnly { key, sure, why },
            table: None,
            candidates: candidates(None),
        };
    }
    let Some((number, _)) = convincing else {
        let why = "no table is a convincing tenant root, and no column a tenant key".to_owned();
        return Choice {
            root: ChosenRoot::Undecided { why },
            table: None,
            candidates: candidates(None),
        };
    };
    let (top, climbed) = climb(graph, number);
    let sure = certainty(graph, &weighed, top);
    let why = reasons(graph, readings, top, climbed);
    let root = ChosenRoot::Table {
        table: graph.tables[top].name.to_owned(),
        key: key_of(graph, top).unwrap_or_default(),
        sure,
        why,
    };
    Choice { root, table: Some(top), candidates: candidates(Some(top)) }
}

/// The column of a table that others point to; its primary key where nobody does.
#[must_use]
pub(super) fn key_of(graph: &Graph<'_>, number: usize) -> Option<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for edge in graph.children(number) {
        if let [referenced] = edge.referenced.as_slice() {
            *counts.entry(referenced).or_default() += if edge.declared { 3 } else { 1 };
        }
    }
    let most = counts.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    let relation = graph.tables[number].relation;
    let own = match relation.primary_key.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    most.map(|(name, _)| name.to_owned()).or(own)
}

/// How much speaks for a table; nothing where it cannot be the root at all.
fn weigh(graph: &Graph<'_>, readings: &Readings, number: usize) -> Option<Weighed> {
    let table = &graph.tables[number];
    let key = key_of(graph, number)?;
    let (many, direct) = (graph.tables.len().max(1), graph.child_count(number));
    let below = graph.below(number).len();
    let name = tenant_weight(&table.words);
    let policies = policy_share(graph, readings, number);
    if direct == 0 || name == 0 && direct * 10 < many && policies == 0.0 {
        return None;
    }
    let share = |count: usize, full: f64| (ratio(count, many) / full).min(1.0);
    let mut reasons = Vec::new();
    let mut score = f64::from(name) * 0.4;
    if name > 0 {
        reasons.push(format!("`{}` is a word for a tenant", joined(&table.words)));
    }
    score += 30.0 * share(direct, 0.35) + if name > 0 { 25.0 } else { 15.0 } * share(below, 1.0);
    reasons.push(format!("{direct} of {many} tables point to it, {below} lie below it"));
    if policies > 0.0 {
        score += 40.0 * policies;
        reasons.push("policies compare keys that point to it with a setting".to_owned());
    }
    if is_user_like(table) {
        score -= 45.0;
        reasons.push("its rows look like people".to_owned());
    }
    if is_reference(&table.words) {
        score -= 35.0;
        reasons.push("its name is one of reference data".to_owned());
    }
    let told = ["slug", "name", "title", "subdomain", "plan", "status", "domain", "display_name"];
    let columns = table.relation.columns.iter().filter(|c| told.contains(&c.name.as_str())).count();
    score += f64::from(u32::try_from(columns.min(3)).unwrap_or(3)) * 2.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 150")]
    let score = score.max(0.0).round() as u32;
    let candidate = RootCandidate { table: table.name.to_owned(), key, score, reasons };
    Some(Weighed { number, candidate })
}

/// What belongs to a candidate and would be one itself speaks for it.
fn support(graph: &Graph<'_>, weighed: &mut [Weighed]) {
    let mut below: HashMap<usize, u32> = HashMap::new();
    for candidate in weighed.iter().filter(|w| w.candidate.score >= 12) {
        let (top, climbed) = climb(graph, candidate.number);
        *below.entry(top).or_default() += u32::from(climbed);
    }
    for candidate in weighed.iter_mut() {
        let count = below.get(&candidate.number).copied().unwrap_or(0);
        if count > 0 {
            candidate.candidate.score += (count * 3).min(12);
            candidate.candidate.reasons.push(format!("{count} other candidates belong to it"));
        }
    }
}

/// A count as a part of another.
fn ratio(part: usize, whole: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    float(part) / float(whole.max(1))
}

/// The part of the tables with readings whose compared column points to the table.
fn policy_share(graph: &Graph<'_>, readings: &Readings, number: usize) -> f64 {
    let read: HashSet<&str> = readings
        .all
        .iter()
        .filter(|reading| reading.column.is_some())
        .map(|reading| reading.table.as_str())
        .collect();
    let points = |table: &str, column: &str| {
        if table == graph.tables[number].name {
            return graph.tables[number].relation.primary_key == [column];
        }
        let from = graph.numbers.get(table);
        from.is_some_and(|from| {
            graph.parents(*from).any(|e| e.to == number && e.columns.iter().any(|c| c == column))
        })
    };
    let ours: HashSet<&str> = readings
        .all
        .iter()
        .filter(|r| r.column.as_deref().is_some_and(|column| points(&r.table, column)))
        .map(|r| r.table.as_str())
        .collect();
    if read.is_empty() { 0.0 } else { ratio(ours.len(), read.len()) }
}

/// Goes up from a table to whom it belongs, as far as that is a tenant.
fn climb(graph: &Graph<'_>, from: usize) -> (usize, bool) {
    let (mut at, mut seen) = (from, HashSet::from([from]));
    loop {
        let owner = graph
            .parents(at)
            .filter(|edge| !seen.contains(&edge.to) && owns(graph, edge))
            .max_by_key(|edge| (!edge.nullable, tenant_weight(&graph.tables[edge.to].words)))
            .map(|edge| edge.to);
        match owner {
            Some(owner) => {
                seen.insert(owner);
                at = owner;
            }
            None => return (at, at != from),
        }
    }
}

/// Whether the parent of a reference is a tenant that owns its child.
fn owns(graph: &Graph<'_>, edge: &Edge) -> bool {
    let (child, parent) = (&graph.tables[edge.from], &graph.tables[edge.to]);
    let (lower, upper) = (tenant_weight(&child.words), tenant_weight(&parent.words));
    let (below, above) = (graph.child_count(edge.from), graph.child_count(edge.to));
    if edge.mention || is_user_like(parent) || is_reference(&parent.words) {
        return false;
    }
    // An organization may point to one of its own projects.
    let back = graph.parents(edge.to).any(|e| e.to == edge.from && !e.nullable);
    let tenant = upper >= 75 || upper >= 25 && above * 3 >= below;
    // A table that is called tenant is not given up for one that nearly nothing points to.
    let enough =
        if lower >= 100 { above * 4 >= below } else { upper * 5 >= lower * 4 || above >= 3 };
    let bound = !edge.nullable || upper > lower && above >= 3;
    tenant && enough && bound && !back && above >= 2
}

/// How sure the choice is.
fn certainty(graph: &Graph<'_>, weighed: &[Weighed], top: usize) -> Certainty {
    let score = |w: &Weighed| w.candidate.score;
    let own = weighed.iter().find(|w| w.number == top).map_or(0, score);
    let below = graph.below(top);
    // Those that lie below it are parts of it and no rivals.
    let rival =
        weighed.iter().filter(|w| w.number != top && !below.contains(&w.number)).map(score).max();
    let rival = rival.unwrap_or(0);
    if own >= 60 && rival * 10 < own * 7 {
        Certainty::Certain
    } else if rival * 10 < own * 9 {
        Certainty::Likely
    } else {
        Certainty::Guess
    }
}

/// Why, in a sentence.
fn reasons(graph: &Graph<'_>, readings: &Readings, top: usize, climbed: bool) -> String {
    let (many, direct) = (graph.tables.len(), graph.child_count(top));
    let below = graph.below(top).len();
    let mut why = format!("{direct} of {many} tables point to it and {below} lie below it");
    if climbed {
        why.push_str("; it owns the table that most others point to");
    }
    if policy_share(graph, readings, top) > 0.0 {
        why.push_str("; policies compare keys that point to it with a setting");
    }
    why
}

/// A column with a tenant's word that points to no table, the share of tables that have it, and
/// whether policies compare it.
fn key_only(graph: &Graph<'_>, readings: &Readings) -> Option<(String, f64, bool)> {
    let mut counts: HashMap<String, (usize, HashMap<&str, usize>)> = HashMap::new();
    for (number, table) in graph.tables.iter().enumerate() {
        let pointing: HashSet<&str> =
            graph.parents(number).flat_map(|e| e.columns.iter().map(String::as_str)).collect();
        let free = |c: &&crate::catalog::Column| !pointing.contains(c.name.as_str());
        for column in table.relation.columns.iter().filter(free) {
            let stem = stem(&column.name);
            let plausible = ["number", "text", "uuid"].contains(&family(column).as_str());
            if plausible && tenant_weight(&stem.words) >= 35 {
                let entry = counts.entry(joined(&stem.words)).or_default();
                entry.0 += 1;
                *entry.1.entry(column.name.as_str()).or_default() += 1;
            }
        }
    }
    let compared =
        |column: &str| readings.all.iter().any(|r| r.policy && r.column.as_deref() == Some(column));
    let (stem, (count, names)) =
        counts.into_iter().max_by(|a, b| (a.1.0, &b.0).cmp(&(b.1.0, &a.0)))?;
    let (name, _) =
        names.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)))?;
    let share = ratio(count, graph.tables.len());
    let by_policy = compared(name);
    // A weaker word than `tenant` has to be nearly everywhere.
    let needed = if tenant_weight(&[stem]) >= 70 { 0.25 } else { 0.4 };
    (by_policy || share >= needed && count >= 2).then(|| (name.to_owned(), share, by_policy))
}

/// Whether a table has a column of that name: it then belongs to a tenant itself.
fn carries(graph: &Graph<'_>, number: usize, column: &str) -> bool {
    graph.tables[number].relation.column(column).is_some_and(|column| column.not_null)
}

/// The commonest column that may be a key without a root.
pub(super) fn commonest_key(graph: &Graph<'_>, readings: &Readings) -> Option<String> {
    key_only(graph, readings).map(|(key, _, _)| key)
}

/// Whether a column's words are those of a table.
fn named_after(graph: &Graph<'_>, number: usize, column: &str) -> bool {
    stem(column).words == graph.tables[number].words
}
