//! The one condition that everything of the guard is made of: "this row belongs to that tenant".
//!
//! Derived and linked tables use a correlated EXISTS, never `IN (select ..)`, which turns
//! quadratic once the inner set no longer fits into `work_mem`.

use thiserror::Error;

use crate::catalog::{Catalog, Column};
use crate::failure::{Explain, Kind};
use crate::isolation::map::{Class, Relation, RelationMap, parse_name};
use crate::postgres::{Ident, Sql};

/// Why no guard can be generated: the map and the catalogs do not agree.
#[derive(Debug, Error)]
pub enum GuardError {
    /// A relation of the map is not in the database.
    #[error("the relation map names `{0}`, which is not in the database")]
    NoRelation(String),
    /// A column of the map is not in the database.
    #[error(
        "the relation map names column `{column}` of `{relation}`, which is not in the database"
    )]
    NoColumn {
        /// The table.
        relation: String,
        /// The column.
        column: String,
    },
    /// A relation of the database is not in the map.
    #[error("`{0}` is in the database and not in the relation map; nothing may stay unclassified")]
    Unclassified(String),
    /// A relation that cannot be guarded.
    #[error("`{relation}` cannot be guarded: {why}")]
    Unguardable {
        /// The table.
        relation: String,
        /// Why.
        why: String,
    },
}

impl Explain for GuardError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unclassified(name) => {
                vec![format!(
                    "add `{name}` to the map: keyed, derived, linked, global, or excluded with a reason"
                )]
            }
            _ => vec!["correct the relation map".to_owned()],
        }
    }
}

/// Which of the guard's functions names the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// `session_tenant()`.
    Session,
    /// `writing_tenant()`.
    Writing,
    /// `provision_tenant()`.
    Provision,
    /// `archive_tenant()`.
    Archive,
    /// `archive_writes()`.
    ArchiveWrites,
}

impl Of {
    /// The function, called.
    #[must_use]
    pub(super) const fn call(self) -> &'static str {
        match self {
            Self::Session => "tenantdesk.session_tenant()",
            Self::Writing => "tenantdesk.writing_tenant()",
            Self::Provision => "tenantdesk.provision_tenant()",
            Self::Archive => "tenantdesk.archive_tenant()",
            Self::ArchiveWrites => "tenantdesk.archive_writes()",
        }
    }
}

/// Builds conditions from the map and the catalogs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditions<'a> {
    /// The map.
    pub(super) map: &'a RelationMap,
    /// The snapshot.
    pub(super) catalog: &'a Catalog,
}

impl Conditions<'_> {
    /// `row belongs to the tenant that the function names`, for a row called `row` in the query.
    ///
    /// # Errors
    /// [`GuardError`] where map and catalogs do not agree.
    pub(super) fn belongs(
        &self,
        relation: &Relation,
        row: &Sql,
        of: Of,
    ) -> Result<Sql, GuardError> {
        match relation.class {
            Class::Root | Class::Keyed => self.keyed(relation, row, of),
            Class::Derived => self.derived(relation, row, of),
            Class::Linked => self.linked(relation, row, of),
            Class::Global | Class::Excluded => Ok(Sql::new("true")),
        }
    }

    /// The type of a relation's tenant key, without a length.
    ///
    /// # Errors
    /// [`GuardError`] where the relation or its key is not in the database.
    pub(super) fn key_type(&self, relation: &Relation) -> Result<Sql, GuardError> {
        let key = relation.key.as_deref().unwrap_or_default();
        Ok(Sql::danger_declared_text(self.column(&relation.name, key)?.bare_type()))
    }

    /// `row.key = (select function()::type)`: a subselect, so that it is evaluated once.
    fn keyed(&self, relation: &Relation, row: &Sql, of: Of) -> Result<Sql, GuardError> {
        let key = Ident::new(relation.key.as_deref().unwrap_or_default());
        Ok(Sql::fill(
            "{row}.{key} = (select {function}::{type})",
            &[
                ("row", row),
                ("key", &Sql::from(&key)),
                ("function", &Sql::new(of.call())),
                ("type", &self.key_type(relation)?),
            ],
        ))
    }

    /// EXISTS along the path, each parent under an alias of its own.
    fn derived(&self, relation: &Relation, row: &Sql, of: Of) -> Result<Sql, GuardError> {
        let (mut from, mut on) = (Vec::new(), Vec::new());
        let mut child = row.clone();
        let mut child_name = relation.name.clone();
        for (depth, step) in relation.path.iter().enumerate() {
            self.column(&child_name, &step.column)?;
            self.column(&step.references, &step.referenced)?;
            let alias = Sql::new("parent").number(depth as u64 + 1);
            from.push(Sql::from(&parse_name(&step.references)).text(" as ").append(&alias));
            on.push(Sql::fill(
                "{alias}.{there} = {child}.{here}",
                &[
                    ("alias", &alias),
                    ("there", &Sql::from(&Ident::new(&step.referenced))),
                    ("child", &child),
                    ("here", &Sql::from(&Ident::new(&step.column))),
                ],
            ));
            child = alias;
            child_name.clone_from(&step.references);
        }
        let end =
            self.map.find(&child_name).ok_or_else(|| GuardError::NoRelation(child_name.clone()))?;
        on.push(self.keyed(&end, &child, of)?);
        Ok(Sql::fill(
            "exists (select 1 from {from} where {on})",
            &[("from", &Sql::join(&from, ", ")), ("on", &Sql::join(&on, " and "))],
        ))
    }

    /// EXISTS in the table that links the row to tenants.
    fn linked(&self, relation: &Relation, row: &Sql, of: Of) -> Result<Sql, GuardError> {
        let Some(via) = &relation.via else {
            return Err(GuardError::NoRelation(relation.name.clone()));
        };
        let link =
            self.map.find(&via.table).ok_or_else(|| GuardError::NoRelation(via.table.clone()))?;
        self.column(&via.table, &via.column)?;
        self.column(&relation.name, &via.own)?;
        let alias = Sql::new("link");
        Ok(Sql::fill(
            "exists (select 1 from {table} as link where link.{column} = {row}.{own} and {keyed})",
            &[
                ("table", &Sql::from(&parse_name(&via.table))),
                ("column", &Sql::from(&Ident::new(&via.column))),
                ("row", row),
                ("own", &Sql::from(&Ident::new(&via.own))),
                ("keyed", &self.keyed(&link, &alias, of)?),
            ],
        ))
    }

    /// A column, or that it is not there.
    fn column(&self, relation: &str, column: &str) -> Result<&Column, GuardError> {
        let found = self
            .catalog
            .relations
            .get(relation)
            .ok_or_else(|| GuardError::NoRelation(relation.to_owned()))?;
        found.column(column).ok_or_else(|| GuardError::NoColumn {
            relation: relation.to_owned(),
            column: column.to_owned(),
        })
    }
}
