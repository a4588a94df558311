//! Proposes a template from the map and the catalogs: the row of the tenant, of his first admin, of
//! the membership, and of settings of which each tenant has one. Pure.

use serde::Serialize;

use super::column::{Filling, Fresh, Place, Row, shares_people};
use super::words;
use crate::catalog::Catalog;
use crate::isolation::map::{Class, Provision, Relation, RelationMap};
use crate::postgres::{RelationName, plain};

/// What somebody should look at before the first tenant is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The table, plain name.
    pub relation: String,
    /// The column.
    pub column: String,
    /// Why.
    pub why: String,
    /// The parameter to give with `tenant create --set`; absent where the template holds a guess.
    pub parameter: Option<String>,
}

/// A template and what is open in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposed {
    /// For the map; absent where no row makes a tenant.
    pub provision: Option<Provision>,
    /// Columns that need a value, and guesses.
    pub needs: Vec<Need>,
}

/// Tables of which each tenant usually has a row from its first day on.
const SETTINGS: [&str; 6] = ["setting", "config", "preference", "profile", "option", "branding"];

/// Words of SQL that are no names without quotes.
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
    collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except \
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull \
    join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order \
    outer overlaps placing primary references returning right select session_user similar some symmetric \
    system_user table tablesample then to trailing true union unique user using variadic verbose when where window with";

/// What stands above every proposed template.
const HEAD: &str = "\
-- The rows that make a tenant; proposed by setup. INSERTs only, run one by one in one transaction, in the new
-- tenant's own session: nothing is read, and every row must belong to the new tenant.
-- Values: :tenant_id :slug :name :plan :email :user_id :user_exists :user_name :first_name :last_name
-- :password_hash :now, and fresh ones: :uuid_1, :uuid_2 ... Any other is asked for: tenant create --set NAME=VALUE
";

/// Proposes.
#[must_use]
pub fn propose(map: &RelationMap, catalog: &Catalog) -> Proposed {
    let Some(root) = &map.root.table else { return Proposed::default() };
    let mut rows: Vec<(Row, &str)> = vec![(Row::Root, root)];
    if let (Some(members), Some(users)) = (&map.members, &map.users) {
        if members.table == users.table {
            rows.push((Row::Resident, &users.table));
        } else {
            let before = usize::from(!root_needs_person(map, catalog));
            rows.insert(before, (Row::Person, &users.table));
            rows.push((Row::Membership, &members.table));
        }
    }
    let mut writing = Writing { map, catalog, fresh: Fresh::default(), needs: Vec::new() };
    let mut text = HEAD.to_owned();
    for (row, name) in rows {
        text.push_str(&writing.insert(row, name).unwrap_or_default());
    }
    for relation in settings(map, catalog) {
        text.push_str(&writing.optional(&relation.name));
    }
    Proposed { provision: Some(Provision { template: text }), needs: writing.needs }
}

/// Whether the tenant's own row must point to a person, who has to be there first.
fn root_needs_person(map: &RelationMap, catalog: &Catalog) -> bool {
    let (Some(root), Some(users)) = (&map.root.table, &map.users) else { return false };
    let needed = |column: &String| {
        catalog
            .relations
            .get(root)
            .and_then(|present| present.column(column))
            .is_some_and(|column| column.not_null && column.default.is_none())
    };
    shares_people(map)
        && catalog
            .foreign_keys
            .iter()
            .any(|key| key.from == *root && key.to == users.table && key.columns.iter().all(needed))
}

/// Tables of settings, of which a tenant has one row: the tenant key alone is unique.
fn settings<'m>(map: &'m RelationMap, catalog: &Catalog) -> Vec<&'m Relation> {
    let others = [map.members.as_ref().map(|m| &m.table), map.users.as_ref().map(|u| &u.table)];
    let one_each = |relation: &&Relation| {
        let (Some(key), Some(present)) = (&relation.key, catalog.relations.get(&relation.name))
        else {
            return false;
        };
        let named = words::snake(present.name.name.as_str());
        let keys = std::iter::once(&present.primary_key).chain(&present.unique_keys);
        relation.class == Class::Keyed
            && !others.contains(&Some(&relation.name))
            && SETTINGS.iter().any(|word| named.contains(word))
            && present.column(key).is_some_and(|column| column.not_null)
            && keys.into_iter().any(|unique| unique == std::slice::from_ref(key))
    };
    let mut found: Vec<&Relation> = map.relations.iter().filter(one_each).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The template as it grows.
struct Writing<'a> {
    map: &'a RelationMap,
    catalog: &'a Catalog,
    fresh: Fresh,
    needs: Vec<Need>,
}

impl Writing<'_> {
    /// One row that must be there.
    fn insert(&mut self, row: Row, name: &str) -> Option<String> {
        let present = self.catalog.relations.get(name)?;
        let place = Place { map: self.map, catalog: self.catalog, row, name, present };
        let (mut columns, mut values, mut notes, mut overriding) = (vec![], vec![], vec![], false);
        for column in &present.columns {
            let value = match place.fill(column, &mut self.fresh) {
                Filling::Nothing => continue,
                Filling::Expression(value) => value,
                Filling::Guess(value, why) => {
                    notes.push(format!("-- a guess: {} is {value}: {why}\n", column.name));
                    self.need(name, &column.name, why, None);
                    value
                }
                Filling::Unknown(parameter, why) => {
                    notes.push(format!(
                        "-- needs a value: {} ({}): {why}. Write it in the place of :{parameter}, or give --set {parameter}=VALUE\n",
                        column.name, column.type_name
                    ));
                    self.need(name, &column.name, &why, Some(parameter.clone()));
                    super::column::cast(&format!(":{parameter}"), column)
                }
            };
            overriding |= column.identity_always == Some(true);
            columns.push(ident(&column.name));
            values.push(value);
        }
        let title = match row {
            Row::Root => "the tenant",
            Row::Person if shares_people(self.map) => {
                "the first admin, where nobody has the address yet"
            }
            Row::Person | Row::Resident => "the first admin",
            Row::Membership => "who belongs to the tenant",
            Row::Settings => "one row for each tenant",
        };
        let into = format!("insert into {} ({})", table(&present.name), columns.join(", "));
        let overriding = if overriding { "\noverriding system value" } else { "" };
        let rows = if row == Row::Person && shares_people(self.map) {
            format!("select {}\nwhere not :user_exists::boolean", values.join(", "))
        } else {
            format!("values ({})", values.join(", "))
        };
        Some(format!("\n-- {title}\n{}{into}{overriding}\n{rows};\n", notes.concat()))
    }

    /// One row that is left out where a value is not known.
    fn optional(&mut self, name: &str) -> String {
        let before = self.needs.len();
        let written = self.insert(Row::Settings, name).unwrap_or_default();
        let asked: Vec<Need> = self.needs.drain(before..).collect();
        match asked.iter().find(|need| need.parameter.is_some()) {
            None => {
                self.needs.extend(asked);
                written
            }
            Some(need) => {
                format!(
                    "\n-- left out: {name} has one row for each tenant, and {} needs a value\n",
                    need.column
                )
            }
        }
    }

    fn need(&mut self, relation: &str, column: &str, why: &str, parameter: Option<String>) {
        let (relation, column, why) = (relation.to_owned(), column.to_owned(), why.to_owned());
        self.needs.push(Need { relation, column, why, parameter });
    }
}

/// A column's name as SQL needs it.
fn ident(name: &str) -> String {
    if words::listed(RESERVED, name) { format!("\"{name}\"") } else { plain(name) }
}

/// A table's name as SQL needs it.
fn table(name: &RelationName) -> String {
    format!("{}.{}", ident(name.schema.as_str()), ident(name.name.as_str()))
}
