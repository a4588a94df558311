//! What an archive of this database holds, and in which order: pure over map and catalogs.
//!
//! Parents come before children, as far as that can be (order.rs). A table without row level
//! security is read through its guarded view.
//! More than 400 lines, half of which declare the plan that both export and restore follow.

use std::collections::{BTreeSet, HashMap};

use thiserror::Error;

use super::manifest::{
    ArchivedClass, ArchivedColumn, ArchivedRelation, ArchivedWay, Identity, OmittedRelation,
    PathStep,
};
use super::order::sorted;
use crate::catalog::{Catalog, CatalogRelation, Column, Policy, RelationKind};
use crate::failure::{Explain, Kind};
use crate::isolation::map::{Class, Relation, RelationMap, Step, Way};
use crate::postgres::sql::plain;
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
    /// The same for a column.
    #[error(
        "the relation map names column `{column}` of `{relation}`, which is not in the database"
    )]
    MissingColumn {
        /// The table.
        relation: String,
        /// The column.
        column: String,
    },
    /// Relations that refer to each other in a circle by constraints that cannot wait.
    #[error("these relations refer to each other in a circle: {}", .relations.join(", "))]
    Circle {
        /// The relations.
        relations: Vec<String>,
        /// The constraints of which some would have to wait, each with its relation.
        keys: Vec<(String, String)>,
    },
}

impl Explain for PlanError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing(_) | Self::MissingColumn { .. } => {
                vec!["bring the relation map up to date".into()]
            }
            Self::Circle { keys, .. } => {
                let key = |(relation, key): &(String, String)| {
                    let key = plain(key);
                    format!("alter table {relation} alter constraint {key} deferrable")
                };
                let keys: Vec<String> = keys.iter().map(key).collect();
                vec![format!(
                    "let foreign keys of the circle wait, one or more of: {}",
                    keys.join("; ")
                )]
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
    /// The table itself.
    pub table: RelationName,
    /// Whether other tables inherit from it, whose rows are not its own.
    pub has_heirs: bool,
    /// The type of the tenant key.
    pub key_type: Option<String>,
    /// Derived: the way to the tenant, or one for each word of a polymorphic pair.
    pub paths: Vec<PlannedPath>,
    /// Linked: the relation that links it, its column, and the column here.
    pub via: Option<(RelationName, String, String)>,
    /// What tells its rows apart: the primary key, else a unique key without nulls, else nothing.
    /// Each column with the operator that compares it.
    pub row_key: Vec<(String, String)>,
    /// Unique keys beside the primary one.
    pub unique_keys: Vec<Vec<String>>,
    /// Columns that may be null and that nothing of the guard depends on.
    pub nullable: Vec<String>,
    /// Its foreign keys.
    pub keys: Vec<PlannedKey>,
    /// Sequences that fill columns of it: as SQL needs them, with the column.
    pub sequences: Vec<(String, String)>,
}

/// A foreign key of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedKey {
    /// The constraint.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The relation it refers to.
    pub to: String,
    /// Whether it can wait until the end.
    pub deferrable: bool,
    /// Whether one null is enough for it to hold.
    pub simple: bool,
}

/// The way of a derived relation to its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPath {
    /// Of a polymorphic pair: the column and the word for which this is the way.
    pub word: Option<(String, String)>,
    /// Nearest parent first.
    pub steps: Vec<PlannedStep>,
    /// The tenant key at its end.
    pub key: String,
    /// The type of that key.
    pub key_type: String,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Where the parent is read.
    pub parent: RelationName,
    /// The parent as the map names it.
    pub parent_name: String,
    /// The columns here and there, and whether they are compared as texts.
    pub pairs: Vec<(String, String, bool)>,
    /// Whether at most one parent answers, so that a join gives no row twice.
    pub is_unique: bool,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePlan {
    /// Parents before children, as far as that can be.
    pub relations: Vec<PlannedRelation>,
    /// What is left out.
    pub omitted: Vec<OmittedRelation>,
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
    let unowned = kept.iter().filter_map(|relation| unowned(relation, catalog));
    let omitted = omitted.chain(unowned).collect();
    let places = Places { map, catalog, views: map.view_names() };
    let mut by_name = kept.clone();
    by_name.sort_by_key(|relation| (relation.class != Class::Root, &relation.name));
    let planned = by_name.into_iter().map(|relation| planned(&places, relation));
    let mut relations = sorted(planned.collect::<Result<_, _>>()?);
    for (relation, ordinal) in relations.iter_mut().zip(1..) {
        relation.archived.ordinal = ordinal;
    }
    let hidden = kept.iter().flat_map(|relation| hidden(relation, catalog));
    let warnings = hidden.chain(undecided(&all, catalog)).collect();
    Ok(ArchivePlan { relations, omitted, warnings })
}

/// Rows without a key are no tenant's, and in no archive.
fn unowned(relation: &Relation, catalog: &Catalog) -> Option<OmittedRelation> {
    let key = relation.key.as_deref().filter(|_| relation.class == Class::Keyed)?;
    let nullable = !catalog.relations.get(&relation.name)?.column(key)?.not_null;
    let whose = if relation.shared { "everybody's" } else { "no tenant's" };
    nullable.then(|| OmittedRelation {
        name: relation.name.clone(),
        class: "shared".to_owned(),
        reason: Some(format!("rows whose `{key}` is null are {whose}, and are left out")),
    })
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

/// All about one relation but its place.
fn planned(places: &Places<'_>, relation: &Relation) -> Result<PlannedRelation, PlanError> {
    let catalog = places.catalog;
    let present = find(catalog, &relation.name)?;
    let name = relation.relation_name();
    let (generated, columns): (Vec<_>, Vec<_>) = present.columns.iter().partition(|c| c.generated);
    let paths = places.paths(relation)?;
    let via = relation.via.as_ref();
    let keyed = via.map_or(relation.name.as_str(), |via| via.table.as_str());
    let (key, key_type) = match paths.as_slice() {
        [] => places.key(keyed)?.unzip(),
        [path] => (Some(path.key.clone()), Some(path.key_type.clone())),
        _ => (None, None),
    };
    let via = match via {
        Some(via) => {
            column(catalog, &via.table, &via.column)?;
            column(catalog, &relation.name, &via.own)?;
            Some((places.of(&via.table, MOVE_SCHEMA)?, via.column.clone(), via.own.clone()))
        }
        None => None,
    };
    let row_key = row_key(present);
    let sequences = catalog.sequences.iter().filter(|s| s.relation == relation.name && s.is_number);
    Ok(PlannedRelation {
        archived: ArchivedRelation {
            ordinal: 0,
            schema: name.schema.as_str().to_owned(),
            table: name.name.as_str().to_owned(),
            class: class(relation.class),
            key,
            path: relation.path.iter().map(step).collect(),
            ways: relation.ways.iter().map(way).collect(),
            columns: columns.into_iter().map(archived_column).collect(),
            generated: generated.into_iter().map(|column| column.name.clone()).collect(),
            primary_key: present.primary_key.clone(),
            order: row_key.iter().map(|(name, _)| name.clone()).collect(),
        },
        name: relation.name.clone(),
        source: places.of(&relation.name, MOVE_SCHEMA)?,
        destination: places.of(&relation.name, RESTORE_SCHEMA)?,
        table: present.name.clone(),
        has_heirs: present.has_heirs,
        key_type,
        nullable: nullable(relation, present, &row_key),
        paths,
        via,
        row_key,
        unique_keys: present.unique_keys.clone(),
        keys: keys(relation, catalog),
        sequences: sequences.map(|s| (s.name.to_string(), s.column.clone())).collect(),
    })
}

fn archived_column(column: &Column) -> ArchivedColumn {
    ArchivedColumn {
        name: column.name.clone(),
        sql_type: column.type_name.clone(),
        identity: column
            .identity_always
            .map(|always| if always { Identity::Always } else { Identity::ByDefault }),
    }
}

/// What tells rows apart. Unique keys of the catalogs are those of the system's own operators.
fn row_key(present: &CatalogRelation) -> Vec<(String, String)> {
    if !present.primary_key.is_empty() {
        let pairs = present.primary_key.iter().cloned();
        return pairs.zip(present.primary_key_equals.iter().cloned()).collect();
    }
    let whole = |key: &&Vec<String>| {
        key.iter().all(|name| present.column(name).is_some_and(|c| c.not_null && !c.generated))
    };
    let key = present.unique_keys.iter().find(whole).into_iter().flatten();
    key.map(|name| (name.clone(), "operator(pg_catalog.=)".to_owned())).collect()
}

/// Columns that could be null for a moment without the row being anybody else's.
fn nullable(
    relation: &Relation,
    present: &CatalogRelation,
    row_key: &[(String, String)],
) -> Vec<String> {
    let mut needed: BTreeSet<&str> = row_key.iter().map(|(name, _)| name.as_str()).collect();
    needed.extend(relation.key.as_deref());
    needed.extend(relation.via.as_ref().map(|via| via.own.as_str()));
    needed.extend(relation.ways.iter().map(|way| way.column.as_str()));
    let steps = relation.paths().filter_map(|path| path.first());
    needed.extend(steps.flat_map(|step| &step.columns).map(String::as_str));
    let free = |c: &&Column| {
        !c.not_null
            && !c.generated
            && c.identity_always.is_none()
            && !needed.contains(c.name.as_str())
    };
    present.columns.iter().filter(free).map(|column| column.name.clone()).collect()
}

fn keys(relation: &Relation, catalog: &Catalog) -> Vec<PlannedKey> {
    let own = catalog.foreign_keys.iter().filter(|key| key.from == relation.name);
    own.map(|key| PlannedKey {
        name: key.name.clone(),
        columns: key.columns.clone(),
        to: key.to.clone(),
        deferrable: key.deferrable,
        simple: key.simple,
    })
    .collect()
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c CatalogRelation, PlanError> {
    catalog.relations.get(name).ok_or_else(|| PlanError::Missing(name.to_owned()))
}

fn column<'c>(catalog: &'c Catalog, name: &str, column: &str) -> Result<&'c Column, PlanError> {
    find(catalog, name)?.column(column).ok_or_else(|| PlanError::MissingColumn {
        relation: name.to_owned(),
        column: column.to_owned(),
    })
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

    /// The tenant key of a relation and its type; none where it has none.
    fn key(&self, name: &str) -> Result<Option<(String, String)>, PlanError> {
        let Some(key) = self.map.find(name).and_then(|relation| relation.key) else {
            return Ok(None);
        };
        let key_type = column(self.catalog, name, &key)?.bare_type();
        Ok(Some((key, key_type)))
    }

    /// The ways of a derived relation to its tenant.
    fn paths(&self, relation: &Relation) -> Result<Vec<PlannedPath>, PlanError> {
        let mut paths = Vec::new();
        if !relation.path.is_empty() {
            paths.push(self.path(relation, None, &relation.path)?);
        }
        for way in &relation.ways {
            column(self.catalog, &relation.name, &way.column)?;
            let word = Some((way.column.clone(), way.word.clone()));
            paths.push(self.path(relation, word, &way.path)?);
        }
        Ok(paths)
    }

    fn path(
        &self,
        relation: &Relation,
        word: Option<(String, String)>,
        path: &[Step],
    ) -> Result<PlannedPath, PlanError> {
        let mut child = relation.name.as_str();
        let mut steps = Vec::new();
        for step in path {
            let parent = find(self.catalog, &step.references)?;
            let mut pairs = Vec::new();
            for (here, there) in step.columns.iter().zip(&step.referenced) {
                let own = column(self.catalog, child, here)?;
                let other = column(self.catalog, &step.references, there)?;
                pairs.push((here.clone(), there.clone(), !own.compares_with(other)));
            }
            // As a text, two values may be one.
            let plain = pairs.iter().all(|(_, _, as_text)| !as_text);
            let covers = |key: &Vec<String>| {
                !key.is_empty() && key.iter().all(|name| step.referenced.contains(name))
            };
            let is_unique = (plain || step.referenced.len() == 1)
                && !parent.has_heirs
                && (covers(&parent.primary_key) || parent.unique_keys.iter().any(covers));
            steps.push(PlannedStep {
                parent: self.of(&step.references, MOVE_SCHEMA)?,
                parent_name: step.references.clone(),
                pairs,
                is_unique,
            });
            child = &step.references;
        }
        let end = self.key(child)?.ok_or_else(|| PlanError::Missing(child.to_owned()))?;
        Ok(PlannedPath { word, steps, key: end.0, key_type: end.1 })
    }
}

fn way(way: &Way) -> ArchivedWay {
    ArchivedWay {
        column: way.column.clone(),
        word: way.word.clone(),
        path: way.path.iter().map(step).collect(),
    }
}

fn step(step: &Step) -> PathStep {
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

    /// The columns that make a foreign key hold for a moment when they are null; empty where none
    /// can be, or where a row could not be found again to fill them in.
    #[must_use]
    pub(super) fn voidable(&self, key: &PlannedKey) -> Vec<String> {
        let free = |name: &&String| self.nullable.contains(name);
        let columns: Vec<String> = key.columns.iter().filter(free).cloned().collect();
        let enough = key.simple || columns.len() == key.columns.len();
        if enough && self.is_own() && !self.row_key.is_empty() { columns } else { Vec::new() }
    }
}
