//! The shapes of a catalog snapshot. Names are as the catalog holds them, unquoted.

use std::collections::HashMap;

use crate::postgres::RelationName;

/// A snapshot of the target's catalogs, without our own schemas.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// `server_version_num`: 150018 is 15.18.
    pub server_version: i32,
    /// Tables, views and the like, by their plain name (`schema.table`).
    pub relations: HashMap<String, CatalogRelation>,
    /// Foreign keys between them.
    pub foreign_keys: Vec<ForeignKey>,
    /// Sequences that fill columns.
    pub sequences: Vec<Sequence>,
    /// Roles that own something, may do something or belong to another, without the system's and ours.
    pub roles: Vec<Role>,
    /// Functions that policies call, and all that read a setting.
    pub functions: Vec<Function>,
}

/// What sort of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// The parent of partitions.
    Partitioned,
    /// A view.
    View,
    /// A materialized view.
    Materialized,
    /// A foreign table.
    Foreign,
}

/// One relation.
#[derive(Debug, Clone)]
pub struct CatalogRelation {
    /// Its number.
    pub oid: u32,
    /// Its name.
    pub name: RelationName,
    /// What it is.
    pub kind: RelationKind,
    /// Whether it is a partition of another.
    pub is_partition: bool,
    /// Whether tables inherit from it (not as partitions): reading it would read their rows, too.
    pub has_heirs: bool,
    /// Whether row level security is on.
    pub row_security: bool,
    /// Whether it holds for the owner as well.
    pub forced: bool,
    /// Whether a view runs with the rights of whoever asks.
    pub security_invoker: bool,
    /// Columns in order, without dropped ones.
    pub columns: Vec<Column>,
    /// The columns of the primary key in its order; empty where there is none.
    pub primary_key: Vec<String>,
    /// The operators by which the primary key tells its columns apart, `operator(schema.=)` each.
    pub primary_key_equals: Vec<String>,
    /// Other unique keys of plain columns; not those of expressions or of a part of the rows.
    pub unique_keys: Vec<Vec<String>>,
    /// What the application role may do, by itself or through its groups.
    pub application: Rights,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// Who owns it.
    pub owner: String,
    /// The extension that it belongs to.
    pub extension: Option<String>,
    /// What it inherits from, plain names: the parent of a partition, too.
    pub parents: Vec<String>,
    /// The planner's estimate of its rows; absent where nobody has counted yet.
    pub rows_estimate: Option<i64>,
    /// What somebody wrote about it.
    pub comment: Option<String>,
    /// Its check constraints, as the server prints them.
    pub checks: Vec<String>,
    /// Columns with which an index of all rows begins.
    pub indexed: Vec<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as `format_type` prints it.
    pub type_name: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Whether the server computes it (stored or virtual).
    pub generated: bool,
    /// Whether it is an identity: `None`, or whether ALWAYS.
    pub identity_always: Option<bool>,
    /// Column rights of the application where it has no right on the whole table: letters `a` (INSERT), `w` (UPDATE), `r` (SELECT).
    pub application_rights: String,
    /// Its default, as the server prints it.
    pub default: Option<String>,
    /// The type that its domain is made of, where the type is a domain.
    pub base_type: Option<String>,
    /// The labels, where the type is an enum.
    pub labels: Vec<String>,
}

/// Rights on a whole relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent rights of SQL")]
pub struct Rights {
    /// SELECT.
    pub select: bool,
    /// INSERT.
    pub insert: bool,
    /// UPDATE.
    pub update: bool,
    /// DELETE.
    pub delete: bool,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whether it is permissive.
    pub permissive: bool,
    /// The roles it names; `public` where it names all.
    pub roles: Vec<String>,
    /// Whether it holds for the application role through a role that it names (not through PUBLIC).
    pub names_application: bool,
    /// What it holds for: `r` (SELECT), `a` (INSERT), `w` (UPDATE), `d` (DELETE), `*` (all).
    pub command: String,
    /// Its USING expression, as the server prints it.
    pub using: Option<String>,
    /// Its WITH CHECK expression, as the server prints it.
    pub check: Option<String>,
}

/// One foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The table that references, plain name.
    pub from: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table referenced, plain name.
    pub to: String,
    /// The columns there.
    pub referenced: Vec<String>,
    /// Whether it can be deferred.
    pub deferrable: bool,
    /// Whether all rows are known to hold it.
    pub validated: bool,
    /// What deleting the parent does: `a` (nothing), `r` (refused), `c` (cascade), `n` (null), `d` (default).
    pub delete_action: String,
    /// Whether it holds as soon as one column is null (MATCH SIMPLE).
    pub simple: bool,
}

/// A role and what it may do by itself, counted in tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether it may log in.
    pub login: bool,
    /// Whether it is a superuser.
    pub superuser: bool,
    /// Whether row level security does not bind it.
    pub bypass_rls: bool,
    /// How many tables it owns.
    pub owned: i64,
    /// How many tables of others it may read.
    pub may_select: i64,
    /// How many it may insert into.
    pub may_insert: i64,
    /// How many it may update or delete from.
    pub may_change: i64,
    /// On how many tables policies name it.
    pub named_by_policies: i64,
    /// The roles that it is a member of.
    pub groups: Vec<String>,
}

/// A function with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: RelationName,
    /// Its body.
    pub source: String,
    /// Whether a policy calls it.
    pub called_by_policy: bool,
}

/// A sequence that fills a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name.
    pub name: RelationName,
    /// The table, plain name; of no table where only triggers and functions draw from it.
    pub relation: String,
    /// The column, or nothing.
    pub column: String,
    /// Whether the application may draw from it.
    pub application_usage: bool,
    /// Whether the column holds its numbers as they are, and not a text made of them.
    pub is_number: bool,
}

impl Sequence {
    /// Whether no column draws from it: only triggers and functions do.
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.column.is_empty()
    }
}

impl Column {
    /// The type without its length, for a cast that cuts nothing: `character varying(20)` is
    /// `character varying`, and `character(36)` is `bpchar`, because `character` alone has length 1.
    #[must_use]
    pub fn bare_type(&self) -> String {
        match without_length(&self.type_name).as_str() {
            "character" => "bpchar".to_owned(),
            "bit" => "varbit".to_owned(),
            bare => bare.to_owned(),
        }
    }

    /// Whether the server compares the two without a cast: a polymorphic id is often a text beside
    /// numbers and uuids.
    #[must_use]
    pub fn compares_with(&self, other: &Self) -> bool {
        let family = |column: &Self| match column.bare_type().as_str() {
            "smallint" | "integer" | "bigint" | "numeric" => "number".to_owned(),
            "text" | "character varying" | "bpchar" => "text".to_owned(),
            other => other.to_owned(),
        };
        family(self) == family(other)
    }
}

impl CatalogRelation {
    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A type as `format_type` prints it, without what stands in parentheses: digits and commas only, so
/// that no name in quotes is touched.
fn without_length(type_name: &str) -> String {
    let group = type_name.match_indices('(').find_map(|(open, _)| {
        let close = open + type_name[open..].find(')')?;
        let inside = &type_name[open + 1..close];
        let length = !inside.is_empty()
            && inside.bytes().all(|b| b.is_ascii_digit() || b == b',')
            && type_name[..open].matches('"').count().is_multiple_of(2);
        length.then_some((open, close))
    });
    match group {
        Some((open, close)) => format!("{}{}", &type_name[..open], &type_name[close + 1..]),
        None => type_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_type_loses_its_length_and_nothing_else() {
        for (printed, bare) in [
            ("character varying(20)", "character varying"),
            ("character(36)", "bpchar"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("numeric(10,2)[]", "numeric[]"),
            ("app.order_v2", "app.order_v2"),
            ("\"a(1)\".b2", "\"a(1)\".b2"),
            ("bigint", "bigint"),
        ] {
            let column = Column {
                name: "x".to_owned(),
                type_name: printed.to_owned(),
                not_null: false,
                generated: false,
                identity_always: None,
                application_rights: String::new(),
                default: None,
                base_type: None,
                labels: Vec::new(),
            };
            assert_eq!(column.bare_type(), bare);
        }
    }
}
