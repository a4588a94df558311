//! What an archive of this database holds, and in which order: pure over map and catalogs.
//!
//! Parents come before children, so that rows can be inserted in this order and deleted in the
//! reverse. A table without row level security is read through its guarded view.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use thiserror::Error;

use super::manifest::{
    ArchivedClass, ArchivedColumn, ArchivedRelation, Identity, OmittedRelation, PathStep,
};
use crate::catalog::{Catalog, CatalogRelation, Column, Policy, RelationKind};
use crate::failure::{Explain, Kind};
use crate::isolation::map::{Class, Relation, RelationMap};
use crate::postgres::{Ident, RelationName};

/// The schema of the views through which tables without row level security are moved.
const MOVE_SCHEMA: &str = "tenantdesk_move";
const RESTORE_SCHEMA: &str = "tenantdesk_restore";

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Map and database do not agree.
    #[error("the relation map names `{0}`, which is not in the database")]
    Missing(String),
    /// Relations that refer to each other in a circle by constraints that cannot wait.
    #[error("these relations refer to each other in a circle: {}", .0.join(", "))]
    Circle(Vec<String>),
}

impl Explain for PlanError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing(_) => vec!["bring the relation map up to date".into()],
            Self::Circle(_) => {
                vec![
                    "make one of their foreign keys DEFERRABLE: alter table .. alter constraint .."
                        .into(),
                ]
            }
        }
    }
}

/// One relation of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRelation {
    /// What the manifest says of it.
    pub archived: ArchivedRelation,
    /// Its name as the map has it.
    pub name: String,
    /// Where its rows are read: the table, or its guarded view.
    pub source: RelationName,
    /// Where a restore writes them: the table, or another guarded view.
    pub destination: RelationName,
    /// The type of the tenant key.
    pub key_type: Option<String>,
    /// Derived: where the parents of the path are read, and the key with its type at the end.
    pub parents: Vec<RelationName>,
    /// Linked: the relation that links it, its column, and the column here.
    pub via: Option<(RelationName, String, String)>,
    /// Unique keys beside the primary one.
    pub unique_keys: Vec<Vec<String>>,
    /// Sequences that fill columns of it: as SQL needs them, with the column.
    pub sequences: Vec<(String, String)>,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePlan {
    /// Parents before children.
    pub relations: Vec<PlannedRelation>,
    /// What is left out.
    pub omitted: Vec<OmittedRelation>,
    /// Whether some foreign keys can only be checked at the end.
    pub deferred: bool,
    /// What keeps rows out of an archive without anybody's fault.
    pub warnings: Vec<String>,
}

/// Plans an archive of this database.
///
/// # Errors
/// [`PlanError`] where map and catalogs do not agree, or rows cannot be ordered.
pub fn plan(map: &RelationMap, catalog: &Catalog) -> Result<ArchivePlan, PlanError> {
    let all = map.all();
    let (kept, left): (Vec<&Relation>, Vec<&Relation>) =
        all.iter().partition(|r| !matches!(r.class, Class::Global | Class::Excluded));
    let omitted = left.into_iter().map(|relation| OmittedRelation {
        name: relation.name.clone(),
        class: relation.class.as_str().to_owned(),
        reason: relation.reason.clone(),
    });
    let (order, deferred) = order(&kept, catalog)?;
    let mut relations = Vec::new();
    let places = Places { map, catalog, views: map.view_names() };
    for (relation, ordinal) in order.into_iter().zip(1..) {
        relations.push(planned(&places, relation, ordinal)?);
    }
    let hidden = kept.iter().flat_map(|relation| hidden(relation, catalog));
    let warnings = hidden.chain(undecided(&all, catalog)).collect();
    Ok(ArchivePlan { relations, omitted: omitted.collect(), deferred, warnings })
}

/// Tables beside those of the map that came after it: nobody said whose their rows are. No role of
/// ours has a right on them.
fn undecided(all: &[Relation], catalog: &Catalog) -> Vec<String> {
    let schemas: BTreeSet<_> = all.iter().map(|relation| relation.relation_name().schema).collect();
    let is_table = |kind| {
        matches!(kind, RelationKind::Table | RelationKind::Partitioned | RelationKind::Foreign)
    };
    let beside = catalog.relations.iter().filter(|(name, present)| {
        schemas.contains(&present.name.schema)
            && is_table(present.kind)
            && !present.is_partition
            && present.extension.is_none()
            && all.iter().all(|relation| relation.name != **name)
    });
    let names: BTreeSet<&String> = beside.map(|(name, _)| name).collect();
    let warn =
        |name| format!("`{name}` is not in the relation map: its rows are not in the archive");
    names.into_iter().map(warn).collect()
}

/// A restrictive policy for every role also holds for the archivist.
fn hidden(relation: &Relation, catalog: &Catalog) -> Vec<String> {
    let Some(present) = catalog.relations.get(&relation.name) else { return Vec::new() };
    let hides = |policy: &&Policy| {
        let ours = policy.name.starts_with("!tenantdesk");
        !policy.permissive && !ours && policy.roles.iter().any(|role| role == "public")
    };
    let warn = |policy: &Policy| {
        format!(
            "policy `{}` of `{}` is restrictive and for every role: rows that it hides are not in the archive",
            policy.name, relation.name
        )
    };
    present.policies.iter().filter(hides).map(warn).collect()
}

/// Parents before children, otherwise by name; a circle is cut at deferrable keys only.
fn order<'r>(
    kept: &[&'r Relation],
    catalog: &Catalog,
) -> Result<(Vec<&'r Relation>, bool), PlanError> {
    let attempt = |with_deferrable: bool| {
        let mut waiting: BTreeMap<&str, BTreeSet<&str>> =
            kept.iter().map(|relation| (relation.name.as_str(), BTreeSet::new())).collect();
        for key in &catalog.foreign_keys {
            let inside = waiting.contains_key(key.to.as_str()) && key.from != key.to;
            if let (true, Some(parents)) = (inside, waiting.get_mut(key.from.as_str()))
                && (with_deferrable || !key.deferrable)
            {
                parents.insert(&key.to);
            }
        }
        let mut order = Vec::new();
        while let Some(name) = next(kept, &waiting) {
            waiting.remove(name);
            for parents in waiting.values_mut() {
                parents.remove(name);
            }
            order.extend(kept.iter().copied().find(|relation| relation.name == name));
        }
        let circle: Vec<String> = waiting.into_keys().map(str::to_owned).collect();
        if circle.is_empty() { Ok(order) } else { Err(PlanError::Circle(circle)) }
    };
    match attempt(true) {
        Ok(order) => Ok((order, false)),
        Err(_) => Ok((attempt(false)?, true)),
    }
}

/// A relation that waits for nobody: the root where it can be, else the first by name.
fn next<'w>(kept: &[&Relation], waiting: &BTreeMap<&'w str, BTreeSet<&str>>) -> Option<&'w str> {
    let is_root = |name: &str| kept.iter().any(|r| r.class == Class::Root && r.name == name);
    let ready = || waiting.iter().filter(|(_, parents)| parents.is_empty()).map(|(name, _)| *name);
    ready().find(|name| is_root(name)).or_else(|| ready().next())
}

/// All about one relation.
fn planned(
    places: &Places<'_>,
    relation: &Relation,
    ordinal: u16,
) -> Result<PlannedRelation, PlanError> {
    let Places { map, catalog, .. } = *places;
    let present = find(catalog, &relation.name)?;
    let name = relation.relation_name();
    let column = |column: &crate::catalog::Column| ArchivedColumn {
        name: column.name.clone(),
        sql_type: column.type_name.clone(),
        identity: column
            .identity_always
            .map(|always| if always { Identity::Always } else { Identity::ByDefault }),
    };
    let (generated, columns): (Vec<_>, Vec<_>) = present.columns.iter().partition(|c| c.generated);
    let end = relation.path.last().map(|step| step.references.as_str());
    let via = relation.via.as_ref();
    let keyed = via.map(|via| via.table.as_str()).or(end).unwrap_or(&relation.name);
    let key = map.find(keyed).and_then(|keyed| keyed.key);
    let key_type = match &key {
        Some(key) => find(catalog, keyed)?.column(key).map(Column::bare_type),
        None => None,
    };
    let mut parents = Vec::new();
    for step in &relation.path {
        parents.push(places.of(&step.references, MOVE_SCHEMA)?);
    }
    let via = match via {
        Some(via) => {
            Some((places.of(&via.table, MOVE_SCHEMA)?, via.column.clone(), via.own.clone()))
        }
        None => None,
    };
    let order =
        if present.primary_key.is_empty() { Vec::new() } else { present.primary_key.clone() };
    let sequences = catalog.sequences.iter().filter(|sequence| sequence.relation == relation.name);
    Ok(PlannedRelation {
        archived: ArchivedRelation {
            ordinal,
            schema: name.schema.as_str().to_owned(),
            table: name.name.as_str().to_owned(),
            class: class(relation.class),
            key,
            path: relation.path.iter().map(step).collect(),
            columns: columns.into_iter().map(column).collect(),
            generated: generated.into_iter().map(|column| column.name.clone()).collect(),
            primary_key: present.primary_key.clone(),
            order,
        },
        name: relation.name.clone(),
        source: places.of(&relation.name, MOVE_SCHEMA)?,
        destination: places.of(&relation.name, RESTORE_SCHEMA)?,
        key_type,
        parents,
        via,
        unique_keys: present.unique_keys.clone(),
        sequences: sequences.map(|s| (s.name.to_string(), s.column.clone())).collect(),
    })
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c CatalogRelation, PlanError> {
    catalog.relations.get(name).ok_or_else(|| PlanError::Missing(name.to_owned()))
}

/// Where relations are read and written.
struct Places<'p> {
    map: &'p RelationMap,
    catalog: &'p Catalog,
    /// The names of guarded views.
    views: HashMap<String, Ident>,
}

impl Places<'_> {
    /// The table where policies guard it, else the view in this schema.
    fn of(&self, name: &str, schema: &str) -> Result<RelationName, PlanError> {
        let present = find(self.catalog, name)?;
        Ok(match self.views.get(name) {
            Some(view) if !present.row_security => RelationName::new(schema, view.as_str()),
            _ => present.name.clone(),
        })
    }
}

fn step(step: &crate::isolation::map::Step) -> PathStep {
    PathStep {
        columns: step.columns.clone(),
        references: step.references.clone(),
        referenced: step.referenced.clone(),
    }
}

const fn class(class: Class) -> ArchivedClass {
    match class {
        Class::Root => ArchivedClass::Root,
        Class::Derived => ArchivedClass::Derived,
        Class::Linked => ArchivedClass::Linked,
        Class::Keyed | Class::Global | Class::Excluded => ArchivedClass::Keyed,
    }
}

impl PlannedRelation {
    /// Whether a restore may change and delete rows of it; the root and shared parents it may not.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.archived.class, ArchivedClass::Keyed | ArchivedClass::Derived)
    }
}
