//! What discovery classifies and what it only lists: views, partitions, what extensions brought, and
//! the schemas of other products that live in the same database.

use std::collections::HashMap;

use super::proposal::Listed;
use super::vocabulary::is_in;
use crate::catalog::{Catalog, CatalogRelation, RelationKind};
use crate::isolation::map::Relation;

/// Schemas that hosts and other products bring along. They are left alone where somebody else owns
/// them; an application that names its own schema so keeps it.
const OTHER_PRODUCTS: &str = "auth storage graphql graphql_public realtime vault pgbouncer cron hdb_catalog \
    supabase_functions supabase_migrations extensions net pgsodium pgmq topology tiger \
    tiger_data partman repack pglogical debezium";

/// The sorting of everything that is there.
#[derive(Debug, Default)]
pub(super) struct Scope<'c> {
    /// Tables that need a class, by name.
    pub(super) tables: Vec<&'c str>,
    /// Tables that are excluded at once, with the reason.
    pub(super) excluded: Vec<(&'c str, String)>,
    /// Tables of schemas that belong to somebody else: not in the map at all.
    pub(super) foreign: Vec<(&'c str, String)>,
    /// What holds no rows of its own or follows another.
    pub(super) listed: Vec<Listed>,
}

/// Sorts the relations of a snapshot.
pub(super) fn scope(catalog: &Catalog) -> Scope<'_> {
    let owner = main_owner(catalog);
    let mut all: Vec<(&str, &CatalogRelation)> =
        catalog.relations.iter().map(|(name, relation)| (name.as_str(), relation)).collect();
    all.sort_by_key(|(name, _)| *name);
    let mut scope = Scope::default();
    for (name, relation) in all {
        let list = |kind: &str, of: Option<String>| Listed {
            relation: name.to_owned(),
            kind: kind.to_owned(),
            of,
        };
        let holds_rows = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::Partitioned | RelationKind::Foreign
        );
        let schema = relation.name.schema.as_str();
        if let Some(extension) = &relation.extension {
            scope.listed.push(list("extension", Some(extension.clone())));
            if holds_rows && !relation.is_partition && !is_foreign(relation, &owner) {
                scope.excluded.push((name, format!("belongs to the extension {extension}")));
            }
        } else if relation.is_partition {
            scope.listed.push(list("partition", relation.parents.first().cloned()));
        } else if relation.kind == RelationKind::View {
            scope.listed.push(list("view", None));
        } else if relation.kind == RelationKind::Materialized {
            scope.listed.push(list("materialized view", None));
        } else if is_foreign(relation, &owner) {
            scope.listed.push(list("foreign schema", Some(relation.owner.clone())));
            let why =
                format!("schema {schema} belongs to {}, not to this application", relation.owner);
            scope.foreign.push((name, why));
        } else if relation.kind == RelationKind::Foreign {
            scope.listed.push(list("foreign table", None));
            scope.excluded.push((name, "a foreign table: its rows are kept elsewhere".to_owned()));
        } else {
            scope.tables.push(name);
        }
    }
    scope
}

impl<'c> Scope<'c> {
    /// What a person gave a class is classified, wherever it stands.
    pub(super) fn with_decided(mut self, catalog: &'c Catalog, decided: &[Relation]) -> Self {
        for relation in decided {
            let Some((name, _)) = catalog.relations.get_key_value(&relation.name) else { continue };
            if !self.tables.contains(&name.as_str()) {
                self.tables.push(name);
            }
            self.excluded.retain(|(other, _)| other != name);
            self.foreign.retain(|(other, _)| other != name);
        }
        self.tables.sort_unstable();
        self
    }
}

/// Whether a relation stands in a schema of another product and another owner.
fn is_foreign(relation: &CatalogRelation, owner: &str) -> bool {
    let schema = relation.name.schema.as_str();
    relation.owner != owner && (is_in(OTHER_PRODUCTS, schema) || schema.starts_with("_timescaledb"))
}

/// Who owns the most tables outside of those schemas.
fn main_owner(catalog: &Catalog) -> String {
    let mut owned: HashMap<&str, usize> = HashMap::new();
    for relation in catalog.relations.values() {
        let table = matches!(relation.kind, RelationKind::Table | RelationKind::Partitioned);
        if table && !is_in(OTHER_PRODUCTS, relation.name.schema.as_str()) {
            *owned.entry(relation.owner.as_str()).or_default() += 1;
        }
    }
    let most = owned.into_iter().max_by_key(|(owner, count)| (*count, std::cmp::Reverse(*owner)));
    most.map(|(owner, _)| owner.to_owned()).unwrap_or_default()
}
