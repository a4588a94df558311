//! The one condition that everything of the guard is made of: "this row belongs to that tenant".
//!
//! Derived and linked tables use a correlated EXISTS, never `IN (select ..)`, which turns
//! quadratic once the inner set no longer fits into `work_mem`.

use thiserror::Error;

use crate::catalog::{Catalog, Column};
use crate::failure::{Explain, Kind};
use crate::isolation::map::{Class, Relation, RelationMap, Step, parse_name};
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

    /// As [`Self::belongs`], for what may be read only: rows that belong to everybody as well.
    ///
    /// # Errors
    /// [`GuardError`] where map and catalogs do not agree.
    pub(super) fn readable(
        &self,
        relation: &Relation,
        row: &Sql,
        of: Of,
    ) -> Result<Sql, GuardError> {
        let own = self.belongs(relation, row, of)?;
        if !relation.shared {
            return Ok(own);
        }
        let key = Ident::new(relation.key.as_deref().unwrap_or_default());
        Ok(Sql::fill(
            "({own} or {row}.{key} is null and (select {function} is not null))",
            &[
                ("own", &own),
                ("row", row),
                ("key", &Sql::from(&key)),
                ("function", &Sql::new(of.call())),
            ],
        ))
    }

    /// The type of a relation's tenant key, without a length.
    ///
    /// # Errors
    /// [`GuardError`] where the relation or its key is not in the database.
    pub(super) fn key_type(&self, relation: &Relation) -> Result<Sql, GuardError> {
        let key = relation.key.as_deref().unwrap_or_default();
        Ok(Sql::danger_declared_text(self.column(&relation.name, key)?.bare_type()))
    }

    /// The type of a tenant's id: that of the root's key, or of the keys where there is no root.
    ///
    /// # Errors
    /// [`GuardError`] where nothing has a key.
    pub(super) fn tenant_type(&self) -> Result<Sql, GuardError> {
        let all = self.map.all();
        let keyed = all.iter().find(|r| matches!(r.class, Class::Root | Class::Keyed));
        keyed.map_or_else(
            || Err(GuardError::NoRelation("a keyed table".to_owned())),
            |keyed| self.key_type(keyed),
        )
    }

    /// Where tenants are listed, for FROM: the root, or the distinct keys of all keyed tables under
    /// the name `key`. Each table is walked along the index of its key where it has one.
    ///
    /// # Errors
    /// [`GuardError`] where map and catalogs do not agree.
    pub(super) fn tenants(&self) -> Result<(Sql, Ident), GuardError> {
        if let (Some(table), Some(key)) = (&self.map.root.table, &self.map.root.key) {
            return Ok((Sql::from(&parse_name(table)), Ident::new(key)));
        }
        let mut sources = Vec::new();
        for relation in self.map.relations.iter().filter(|r| r.class == Class::Keyed) {
            let key = Ident::new(relation.key.as_deref().unwrap_or_default());
            sources.push(Sql::fill(
                "(with recursive walk (key) as ((select t.{key} from {table} t where t.{key} is not null order by t.{key} limit 1) \
                 union all select (select t.{key} from {table} t where t.{key} > w.key order by t.{key} limit 1) from walk w where w.key is not null) \
                 select w.key::{type} as key from walk w where w.key is not null)",
                &[
                    ("key", &Sql::from(&key)),
                    ("table", &Sql::from(&relation.relation_name())),
                    ("type", &self.tenant_type()?),
                ],
            ));
        }
        let union = Sql::join(&sources, " union ");
        Ok((Sql::new("(").append(&union).text(")"), Ident::new("key")))
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

    /// EXISTS along the path; of a polymorphic pair, along the path of the row's own word.
    fn derived(&self, relation: &Relation, row: &Sql, of: Of) -> Result<Sql, GuardError> {
        if relation.ways.is_empty() {
            return self.along(relation, &relation.path, row, of);
        }
        let mut ways = Vec::new();
        for way in &relation.ways {
            self.column(&relation.name, &way.column)?;
            ways.push(Sql::fill(
                "({row}.{column}::text ={word} and {along})",
                &[
                    ("row", row),
                    ("column", &Sql::from(&Ident::new(&way.column))),
                    ("word", &Sql::default().literal(&way.word)),
                    ("along", &self.along(relation, &way.path, row, of)?),
                ],
            ));
        }
        Ok(Sql::new("(").append(&Sql::join(&ways, " or ")).text(")"))
    }

    /// EXISTS along one path, each parent under an alias of its own.
    fn along(
        &self,
        relation: &Relation,
        path: &[Step],
        row: &Sql,
        of: Of,
    ) -> Result<Sql, GuardError> {
        let (mut from, mut on) = (Vec::new(), Vec::new());
        let mut child = row.clone();
        let mut child_name = relation.name.clone();
        for (depth, step) in path.iter().enumerate() {
            let alias = Sql::new("parent").number(depth as u64 + 1);
            from.push(Sql::from(&parse_name(&step.references)).text(" as ").append(&alias));
            for (here, there) in step.columns.iter().zip(&step.referenced) {
                let here_column = self.column(&child_name, here)?;
                let there_column = self.column(&step.references, there)?;
                let cast = if here_column.compares_with(there_column) { "" } else { "::text" };
                on.push(Sql::fill(
                    "{alias}.{there}{cast} = {child}.{here}{cast}",
                    &[
                        ("alias", &alias),
                        ("there", &Sql::from(&Ident::new(there))),
                        ("child", &child),
                        ("here", &Sql::from(&Ident::new(here))),
                        ("cast", &Sql::new(cast)),
                    ],
                ));
            }
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
    ///
    /// # Errors
    /// [`GuardError::NoRelation`] and [`GuardError::NoColumn`].
    pub(super) fn column(&self, relation: &str, column: &str) -> Result<&Column, GuardError> {
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
