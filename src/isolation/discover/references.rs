//! References that only names tell: which table a column means, and which column there. For schemas
//! without foreign keys, and for those that left some out.

use std::collections::{HashMap, HashSet};

use super::graph::{Table, family};
use super::names::{joined, stem, words};
use crate::catalog::{CatalogRelation, Column};

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

/// The column of a table that `<its name>_<ending>` elsewhere means: its primary key, a unique key of
/// that very name, or the part of a composite key that is not the tenant's.
pub(super) fn target_column<'r>(
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
#[derive(Debug)]
pub(super) struct NameIndex {
    /// By all words, and by the words without the schema's prefix.
    whole: HashMap<String, Vec<usize>>,
    /// By each ending of the words, for `app_label_order`.
    tails: HashMap<String, Vec<usize>>,
}

impl NameIndex {
    /// Of all tables.
    pub(super) fn new(tables: &[Table<'_>]) -> Self {
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
    pub(super) fn find(
        &self,
        words: &[String],
        own: &Table<'_>,
        tables: &[Table<'_>],
    ) -> Vec<(usize, bool)> {
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
