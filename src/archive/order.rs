//! In which order rows can be written so that every key and every policy holds: pure.
//!
//! Parents come before children. Where relations refer to each other in a circle, one statement
//! writes all of them, because the server checks foreign keys at its end. A derived row must find
//! its parent before it is written, so a circle through such a parent is cut: at keys that can be
//! deferred, else at nullable columns, which are then filled in afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{PlanError, PlannedKey, PlannedRelation};

/// One statement of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The relations it writes, as places in the list.
    pub(super) members: Vec<usize>,
}

/// Relations that refer to each other in a circle, or one that does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// All of them: one statement deletes what is deleted.
    pub(super) members: Vec<usize>,
    /// The statements that insert, in order.
    pub(super) steps: Vec<Step>,
    /// Columns that are null at first and filled in when all members are there, by relation.
    pub(super) postponed: Vec<(usize, Vec<String>)>,
    /// Whether its rows refer to each other.
    pub(super) is_circle: bool,
}

/// Groups of nodes that reach each other along `edges` (child, parent), parents first. Of what could
/// come next the lowest number comes first.
pub(super) fn circles(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut reach = vec![vec![false; count]; count];
    let mut parents = vec![Vec::new(); count];
    for &(child, parent) in edges {
        parents[child].push(parent);
    }
    for (start, reached) in reach.iter_mut().enumerate() {
        let mut waiting = vec![start];
        while let Some(node) = waiting.pop() {
            for &parent in &parents[node] {
                if !std::mem::replace(&mut reached[parent], true) {
                    waiting.push(parent);
                }
            }
        }
    }
    let together = |a: usize, b: usize| a == b || (reach[a][b] && reach[b][a]);
    // Each group goes by its lowest member; it waits for the groups of its parents.
    let lowest: Vec<usize> = (0..count)
        .map(|node| (0..count).find(|&other| together(node, other)).unwrap_or(node))
        .collect();
    let mut waiting: BTreeMap<usize, BTreeSet<usize>> =
        lowest.iter().map(|&group| (group, BTreeSet::new())).collect();
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(child, parent) in edges {
        let (child, parent) = (lowest[child], lowest[parent]);
        if child != parent && waiting.entry(child).or_default().insert(parent) {
            children.entry(parent).or_default().push(child);
        }
    }
    let free = waiting.iter().filter(|(_, parents)| parents.is_empty()).map(|(&group, _)| group);
    let mut ready: BTreeSet<usize> = free.collect();
    let mut groups = Vec::new();
    while let Some(group) = ready.pop_first() {
        groups.push((0..count).filter(|&node| lowest[node] == group).collect());
        for child in children.remove(&group).unwrap_or_default() {
            let parents = waiting.entry(child).or_default();
            parents.remove(&group);
            if parents.is_empty() {
                ready.insert(child);
            }
        }
    }
    groups
}

/// A reference between two relations of the list.
#[derive(Debug, Clone, Copy)]
struct Edge<'r> {
    child: usize,
    parent: usize,
    /// The foreign key, or none where the policy of a derived row asks for its parent.
    key: Option<&'r PlannedKey>,
}

/// All references among the relations.
fn edges(relations: &[PlannedRelation]) -> Vec<Edge<'_>> {
    let place = |name: &str| relations.iter().position(|relation| relation.name == name);
    let mut edges = Vec::new();
    for (child, relation) in relations.iter().enumerate() {
        for key in &relation.keys {
            if let Some(parent) = place(&key.to) {
                edges.push(Edge { child, parent, key: Some(key) });
            }
        }
        // The policy of a derived row asks for all parents on its way.
        let parents = relation.paths.iter().flat_map(|path| &path.steps);
        for parent in parents.filter_map(|step| place(&step.parent_name)) {
            edges.push(Edge { child, parent, key: None });
        }
    }
    edges
}

/// The relations in an order in which parents come first, as far as there is one.
pub(super) fn sorted(relations: Vec<PlannedRelation>) -> Vec<PlannedRelation> {
    let all = edges(&relations);
    let pairs: Vec<_> = all.iter().map(|edge| (edge.child, edge.parent)).collect();
    let hard: Vec<_> =
        all.iter().filter(|e| e.key.is_none()).map(|e| (e.child, e.parent)).collect();
    let mut order = Vec::new();
    for group in circles(relations.len(), &pairs) {
        let among = |wanted: &[(usize, usize)]| -> Vec<(usize, usize)> {
            let place = |node| group.iter().position(|&member| member == node);
            wanted.iter().filter_map(|&(c, p)| Some((place(c)?, place(p)?))).collect()
        };
        let inner = circles(group.len(), &among(&hard));
        order.extend(inner.into_iter().flatten().map(|member| group[member]));
    }
    let mut relations: Vec<Option<PlannedRelation>> = relations.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| relations[place].take()).collect()
}

/// How the rows of these relations are written.
///
/// # Errors
/// [`PlanError::Circle`] where a circle can be cut nowhere, with the keys that would have to be
/// deferrable.
pub(super) fn groups(relations: &[PlannedRelation]) -> Result<Vec<Group>, PlanError> {
    let all = edges(relations);
    let pairs: Vec<_> = all.iter().map(|edge| (edge.child, edge.parent)).collect();
    let group = |members: Vec<usize>| {
        let inside: Vec<Edge<'_>> = all
            .iter()
            .copied()
            .filter(|edge| members.contains(&edge.child) && members.contains(&edge.parent))
            .collect();
        let is_circle = !inside.is_empty();
        let (steps, postponed) = cut(relations, &members, &inside)?;
        Ok(Group { members, steps, postponed, is_circle })
    };
    circles(relations.len(), &pairs).into_iter().map(group).collect()
}

/// What inserts a group: its statements, and the columns that are filled in afterwards.
type Cut = (Vec<Step>, Vec<(usize, Vec<String>)>);

/// Cuts a circle where it must be cut, and nowhere else.
fn cut(
    relations: &[PlannedRelation],
    members: &[usize],
    inside: &[Edge<'_>],
) -> Result<Cut, PlanError> {
    let cuttable = |edge: &Edge<'_>| {
        edge.key
            .is_some_and(|key| !key.deferrable && !relations[edge.child].voidable(key).is_empty())
    };
    let deferred: BTreeSet<usize> =
        (0..inside.len()).filter(|&n| inside[n].key.is_some_and(|key| key.deferrable)).collect();
    let nullable: Vec<usize> = (0..inside.len()).filter(|&n| cuttable(&inside[n])).collect();
    let mut off = BTreeSet::new();
    let mut found = statements(members, inside, &off);
    if found.is_err() {
        off = deferred;
        found = statements(members, inside, &off);
    }
    for &edge in &nullable {
        if found.is_err() {
            off.insert(edge);
            found = statements(members, inside, &off);
        }
    }
    let Ok(mut steps) = found else {
        return Err(circle(relations, members, inside));
    };
    // What was cut on the way and need not be is whole again.
    for &edge in &nullable {
        if off.remove(&edge) {
            match statements(members, inside, &off) {
                Ok(fewer) => steps = fewer,
                Err(()) => drop(off.insert(edge)),
            }
        }
    }
    let mut postponed: Vec<(usize, Vec<String>)> = Vec::new();
    for &edge in off.iter().filter(|edge| nullable.contains(edge)) {
        let Edge { child, key: Some(key), .. } = inside[edge] else { continue };
        let columns = relations[child].voidable(key);
        match postponed.iter_mut().find(|(relation, _)| *relation == child) {
            Some((_, known)) => {
                known.extend(columns);
                known.sort();
                known.dedup();
            }
            None => postponed.push((child, columns)),
        }
    }
    Ok((steps, postponed))
}

/// The statements, where no derived row would stand beside its parent in one of them.
fn statements(
    members: &[usize],
    inside: &[Edge<'_>],
    off: &BTreeSet<usize>,
) -> Result<Vec<Step>, ()> {
    let place = |node| members.iter().position(|&member| member == node).unwrap_or_default();
    let kept = || inside.iter().enumerate().filter(|(n, _)| !off.contains(n)).map(|(_, e)| e);
    let pairs: Vec<_> = kept().map(|edge| (place(edge.child), place(edge.parent))).collect();
    let circles = circles(members.len(), &pairs);
    let beside = |edge: &Edge<'_>| {
        let both = |circle: &&Vec<usize>| {
            circle.contains(&place(edge.child)) && circle.contains(&place(edge.parent))
        };
        edge.key.is_none() && circles.iter().any(|circle| both(&circle))
    };
    if kept().any(beside) {
        return Err(());
    }
    let step = |circle: Vec<usize>| Step {
        members: circle.into_iter().map(|member| members[member]).collect(),
    };
    Ok(circles.into_iter().map(step).collect())
}

/// The error, with the keys that would have to wait.
fn circle(relations: &[PlannedRelation], members: &[usize], inside: &[Edge<'_>]) -> PlanError {
    let is_path = |edge: &Edge<'_>| {
        inside.iter().any(|e| e.key.is_none() && (e.child, e.parent) == (edge.child, edge.parent))
    };
    let keys = inside.iter().filter(|edge| !is_path(edge)).filter_map(|edge| {
        let key = edge.key.filter(|key| !key.deferrable)?;
        Some((relations[edge.child].name.clone(), key.name.clone()))
    });
    PlanError::Circle {
        relations: members.iter().map(|&member| relations[member].name.clone()).collect(),
        keys: keys.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_circles_stay_together() {
        // 3 -> 1 <-> 2, 0 -> 3
        let edges = [(3, 1), (1, 2), (2, 1), (0, 3)];
        assert_eq!(circles(4, &edges), [vec![1, 2], vec![3], vec![0]]);
        assert_eq!(circles(3, &[]), [[0], [1], [2]]);
        assert_eq!(circles(1, &[(0, 0)]), [[0]]);
    }
}
