//! What a person decided, held against the catalogs before anything is made of it: a decision that
//! cannot hold is an error with its name, never dropped in silence.

use super::decisions::Decisions;
use super::error::DecisionError;
use crate::catalog::{Catalog, CatalogRelation, RelationKind};
use crate::isolation::map::{Class, Relation, Root, Step};

/// Checks every decision.
///
/// # Errors
/// [`DecisionError`] for the first that cannot hold.
pub(super) fn check(catalog: &Catalog, decisions: &Decisions) -> Result<(), DecisionError> {
    let hints = &decisions.hints;
    if let Some(root) = hints.tenant_root.as_deref().filter(|root| !root.is_empty()) {
        resolve(catalog, "--tenant-root", root)?;
    }
    for key in &hints.tenant_keys {
        let known =
            |relation: &CatalogRelation| relation.columns.iter().any(|c| same(&c.name, key));
        if !catalog.relations.values().any(known) {
            let why = format!("no table has a column `{key}`");
            return Err(impossible("--tenant-key", why));
        }
    }
    if let Some(setting) = hints.setting.as_deref().filter(|setting| !setting.contains('.')) {
        let why = format!("`{setting}` has no dot, and only settings with one can be made up");
        return Err(impossible("--setting", why));
    }
    if let Some(root) = &decisions.root {
        root_exists(catalog, root)?;
    }
    if let Some(members) = &decisions.members {
        let named = [
            Some(&members.tenant),
            Some(&members.member),
            members.role.as_ref(),
            members.state.as_ref(),
        ];
        columns(
            catalog,
            "the decision about members",
            &members.table,
            named.into_iter().flatten(),
        )?;
    }
    if let Some(users) = &decisions.users {
        let named = [Some(&users.id), Some(&users.email), users.name.as_ref()];
        columns(catalog, "the decision about users", &users.table, named.into_iter().flatten())?;
    }
    for metric in decisions.metrics.iter().flatten() {
        let decision = format!("the metric {}", metric.name);
        columns(catalog, &decision, &metric.relation, metric.column.iter().chain(&metric.at))?;
    }
    decisions.relations.iter().try_for_each(|relation| relation_exists(catalog, relation))
}

/// Whether two spellings of a column are one to a person who types.
fn same(column: &str, typed: &str) -> bool {
    column == typed || column.to_lowercase() == typed.to_lowercase()
}

/// A decision that cannot hold.
fn impossible(decision: &str, why: String) -> DecisionError {
    DecisionError::Impossible { decision: decision.to_owned(), why }
}

/// The table that a person means: by its plain name, or by its name alone where only one has it.
///
/// # Errors
/// [`DecisionError`] where there is none, or several.
pub(super) fn resolve(
    catalog: &Catalog,
    decision: &str,
    typed: &str,
) -> Result<String, DecisionError> {
    if catalog.relations.contains_key(typed) {
        return Ok(typed.to_owned());
    }
    let bare = typed.trim_matches('"');
    let mut named: Vec<&String> = catalog
        .relations
        .iter()
        .filter(|(_, r)| r.name.name.as_str() == bare && !r.is_partition)
        .map(|(name, _)| name)
        .collect();
    named.sort();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(DecisionError::NoRelation {
            decision: decision.to_owned(),
            relation: typed.to_owned(),
        }),
        several => {
            let list: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            Err(impossible(decision, format!("`{typed}` may be {}", list.join(" or "))))
        }
    }
}

/// The relation, or that it is not there.
fn relation<'c>(
    catalog: &'c Catalog,
    decision: &str,
    name: &str,
) -> Result<&'c CatalogRelation, DecisionError> {
    catalog.relations.get(name).ok_or_else(|| DecisionError::NoRelation {
        decision: decision.to_owned(),
        relation: name.to_owned(),
    })
}

/// Columns that a decision names are there.
fn columns<'n>(
    catalog: &Catalog,
    decision: &str,
    name: &str,
    columns: impl IntoIterator<Item = &'n String>,
) -> Result<(), DecisionError> {
    let found = relation(catalog, decision, name)?;
    for column in columns {
        if found.column(column).is_none() {
            return Err(DecisionError::NoColumn {
                decision: decision.to_owned(),
                relation: name.to_owned(),
                column: column.clone(),
            });
        }
    }
    Ok(())
}

/// The root with the columns that were corrected.
fn root_exists(catalog: &Catalog, root: &Root) -> Result<(), DecisionError> {
    let Some(table) = &root.table else { return Ok(()) };
    let named = [&root.key, &root.slug, &root.name, &root.plan, &root.status, &root.created_at];
    let named = named.into_iter().flatten().chain(&root.domains);
    columns(catalog, "the decision about the root", table, named)
}

/// A relation whose class was settled.
fn relation_exists(catalog: &Catalog, decided: &Relation) -> Result<(), DecisionError> {
    let decision = format!("the decision about {}", decided.name);
    let found = relation(catalog, &decision, &decided.name)?;
    let table = matches!(found.kind, RelationKind::Table | RelationKind::Partitioned);
    if decided.class != Class::Excluded && (!table || found.is_partition) {
        let what =
            if found.is_partition { "a partition, which follows its parent" } else { "no table" };
        return Err(impossible(&decision, format!("it is {what}")));
    }
    columns(catalog, &decision, &decided.name, &decided.key)?;
    columns(catalog, &decision, &decided.name, decided.ways.iter().map(|way| &way.column))?;
    for path in decided.paths() {
        steps(catalog, &decision, &decided.name, path)?;
    }
    if let Some(via) = &decided.via {
        columns(catalog, &decision, &via.table, [&via.column])?;
        columns(catalog, &decision, &decided.name, [&via.own])?;
    }
    Ok(())
}

/// Each step of a path has its columns on both sides.
fn steps(
    catalog: &Catalog,
    decision: &str,
    from: &str,
    path: &[Step],
) -> Result<(), DecisionError> {
    let mut here = from;
    for step in path {
        columns(catalog, decision, here, &step.columns)?;
        columns(catalog, decision, &step.references, &step.referenced)?;
        here = &step.references;
    }
    Ok(())
}
