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
    /// Other unique keys of plain columns; not those of expressions or of a part of the rows.
    pub unique_keys: Vec<Vec<String>>,
    /// What the application role may do, by itself or through its groups.
    pub application: Rights,
    /// Its policies.
    pub policies: Vec<Policy>,
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
}

/// A sequence that fills a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name.
    pub name: RelationName,
    /// The table, plain name.
    pub relation: String,
    /// The column.
    pub column: String,
    /// Whether the application may draw from it.
    pub application_usage: bool,
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
            };
            assert_eq!(column.bare_type(), bare);
        }
    }
}
