//! Which rows of a relation are the tenant's, as FROM and WHERE. The guard says the same; here it is
//! said so that the planner begins at the tenant, and reads no row of another one.

use std::collections::BTreeSet;

use super::manifest::ArchivedClass;
use super::plan::{PlannedPath, PlannedStep};
use super::statements::Statements;
use crate::postgres::{Ident, Sql};

impl Statements<'_> {
    /// `alias.key = 'id'::type`.
    pub(super) fn keyed(self, alias: &'static str) -> Sql {
        let key = self.relation.archived.key.as_deref().unwrap_or_default();
        let key_type = self.relation.key_type.as_deref().unwrap_or("text");
        self.is_tenant(&Sql::new(alias).ident(&Ident::new(key)), key_type)
    }

    fn is_tenant(self, column: &Sql, key_type: &str) -> Sql {
        column
            .clone()
            .text(" =")
            .literal(self.tenant.as_str())
            .text("::")
            .append(&Sql::danger_declared_text(key_type))
    }

    /// FROM and WHERE of the tenant's rows, the relation itself under the alias `t`.
    pub(super) fn tenant_rows(self) -> Sql {
        let target = self.target();
        match (self.relation.archived.class, &self.relation.via) {
            (ArchivedClass::Linked, Some((link, column, own))) => Sql::fill(
                "{target} as t where t.{own} in (select l.{column} from {link} as l where {keyed})",
                &[
                    ("target", &target),
                    ("own", &Sql::from(&Ident::new(own))),
                    ("column", &Sql::from(&Ident::new(column))),
                    ("link", &Sql::from(link)),
                    ("keyed", &self.keyed("l.")),
                ],
            ),
            (ArchivedClass::Derived, _) => self.derived_rows(),
            _ => Sql::fill(
                "{target} as t where {keyed}",
                &[("target", &target), ("keyed", &self.keyed("t."))],
            ),
        }
    }

    /// Where it is read. Tables that inherit from it have rows and an entry of their own.
    pub(super) fn target(self) -> Sql {
        let source = Sql::from(&self.relation.source);
        let is_table = self.relation.source == self.relation.table;
        let only = self.relation.has_heirs && is_table;
        Sql::new(if only { "only " } else { "" }).append(&source)
    }

    /// Joined from the parent: a child is read by its index, not by a scan of all tenants' rows. Of a
    /// polymorphic pair each way is a join of its own.
    fn derived_rows(self) -> Sql {
        let paths = &self.relation.paths;
        let once = paths.iter().flat_map(|path| &path.steps).all(|step| step.is_unique);
        // One column with different words: no row is on two ways.
        let words: Vec<_> = paths.iter().filter_map(|path| path.word.as_ref()).collect();
        let columns: BTreeSet<&String> = words.iter().map(|(column, _)| column).collect();
        let different: BTreeSet<&String> = words.iter().map(|(_, word)| word).collect();
        let apart = columns.len() == 1 && different.len() == paths.len();
        let is_view = self.relation.source != self.relation.table;
        match paths.as_slice() {
            // Its guarded view begins at the tenant by itself.
            [_, _, ..] if is_view => self.target().text(" as t"),
            [path] if once && path.word.is_none() => self.joined(path),
            paths if once && apart => {
                let ways: Vec<Sql> = paths
                    .iter()
                    .map(|path| Sql::new("select t.* from ").append(&self.joined(path)))
                    .collect();
                Sql::new("(").append(&Sql::join(&ways, " union all ")).text(") as t")
            }
            // A parent that is not unique would give a row once for each of them.
            paths => {
                let any: Vec<Sql> = paths.iter().map(|path| self.exists(path)).collect();
                Sql::fill(
                    "{target} as t where ({any})",
                    &[("target", &self.target()), ("any", &Sql::join(&any, " or "))],
                )
            }
        }
    }

    fn joined(self, path: &PlannedPath) -> Sql {
        let (from, on) = self.along(path);
        Sql::fill(
            "{target} as t, {from} where {on}",
            &[("target", &self.target()), ("from", &from), ("on", &on)],
        )
    }

    fn exists(self, path: &PlannedPath) -> Sql {
        let (from, on) = self.along(path);
        Sql::fill("exists (select 1 from {from} where {on})", &[("from", &from), ("on", &on)])
    }

    /// The parents of a path, and the conditions that tie them to `t` and to the tenant.
    fn along(self, path: &PlannedPath) -> (Sql, Sql) {
        let (mut from, mut on) = (Vec::new(), Vec::new());
        let mut child = Sql::new("t");
        if let Some((column, word)) = &path.word {
            let column = Sql::new("t.").ident(&Ident::new(column));
            on.push(column.text("::text =").literal(word));
        }
        for (step, depth) in path.steps.iter().zip(1_u64..) {
            let alias = Sql::new("p").number(depth);
            from.push(Sql::from(&step.parent).text(" as ").append(&alias));
            on.extend(pairs(step, &alias, &child));
            child = alias;
        }
        let key = child.text(".").ident(&Ident::new(&path.key));
        on.push(self.is_tenant(&key, &path.key_type));
        (Sql::join(&from, ", "), Sql::join(&on, " and "))
    }
}

/// That a child refers to a parent.
fn pairs(step: &PlannedStep, parent: &Sql, child: &Sql) -> Vec<Sql> {
    let pair = |(here, there, as_text): &(String, String, bool)| {
        Sql::fill(
            "{parent}.{there}{cast} = {child}.{here}{cast}",
            &[
                ("parent", parent),
                ("there", &Sql::from(&Ident::new(there))),
                ("child", child),
                ("here", &Sql::from(&Ident::new(here))),
                ("cast", &Sql::new(if *as_text { "::text" } else { "" })),
            ],
        )
    };
    step.pairs.iter().map(pair).collect()
}
