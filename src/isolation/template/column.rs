//! What one column of a proposed row is given: a parameter, a word, an empty value, or nothing.
//!
//! A column with a default is left to it, and a column that may be null stays null, but for what the
//! map names and what says who the first admin is.

use super::words;
use crate::catalog::{Catalog, CatalogRelation, Column};
use crate::isolation::map::{Class, RelationMap};
use crate::postgres::RelationName;

/// Which row is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// The tenant's own.
    Root,
    /// The first admin.
    Person,
    /// What ties him to the tenant.
    Membership,
    /// The first admin, in a table that holds the tenant key itself.
    Resident,
    /// The one row of a table that has one for each tenant.
    Settings,
}

/// What a column is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filling {
    /// Nothing: its default, or null.
    Nothing,
    /// This expression.
    Expression(String),
    /// This expression, which is a guess that a person should look at.
    Guess(String, &'static str),
    /// Nobody knows; the parameter that asks for it, and why.
    Unknown(String, String),
}

/// The row that is being filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) map: &'a RelationMap,
    pub(super) catalog: &'a Catalog,
    pub(super) row: Row,
    pub(super) name: &'a str,
    pub(super) present: &'a CatalogRelation,
}

/// Draws the parameters of fresh uuids, one after another.
#[derive(Debug, Default)]
pub(super) struct Fresh(usize);

impl Fresh {
    /// The next one.
    fn next(&mut self) -> String {
        self.0 += 1;
        format!(":uuid_{}", self.0)
    }
}

impl Place<'_> {
    /// What a column is given.
    pub(super) fn fill(&self, column: &Column, fresh: &mut Fresh) -> Filling {
        if column.generated {
            return Filling::Nothing;
        }
        if let Some(filling) = self.mapped(column) {
            return filling;
        }
        let name = words::snake(&column.name);
        if matches!(self.row, Row::Person | Row::Resident) && words::listed(words::PASSWORDS, &name)
        {
            return if needed(column) {
                let why = "an argon2id digest in PHC form: where the application verifies otherwise, write '!' in its place, and the person resets his password";
                Filling::Guess(cast(":password_hash", column), why)
            } else {
                Filling::Nothing
            };
        }
        if self.makes_admin(column, &name) {
            return Filling::Expression("true".to_owned());
        }
        if !needed(column) {
            let moment = column.default.is_none()
                && column.identity_always.is_none()
                && base(column).starts_with("timestamp")
                && words::listed(words::MOMENTS, &name);
            return if moment { Filling::Expression("now()".to_owned()) } else { Filling::Nothing };
        }
        self.required(column, &name, fresh)
    }

    /// What the map says of a column.
    fn mapped(&self, column: &Column) -> Option<Filling> {
        let is = |name: &Option<String>| name.as_deref() == Some(column.name.as_str());
        let (root, members, users) = (&self.map.root, &self.map.members, &self.map.users);
        let key = self.map.find(self.name).and_then(|relation| relation.key);
        let expression = |text: &str| Some(Filling::Expression(cast(text, column)));
        if is(&key) {
            return expression(":tenant_id");
        }
        if self.row == Row::Root {
            return match () {
                () if is(&root.slug) => expression(":slug"),
                () if is(&root.name) => expression(":name"),
                () if is(&root.plan) => Some(self.plan(column)),
                () if is(&root.status) => self.word(column, root.active.as_deref(), words::working),
                () => None,
            };
        }
        if let (Row::Person | Row::Resident, Some(users)) = (self.row, users) {
            match column.name.as_str() {
                name if name == users.id => return expression(":user_id"),
                name if name == users.email => return expression(":email"),
                _ if is(&users.name) => return expression(":user_name"),
                _ => {}
            }
        }
        if let (Row::Membership | Row::Resident, Some(members)) = (self.row, members) {
            let owning = |words: &[String], _: Option<&str>| words::owning(words);
            match () {
                () if column.name == members.member => return expression(":user_id"),
                () if is(&members.role) => {
                    return self.word(column, None, owning).or_else(|| Some(self.role(column)));
                }
                () if is(&members.state) => {
                    return self.word(column, members.active.as_deref(), words::working);
                }
                () => {}
            }
        }
        None
    }

    /// The plan that is asked for, else the column's own default.
    fn plan(&self, column: &Column) -> Filling {
        let asked = cast(":plan", column);
        let usual = column.default.clone().or_else(|| {
            let first = words::allowed(self.present, column).into_iter().next();
            first.filter(|_| column.not_null).map(|word| cast(&literal(&word), column))
        });
        match usual {
            Some(usual) => Filling::Expression(format!("coalesce({asked}, {usual})")),
            None if column.not_null => {
                Filling::Guess(asked, "give --plan, or write the usual one: coalesce(.., 'word')")
            }
            None => Filling::Expression(asked),
        }
    }

    /// A word that the column allows; where it allows any, the known one.
    fn word(
        &self,
        column: &Column,
        known: Option<&str>,
        choose: fn(&[String], Option<&str>) -> Option<String>,
    ) -> Option<Filling> {
        let word = choose(&words::allowed(self.present, column), known)?;
        Some(Filling::Expression(cast(&literal(&word), column)))
    }

    /// The role of the first admin, where any word is allowed.
    fn role(&self, column: &Column) -> Filling {
        if is_text(&base(column)) && self.reference(column).is_none() {
            return Filling::Guess(
                cast("'owner'", column),
                "the application's word for who may do everything",
            );
        }
        if needed(column) {
            self.unknown(column, "which role may do everything")
        } else {
            Filling::Nothing
        }
    }

    /// Whether the column says that this person may do everything.
    fn makes_admin(&self, column: &Column, name: &str) -> bool {
        matches!(self.row, Row::Membership | Row::Resident)
            && base(column) == "boolean"
            && words::listed(words::ADMIN_FLAGS, name)
    }

    /// A column that must have a value and has no default.
    fn required(&self, column: &Column, name: &str, fresh: &mut Fresh) -> Filling {
        if let Some(filling) = self.referenced(column) {
            return filling;
        }
        let allowed = words::allowed(self.present, column);
        if !allowed.is_empty() {
            let owning = |words: &[String], _: Option<&str>| words::owning(words);
            let choose = if name.contains("role") { owning } else { words::working };
            return self.word(column, None, choose).unwrap_or(Filling::Nothing);
        }
        let base = base(column);
        let own_key = self.present.primary_key.contains(&column.name);
        let expression = |text: &str| Filling::Expression(cast(text, column));
        match base.as_str() {
            "uuid" => expression(&fresh.next()),
            "smallint" | "integer" | "bigint" | "numeric" if own_key => {
                self.unknown(column, "it is a key that no sequence fills")
            }
            "bigint" | "integer" if words::listed(words::MOMENTS, name) => Filling::Guess(
                cast("extract(epoch from now())", column),
                "seconds; milliseconds are * 1000",
            ),
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision"
            | "money" => expression("0"),
            "boolean" if words::listed(words::WORKING_FLAGS, name) => expression("true"),
            "boolean" => expression("false"),
            "json" | "jsonb" => expression("'{}'"),
            _ if base.ends_with("[]") => expression("'{}'"),
            "date" => expression("now()"),
            "interval" => expression("'0'"),
            "bytea" => expression("''"),
            _ if base.starts_with("timestamp") => {
                if column.type_name == base {
                    Filling::Expression("now()".to_owned())
                } else {
                    expression("now()")
                }
            }
            _ if base.starts_with("time") => expression("now()"),
            _ if is_text(&base) => self.text(column, name, fresh),
            _ => self.unknown(column, "nothing says what it holds"),
        }
    }

    /// A text that must be there.
    fn text(&self, column: &Column, name: &str, fresh: &mut Fresh) -> Filling {
        let person = matches!(self.row, Row::Person | Row::Resident);
        let expression = |text: &str| Filling::Expression(cast(text, column));
        let listed = |list: &str| words::listed(list, name);
        match name {
            "first_name" | "firstname" | "given_name" if person => expression(":first_name"),
            "last_name" | "lastname" | "family_name" | "surname" if person => {
                expression(":last_name")
            }
            _ if person && listed(words::NAMES) => expression(":user_name"),
            _ if person && listed(words::LOGINS) => expression(":email"),
            _ if self.row == Row::Root && listed(words::SLUGS) => expression(":slug"),
            _ if listed(words::NAMES) => expression(":name"),
            _ if listed(words::EMAILS) => expression(":email"),
            "timezone" | "time_zone" | "tz" => expression("'UTC'"),
            "locale" | "language" | "lang" => expression("'en'"),
            _ if self.present.primary_key == [column.name.clone()] || listed(words::RANDOMS) => {
                expression(&fresh.next())
            }
            _ => self.unknown(column, "nothing says what it holds"),
        }
    }

    /// A column that references a row which is made here.
    fn referenced(&self, column: &Column) -> Option<Filling> {
        let (to, there) = self.reference(column)?;
        let (root, users) = (&self.map.root, &self.map.users);
        let filled = |text| Some(Filling::Expression(cast(text, column)));
        if root.table.as_deref() == Some(to) && root.key.as_deref() == Some(there) {
            return filled(":tenant_id");
        }
        if users.as_ref().is_some_and(|users| users.table == to && users.id == there) {
            return filled(":user_id");
        }
        Some(self.unknown(column, &format!("it references {to}")))
    }

    /// What a column references: the table and the column there.
    fn reference(&self, column: &Column) -> Option<(&str, &str)> {
        self.catalog.foreign_keys.iter().filter(|key| key.from == self.name).find_map(|key| {
            let place = key.columns.iter().position(|here| *here == column.name)?;
            Some((key.to.as_str(), key.referenced.get(place)?.as_str()))
        })
    }

    /// A parameter that only a person can give.
    fn unknown(&self, column: &Column, why: &str) -> Filling {
        let mut asked: String = words::snake(&column.name)
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let ours = super::KNOWN.contains(&asked.as_str()) || super::is_fresh(&asked);
        if ours || !asked.starts_with(|c: char| c.is_ascii_lowercase()) {
            let table = RelationName::parse(self.name)
                .map_or_else(String::new, |name| words::snake(name.name.as_str()));
            let table: String = table.chars().filter(char::is_ascii_alphanumeric).collect();
            asked = format!("of_{table}_{asked}");
        }
        Filling::Unknown(asked, why.to_owned())
    }
}

/// Whether rows of people belong to tenants together: then somebody who exists is linked.
#[must_use]
pub fn shares_people(map: &RelationMap) -> bool {
    let users = map.users.as_ref().and_then(|users| map.find(&users.table));
    users.is_some_and(|relation| relation.class == Class::Linked)
}

/// Whether an INSERT must give it a value.
fn needed(column: &Column) -> bool {
    column.not_null && column.default.is_none() && column.identity_always.is_none()
}

/// The type that counts, without length: of a domain, what it is made of.
fn base(column: &Column) -> String {
    let printed = column.base_type.as_deref().unwrap_or(&column.type_name);
    match (printed.find('('), printed.find(')')) {
        (Some(open), Some(close)) if open < close && !printed.contains('"') => {
            format!("{}{}", &printed[..open], &printed[close + 1..])
        }
        _ => printed.to_owned(),
    }
}

/// Whether a type holds text.
fn is_text(base: &str) -> bool {
    matches!(base, "text" | "character varying" | "character" | "bpchar" | "name")
        || base.ends_with("citext")
}

/// An expression as a column's type. A text stays one, so that the server refuses what is too long.
pub(super) fn cast(expression: &str, column: &Column) -> String {
    let bare = column.bare_type();
    let plain = matches!(bare.as_str(), "text" | "character varying" | "bpchar");
    let parameter = expression.starts_with(':');
    match (plain, parameter) {
        (true, true) => format!("{expression}::text"),
        (true, false) => expression.to_owned(),
        (false, _) if expression == "true" || expression == "false" || expression == "0" => {
            expression.to_owned()
        }
        (false, _) => format!("{expression}::{bare}"),
    }
}

/// A literal of SQL.
fn literal(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}
