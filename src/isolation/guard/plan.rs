//! The plan of a guard: every statement, in order. Pure over map and catalogs, so `--dry-run`
//! shows exactly what an installation runs.

use std::collections::BTreeSet;

use super::condition::{Conditions, GuardError, Of};
use super::{draw, functions, limits, policies, rights, views};
use crate::catalog::{Catalog, CatalogRelation, RelationKind};
use crate::isolation::map::{Class, Relation, RelationMap, parse_name};
use crate::postgres::Sql;

/// What will be run, and how each relation is guarded.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    /// The statements in order; run as the role that runs setup.
    pub statements: Vec<Sql>,
    /// Each relation of the map with its form: `policy`, `view` or `none`.
    pub forms: Vec<(Relation, u32, &'static str)>,
}

/// What is planned with consent only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// Triggers that enforce plan limits.
    pub limits: bool,
    /// A restrictive policy for every role beside a permissive one for every role.
    pub pin_public: bool,
}

/// Plans the guard for a map.
///
/// # Errors
/// [`GuardError`] where the map and the catalogs do not agree, or a relation is unclassified.
pub fn plan(map: &RelationMap, catalog: &Catalog, extras: Extras) -> Result<GuardPlan, GuardError> {
    nothing_unclassified(map, catalog)?;
    let conditions = Conditions { map, catalog };
    // A policy calls it, so it comes first.
    let mut statements = functions::first_member(&conditions)?;
    let mut grants = Vec::new();
    let mut forms = Vec::new();
    let mut with_views = Vec::new();
    for relation in map.all() {
        let present = find(catalog, &relation)?;
        let form = form(&relation, present)?;
        forms.push((relation.clone(), present.oid, form));
        match form {
            "policy" => {
                statements.extend(policies::policies(&conditions, &relation, present)?);
                if extras.pin_public {
                    statements.extend(policies::public(&conditions, &relation, present)?);
                }
                grants.extend(rights::grants(map, &relation, present));
            }
            "view" => with_views.push((relation, present)),
            _ => grants.extend(rights::grants(map, &relation, present)),
        }
    }
    statements.extend(readers(&conditions, !with_views.is_empty())?);
    if !with_views.is_empty() {
        statements.extend(views::schemas());
        for (_, present) in &with_views {
            statements.extend(views::owner_grants(present));
        }
    }
    statements.extend(rights::schema_and_sequence_grants(map, catalog));
    statements.extend(draw::draw_grants(&conditions)?);
    let names = map.view_names();
    for (relation, present) in &with_views {
        let name = names.get(&relation.name).unwrap_or(&present.name.name);
        statements.extend(views::views(&conditions, relation, present, name)?);
    }
    statements.extend(functions::functions(&conditions)?);
    if extras.limits {
        statements.extend(limits::limits(&conditions)?);
    }
    if extras.pin_public {
        statements.extend(policies::public_rights());
    }
    // Rights last: until here our roles could reach nothing.
    statements.extend(grants);
    Ok(GuardPlan { statements, forms })
}

/// How a relation is guarded.
fn form(relation: &Relation, present: &CatalogRelation) -> Result<&'static str, GuardError> {
    let unguardable = |why: &str| {
        Err(GuardError::Unguardable { relation: relation.name.clone(), why: why.to_owned() })
    };
    match (relation.class, present.kind) {
        (Class::Excluded | Class::Global, _) => Ok("none"),
        _ if present.is_partition => unguardable("it is a partition; its parent is guarded"),
        (_, RelationKind::Table | RelationKind::Partitioned) if present.row_security => {
            Ok("policy")
        }
        (_, RelationKind::Table | RelationKind::Partitioned) => Ok("view"),
        _ => unguardable("only tables hold rows of tenants; exclude it with a reason"),
    }
}

/// Our owner roles read a few tables across tenants, for functions with fixed output.
fn readers(conditions: &Conditions<'_>, views_exist: bool) -> Result<Vec<Sql>, GuardError> {
    let map = conditions.map;
    let mut counted: BTreeSet<&str> = map.root.table.iter().map(String::as_str).collect();
    if counted.is_empty() {
        // Without a root, a tenant is what the keys say.
        let keyed = map.relations.iter().filter(|relation| relation.class == Class::Keyed);
        counted.extend(keyed.map(|relation| relation.name.as_str()));
    }
    counted.extend(map.members.as_ref().map(|members| members.table.as_str()));
    counted.extend(map.users.as_ref().map(|users| users.table.as_str()));
    counted.extend(map.metrics.iter().map(|metric| metric.relation.as_str()));
    let mut statements = Vec::new();
    for name in counted {
        let relation = map.find(name).ok_or_else(|| GuardError::NoRelation(name.to_owned()))?;
        let present = find(conditions.catalog, &relation)?;
        statements.extend(policies::reading(present, "tenantdesk_meter", &Sql::new("true")));
        statements.push(Sql::fill(
            "grant select on {on} to tenantdesk_meter",
            &[("on", &Sql::from(&parse_name(name)))],
        ));
    }
    if views_exist {
        // A view of a derived table reads its parents as the views' owner.
        for relation in map.all() {
            let present = find(conditions.catalog, &relation)?;
            if present.row_security
                && matches!(relation.class, Class::Root | Class::Keyed | Class::Derived)
            {
                let row = Sql::from(&present.name.name);
                let using = Sql::join(
                    &[
                        conditions.belongs(&relation, &row, Of::Session)?,
                        conditions.belongs(&relation, &row, Of::Archive)?,
                        conditions.belongs(&relation, &row, Of::Provision)?,
                    ],
                    " or ",
                );
                statements.extend(policies::reading(present, "tenantdesk_owner", &using));
                statements.push(Sql::fill(
                    "grant select on {on} to tenantdesk_owner",
                    &[("on", &Sql::from(&present.name))],
                ));
            }
        }
    }
    Ok(statements)
}

/// The relation in the catalogs.
fn find<'c>(catalog: &'c Catalog, relation: &Relation) -> Result<&'c CatalogRelation, GuardError> {
    catalog
        .relations
        .get(&relation.name)
        .ok_or_else(|| GuardError::NoRelation(relation.name.clone()))
}

/// Every table in the schemas of the map is in the map; partitions follow their parent.
fn nothing_unclassified(map: &RelationMap, catalog: &Catalog) -> Result<(), GuardError> {
    let known: BTreeSet<String> = map.all().into_iter().map(|relation| relation.name).collect();
    let schemas: BTreeSet<String> = map
        .all()
        .iter()
        .map(|relation| relation.relation_name().schema.as_str().to_owned())
        .collect();
    let missing = catalog
        .relations
        .iter()
        .filter(|(name, relation)| {
            schemas.contains(relation.name.schema.as_str())
                && !relation.is_partition
                // What an extension owns is none of theirs, and no role of ours has a right on it.
                && relation.extension.is_none()
                && matches!(relation.kind, RelationKind::Table | RelationKind::Partitioned)
                && !known.contains(*name)
        })
        .map(|(name, _)| name.clone())
        .min();
    missing.map_or(Ok(()), |name| Err(GuardError::Unclassified(name)))
}
