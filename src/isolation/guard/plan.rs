//! The plan of a guard: every statement, in order. Pure over map and catalogs, so `--dry-run`
//! shows exactly what an installation runs.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::condition::{Conditions, GuardError, Of};
use super::{draw, functions, limits, policies, rights, views};
use crate::catalog::{Catalog, CatalogRelation, RelationKind};
use crate::isolation::map::{Class, Relation, RelationMap, parse_name};
use crate::postgres::{Ident, Sql};

/// What will be run, and how each relation is guarded.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    /// The statements in order; run as the role that runs setup.
    pub statements: Vec<Sql>,
    /// Each relation of the map with its form: `policy`, `view` or `none`.
    pub forms: Vec<(Relation, u32, &'static str)>,
}

impl GuardPlan {
    /// A digest of all statements: rights and policies of the application that changed since an
    /// installation would make another one.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for statement in &self.statements {
            hash.update(statement.as_str());
            hash.update([0]);
        }
        crate::format::digest(&hash.finalize())
    }
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
    no_tag_inside(map)?;
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

/// Names and words of the map stand in bodies of functions, which end where this tag does.
fn no_tag_inside(map: &RelationMap) -> Result<(), GuardError> {
    let inside = |text: &str| text.contains("$function$");
    let relation = map
        .all()
        .into_iter()
        .find(|relation| inside(&serde_json::to_string(relation).unwrap_or_default()));
    let words = serde_json::to_string(&(&map.root, &map.members, &map.users, &map.metrics));
    let relation = relation.map(|relation| relation.name);
    let place = relation.or_else(|| inside(&words.unwrap_or_default()).then(|| "map".to_owned()));
    place.map_or(Ok(()), |relation| {
        Err(GuardError::Unguardable { relation, why: "a name of it holds `$function$`".to_owned() })
    })
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

/// What the functions with fixed output read across tenants: rights and policies of their owner. They
/// stay while the guard is suspended, because the application calls some of these functions, too.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub fn meter(map: &RelationMap, catalog: &Catalog) -> Result<Vec<Sql>, GuardError> {
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
    let schemas: BTreeSet<Ident> = counted.iter().map(|name| parse_name(name).schema).collect();
    for schema in &schemas {
        let grant = Sql::new("grant usage on schema ").ident(schema).text(" to tenantdesk_meter");
        statements.push(grant);
    }
    for name in counted {
        let relation = map.find(name).ok_or_else(|| GuardError::NoRelation(name.to_owned()))?;
        let present = find(catalog, &relation)?;
        statements.extend(policies::reading(present, "tenantdesk_meter", &Sql::new("true")));
        statements.push(Sql::fill(
            "grant select on {on} to tenantdesk_meter",
            &[("on", &Sql::from(&parse_name(name)))],
        ));
    }
    Ok(statements)
}

/// Our owner roles read a few tables across tenants.
fn readers(conditions: &Conditions<'_>, views_exist: bool) -> Result<Vec<Sql>, GuardError> {
    let map = conditions.map;
    let mut statements = meter(map, conditions.catalog)?;
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
