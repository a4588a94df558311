//! The sorting of tables into classes, in the order of how much is known: what a person decided, keys,
//! ways to a tenant, shared parents, what belongs to people, what is the same for all, and at last
//! what nobody can tell.

use std::collections::{HashMap, HashSet};

use super::command;
use super::graph::{Edge, Graph};
use super::keys::{Key, Keys};
use super::pairs::{self, Style, Target};
use super::paths::{self, Way, Ways, judge, steps};
use super::people::People;
use super::proposal::{Certainty, KeyFacts, Undecided, Verdict};
use super::settings::Readings;
use super::vocabulary::is_migrations;
use crate::isolation::map::{Class, Relation};

/// What is known before the sorting, and what it found so far.
#[derive(Debug)]
pub(super) struct Sorting<'a, 'c> {
    /// Tables and references.
    pub(super) graph: &'a Graph<'c>,
    /// The keys.
    pub(super) keys: &'a Keys,
    /// The people.
    pub(super) people: &'a People,
    /// Ways to tenants.
    pub(super) ways: &'a Ways,
    /// The root.
    pub(super) root: Option<usize>,
    /// How the schema writes the words of polymorphic pairs.
    pub(super) style: Style,
    /// The verdicts by table number.
    pub(super) found: HashMap<usize, Verdict>,
    /// Tables without one.
    pub(super) undecided: Vec<Undecided>,
    /// Their numbers.
    pub(super) asked: HashSet<usize>,
}

impl Sorting<'_, '_> {
    /// Sorts everything that has no verdict yet.
    pub(super) fn run(&mut self, readings: &Readings) {
        self.keyed(readings);
        self.bookkeeping();
        self.derived();
        self.people();
        self.pairs();
        self.settle();
        self.weak();
        self.settle();
        self.reversed();
        self.settle();
        self.lone();
        self.found_nothing();
    }

    /// Gives a table a verdict, if it has none.
    pub(super) fn give(
        &mut self,
        number: usize,
        relation: Relation,
        sure: Certainty,
        why: impl Into<String>,
    ) -> &mut Verdict {
        self.found.entry(number).or_insert_with(|| Verdict {
            relation,
            sure,
            why: why.into(),
            remarks: Vec::new(),
            other_paths: Vec::new(),
            key: None,
            decided: false,
        })
    }

    /// A relation of a class under a table's name.
    pub(super) fn relation(&self, number: usize, class: Class) -> Relation {
        Relation::new(self.graph.tables[number].name, class)
    }

    /// An excluded one.
    pub(super) fn exclude(&mut self, number: usize, sure: Certainty, reason: &str) {
        let relation =
            Relation { reason: Some(reason.to_owned()), ..self.relation(number, Class::Excluded) };
        self.give(number, relation, sure, reason);
    }

    /// The tables without a verdict.
    pub(super) fn open(&self) -> Vec<usize> {
        let all = 0..self.graph.tables.len();
        let open = |n: &usize| !self.found.contains_key(n) && !self.asked.contains(n);
        all.filter(|n| open(n) && Some(*n) != self.root).collect()
    }

    /// The class of a table.
    pub(super) fn class(&self, number: usize) -> Option<Class> {
        if Some(number) == self.root {
            return Some(Class::Root);
        }
        self.found.get(&number).map(|verdict| verdict.relation.class)
    }

    /// Tables with a key.
    fn keyed(&mut self, readings: &Readings) {
        for number in self.open() {
            if let Some(columns) = self.keys.ambiguous(number) {
                self.ask_key(number, columns);
            } else if let Some(key) = self.keys.of(number) {
                let key = key.clone();
                self.keyed_one(number, &key, readings);
            }
        }
    }

    /// Several columns point to tenants: whose the row is, a person has to say.
    fn ask_key(&mut self, number: usize, columns: &[String]) {
        let name = self.graph.tables[number].name;
        self.asked.insert(number);
        self.undecided.push(Undecided {
            relation: name.to_owned(),
            why: format!(
                "these columns point to a tenant, and none is the key by its name: {}",
                columns.join(", ")
            ),
            nearest: Some(Class::Keyed),
            commands: command::choosing(name, columns),
        });
    }

    /// One of them: whether the key may be null and what that means, whether it is indexed.
    fn keyed_one(&mut self, number: usize, key: &Key, readings: &Readings) {
        let table = &self.graph.tables[number];
        let passes = (table.name.to_owned(), key.column.clone());
        let shared = key.nullable && readings.null_passes.contains(&passes);
        let relation = Relation {
            key: Some(key.column.clone()),
            shared,
            ..self.relation(number, Class::Keyed)
        };
        let indexed = table.relation.indexed.contains(&key.column);
        let others: Vec<_> = self.graph.up[number].clone();
        let ways = paths::others(self.ways, self.graph, &others, &key.column);
        let other_paths = ways.iter().map(|way| steps(self.graph, way)).collect();
        let mut remarks = Vec::new();
        if shared {
            remarks.push(
                "its key may be null: a policy of the application shows such rows to everybody"
                    .to_owned(),
            );
        } else if key.nullable {
            remarks
                .push("its key may be null: such rows belong to nobody and are hidden".to_owned());
        }
        if !indexed {
            remarks.push("no index begins with its key".to_owned());
        }
        if !key.others.is_empty() {
            remarks
                .push(format!("other columns point to tenants as well: {}", key.others.join(", ")));
        }
        let verdict = self.give(number, relation, key.sure, key.why.clone());
        verdict.key = Some(KeyFacts { nullable: key.nullable, indexed });
        verdict.remarks = remarks;
        verdict.other_paths = other_paths;
    }

    /// The books of migration programs.
    fn bookkeeping(&mut self) {
        for number in self.open() {
            let table = self.graph.tables[number].relation.name.name.as_str();
            if is_migrations(table) && self.ways.of(number).is_none_or(|way| way.cost > 40) {
                self.exclude(number, Certainty::Certain, "bookkeeping of migrations");
            }
        }
    }

    /// Tables with a way that is more than a mention.
    fn derived(&mut self) {
        for number in self.open() {
            let Some(way) = self.ways.of(number).cloned() else { continue };
            if self.is_sign_in(number, &way) {
                self.exclude(number, Certainty::Likely, "secrets with which people sign in");
            } else if !self.is_declared(&way) && self.is_copy(number) {
                self.exclude(number, Certainty::Likely, "a copy that somebody kept");
            } else if !self.is_weak(&way) {
                self.derived_one(number, &way);
            }
        }
    }

    /// Whether foreign keys say all of a way.
    fn is_declared(&self, way: &Way) -> bool {
        way.edges.iter().all(|edge| self.graph.edges[*edge].declared)
    }

    /// Whether a way goes along columns that may be null and only mention something, or whose names
    /// only remind of a table.
    fn is_weak(&self, way: &Way) -> bool {
        let weak = |e: &Edge| e.nullable && (e.mention || !e.declared && !e.exact);
        way.edges.iter().map(|edge| &self.graph.edges[*edge]).any(weak)
    }

    /// One of them, with the ways that were not taken.
    fn derived_one(&mut self, number: usize, way: &Way) {
        let (sure, remarks) = judge(self.graph, self.keys, way);
        let relation =
            Relation { path: steps(self.graph, way), ..self.relation(number, Class::Derived) };
        let through: Vec<&str> =
            way.edges.iter().map(|e| self.graph.tables[self.graph.edges[*e].to].name).collect();
        let why = format!("its tenant is that of {}", through.join(", then "));
        let others = self.ways.others(self.graph, number);
        let other_paths = others.iter().map(|way| steps(self.graph, way)).collect();
        let verdict = self.give(number, relation, sure, why);
        verdict.remarks = remarks;
        verdict.other_paths = other_paths;
    }

    /// Polymorphic pairs of tables without any other way.
    fn pairs(&mut self) {
        let targets = self.targets();
        for number in self.open() {
            let Some(found) = pairs::find(self.graph, number, &targets, self.style) else {
                continue;
            };
            let relation = Relation { ways: found.ways, ..self.relation(number, Class::Derived) };
            let verdict = self.give(number, relation, found.sure, found.why);
            if !found.unknown.is_empty() {
                let list = found.unknown.join(", ");
                verdict.remarks.push(format!("rows with these words belong to nobody: {list}"));
            }
        }
    }

    /// What a pair may point to.
    fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = self
            .found
            .iter()
            .filter(|(_, verdict)| match verdict.relation.class {
                Class::Keyed => true,
                Class::Derived => !verdict.relation.path.is_empty(),
                _ => false,
            })
            .map(|(number, verdict)| (*number, verdict.relation.path.clone()))
            .collect();
        targets.extend(self.root.map(|root| (root, Vec::new())));
        targets.sort_by_key(|(number, _)| *number);
        targets
    }

    /// Ways and keys that only mention a tenant, where nothing better came.
    fn weak(&mut self) {
        for number in self.open() {
            if self.by_name(number) {
                continue;
            }
            if let Some(key) = self.keys.mention(number).cloned() {
                let key = Key { sure: Certainty::Guess, ..key };
                self.keyed_one(number, &key, &Readings::default());
            } else if let Some(way) = self.ways.of(number).cloned() {
                self.derived_one(number, &way);
            }
        }
    }
}
