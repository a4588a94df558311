//! Tables and what points where: declared foreign keys, and references that only the names of columns
//! tell (virtual ones), for schemas without foreign keys and for those that left some out.

use std::collections::{HashMap, HashSet};

use super::names::{Stem, stem, words};
use super::paths::Way;
use super::people::is_user_like;
use super::references::{NameIndex, is_pair, target_column};
use super::vocabulary::{is_mention, tenant_weight};
use crate::catalog::{Catalog, CatalogRelation, Column, ForeignKey};
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
    /// Whether the rows there are people.
    pub(super) person: bool,
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
    /// Tables whose primary key is that of people in a schema that is not ours: profiles.
    pub(super) profiles: HashSet<usize>,
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
        let mut graph =
            Self { tables, numbers, edges: Vec::new(), up, down, profiles: HashSet::new() };
        graph.strip_prefixes();
        graph.declared(catalog);
        graph.around_foreign_schemas(catalog);
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
            let area = count >= 4
                && !single.contains(&word)
                && tenant_weight(std::slice::from_ref(&word)) == 0;
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
                person: is_user_like(&self.tables[to]),
            });
        }
    }

    /// Foreign keys that end in a schema of another product: whoever points there points, by the
    /// value, to our table that has the same primary key (`profiles.id` is `auth.users.id`).
    fn around_foreign_schemas(&mut self, catalog: &Catalog) {
        let outside = |key: &&ForeignKey| {
            !self.numbers.contains_key(key.to.as_str()) && key.columns.len() == 1
        };
        let keys: Vec<(usize, &ForeignKey)> = catalog
            .foreign_keys
            .iter()
            .filter(outside)
            .filter_map(|key| Some((*self.numbers.get(key.from.as_str())?, key)))
            .collect();
        for (to, twin) in &keys {
            if self.tables[*to].relation.primary_key != twin.columns {
                continue;
            }
            self.profiles.insert(*to);
            let same = |key: &&ForeignKey| key.to == twin.to && key.referenced == twin.referenced;
            for (from, key) in keys.iter().filter(|(from, key)| from != to && same(key)) {
                let relation = self.tables[*from].relation;
                self.add(Edge {
                    from: *from,
                    to: *to,
                    nullable: nullable(relation, &key.columns),
                    unique: is_unique(relation, &key.columns),
                    columns: key.columns.clone(),
                    referenced: twin.columns.clone(),
                    declared: false,
                    mention: is_mention(&stem(&key.columns[0]).words),
                    cascade: false,
                    exact: true,
                    reversed: false,
                    person: true,
                });
            }
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
        for edge in found {
            self.add(edge);
        }
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
            person: is_user_like(&self.tables[to]),
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
                    person: is_user_like(&self.tables[to]),
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

/// Whether one of the columns may be null.
fn nullable(relation: &CatalogRelation, columns: &[String]) -> bool {
    columns.iter().any(|name| relation.column(name).is_some_and(|column| !column.not_null))
}

/// Whether a unique key consists of nothing but these columns.
fn is_unique(relation: &CatalogRelation, columns: &[String]) -> bool {
    let within = |key: &Vec<String>| !key.is_empty() && key.iter().all(|c| columns.contains(c));
    within(&relation.primary_key) || relation.unique_keys.iter().any(within)
}
