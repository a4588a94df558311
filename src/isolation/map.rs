//! The relation map: every table of the target, classified. The guard, export, restore, usage and
//! the data browser are made from it; no verb but provisioning and demo knows a table by name.
//!
//! For the starter schema it is declared in `assets/starter/map.toml`; on other schemas `discover/`
//! proposes it. What setup installed is kept as JSON in `tenantdesk.map`.
//! More than 400 lines, most of which declare that one document: who reads a map reads all of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::setting_names::check_settings;
use super::template::parse;
use crate::failure::{Explain, Kind};
use crate::postgres::{Ident, RelationName};

/// The whole map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelationMap {
    /// How tenants are kept apart; `shared` is the only model of this version.
    pub model: String,
    /// The transaction-local setting that the application's policies read.
    pub tenant_setting: String,
    /// The setting that names the member, where policies read one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_setting: Option<String>,
    /// The setting that holds the member's role in the tenant, where policies read one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_setting: Option<String>,
    /// The setting that holds the member's e-mail address, where policies read one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_setting: Option<String>,
    /// Settings and claims that are the same for everybody (`request.jwt.claims#aud`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The application's own role.
    pub application_role: String,
    /// The search path that the application uses, for the SQL of an operator.
    pub search_path: Vec<String>,
    /// The tenant root.
    pub root: Root,
    /// Who belongs to which tenant, where the schema says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// The people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
    /// Which rows make a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
    /// Every table but the root.
    #[serde(rename = "relation")]
    pub relations: Vec<Relation>,
    /// What is counted.
    #[serde(default, rename = "metric")]
    pub metrics: Vec<Metric>,
}

/// The tenant root: one row is one tenant. Columns that the schema does not have are absent.
///
/// Some schemas have no such table: a tenant is then whatever the keys of the keyed tables say, and
/// `table` and `key` are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The table.
    #[serde(default)]
    pub table: Option<String>,
    /// The column that keys the tenant.
    #[serde(default)]
    pub key: Option<String>,
    /// The column of the slug.
    #[serde(default)]
    pub slug: Option<String>,
    /// The column of the name.
    #[serde(default)]
    pub name: Option<String>,
    /// The column of the plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// The column of the status.
    #[serde(default)]
    pub status: Option<String>,
    /// The columns of domains; the first that is not null is shown, all are searched.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The column of the time of creation.
    #[serde(default)]
    pub created_at: Option<String>,
    /// The status of a tenant that works.
    #[serde(default)]
    pub active: Option<String>,
    /// The status of a suspended tenant.
    #[serde(default)]
    pub suspended: Option<String>,
}

/// Memberships: which person belongs to which tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The table.
    pub table: String,
    /// Its column that names the tenant.
    pub tenant: String,
    /// Its column that names the person.
    pub member: String,
    /// Its column that holds the role.
    #[serde(default)]
    pub role: Option<String>,
    /// Its column that holds the state.
    #[serde(default)]
    pub state: Option<String>,
    /// The state of a member who may act.
    #[serde(default)]
    pub active: Option<String>,
}

/// The people that memberships point to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// The table.
    pub table: String,
    /// Its key.
    pub id: String,
    /// Its e-mail column.
    pub email: String,
    /// Its name column.
    #[serde(default)]
    pub name: Option<String>,
}

/// Which rows make a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// INSERTs with named parameters; docs/provisioning.md says which there are.
    pub template: String,
}

/// How the rows of a table belong to tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The tenant root itself.
    Root,
    /// A column names the tenant.
    Keyed,
    /// The tenant is known through a foreign key path.
    Derived,
    /// A shared parent, such as users: rows of several tenants point to it.
    Linked,
    /// The same for all tenants.
    Global,
    /// Left out, with a reason.
    Excluded,
}

impl Class {
    /// The word used everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Keyed => "keyed",
            Self::Derived => "derived",
            Self::Linked => "linked",
            Self::Global => "global",
            Self::Excluded => "excluded",
        }
    }
}

/// One table of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Its name with schema, quoted as SQL would need it.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Keyed: the tenant key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Keyed: rows without a key belong to everybody, and a member may read them as the application
    /// does. They are in no archive, and nobody writes them. Otherwise nobody sees them at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Derived: the way to a keyed table (or the root), one step a foreign key, declared or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// Derived through a polymorphic pair (`x_type`, `x_id`): one way for each word, in the place
    /// of `path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
    /// Linked: which table ties its rows to tenants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Excluded: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One step of a path: these columns reference those columns of a parent, in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The columns here; a single one may be written as a text.
    #[serde(rename = "column", with = "super::one_or_many")]
    pub columns: Vec<String>,
    /// The parent.
    pub references: String,
    /// The columns there.
    #[serde(with = "super::one_or_many")]
    pub referenced: Vec<String>,
}

/// One way of a polymorphic pair: where `column` holds `word`, the tenant is at the end of `path`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// The column that holds the word.
    pub column: String,
    /// The word.
    pub word: String,
    /// The way to a keyed table (or the root).
    pub path: Vec<Step>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What ties a linked table's rows to tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Via {
    /// A keyed table.
    pub table: String,
    /// Its column that points here.
    pub column: String,
    /// The column here.
    pub own: String,
}

/// Something that is counted for each tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name: a-z, 0-9 and `_`.
    pub name: String,
    /// `count` or `bytes`.
    pub unit: String,
    /// The keyed table whose rows are counted.
    pub relation: String,
    /// A condition on its rows, in SQL.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// `count` or `sum`.
    pub aggregate: String,
    /// The column that is summed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `month`, where the count starts over each month (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// The column of the time, where there is a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Why a map is none.
#[derive(Debug, Error)]
pub enum MapError {
    /// It is not the TOML or JSON that it should be.
    #[error("the relation map cannot be read: {0}")]
    Syntax(String),
    /// It contradicts itself.
    #[error("the relation map is wrong at {place}: {why}")]
    Wrong {
        /// The table or metric.
        place: String,
        /// What is wrong.
        why: String,
    },
}

impl MapError {
    /// It contradicts itself at `place`.
    pub(super) fn wrong(place: &str, why: &str) -> Self {
        Self::Wrong { place: place.to_owned(), why: why.to_owned() }
    }
}

impl Explain for MapError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }
}

impl RelationMap {
    /// Reads and checks a map in TOML.
    ///
    /// # Errors
    /// [`MapError`] with the place.
    pub fn from_toml(text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text).map_err(|e| MapError::Syntax(e.to_string()))?;
        map.check()?;
        Ok(map)
    }

    /// Reads a map as setup recorded it.
    ///
    /// # Errors
    /// [`MapError`] where the document is of another version of the program.
    pub fn from_json(document: serde_json::Value) -> Result<Self, MapError> {
        serde_json::from_value(document).map_err(|e| MapError::Syntax(e.to_string()))
    }

    /// Writes a map in TOML, to be read by people and by [`RelationMap::from_toml`].
    ///
    /// # Errors
    /// [`MapError::Syntax`] where a value has no form in TOML, which none has.
    pub fn to_toml(&self) -> Result<String, MapError> {
        let text = |map: &Self| toml::to_string(map).map_err(|e| MapError::Syntax(e.to_string()));
        match &self.provision {
            // The template line by line, as its author wrote it.
            Some(Provision { template })
                if !template.contains("'''") && !template.contains('\r') =>
            {
                let rest = text(&Self { provision: None, ..self.clone() })?;
                Ok(format!("{rest}\n[provision]\ntemplate = '''\n{template}'''\n"))
            }
            _ => text(self),
        }
    }

    /// The entry of a table; the root has one as well.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Relation> {
        let root = self.root.table.as_deref() == Some(name);
        if root {
            return self.root_relation();
        }
        self.relations.iter().find(|relation| relation.name == name).cloned()
    }

    /// All tables, the root first where there is one.
    #[must_use]
    pub fn all(&self) -> Vec<Relation> {
        self.root_relation().into_iter().chain(self.relations.iter().cloned()).collect()
    }

    /// The root as a relation, where the schema has one.
    #[must_use]
    pub fn root_relation(&self) -> Option<Relation> {
        let table = self.root.table.clone()?;
        Some(Relation { key: self.root.key.clone(), ..Relation::new(table, Class::Root) })
    }

    /// The names under which guarded views stand for tables without row level security, by the
    /// tables' own: the same, unless a schema that comes first on the search path has a table of it.
    #[must_use]
    pub fn view_names(&self) -> HashMap<String, Ident> {
        let place = |schema: &str| self.search_path.iter().position(|on| on == schema);
        let mut named: Vec<(usize, RelationName, String)> = self
            .all()
            .into_iter()
            .map(|relation| (relation.relation_name(), relation.name))
            .map(|(own, name)| (place(own.schema.as_str()).unwrap_or(usize::MAX), own, name))
            .collect();
        named.sort();
        let mut taken = HashSet::new();
        let name = |(_, own, name): (usize, RelationName, String)| {
            let free =
                [own.name.clone(), long_name(&own)].into_iter().find(|n| taken.insert(n.clone()));
            let view = free.unwrap_or_else(|| digest_name(&own));
            (name, view)
        };
        named.into_iter().map(name).collect()
    }

    /// Every name resolves, every class has what it needs, no path goes in a circle.
    ///
    /// # Errors
    /// [`MapError`] with the place.
    pub fn check(&self) -> Result<(), MapError> {
        if self.model != "shared" {
            return Err(MapError::wrong("model", "only `shared` is known"));
        }
        if self.root.table.is_some() != self.root.key.is_some() {
            return Err(MapError::wrong("root", "a root has a table and a key, or neither"));
        }
        check_settings(self)?;
        let all = self.all();
        let mut seen = HashSet::new();
        for relation in &all {
            relation.check()?;
            if !seen.insert(relation.name.as_str()) {
                return Err(MapError::wrong(&relation.name, "it is listed twice"));
            }
        }
        self.relations.iter().try_for_each(|relation| relation.check_ends(&all))?;
        self.metrics.iter().try_for_each(|metric| metric.check(&all))?;
        self.provision.iter().try_for_each(|provision| provision.check(&all))
    }
}

impl Provision {
    /// INSERTs into tables of the map, and nothing else.
    fn check(&self, all: &[Relation]) -> Result<(), MapError> {
        for step in parse(&self.template) {
            let Some(table) = step.table().map(RelationName::plain) else {
                return Err(MapError::wrong(
                    "provision",
                    "each statement is `insert into schema.table`",
                ));
            };
            let class = all.iter().find(|relation| relation.name == table).map(|r| r.class);
            if matches!(class, None | Some(Class::Global | Class::Excluded)) {
                return Err(MapError::wrong(
                    "provision",
                    &format!("no tenant has rows in {table}"),
                ));
            }
        }
        Ok(())
    }
}

impl Metric {
    /// What is counted is a keyed table, and what is summed a column.
    fn check(&self, all: &[Relation]) -> Result<(), MapError> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        // Triggers and functions are named after it, and the server cuts names at 63 bytes.
        let plain = (1..=32).contains(&self.name.len()) && self.name.bytes().all(letter);
        let keyed = all.iter().any(|r| r.name == self.relation && r.class == Class::Keyed);
        let known = ["count", "sum"].contains(&self.aggregate.as_str());
        let summed = (self.aggregate == "sum") == self.column.is_some();
        let timed = self.window.as_deref().is_none_or(|window| window == "month")
            && self.window.is_some() == self.at.is_some();
        if plain && keyed && known && summed && timed {
            return Ok(());
        }
        let why = "a metric has a name of up to 32 of a-z, 0-9 and _, and counts rows of a keyed table, or sums a column of it, all time or by month";
        Err(MapError::wrong(&self.name, why))
    }
}

impl Relation {
    /// A relation of a class, and nothing more.
    #[must_use]
    pub fn new(name: impl Into<String>, class: Class) -> Self {
        Self {
            name: name.into(),
            class,
            key: None,
            shared: false,
            path: Vec::new(),
            ways: Vec::new(),
            via: None,
            reason: None,
        }
    }

    /// All paths: the one, or that of each way.
    pub fn paths(&self) -> impl Iterator<Item = &[Step]> {
        let one = (!self.path.is_empty()).then_some(&self.path[..]);
        one.into_iter().chain(self.ways.iter().map(|way| &way.path[..]))
    }

    /// Its name is written as SQL would, and its class has what it needs.
    fn check(&self) -> Result<(), MapError> {
        let place = self.name.as_str();
        if RelationName::parse(place).is_none_or(|name| name.plain() != place) {
            let why = "write schema.table, with double quotes only where SQL needs them";
            return Err(MapError::wrong(place, why));
        }
        let whole = match self.class {
            Class::Root | Class::Keyed => self.key.is_some(),
            Class::Derived => self.path.is_empty() != self.ways.is_empty(),
            Class::Linked => self.via.is_some(),
            Class::Global => true,
            Class::Excluded => self.reason.as_deref().is_some_and(|r| !r.trim().is_empty()),
        };
        if whole {
            return Ok(());
        }
        Err(MapError::wrong(place, "its class needs a key, a path, a via or a reason"))
    }

    /// Its path and its link end at tables that know their tenant.
    fn check_ends(&self, all: &[Self]) -> Result<(), MapError> {
        let class = |name: &str| all.iter().find(|r| r.name == name).map(|r| r.class);
        for path in self.paths() {
            let end = path.last().and_then(|last| class(&last.references));
            if !matches!(end, Some(Class::Keyed | Class::Root)) {
                let why = "its path must end at a keyed table or the root";
                return Err(MapError::wrong(&self.name, why));
            }
            let paired = |s: &Step| !s.columns.is_empty() && s.columns.len() == s.referenced.len();
            if !path.iter().all(paired) {
                let why = "each step of a path pairs as many columns here as there";
                return Err(MapError::wrong(&self.name, why));
            }
        }
        if let Some(via) = &self.via
            && class(&via.table) != Some(Class::Keyed)
        {
            return Err(MapError::wrong(&self.name, "it must be linked through a keyed table"));
        }
        Ok(())
    }

    /// The name as two quoted parts.
    #[must_use]
    pub fn relation_name(&self) -> RelationName {
        parse_name(&self.name)
    }

    /// The tenant key as a quoted identifier, for root and keyed tables.
    #[must_use]
    pub fn key_ident(&self) -> Option<Ident> {
        self.key.as_deref().map(Ident::new)
    }
}

/// A name that holds the schema as well. The server cuts names at 63 bytes: what would be cut off is
/// told apart by a digest.
fn long_name(own: &RelationName) -> Ident {
    let long = format!("{}.{}", own.schema.as_str(), own.name.as_str());
    if long.len() <= 63 { Ident::new(long) } else { digest_name(own) }
}

/// A name that no other relation has.
fn digest_name(own: &RelationName) -> Ident {
    let long = format!("{}.{}", own.schema.as_str(), own.name.as_str());
    let digest = hex::encode(&Sha256::digest(&long)[..6]);
    Ident::new(format!("{}~{digest}", &long[..long.floor_char_boundary(50)]))
}

/// A name of a checked map always parses; the fallback is a name that no catalog has.
#[must_use]
pub fn parse_name(name: &str) -> RelationName {
    RelationName::parse(name).unwrap_or_else(|| RelationName::new("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_map_is_whole() {
        let map = RelationMap::from_toml(include_str!("../../assets/starter/map.toml")).unwrap();
        assert_eq!(map.all()[0].class, Class::Root);
        assert_eq!(parse(&map.provision.as_ref().unwrap().template).len(), 5);
        assert_eq!(RelationMap::from_toml(&map.to_toml().unwrap()).unwrap(), map);
        let json = serde_json::to_value(&map).unwrap();
        assert_eq!(RelationMap::from_json(json).unwrap(), map);
    }

    #[test]
    fn a_map_that_contradicts_itself_is_refused_with_the_place() {
        let good = include_str!("../../assets/starter/map.toml");
        for (from, to, place) in [
            ("name = \"app.projects\"", "name = \"app.tasks\"", "app.tasks"),
            ("references = \"app.tasks\"", "references = \"app.countries\"", "app.comments"),
            ("aggregate = \"sum\"", "aggregate = \"count\"", "storage_bytes"),
            ("model = \"shared\"", "model = \"schema\"", "model"),
            ("insert into app.workspaces", "insert into app.countries", "provision"),
            ("insert into app.workspaces", "delete from app.workspaces", "provision"),
        ] {
            let error =
                RelationMap::from_toml(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
