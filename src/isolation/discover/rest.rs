//! Tables without a key and without a way to a tenant: people and what belongs to people, parents that
//! several tenants share, what is the same for all, the application's own books.
//!
//! The choices, because they decide what an operator sees. A person's sessions and tokens are excluded:
//! they belong to a person who may be in several tenants, and showing them with one tenant's rows would
//! let that tenant's operator act elsewhere. A shared parent is linked where in doubt, not global:
//! linked shows only rows that the tenant points to, global shows all.

use super::books::{MACHINES, SECRET_WORDS, names_somebody};
use super::graph::{Edge, Table};
use super::names::stem;
use super::proposal::{Certainty, Verdict};
use super::sort::Sorting;
use super::vocabulary::{any, is_actor, is_in, is_person, is_reference};
use crate::catalog::{CatalogRelation, Column};
use crate::isolation::discover::graph::family;
use crate::isolation::map::{Class, Relation, Step, Via};

/// Why what belongs to people is left out.
const OF_PEOPLE: &str = "belongs to people, not to one tenant";

/// Words of rows that stand for one thing of one owner.
const PRIVATE: &str = "address file blob attachment upload image photo picture media avatar asset location contact \
    credential secret document body payload content note card bank detail coordinate metadata \
    meta object storage artifact thumbnail video audio resource data snapshot archive";
impl Sorting<'_, '_> {
    /// People who are not of one tenant each: linked through their memberships, or through the keyed
    /// table that names them best.
    pub(super) fn people(&mut self) {
        let members = self.people.members;
        for number in self.people.all.clone() {
            if self.found.contains_key(&number) || self.root == Some(number) {
                continue;
            }
            let is_users = self.people.users == Some(number);
            let Some(via) = self.via(number, members.filter(|_| is_users)) else { continue };
            let sure =
                if is_users && members.is_some() { Certainty::Certain } else { Certainty::Likely };
            let why = format!("people of several tenants; {} ties them to tenants", via.table);
            let relation = Relation { via: Some(via), ..self.relation(number, Class::Linked) };
            self.give(number, relation, sure, why);
        }
    }

    /// The keyed table that ties a shared parent to tenants, `preferred` where it does.
    fn via(&self, number: usize, preferred: Option<usize>) -> Option<Via> {
        let keyed = |edge: &&Edge| {
            self.class(edge.from) == Some(Class::Keyed)
                && edge.columns.len() == 1
                && (edge.declared || edge.exact)
        };
        let edge = self.graph.children(number).filter(keyed).min_by_key(|edge| {
            let words = stem(&edge.columns[0]).words;
            (
                Some(edge.from) != preferred,
                !edge.declared,
                is_actor(&words),
                edge.mention,
                self.keys.of(edge.from).is_none_or(|key| key.nullable),
                edge.nullable,
                self.graph.tables[edge.from].name,
                edge.columns[0].clone(),
            )
        })?;
        Some(Via {
            table: self.graph.tables[edge.from].name.to_owned(),
            column: edge.columns[0].clone(),
            own: edge.referenced[0].clone(),
        })
    }

    /// Settles what follows from verdicts that are there, until nothing follows any more.
    pub(super) fn settle(&mut self) {
        loop {
            let before = self.found.len();
            for number in self.open() {
                if self.ways.of(number).is_some() || self.keys.mention(number).is_some() {
                    // A mention of a tenant counts only where no person owns the row.
                    self.personal(number, false);
                } else if !self.personal(number, false) && !self.inherited(number) {
                    self.shared(number);
                }
            }
            if self.found.len() == before {
                return;
            }
        }
    }

    /// Whether a table is people, or was found to be theirs.
    pub(super) fn is_theirs(&self, number: usize) -> bool {
        let of_people = |v: &Verdict| v.relation.reason.as_deref() == Some(OF_PEOPLE);
        self.found.get(&number).is_some_and(of_people)
            || self.people.all.contains(&number) && self.keys.of(number).is_none()
    }

    /// What belongs to a person. `actors` says whether who did something counts as the owner.
    pub(super) fn personal(&mut self, number: usize, actors: bool) -> bool {
        let owner = |edge: &&Edge| {
            let words = stem(&edge.columns[0]).words;
            edge.from != edge.to && self.is_theirs(edge.to) && (actors || !is_actor(&words))
        };
        let Some(edge) = self.graph.parents(number).find(owner) else { return false };
        let table = &self.graph.tables[number];
        let sure = match (actors, edge.declared && !edge.nullable) {
            (false, true) => Certainty::Certain,
            (false, false) => Certainty::Likely,
            (true, _) => Certainty::Guess,
        };
        // The profile of a user is the user.
        let same = edge.declared && table.relation.primary_key == edge.columns;
        if same && is_person(&table.words) {
            let users = self.found.get(&edge.to).and_then(|verdict| verdict.relation.via.clone());
            if let Some(via) = users.filter(|via| edge.referenced == [via.own.clone()]) {
                let via = Via { own: edge.columns[0].clone(), ..via };
                let relation = Relation { via: Some(via), ..self.relation(number, Class::Linked) };
                self.give(number, relation, sure, "it has the primary key of the users");
                return true;
            }
        }
        // A file that a person uploaded is the tenant's where the tenant's rows point to it.
        if any(&table.words, PRIVATE) && self.linked(number, sure) {
            return true;
        }
        self.exclude(number, sure, OF_PEOPLE);
        true
    }

    /// A child by inheritance without references of its own follows its parent.
    fn inherited(&mut self, number: usize) -> bool {
        let parents = &self.graph.tables[number].relation.parents;
        let parent = parents.iter().find_map(|name| self.graph.numbers.get(name.as_str()));
        let Some(verdict) = parent.and_then(|parent| self.found.get(parent)) else { return false };
        let relation = Relation {
            name: self.graph.tables[number].name.to_owned(),
            ..verdict.relation.clone()
        };
        let why = format!("it inherits from {}", verdict.relation.name);
        self.give(number, relation, Certainty::Likely, why);
        true
    }

    /// Parents that tenants share, and what hangs on them.
    fn shared(&mut self, number: usize) {
        let tenant = [Some(Class::Keyed), Some(Class::Derived), Some(Class::Root)];
        let table = &self.graph.tables[number];
        let of_tenants: Vec<&Edge> = self
            .graph
            .children(number)
            .filter(|e| (e.declared || e.exact) && tenant.contains(&self.class(e.from)))
            .collect();
        let children = of_tenants.len();
        let unique = of_tenants.iter().any(|edge| edge.unique);
        let (parents_global, below_global) = self.neighbours(number);
        if children == 0 {
            if (parents_global || below_global)
                && !names_somebody(table)
                && !any(&table.words, SECRET_WORDS)
            {
                let relation = self.relation(number, Class::Global);
                let why = "it belongs to reference data that is the same for all tenants";
                self.give(number, relation, Certainty::Likely, why);
            }
            return;
        }
        if is_word_list(table.relation) {
            let relation = self.relation(number, Class::Global);
            self.give(number, relation, Certainty::Certain, "a list of words that others point to");
            return;
        }
        // The machines that do the tenants' work are no tenant's.
        if any(&table.words, MACHINES) {
            self.exclude(
                number,
                Certainty::Likely,
                "machines of the application that do all tenants' work",
            );
            return;
        }
        let private = is_private(table);
        let reference =
            (is_reference(&table.words) || has_code(table.relation)) && !names_somebody(table);
        if reference && !private && !unique {
            let relation = self.relation(number, Class::Global);
            let why = format!(
                "{children} references of tenants' rows point to it, and it names no tenant"
            );
            self.give(number, relation, Certainty::Likely, why);
        } else {
            let sure = if private || unique { Certainty::Likely } else { Certainty::Guess };
            self.linked(number, sure);
        }
    }

    /// Whether everything that a table points to is global, and whether everything that points to it is.
    fn neighbours(&self, number: usize) -> (bool, bool) {
        let global = |number: usize| self.class(number) == Some(Class::Global);
        let mut parents = self.graph.parents(number).filter(|e| e.to != number).peekable();
        let mut children = self.graph.children(number).peekable();
        let up = parents.peek().is_some() && parents.all(|edge| global(edge.to));
        let down = children.peek().is_some() && children.all(|edge| global(edge.from));
        (up, down)
    }

    /// Links a shared parent through a keyed table that points to it.
    fn linked(&mut self, number: usize, sure: Certainty) -> bool {
        let Some(via) = self.via(number, None) else { return false };
        let others: Vec<String> = self
            .graph
            .children(number)
            .filter(|e| self.graph.tables[e.from].name != via.table)
            .map(|e| self.graph.tables[e.from].name.to_owned())
            .collect();
        let why = format!("rows of several tenants may point to it; {} does", via.table);
        let relation = Relation { via: Some(via), ..self.relation(number, Class::Linked) };
        let verdict = self.give(number, relation, sure, why);
        if !others.is_empty() {
            let list = others.join(", ");
            verdict.remarks.push(format!("rows that only these point to are not seen: {list}"));
        }
        true
    }

    /// A parent that only derived tables or the root point to. Where each of its rows has one child at
    /// most, the child's tenant is its own: the way goes down once, and then up.
    pub(super) fn reversed(&mut self) {
        loop {
            let mut changed = false;
            for number in self.open() {
                let edge = self.graph.children(number).find(|edge| {
                    let known = match self.class(edge.from) {
                        Some(Class::Root | Class::Keyed) => true,
                        Some(Class::Derived) => self.has_path(edge.from),
                        _ => false,
                    };
                    edge.unique && (edge.declared || edge.exact) && !edge.mention && known
                });
                let Some(edge) = edge.cloned() else { continue };
                let first = Step {
                    columns: edge.referenced.clone(),
                    references: self.graph.tables[edge.from].name.to_owned(),
                    referenced: edge.columns.clone(),
                };
                let rest = self.found.get(&edge.from).map(|v| v.relation.path.clone());
                let path = std::iter::once(first).chain(rest.into_iter().flatten()).collect();
                let relation = Relation { path, ..self.relation(number, Class::Derived) };
                let why = format!(
                    "one row of {} at most points to each of its rows",
                    self.graph.tables[edge.from].name
                );
                self.give(number, relation, Certainty::Likely, why);
                changed = true;
            }
            if !changed {
                return;
            }
        }
    }

    /// Whether a derived table has one path, not one for each word.
    fn has_path(&self, number: usize) -> bool {
        self.found.get(&number).is_some_and(|v| !v.relation.path.is_empty())
    }
}

/// Whether the rows stand for one thing of one owner.
fn is_private(table: &Table<'_>) -> bool {
    let words = [table.words.last().cloned().unwrap_or_default()];
    let secret = |name: &str| {
        let bare = name.to_lowercase().replace('_', "");
        [
            "street",
            "phone",
            "email",
            "accesstoken",
            "refreshtoken",
            "checksum",
            "bytes",
            "bytesize",
            "storagekey",
        ]
        .contains(&bare.as_str())
    };
    any(&words, PRIVATE)
        || any(&table.words, SECRET_WORDS)
        || table.relation.columns.iter().any(|c| secret(&c.name))
}

/// Whether a table is nothing but words: an enum that somebody wrote as a table.
pub(super) fn is_word_list(relation: &CatalogRelation) -> bool {
    let [key] = relation.primary_key.as_slice() else { return false };
    let Some(column) = relation.column(key) else { return false };
    // What a function fills in is a number in disguise.
    let given = column.default.is_none() && column.identity_always.is_none();
    let text = given && (relation.columns.len() == 1 || family(column) == "text");
    let about = |name: &str| {
        is_in("description label title comment position sort_order order display_name", name)
    };
    let plain = relation.columns.iter().all(|c| c.name == *key || about(&c.name.to_lowercase()));
    text && plain && stem(key).ending.is_none() && !key.to_lowercase().ends_with("id")
}

/// Whether each row has a word of its own, as reference data does.
fn has_code(relation: &CatalogRelation) -> bool {
    let code = |key: &Vec<String>| match key.as_slice() {
        [one] => {
            let told = [
                "code",
                "name",
                "key",
                "slug",
                "iso",
                "iso2",
                "iso3",
                "identifier",
                "title",
                "type",
            ];
            let text = relation.column(one).is_some_and(|column| family(column) == "text");
            text && told.contains(&one.to_lowercase().as_str())
        }
        _ => false,
    };
    // A primary key that is a word and no number in disguise: `locode`, `iso_code`, `name`.
    let natural = |key: &Vec<String>| match key.as_slice() {
        [one] => {
            let text = |column: &Column| family(column) == "text" && column.default.is_none();
            relation.column(one).is_some_and(text)
                && stem(one).ending.is_none()
                && !one.to_lowercase().ends_with("id")
        }
        _ => false,
    };
    relation.unique_keys.iter().any(code) || natural(&relation.primary_key)
}
