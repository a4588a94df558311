//! Tables and what points where: declared foreign keys, and references that only the names of columns
//! tell (virtual ones), for schemas without foreign keys and for those that left some out.

use std::collections::{HashMap, HashSet};

use super::names::{Stem, joined, stem, words};
use super::paths::Way;
use super::vocabulary::{is_mention, tenant_weight};
use crate::catalog::{Catalog, CatalogRelation, Column};
use crate::isolation::map::Step;

/// One table that discovery classifies.
#[derive(Debug)]
pub(super) struct Table<'c> {
    /// Its plain name.
    pub(super) name: &'c str,
    /// What the catalogs say.
    pub(super) relation: &'c CatalogRelation,
    /// The words of its name, without what most tables of its schema begin with.
    pub(super) words: Vec<String>,
}

/// One reference from a table to another.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The table that points.
    pub(super) from: usize,
    /// The table pointed to.
    pub(super) to: usize,
    /// Its columns.
    pub(super) columns: Vec<String>,
    /// The columns there, in the same order.
    pub(super) referenced: Vec<String>,
    /// Whether a foreign key says so; otherwise the names do.
    pub(super) declared: bool,
    /// Whether one of its columns may be null.
    pub(super) nullable: bool,
    /// Whether at most one row points to each row there.
    pub(super) unique: bool,
    /// Whether the columns only mention the other row: `parent_id`, `default_team_id`.
    pub(super) mention: bool,
    /// Whether deleting the parent deletes the row, or a foreign key is at least known to hold.
    pub(super) cascade: bool,
    /// A virtual reference whose name says the table exactly.
    pub(super) exact: bool,
    /// Turned around: the row there points here, and at most one does.
    pub(super) reversed: bool,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Graph<'c> {
    /// Tables by number.
    pub(super) tables: Vec<Table<'c>>,
    /// Their numbers by plain name.
    pub(super) numbers: HashMap<&'c str, usize>,
    /// References.
    pub(super) edges: Vec<Edge>,
    /// For each table, the references that it holds.
    pub(super) up: Vec<Vec<usize>>,
    /// For each table, the references that point to it.
    pub(super) down: Vec<Vec<usize>>,
}

/// The type that two columns must share to be compared: domains as what they are made of, whole
/// numbers as one, texts as one.
#[must_use]
pub(super) fn family(column: &Column) -> String {
    let printed = column.base_type.as_deref().unwrap_or(&column.type_name);
    let bare = printed.split('(').next().unwrap_or(printed).trim();
    match bare {
        "smallint" | "integer" | "bigint" | "numeric" => "number".to_owned(),
        "text" | "character varying" | "character" | "bpchar" | "citext" | "public.citext" => {
            "text".to_owned()
        }
        other => other.to_owned(),
    }
}

impl<'c> Graph<'c> {
    /// Builds it over the tables in scope.
    pub(super) fn new(catalog: &'c Catalog, scope: &[&'c str]) -> Self {
        let tables: Vec<Table<'c>> = scope
            .iter()
            .filter_map(|name| catalog.relations.get_key_value(*name))
            .map(|(name, relation)| Table {
                name,
                relation,
                words: words(relation.name.name.as_str()),
            })
            .collect();
        let numbers = tables.iter().enumerate().map(|(number, t)| (t.name, number)).collect();
        let (up, down) = (vec![Vec::new(); tables.len()], vec![Vec::new(); tables.len()]);
        let mut graph = Self { tables, numbers, edges: Vec::new(), up, down };
        graph.strip_prefixes();
        graph.declared(catalog);
        graph.virtual_edges();
        graph
    }

    /// Takes away a first word that many tables of a schema share and that is no table itself:
    /// `zerver_realm` is a realm, `iam_scope` a scope, and `customer_account` stays what it is.
    fn strip_prefixes(&mut self) {
        let mut first: HashMap<(&str, String), usize> = HashMap::new();
        let mut single: HashSet<String> = HashSet::new();
        for table in &self.tables {
            if let [word] = table.words.as_slice() {
                single.insert(word.clone());
            } else if let Some(word) = table.words.first() {
                let schema = table.relation.name.schema.as_str();
                *first.entry((schema, word.clone())).or_default() += 1;
            }
        }
        let many = self.tables.len();
        for table in &mut self.tables {
            let Some(word) = table.words.first().cloned() else { continue };
            let schema = table.relation.name.schema.as_str();
            let count = first.get(&(schema, word.clone())).copied().unwrap_or(0);
            let area = count >= 4 && !single.contains(&word) && tenant_weight(&[word.clone()]) == 0;
            if table.words.len() > 1 && (area || count >= 4 && count * 2 > many) {
                table.words.remove(0);
            }
        }
    }

    /// The foreign keys. Those of inheritance parents hold for children in spirit: the names find them.
    fn declared(&mut self, catalog: &Catalog) {
        for key in &catalog.foreign_keys {
            let (Some(&from), Some(&to)) =
                (self.numbers.get(key.from.as_str()), self.numbers.get(key.to.as_str()))
            else {
                continue;
            };
            let relation = self.tables[from].relation;
            let mention = match key.columns.as_slice() {
                [column] => is_mention(&stem(column).words),
                _ => false,
            };
            self.add(Edge {
                from,
                to,
                nullable: nullable(relation, &key.columns),
                unique: is_unique(relation, &key.columns),
                columns: key.columns.clone(),
                referenced: key.referenced.clone(),
                declared: true,
                mention,
                cascade: key.validated && key.delete_action == "c",
                exact: true,
                reversed: false,
            });
        }
    }

    /// Adds a reference.
    fn add(&mut self, edge: Edge) {
        let number = self.edges.len();
        self.up[edge.from].push(number);
        self.down[edge.to].push(number);
        self.edges.push(edge);
    }

    /// References that names tell, for columns that are in no foreign key.
    fn virtual_edges(&mut self) {
        let index = NameIndex::new(&self.tables);
        let mut found = Vec::new();
        for (from, table) in self.tables.iter().enumerate() {
            let within = |column: &Column, alone: bool| {
                self.parents(from).any(|edge| {
                    (edge.columns.len() == 1) == alone && edge.columns.contains(&column.name)
                })
            };
            for column in table.relation.columns.iter().filter(|column| !within(column, true)) {
                // Of the columns of a composite key only the tenant's may mean a table by itself.
                let composite = within(column, false);
                let edge = self.virtual_edge(from, column, &index);
                found.extend(edge.filter(|edge| {
                    !composite || edge.exact && tenant_weight(&self.tables[edge.to].words) > 0
                }));
            }
        }
        found.into_iter().for_each(|edge| self.add(edge));
    }

    /// The table that a column's name says, if its type fits.
    fn virtual_edge(&self, from: usize, column: &Column, index: &NameIndex) -> Option<Edge> {
        let table = &self.tables[from];
        let Stem { words, ending: Some(ending) } = stem(&column.name) else { return None };
        if is_pair(table.relation, column) {
            return None;
        }
        let mut named = index.find(&words, table, &self.tables);
        named.retain(|(to, _)| *to != from || is_mention(&words));
        let (to, exact, referenced) = named.iter().find_map(|(to, exact)| {
            let target = self.tables[*to].relation;
            target_column(target, column, &ending, &words)
                .filter(|there| family(there) == family(column))
                .map(|there| (*to, *exact, there.name.clone()))
        })?;
        let columns = vec![column.name.clone()];
        Some(Edge {
            from,
            to,
            nullable: !column.not_null,
            unique: is_unique(table.relation, &columns),
            mention: is_mention(&words),
            columns,
            referenced: vec![referenced],
            declared: false,
            cascade: false,
            exact,
            reversed: false,
        })
    }

    /// Adds each foreign key that at most one row holds for each parent once more, turned around, for
    /// ways down to that row. Not those of shared parents, whose rows belong to several tenants.
    pub(super) fn turn_around(&mut self, shared: &HashSet<usize>) {
        for number in 0..self.edges.len() {
            let edge = &self.edges[number];
            let whole = edge.unique && edge.declared && !edge.mention && edge.from != edge.to;
            if whole && !shared.contains(&edge.to) {
                self.turned(number);
            }
        }
    }

    /// One of them: it is only found by its number, `up` and `down` do not know it.
    fn turned(&mut self, edge: usize) -> usize {
        let edge = self.edges[edge].clone();
        self.edges.push(Edge {
            from: edge.to,
            to: edge.from,
            columns: edge.referenced,
            referenced: edge.columns,
            reversed: true,
            ..edge
        });
        self.edges.len() - 1
    }

    /// The tables that a table points to, with the references.
    pub(super) fn parents(&self, table: usize) -> impl Iterator<Item = &Edge> {
        self.up[table].iter().map(|edge| &self.edges[*edge])
    }

    /// The references that point to a table from others.
    pub(super) fn children(&self, table: usize) -> impl Iterator<Item = &Edge> {
        self.down[table].iter().map(|edge| &self.edges[*edge]).filter(move |e| e.from != table)
    }

    /// A path of a person as a way along references; those that nothing tells are added.
    pub(super) fn way_of(&mut self, from: usize, path: &[Step]) -> Way {
        let (mut edges, mut at) = (Vec::new(), from);
        for step in path {
            let Some(&to) = self.numbers.get(step.references.as_str()) else { break };
            let same = |e: &&usize| {
                let edge = &self.edges[**e];
                edge.to == to && edge.columns == step.columns && edge.referenced == step.referenced
            };
            let known = self.up[at].iter().find(same).copied();
            edges.push(known.unwrap_or_else(|| {
                let relation = self.tables[at].relation;
                self.add(Edge {
                    from: at,
                    to,
                    nullable: nullable(relation, &step.columns),
                    unique: is_unique(relation, &step.columns),
                    columns: step.columns.clone(),
                    referenced: step.referenced.clone(),
                    declared: false,
                    mention: false,
                    cascade: false,
                    exact: true,
                    reversed: false,
                });
                self.edges.len() - 1
            }));
            at = to;
        }
        Way { edges, cost: 0 }
    }

    /// How many tables point to a table, without itself.
    pub(super) fn child_count(&self, table: usize) -> usize {
        self.children(table).map(|edge| edge.from).collect::<HashSet<_>>().len()
    }

    /// Every table from which a table is reached upwards.
    pub(super) fn below(&self, table: usize) -> HashSet<usize> {
        let (mut seen, mut open) = (HashSet::new(), vec![table]);
        while let Some(next) = open.pop() {
            for edge in self.children(next).filter(|edge| !edge.mention) {
                if edge.from != table && seen.insert(edge.from) {
                    open.push(edge.from);
                }
            }
        }
        seen
    }
}

/// Whether a column is the number of a polymorphic pair (`x_type`, `x_id`).
#[must_use]
pub(super) fn is_pair(relation: &CatalogRelation, column: &Column) -> bool {
    pair_word(relation, column).is_some()
}

/// The column that says what the number of a pair is.
#[must_use]
pub(super) fn pair_word<'r>(relation: &'r CatalogRelation, column: &Column) -> Option<&'r Column> {
    let stem = stem(&column.name);
    let ending = stem.ending.as_ref()?;
    // `id_token` beside `token_type` is no pair.
    if !words(&column.name).ends_with(std::slice::from_ref(ending)) {
        return None;
    }
    let own = |other: &&Column| {
        let named = words(&other.name);
        named.last().is_some_and(|last| last == "type" || last == "kind")
            && named[..named.len() - 1] == stem.words[..]
            && (family(other) == "text" || !other.labels.is_empty())
    };
    relation.columns.iter().find(own)
}

/// Whether one of the columns may be null.
fn nullable(relation: &CatalogRelation, columns: &[String]) -> bool {
    columns.iter().any(|name| relation.column(name).is_some_and(|column| !column.not_null))
}

/// Whether a unique key consists of nothing but these columns.
fn is_unique(relation: &CatalogRelation, columns: &[String]) -> bool {
    let within = |key: &Vec<String>| !key.is_empty() && key.iter().all(|c| columns.contains(c));
    within(&relation.primary_key) || relation.unique_keys.iter().any(within)
}

/// The column of a table that `<its name>_<ending>` elsewhere means: its primary key, a unique key of
/// that very name, or the part of a composite key that is not the tenant's.
fn target_column<'r>(
    target: &'r CatalogRelation,
    from: &Column,
    ending: &str,
    words: &[String],
) -> Option<&'r Column> {
    // `app_id` where the other table has a unique `app_id`, too.
    let alone = |column: &Column| {
        let own = [column.name.clone()];
        target.primary_key == own || target.unique_keys.iter().any(|key| *key == own)
    };
    let twin = target.column(&from.name).filter(|column| family(column) == family(from));
    if let Some(column) = twin.filter(|column| alone(column)) {
        return Some(column);
    }
    if let [key] = target.primary_key.as_slice() {
        let same = |c: &&Column| c.name.to_lowercase() == ending && c.name != *key;
        // `order_uuid` where the primary key is a number and a uuid stands beside it.
        if let Some(column) = target.columns.iter().filter(same).find(|column| alone(column)) {
            return Some(column);
        }
        return target.column(key);
    }
    let named = |key: &&String| {
        let stem = stem(key);
        key.to_lowercase() == ending || (stem.ending.is_some() && words.ends_with(&stem.words))
    };
    let key = target.primary_key.iter().find(named)?;
    target.column(key)
}

/// Tables by the words of their names.
struct NameIndex {
    /// By all words, and by the words without the schema's prefix.
    whole: HashMap<String, Vec<usize>>,
    /// By each ending of the words, for `app_label_order`.
    tails: HashMap<String, Vec<usize>>,
}

impl NameIndex {
    /// Of all tables.
    fn new(tables: &[Table<'_>]) -> Self {
        let (mut whole, mut tails) = (HashMap::new(), HashMap::new());
        for (number, table) in tables.iter().enumerate() {
            let full = words(table.relation.name.name.as_str());
            let forms: HashSet<String> = [joined(&full), joined(&table.words)].into();
            for form in forms {
                whole.entry(form).or_insert_with(Vec::new).push(number);
            }
            for from in 1..full.len() {
                tails.entry(joined(&full[from..])).or_insert_with(Vec::new).push(number);
            }
        }
        Self { whole, tails }
    }

    /// Tables that the words of a column may mean, the best first, and whether by their whole name.
    fn find(&self, words: &[String], own: &Table<'_>, tables: &[Table<'_>]) -> Vec<(usize, bool)> {
        let schema = own.relation.name.schema.as_str();
        let near = |list: &Vec<usize>| {
            let mut list = list.clone();
            list.sort_by_key(|n| tables[*n].relation.name.schema.as_str() != schema);
            list
        };
        let mut found = Vec::new();
        // What the own table's name begins or ends with: `v1_event_to_run_olap.event_id` means
        // `v1_events_olap` where there is one.
        let full = self::words(own.relation.name.name.as_str());
        let last = full.len().saturating_sub(1);
        for (front, back) in [(2, last), (1, last), (0, last), (2, last + 1), (1, last + 1)] {
            if front < full.len() && back <= full.len() && front <= back {
                let decorated = [&full[..front], words, &full[back..]].concat();
                let named = self.whole.get(&joined(&decorated)).map(near);
                found.extend(named.into_iter().flatten().map(|n| (n, true)));
            }
        }
        let all = joined(words);
        found.extend(self.whole.get(&all).map(near).into_iter().flatten().map(|n| (n, true)));
        // Of tables that end so, the one with the shortest name, if no other is as short.
        if let Some(tails) = self.tails.get(&all) {
            let mut tails: Vec<(usize, usize)> = tails
                .iter()
                .map(|n| (self::words(tables[*n].relation.name.name.as_str()).len(), *n))
                .collect();
            tails.sort_unstable();
            match tails.as_slice() {
                [(_, one)] => found.push((*one, false)),
                [(short, one), (long, _), ..] if short < long => found.push((*one, false)),
                _ => {}
            }
        }
        for from in 1..words.len() {
            let rest = joined(&words[from..]);
            found.extend(self.whole.get(&rest).map(near).into_iter().flatten().map(|n| (n, false)));
        }
        found
    }
}
