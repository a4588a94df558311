//! What is worth counting: members, and a handful of the keyed tables that other tables point to most
//! or that hold the most rows. Only counts; sums and months are for people to add.

use std::collections::HashSet;

use super::graph::Graph;
use super::keys::Keys;
use super::names::words;
use super::vocabulary::any;
use crate::isolation::map::{Members, Metric};
use crate::postgres::plain;

/// Words of tables that nobody buys.
const DULL: &str = "log audit event token setting preference session history version config migration \
    notification webhook key membership member invite invitation role permission billing \
    subscription attribute metadata lookup queue lock partition status limit quota metric stat \
    usage integration job cache tag join payment secret credential entitlement lease flag \
    feature";

/// Proposes metrics; `keyed` says which tables are keyed in the map.
pub(super) fn propose(
    graph: &Graph<'_>,
    keys: &Keys,
    members: Option<&Members>,
    keyed: impl Fn(usize) -> bool,
) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let mut names = HashSet::new();
    let counted = |name: String, relation: &str, condition: Option<String>| Metric {
        name,
        unit: "count".to_owned(),
        relation: relation.to_owned(),
        condition,
        aggregate: "count".to_owned(),
        column: None,
        window: None,
        at: None,
    };
    let membership = members.and_then(|m| Some((m, *graph.numbers.get(m.table.as_str())?)));
    if let Some((members, _)) = membership.filter(|(_, number)| keyed(*number)) {
        let word = |word: &String| word.replace('\'', "''");
        let condition = members.state.as_ref().zip(members.active.as_ref());
        let condition =
            condition.map(|(state, active)| format!("{} = '{}'", plain(state), word(active)));
        names.insert("members".to_owned());
        metrics.push(counted("members".to_owned(), &members.table, condition));
    }
    let mut natural: Vec<(i64, usize)> = keys
        .tables()
        .filter(|(number, key)| !key.nullable && keyed(*number))
        .filter(|(number, _)| membership.is_none_or(|(_, members)| members != *number))
        .filter(|(number, _)| !any(&graph.tables[*number].words, DULL))
        .map(|(number, _)| {
            let rows = graph.tables[number].relation.rows_estimate.unwrap_or(0).max(0);
            let pointed = i64::try_from(graph.child_count(number)).unwrap_or(0);
            let size = i64::from(rows.unsigned_abs().checked_ilog10().unwrap_or(0));
            (pointed * 2 + size * 3, number)
        })
        .filter(|(score, _)| *score > 0)
        .collect();
    natural.sort_by_key(|(score, number)| (std::cmp::Reverse(*score), graph.tables[*number].name));
    for (_, number) in natural {
        let table = &graph.tables[number];
        let name = metric_name(table.relation.name.name.as_str());
        if metrics.len() < 6 && !name.is_empty() && names.insert(name.clone()) {
            metrics.push(counted(name, table.name, None));
        }
    }
    metrics
}

/// A table's name as that of a metric: a-z, 0-9 and `_`, 32 at most.
fn metric_name(table: &str) -> String {
    let lower = table.to_lowercase();
    // `lineItems` reads better as `line_items`; a snake name keeps its plural.
    let own = if lower == table { lower } else { words(table).join("_") };
    let letter = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    own.chars().filter(letter).take(32).collect()
}
