//! Polymorphic pairs (`commentable_type`, `commentable_id`): one way for each word that the first
//! column may hold. Words come from enum labels and check constraints; where the catalogs know none,
//! the names of the tables are proposed in the style of the schema, which is a guess.

use super::columns::words_of;
use super::graph::{Graph, family};
use super::names::{class_name, words};
use super::proposal::Certainty;
use super::references::pair_word;
use crate::catalog::{Catalog, CatalogRelation, Column};
use crate::isolation::map::{Step, Way};

/// More guessed words than this make a condition that nobody wants to run.
const GUESSED_WORDS: usize = 120;

/// A table that a pair may point to: its number, and its own way (none where it has a key).
pub(super) type Target = (usize, Vec<Step>);

/// What a pair says.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// One way a word.
    pub(super) ways: Vec<Way>,
    /// How sure the words are.
    pub(super) sure: Certainty,
    /// Why, in a sentence.
    pub(super) why: String,
    /// Words of the catalogs that fit no table with a tenant.
    pub(super) unknown: Vec<String>,
}

/// How a schema writes the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `LineItem`.
    Class,
    /// `App\Models\LineItem`.
    Laravel,
    /// `line_items`, the table's own name.
    Table,
}

/// The style, as far as the books of migrations tell.
#[must_use]
pub(super) fn style(catalog: &Catalog) -> Style {
    let has = |table: &str| catalog.relations.values().any(|r| r.name.name.as_str() == table);
    if has("ar_internal_metadata") {
        Style::Class
    } else if has("migrations")
        && (has("failed_jobs") || has("password_resets") || has("personal_access_tokens"))
    {
        Style::Laravel
    } else if has("schema_migrations") {
        Style::Class
    } else {
        Style::Table
    }
}

/// The pairs of a table: the column of the word, the column of the number; those never null first.
#[must_use]
pub(super) fn pairs(relation: &CatalogRelation) -> Vec<(&Column, &Column)> {
    let mut found: Vec<(&Column, &Column)> = relation
        .columns
        .iter()
        .filter_map(|id| pair_word(relation, id).map(|word| (word, id)))
        .collect();
    found.sort_by_key(|(word, id)| !(word.not_null && id.not_null));
    found
}

/// The ways of a table's best pair; nothing where it has none that leads anywhere.
#[must_use]
pub(super) fn find(
    graph: &Graph<'_>,
    table: usize,
    targets: &[Target],
    style: Style,
) -> Option<Found> {
    let relation = graph.tables[table].relation;
    pairs(relation).into_iter().find_map(|(word, id)| {
        let known = known_words(relation, word);
        let found = if known.is_empty() {
            guessed(graph, (table, word, id), targets, style)
        } else {
            declared(graph, (word, id), targets, &known)
        };
        (!found.ways.is_empty()).then_some(found)
    })
}

/// The words of the catalogs; a lone default is no list.
fn known_words(relation: &CatalogRelation, word: &Column) -> Vec<String> {
    let known = words_of(relation, word);
    if known.len() < 2 && word.labels.is_empty() { Vec::new() } else { known }
}

/// One way for each word that the catalogs know.
fn declared(
    graph: &Graph<'_>,
    (word, id): (&Column, &Column),
    targets: &[Target],
    known: &[String],
) -> Found {
    let (mut ways, mut unknown) = (Vec::new(), Vec::new());
    for value in known {
        let last = value.rsplit([':', '\\', '.', '/']).next().unwrap_or(value);
        let meant = words(last);
        let target = targets.iter().find(|(number, _)| {
            let table = &graph.tables[*number];
            table.words == meant || words(table.relation.name.name.as_str()) == meant
        });
        match target.and_then(|target| way(graph, word, id, value, target)) {
            Some(way) => ways.push(way),
            None => unknown.push(value.clone()),
        }
    }
    let why = format!("{} says which table {} points to", word.name, id.name);
    Found { ways, sure: Certainty::Likely, why, unknown }
}

/// Words made from the names of tables, those that most others point to first.
fn guessed(
    graph: &Graph<'_>,
    (own, word, id): (usize, &Column, &Column),
    targets: &[Target],
    style: Style,
) -> Found {
    let mut likely: Vec<&Target> = targets.iter().filter(|(number, _)| *number != own).collect();
    likely.sort_by_key(|(number, path)| {
        (path.len(), std::cmp::Reverse(graph.child_count(*number)), graph.tables[*number].name)
    });
    let ways = likely
        .into_iter()
        .filter_map(|target| {
            let table = graph.tables[target.0].relation.name.name.as_str();
            let value = match style {
                Style::Class => class_name(table),
                Style::Laravel => format!("App\\Models\\{}", class_name(table)),
                Style::Table => table.to_owned(),
            };
            way(graph, word, id, &value, target)
        })
        .take(GUESSED_WORDS)
        .collect();
    let why = format!(
        "{} says which table {} points to; its words are guessed from the names of tables",
        word.name, id.name
    );
    Found { ways, sure: Certainty::Guess, why, unknown: Vec::new() }
}

/// The way of one word to one table, where the types can be compared.
fn way(
    graph: &Graph<'_>,
    word: &Column,
    id: &Column,
    value: &str,
    (number, rest): &Target,
) -> Option<Way> {
    let table = &graph.tables[*number];
    let named_id = |key: &&String| key.to_lowercase() == "id";
    let key = match table.relation.primary_key.as_slice() {
        [one] => one,
        several => several.iter().find(named_id)?,
    };
    let (here, there) = (family(id), family(table.relation.column(key)?));
    if here != there && here != "text" {
        return None;
    }
    let first = Step {
        columns: vec![id.name.clone()],
        references: table.name.to_owned(),
        referenced: vec![key.clone()],
    };
    let path = std::iter::once(first).chain(rest.iter().cloned()).collect();
    Some(Way { column: word.name.clone(), word: value.to_owned(), path })
}
