//! Ways from a table to its tenant along references, for tables without a key of their own.
//!
//! A way that always leads somewhere is worth more than a short one: columns that may be null weigh
//! most, then references that only names tell, then length. Self references are no way.

use std::collections::{HashMap, HashSet};

use super::graph::{Edge, Graph};
use super::keys::{Key, Keys};
use super::proposal::Certainty;
use crate::isolation::map::Step;

/// A way and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The references in order.
    pub(super) edges: Vec<usize>,
    /// What speaks against it; less is better.
    pub(super) cost: u32,
}

/// The best way of each table, and what is needed to find others.
#[derive(Debug)]
pub(super) struct Ways {
    /// By table number; tables with a key and the root have none.
    best: HashMap<usize, Way>,
    /// What an end costs, by table number: a nullable key leads nowhere in some rows.
    ends: HashMap<usize, u32>,
}

/// What one reference costs.
fn cost(edge: &Edge) -> u32 {
    // Down to the one row that points here: better than a reference that may be null.
    let mut cost = match (edge.reversed, edge.cascade) {
        (true, _) => return if edge.nullable { 55 } else { 30 },
        (false, true) => 10,
        (false, false) => 11,
    };
    if edge.nullable {
        cost += 40;
    }
    if !edge.declared {
        cost += if edge.exact { 15 } else { 35 };
    }
    if edge.mention {
        cost += 25;
    }
    // Of two ways that are as good, not the one through whoever did it.
    if edge.person {
        cost += 2;
    }
    cost
}

/// Finds the best way of every table that has one. `blocked` tables are given none: shared parents, and
/// what a person decided to be something else, unless it is among the `decided` ways.
pub(super) fn find(
    graph: &Graph<'_>,
    keys: &Keys,
    root: Option<usize>,
    blocked: &HashSet<usize>,
    decided: HashMap<usize, Way>,
) -> Ways {
    let mut ends: HashMap<usize, u32> =
        keys.tables().map(|(number, key)| (number, if key.nullable { 25 } else { 0 })).collect();
    ends.extend(root.map(|root| (root, 0)));
    ends.retain(|number, _| !blocked.contains(number));
    let mut ways = Ways { best: decided, ends };
    // A few hundred tables: rounds until nothing changes are plain and quick enough.
    let mut order: Vec<usize> = (0..graph.edges.len()).collect();
    order.sort_by_key(|edge| graph.edges[*edge].to);
    for _ in 0..graph.tables.len() {
        let mut changed = false;
        for number in &order {
            changed |= ways.try_edge(graph, *number, blocked);
        }
        if !changed {
            break;
        }
    }
    ways
}

impl Ways {
    /// The best way of a table.
    pub(super) fn of(&self, table: usize) -> Option<&Way> {
        self.best.get(&table)
    }

    /// The way that begins with a reference.
    fn through(&self, graph: &Graph<'_>, number: usize) -> Option<Way> {
        let edge = &graph.edges[number];
        let (rest, more) = match (self.ends.get(&edge.to), self.best.get(&edge.to)) {
            (Some(cost), _) => (Vec::new(), *cost),
            (None, Some(way)) => (way.edges.clone(), way.cost),
            (None, None) => return None,
        };
        let circle =
            |e: &usize| graph.edges[*e].from == edge.from || graph.edges[*e].to == edge.from;
        if edge.to == edge.from || rest.iter().any(circle) {
            return None;
        }
        let edges = std::iter::once(number).chain(rest).collect();
        Some(Way { edges, cost: cost(edge) + more })
    }

    /// Tables with a key that may be null and a way beside it that never is: the way shows all rows.
    pub(super) fn better_than_keys(&self, graph: &Graph<'_>, keys: &Keys) -> Vec<usize> {
        let sound = |edge: &Edge| {
            !edge.nullable && !edge.mention && !edge.reversed && (edge.declared || edge.exact)
        };
        let better = |(table, key): (usize, &Key)| {
            let mut ways = graph.up[table]
                .iter()
                .filter(|edge| !graph.edges[**edge].columns.contains(&key.column))
                .filter_map(|edge| self.through(graph, *edge));
            let whole = |way: Way| {
                let ends_well = end(graph, &way).is_some_and(|end| self.ends.get(&end) == Some(&0));
                ends_well && way.edges.iter().all(|edge| sound(&graph.edges[*edge]))
            };
            (key.nullable && ways.any(whole)).then_some(table)
        };
        keys.tables().filter_map(better).collect()
    }

    /// Takes the way that begins with a reference, if it is the best so far.
    fn try_edge(&mut self, graph: &Graph<'_>, number: usize, blocked: &HashSet<usize>) -> bool {
        let from = graph.edges[number].from;
        if self.ends.contains_key(&from) || blocked.contains(&from) {
            return false;
        }
        let Some(way) = self.through(graph, number) else { return false };
        if self.best.get(&from).is_some_and(|best| best.cost <= way.cost) {
            return false;
        }
        self.best.insert(from, way);
        true
    }

    /// Other ways of a table that begin with another reference, the best first, three at most.
    pub(super) fn others(&self, graph: &Graph<'_>, table: usize) -> Vec<Way> {
        let taken = self.best.get(&table);
        let first = |way: &Way| way.edges.first().copied();
        let mut found: Vec<Way> = graph.up[table]
            .iter()
            .filter_map(|edge| self.through(graph, *edge))
            .filter(|way| taken.is_none_or(|taken| first(taken) != first(way)))
            .collect();
        found.sort_by_key(|way| way.cost);
        found.truncate(3);
        found
    }
}

/// Ways of a table with a key that begin with a reference beside the key, the best first, two at most.
#[must_use]
pub(super) fn others(ways: &Ways, graph: &Graph<'_>, edges: &[usize], key: &str) -> Vec<Way> {
    let beside = |e: &&usize| !graph.edges[**e].columns.iter().any(|column| column == key);
    let declared = |e: &&usize| graph.edges[**e].declared && !graph.edges[**e].mention;
    let mut found: Vec<Way> = edges
        .iter()
        .filter(beside)
        .filter(declared)
        .filter_map(|edge| ways.through(graph, *edge))
        .collect();
    found.sort_by_key(|way| way.cost);
    found.truncate(2);
    found
}

/// A way as the steps of a map.
#[must_use]
pub(super) fn steps(graph: &Graph<'_>, way: &Way) -> Vec<Step> {
    way.edges
        .iter()
        .map(|number| &graph.edges[*number])
        .map(|edge| Step {
            columns: edge.columns.clone(),
            references: graph.tables[edge.to].name.to_owned(),
            referenced: edge.referenced.clone(),
        })
        .collect()
}

/// Where a way ends.
#[must_use]
pub(super) fn end(graph: &Graph<'_>, way: &Way) -> Option<usize> {
    way.edges.last().map(|edge| graph.edges[*edge].to)
}

/// How sure a way is, and what makes it less than certain.
#[must_use]
pub(super) fn judge(graph: &Graph<'_>, keys: &Keys, way: &Way) -> (Certainty, Vec<String>) {
    let mut sure = Certainty::Certain;
    let mut remarks = Vec::new();
    for edge in way.edges.iter().map(|number| &graph.edges[*number]) {
        let name = format!("{}.{}", graph.tables[edge.from].name, edge.columns.join(", "));
        if edge.reversed {
            sure = sure.min(Certainty::Likely);
            let child = graph.tables[edge.to].name;
            remarks.push(format!("at most one row of {child} points to each row; one that none points to belongs to nobody"));
            continue;
        }
        if edge.nullable {
            sure = sure.min(if edge.mention { Certainty::Guess } else { Certainty::Likely });
            remarks
                .push(format!("{name} may be null: such rows belong to nobody and are not shown"));
        }
        if !edge.declared {
            sure = sure.min(if edge.exact { Certainty::Likely } else { Certainty::Guess });
            remarks.push(format!(
                "no foreign key says that {name} points to {}, its name does",
                graph.tables[edge.to].name
            ));
        }
    }
    if let Some(key) = end(graph, way).and_then(|number| keys.of(number))
        && key.nullable
    {
        sure = sure.min(Certainty::Likely);
        remarks.push("the key at its end may be null".to_owned());
    }
    (sure, remarks)
}
