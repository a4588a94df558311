//! Drift: how the schema has moved on since it was set up. Pure over the installed map, the catalogs
//! and what would be proposed now.

use serde::Serialize;

use crate::catalog::Catalog;
use crate::isolation::map::{Relation, RelationMap};

/// One difference between the installation and the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The relation, plain name.
    pub relation: String,
    /// What has changed.
    pub change: String,
}

/// What has changed, by relation.
#[must_use]
pub(super) fn drift(
    installed: &RelationMap,
    next: Option<&RelationMap>,
    catalog: &Catalog,
) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut say = |relation: &str, change: String| {
        found.push(Drift { relation: relation.to_owned(), change });
    };
    for before in installed.all() {
        if !catalog.relations.contains_key(&before.name) {
            say(&before.name, "it is gone".to_owned());
        }
    }
    for now in next.iter().flat_map(|map| map.all()) {
        match installed.find(&now.name) {
            None => say(&now.name, format!("it is new, {}", told(&now))),
            Some(before)
                if before.class != now.class
                    || before.key != now.key
                    || before.path != now.path
                    || before.ways != now.ways =>
            {
                say(&now.name, format!("it was {}, and is {}", told(&before), told(&now)));
            }
            Some(_) => {}
        }
    }
    if let Some(next) = next {
        for (what, before, now) in [
            ("setting", &installed.tenant_setting, &next.tenant_setting),
            ("application role", &installed.application_role, &next.application_role),
        ] {
            if before != now {
                say("map", format!("the {what} was {before}, and is {now}"));
            }
        }
    }
    found.sort_by(|one, other| one.relation.cmp(&other.relation));
    found
}

/// A class with what makes it.
pub(super) fn told(relation: &Relation) -> String {
    let class = relation.class.as_str();
    if let Some(key) = &relation.key {
        return format!("{class} by {key}");
    }
    match relation.path.last() {
        Some(last) => format!("{class} through {}", last.references),
        None => class.to_owned(),
    }
}
