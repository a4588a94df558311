//! The tenant key of each table: a foreign key to the root, a column spelled like the key elsewhere, a
//! column that policies compare. A column that only mentions a tenant (`current_team_id`) is none.

use std::collections::{HashMap, HashSet};

use super::graph::{Graph, family};
use super::names::{joined, stem};
use super::proposal::{Certainty, ChosenRoot};
use super::settings::Readings;
use super::vocabulary::{is_mention, tenant_weight};
use crate::catalog::Column;

/// The key of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The column.
    pub(super) column: String,
    /// Its words without the ending, joined: `tenant`.
    pub(super) stem: String,
    /// Whether it may be null.
    pub(super) nullable: bool,
    /// How sure.
    pub(super) sure: Certainty,
    /// Why, in a sentence.
    pub(super) why: String,
    /// Other columns that point to a tenant as well.
    pub(super) others: Vec<String>,
}

/// The keys of all tables.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By table number; the root has none.
    by_table: HashMap<usize, Key>,
    /// Columns that only mention a tenant, for tables without anything better.
    mentions: HashMap<usize, Key>,
    /// Tables with several columns that point to a tenant, none of which is the key by its name.
    ambiguous: HashMap<usize, Vec<String>>,
}

impl Keys {
    /// The key of a table.
    pub(super) fn of(&self, table: usize) -> Option<&Key> {
        self.by_table.get(&table)
    }

    /// A column that mentions a tenant, of a table without a key.
    pub(super) fn mention(&self, table: usize) -> Option<&Key> {
        self.mentions.get(&table)
    }

    /// The columns of which one may be a table's key.
    pub(super) fn ambiguous(&self, table: usize) -> Option<&[String]> {
        self.ambiguous.get(&table).map(Vec::as_slice)
    }

    /// Takes a table's key away: a person decided otherwise, or it is shared.
    pub(super) fn remove(&mut self, table: usize) {
        self.by_table.remove(&table);
        self.mentions.remove(&table);
        self.ambiguous.remove(&table);
    }

    /// Sets a table's key.
    pub(super) fn set(&mut self, table: usize, key: Key) {
        self.by_table.insert(table, key);
    }

    /// The tables with a key.
    pub(super) fn tables(&self) -> impl Iterator<Item = (usize, &Key)> {
        self.by_table.iter().map(|(number, key)| (*number, key))
    }
}

/// What a key is looked for with.
struct Search<'a, 'c> {
    graph: &'a Graph<'c>,
    readings: &'a Readings,
    /// The root's number.
    root: Option<usize>,
    /// The root's key column.
    root_key: String,
    /// The type that keys have.
    family: String,
    /// Names of key columns, in lower case, with how many tables have them.
    spellings: HashMap<String, usize>,
}

/// A column that may be a table's key.
struct Possible<'c> {
    column: &'c Column,
    score: i64,
    sure: Certainty,
    why: String,
}

/// Finds the keys of all tables; `hinted` are spellings that a person gave.
pub(super) fn find(
    graph: &Graph<'_>,
    readings: &Readings,
    root: (&ChosenRoot, Option<usize>),
    hinted: &[String],
) -> Keys {
    let root_key = match root.0 {
        ChosenRoot::Table { key, .. } | ChosenRoot::KeyOnly { key, .. } => key.clone(),
        ChosenRoot::Undecided { .. } => return Keys::default(),
    };
    let mut search = Search {
        graph,
        readings,
        root: root.1,
        family: key_family(graph, root.1, &root_key),
        root_key,
        spellings: HashMap::new(),
    };
    search.spell(hinted);
    let mut keys = Keys::default();
    for number in (0..graph.tables.len()).filter(|number| Some(*number) != root.1) {
        search.table(number, &mut keys);
    }
    while search.along_keys(&mut keys) {}
    // What keys of other names taught is a spelling, too.
    search.learn(&keys);
    for number in (0..graph.tables.len()).filter(|number| Some(*number) != root.1) {
        if keys.of(number).is_none() && keys.ambiguous(number).is_none() {
            search.table(number, &mut keys);
        }
    }
    while search.along_keys(&mut keys) {}
    keys
}

/// The type of the key: the root's, or that of the commonest column of that name.
fn key_family(graph: &Graph<'_>, root: Option<usize>, key: &str) -> String {
    if let Some(column) = root.and_then(|root| graph.tables[root].relation.column(key)) {
        return family(column);
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for column in graph.tables.iter().filter_map(|table| table.relation.column(key)) {
        *counts.entry(family(column)).or_default() += 1;
    }
    let most = counts.into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
    most.map(|(family, _)| family).unwrap_or_default()
}

impl<'c> Search<'_, 'c> {
    /// Learns how the key is spelled: from references to the root, policies, hints, and its words.
    fn spell(&mut self, hinted: &[String]) {
        let mut found: HashMap<String, usize> = HashMap::new();
        if let Some(root) = self.root {
            for edge in self.graph.children(root) {
                if let [column] = edge.columns.as_slice()
                    && edge.referenced == [self.root_key.clone()]
                    && !edge.mention
                    && (edge.declared || edge.exact)
                {
                    *found.entry(column.to_lowercase()).or_default() += 1;
                }
            }
            // What one foreign key says once is that table's matter, and no spelling.
            found.retain(|name, count| *count > 1 || self.is_root_word(name));
        } else {
            let words = stem(&self.root_key).words;
            for table in &self.graph.tables {
                for column in table.relation.columns.iter().filter(|c| stem(&c.name).words == words)
                {
                    *found.entry(column.name.to_lowercase()).or_default() += 1;
                }
            }
        }
        for hint in hinted {
            *found.entry(hint.to_lowercase()).or_default() += self.graph.tables.len();
        }
        self.spellings = found;
    }

    /// Learns spellings from the keys that were found.
    fn learn(&mut self, keys: &Keys) {
        let mut found: HashMap<String, usize> = HashMap::new();
        for (_, key) in keys.tables() {
            *found.entry(key.column.to_lowercase()).or_default() += 1;
        }
        found.retain(|name, count| *count > 2 && !self.spellings.contains_key(name));
        self.spellings.extend(found);
    }

    /// Whether a column's words are those of the root.
    fn is_root_word(&self, column: &str) -> bool {
        let words = stem(column).words;
        self.root.is_some_and(|root| {
            let own = &self.graph.tables[root].words;
            // `org_id` for organizations.
            *own == words || words == ["org"] && own.ends_with(&["organization".to_owned()])
        })
    }

    /// The key of one table.
    fn table(&self, number: usize, keys: &mut Keys) {
        let columns = &self.graph.tables[number].relation.columns;
        let mut options: Vec<Possible<'c>> =
            columns.iter().filter_map(|column| self.option(number, column)).collect();
        options.sort_by_key(|option| std::cmp::Reverse(option.score));
        let Some(best) = options.first() else { return };
        let others = options[1..].iter().map(|o| o.column.name.clone()).collect();
        let key = Key {
            column: best.column.name.clone(),
            stem: joined(&stem(&best.column.name).words),
            nullable: !best.column.not_null,
            sure: best.sure,
            why: best.why.clone(),
            others,
        };
        let known = |o: &Possible<'_>| self.spellings.contains_key(&o.column.name.to_lowercase());
        let rivals: Vec<&Possible<'_>> = options
            .iter()
            .filter(|o| o.score >= 40 && best.score - o.score < 10 && o.column.not_null)
            .collect();
        if rivals.len() > 1 && !known(best) {
            let columns = rivals.iter().map(|o| o.column.name.clone()).collect();
            keys.ambiguous.insert(number, columns);
        } else if best.score >= 40 {
            keys.set(number, key);
        } else {
            keys.mentions.insert(number, key);
        }
    }

    /// A column that a foreign key pairs with the key of another table holds a tenant's key as well,
    /// whatever it is called. Whether one was found.
    fn along_keys(&self, keys: &mut Keys) -> bool {
        let mut found = Vec::new();
        for edge in self.graph.edges.iter().filter(|edge| edge.declared && !edge.mention) {
            let Some(key) = keys.of(edge.to) else { continue };
            let at = edge.referenced.iter().position(|column| *column == key.column);
            let relation = self.graph.tables[edge.from].relation;
            let own = at.and_then(|at| relation.column(&edge.columns[at]));
            let open = keys.of(edge.from).is_none() && Some(edge.from) != self.root;
            found.extend(own.filter(|_| open).map(|own| {
                let why = format!(
                    "a foreign key pairs it with the key of {}",
                    self.graph.tables[edge.to].name
                );
                (
                    edge.from,
                    Key {
                        column: own.name.clone(),
                        stem: joined(&stem(&own.name).words),
                        nullable: !own.not_null,
                        sure: Certainty::Certain,
                        why,
                        others: Vec::new(),
                    },
                )
            }));
        }
        let any = !found.is_empty();
        for (table, key) in found {
            keys.set(table, key);
        }
        any
    }

    /// How much a column looks like the table's key; nothing where it cannot be.
    fn option(&self, number: usize, column: &'c Column) -> Option<Possible<'c>> {
        let (words, lower) = (stem(&column.name).words, column.name.to_lowercase());
        let to_root = self.graph.parents(number).find(|edge| {
            Some(edge.to) == self.root
                && edge.columns == [column.name.clone()]
                && edge.referenced == [self.root_key.clone()]
        });
        let spelled = self.spellings.get(&lower).copied().unwrap_or(0);
        let fits = family(column) == self.family;
        let compared = self.readings.all.iter().any(|reading| {
            reading.policy
                && reading.table == self.graph.tables[number].name
                && reading.column.as_deref() == Some(&column.name)
        });
        let (mut score, mut sure, why) = match to_root {
            Some(edge) if edge.declared => {
                (100, Certainty::Certain, "a foreign key to the root".to_owned())
            }
            _ if self.is_elsewhere(number, column) => return None,
            _ if fits && spelled > 1 => (
                85,
                Certainty::Certain,
                format!("spelled like the key of {spelled} tables, with its type"),
            ),
            _ if fits && spelled == 1 => {
                (80, Certainty::Likely, "spelled like the tenant key, with its type".to_owned())
            }
            // The text form of a key, or a number that grew.
            _ if spelled > 2 && ["text", "uuid", "number"].contains(&family(column).as_str()) => {
                (50, Certainty::Likely, "spelled like the tenant key, of another type".to_owned())
            }
            None if self.root.is_none() && fits && tenant_weight(&words) >= 80 => {
                (45, Certainty::Guess, "a word for a tenant, with the type of the key".to_owned())
            }
            Some(edge) => {
                let sure = if edge.exact { Certainty::Likely } else { Certainty::Guess };
                (60, sure, "named after the root, with the type of its key".to_owned())
            }
            None if compared && fits && tenant_weight(&words) > 0 => {
                (75, Certainty::Likely, "a policy compares it with a setting".to_owned())
            }
            None => return None,
        };
        if compared {
            (score, sure) = (score + 10, Certainty::Certain);
        }
        if is_mention(&words) {
            score -= 70;
        } else if spelled == 0 && words.len() > 1 && !self.is_root_word(&column.name) {
            score -= 15;
        }
        score += i64::try_from(spelled.min(10)).unwrap_or(10);
        if !column.not_null {
            score -= 8;
        }
        Some(Possible { column, score, sure, why })
    }

    /// Whether a foreign key says that the column points to another table than the root.
    fn is_elsewhere(&self, number: usize, column: &Column) -> bool {
        let mut declared = self.graph.parents(number).filter(|edge| edge.declared);
        let (mut elsewhere, mut ours) = (false, false);
        for edge in declared.by_ref() {
            if edge.columns == [column.name.clone()] {
                elsewhere |= Some(edge.to) != self.root;
                ours |= Some(edge.to) == self.root;
            }
        }
        elsewhere && !ours
    }
}

/// How the key is spelled in the tables that have one, the commonest first.
pub(super) fn spellings(graph: &Graph<'_>, keys: &Keys) -> Vec<super::proposal::Spelling> {
    let mut found: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (number, key) in keys.tables() {
        found.entry(key.column.as_str()).or_default().insert(graph.tables[number].name);
    }
    let mut list: Vec<_> = found
        .into_iter()
        .map(|(column, tables)| {
            let mut tables: Vec<String> = tables.into_iter().map(str::to_owned).collect();
            tables.sort();
            super::proposal::Spelling { column: column.to_owned(), tables }
        })
        .collect();
    list.sort_by(|a, b| (b.tables.len(), &a.column).cmp(&(a.tables.len(), &b.column)));
    list
}
