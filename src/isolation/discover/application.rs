//! The application's own role: a role that is bound by row level security and may write most tables.
//! Who only reads is a report, who is a superuser is an administrator; a schema whose owner is its
//! application has nobody else.

use std::collections::{HashMap, HashSet};

use super::proposal::{Candidate, Certainty};
use super::vocabulary::is_in;
use crate::catalog::{Catalog, RelationKind, Role};

/// Names that applications give to their roles.
const USUAL: &str = "app application web api backend server service rails django client runtime authenticated rw \
    user";

/// Candidates, the best first.
pub(super) fn roles(catalog: &Catalog) -> Vec<Candidate> {
    let tables = catalog
        .relations
        .values()
        .filter(|r| matches!(r.kind, RelationKind::Table | RelationKind::Partitioned))
        .filter(|r| !r.is_partition)
        .count();
    let by_name: HashMap<&str, &Role> =
        catalog.roles.iter().map(|role| (role.name.as_str(), role)).collect();
    let mut found: Vec<Candidate> = catalog
        .roles
        .iter()
        .filter_map(|role| weigh(role, &by_name, i64::try_from(tables).unwrap_or(i64::MAX)))
        .collect();
    found.sort_by(|a, b| (b.score, &a.value).cmp(&(a.score, &b.value)));
    if let [first, second, ..] = &mut found[..]
        && second.score * 10 > first.score * 9
    {
        first.sure = Certainty::Guess;
    }
    found.truncate(6);
    found
}

/// What a role may do by itself and through its groups, in tables.
fn reach(role: &Role, by_name: &HashMap<&str, &Role>) -> (i64, i64, bool) {
    let (mut seen, mut open) = (HashSet::from([role.name.as_str()]), vec![role]);
    let (mut write, mut owned, mut named) = (0, 0, false);
    while let Some(next) = open.pop() {
        write = write.max(next.may_insert.min(next.may_change));
        owned = owned.max(next.owned);
        named |= next.named_by_policies > 0;
        let groups = next.groups.iter().filter_map(|group| by_name.get(group.as_str()));
        open.extend(groups.filter(|group| seen.insert(group.name.as_str())));
    }
    (write, owned, named)
}

/// How much a role looks like the application; nothing where it cannot be.
fn weigh(role: &Role, by_name: &HashMap<&str, &Role>, tables: i64) -> Option<Candidate> {
    let (write, owned, named) = reach(role, by_name);
    let percent = |part: i64| u32::try_from(part * 100 / tables.max(1)).unwrap_or(0).min(100);
    let (writes, owns) = (percent(write), percent(owned));
    if writes + owns < 20 && !named {
        return None;
    }
    let mut reasons = Vec::new();
    let mut score = 0;
    if writes > 0 {
        score += writes;
        reasons.push(format!("it may write {write} of {tables} tables that others own"));
    }
    if named {
        score += 60;
        reasons.push("policies name it, or a group of it".to_owned());
    }
    if owns > 0 {
        score += owns / 3;
        reasons.push(format!("it owns {owned} of {tables} tables"));
    }
    if role.login {
        score += 20;
        reasons.push("it may log in".to_owned());
    }
    if role.name.to_lowercase().split(['_', '-']).any(|word| is_in(USUAL, word)) {
        score += 15;
    }
    let mut sure = if writes >= 50 { Certainty::Certain } else { Certainty::Likely };
    if role.superuser || role.bypass_rls {
        score /= 5;
        sure = Certainty::Guess;
        reasons.push("row level security does not bind it".to_owned());
    }
    Some(Candidate { value: role.name.clone(), score, sure, reasons })
}
