//! The SQL of export and restore, built from a plan: quoted identifiers and one literal, the key
//! of the tenant, so that the planner knows how many rows to expect.
//!
//! More than 400 lines: all SQL over one relation is read side by side, and none of it alone.

use super::manifest::{ArchivedClass, Identity};
use super::plan::PlannedRelation;
use crate::identity::TenantId;
use crate::postgres::{Ident, Sql};

/// Columns with an alias in front: `t."a", t."b"`.
fn columns(alias: &'static str, names: &[String]) -> Sql {
    let names: Vec<Sql> =
        names.iter().map(|name| Sql::new(alias).ident(&Ident::new(name))).collect();
    Sql::join(&names, ", ")
}

/// That no column of a key is null: null collides with nothing.
fn known(key: &[String]) -> Sql {
    let known = |name: &String| Sql::new("x.").ident(&Ident::new(name)).text(" is not null");
    Sql::join(&key.iter().map(known).collect::<Vec<_>>(), " and ")
}

/// Builds the statements for one relation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statements<'p> {
    pub(super) relation: &'p PlannedRelation,
    pub(super) tenant: &'p TenantId,
}

impl Statements<'_> {
    fn names(self) -> Vec<String> {
        self.relation.archived.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The temporary table of the archived rows.
    fn stage(self) -> Sql {
        let ordinal = u64::from(self.relation.archived.ordinal);
        Sql::new("pg_temp.stage_").number(ordinal)
    }

    fn target(self) -> Sql {
        Sql::from(&self.relation.source)
    }

    fn destination(self) -> Sql {
        Sql::from(&self.relation.destination)
    }

    /// `alias.key = 'id'::type`.
    fn keyed(self, alias: &'static str) -> Sql {
        let key = self.relation.archived.key.as_deref().unwrap_or_default();
        let key_type = self.relation.key_type.clone().unwrap_or_else(|| "text".to_owned());
        Sql::new(alias)
            .ident(&Ident::new(key))
            .text(" =")
            .literal(self.tenant.as_str())
            .text("::")
            .append(&Sql::danger_declared_text(key_type))
    }

    /// FROM and WHERE of the tenant's rows, the relation itself under the alias `t`.
    fn tenant_rows(self) -> Sql {
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
            // Of a polymorphic pair there is no one path: the guard alone says which rows they are.
            (ArchivedClass::Derived, _) if self.relation.archived.path.is_empty() => {
                target.text(" as t")
            }
            (ArchivedClass::Derived, _) => self.derived_rows(),
            _ => Sql::fill(
                "{target} as t where {keyed}",
                &[("target", &target), ("keyed", &self.keyed("t."))],
            ),
        }
    }

    /// Joined from the parent: a child is read by its index, not by a scan of all tenants' rows.
    fn derived_rows(self) -> Sql {
        let (mut from, mut on) = (Vec::new(), Vec::new());
        let mut child = Sql::new("t");
        let steps = self.relation.archived.path.iter().zip(&self.relation.parents);
        for ((step, parent), depth) in steps.zip(1_u64..) {
            let alias = Sql::new("p").number(depth);
            from.push(Sql::from(parent).text(" as ").append(&alias));
            for (here, there) in step.columns.iter().zip(&step.referenced) {
                on.push(Sql::fill(
                    "{alias}.{there} = {child}.{here}",
                    &[
                        ("alias", &alias),
                        ("there", &Sql::from(&Ident::new(there))),
                        ("child", &child),
                        ("here", &Sql::from(&Ident::new(here))),
                    ],
                ));
            }
            child = alias;
        }
        let key = Ident::new(self.relation.archived.key.as_deref().unwrap_or_default());
        let key_type = self.relation.key_type.clone().unwrap_or_else(|| "text".to_owned());
        Sql::fill(
            "{target} as t, {from} where {on} and {last}.{key} ={tenant}::{type}",
            &[
                ("target", &self.target()),
                ("from", &Sql::join(&from, ", ")),
                ("on", &Sql::join(&on, " and ")),
                ("last", &child),
                ("key", &Sql::from(&key)),
                ("tenant", &Sql::default().literal(self.tenant.as_str())),
                ("type", &Sql::danger_declared_text(key_type)),
            ],
        )
    }

    /// COPY of the tenant's rows to the client, in the order of the manifest.
    pub(super) fn copy_out(self) -> Sql {
        let order = &self.relation.archived.order;
        let order = if order.is_empty() {
            Sql::default()
        } else {
            Sql::new(" order by ").append(&columns("t.", order))
        };
        Sql::fill(
            "copy (select {columns} from {rows}{order}) to stdout",
            &[
                ("columns", &columns("t.", &self.names())),
                ("rows", &self.tenant_rows()),
                ("order", &order),
            ],
        )
    }

    /// COPY of the tenant's rows, unordered: only their sum is asked for.
    pub(super) fn copy_target(self) -> Sql {
        Sql::fill(
            "copy (select {columns} from {rows}) to stdout",
            &[("columns", &columns("t.", &self.names())), ("rows", &self.tenant_rows())],
        )
    }

    /// The temporary table, with the types and collations of the target.
    pub(super) fn create_stage(self) -> Sql {
        Sql::fill(
            "create temporary table {stage} on commit drop as select {columns} from {target} as t with no data; \
             grant select on {stage} to tenantdesk_archive_inserter, tenantdesk_archive_changer",
            &[
                ("stage", &self.stage()),
                ("columns", &columns("t.", &self.names())),
                ("target", &self.target()),
            ],
        )
    }

    /// COPY from the client into the temporary table.
    pub(super) fn copy_in(self) -> Sql {
        Sql::fill(
            "copy {stage} ({columns}) from stdin",
            &[("stage", &self.stage()), ("columns", &columns("", &self.names()))],
        )
    }

    /// What the planner should know of the temporary table.
    pub(super) fn analyze_stage(self) -> Sql {
        Sql::new("analyze ").append(&self.stage())
    }

    /// Six counts: rows in the archive, in the target, missing, changed, extra, and conflicts
    /// (rows that name another tenant).
    pub(super) fn difference(self) -> Sql {
        let foreign = match self.relation.archived.class {
            ArchivedClass::Root | ArchivedClass::Keyed => Sql::fill(
                "count(*) filter (where s.present and not coalesce({keyed}, false))",
                &[("keyed", &self.keyed("s."))],
            ),
            _ => Sql::new("0::bigint"),
        };
        Sql::fill(
            "select count(s.present), count(t.present), \
             count(*) filter (where t.present is null), \
             count(*) filter (where row({s})::record operator(pg_catalog.*<>) row({t})::record and s.present and t.present), \
             count(*) filter (where s.present is null), {foreign} \
             from {stage} s full join {target} t on {same}",
            &[
                ("s", &columns("s.", &self.names())),
                ("t", &columns("t.", &self.names())),
                ("stage", &self.numbered(&self.stage())),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
                ("foreign", &foreign),
            ],
        )
    }

    /// How many rows are missing by their primary key and collide with a row of the tenant by
    /// another unique key; none where there is no such key among the archived columns.
    pub(super) fn collisions(self) -> Option<Sql> {
        let names = self.names();
        let archived = |key: &&Vec<String>| key.iter().all(|name| names.contains(name));
        let keys: Vec<Sql> = self
            .relation
            .unique_keys
            .iter()
            .filter(archived)
            .map(|key| {
                Sql::fill(
                    "({here}) in (select {there} from {target} where {known})",
                    &[
                        ("here", &columns("s.", key)),
                        ("there", &columns("x.", key)),
                        ("target", &self.target_rows()),
                        ("known", &known(key)),
                    ],
                )
            })
            .collect();
        if keys.is_empty() || self.relation.archived.primary_key.is_empty() {
            return None;
        }
        Some(Sql::fill(
            "select count(*) from {stage} s where not exists (select 1 from {target} t where {same}) and ({keys})",
            &[
                ("stage", &self.stage()),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
                ("keys", &Sql::join(&keys, " or ")),
            ],
        ))
    }

    /// The tenant's rows as a relation of the same columns.
    fn target_rows(self) -> Sql {
        Sql::fill(
            "(select {columns} from {rows}) as x",
            &[("columns", &columns("t.", &self.names())), ("rows", &self.tenant_rows())],
        )
    }

    /// Rows with the mark `present`; without a primary key also the text of the row and its number
    /// among equal ones, which then are the key.
    fn numbered(self, rows: &Sql) -> Sql {
        let names = columns("", &self.names());
        let pieces = [("names", &names), ("rows", rows)];
        if self.relation.archived.primary_key.is_empty() {
            Sql::fill(
                "(select {names}, true as present, row({names})::text as line, \
                 row_number() over (partition by row({names})::text) as copy from {rows})",
                &pieces,
            )
        } else {
            Sql::fill("(select {names}, true as present from {rows})", &pieces)
        }
    }

    /// The condition that a row of `s` and one of `t` have the same key.
    fn same(self) -> Sql {
        let key = &self.relation.archived.primary_key;
        let pairs: Vec<Sql> = if key.is_empty() {
            vec![Sql::new("s.line = t.line"), Sql::new("s.copy = t.copy")]
        } else {
            let pair = |name: &String| {
                let name = Ident::new(name);
                Sql::new("s.").ident(&name).text(" = t.").ident(&name)
            };
            key.iter().map(pair).collect()
        };
        Sql::join(&pairs, " and ")
    }

    /// INSERT of the archived rows whose key is not in the target; of shared parents whatever
    /// collides with nothing, because a person who belongs to other tenants only is not visible.
    pub(super) fn insert_missing(self, target_is_empty: bool) -> Sql {
        let absent = Sql::fill(
            " where not exists (select 1 from {target} t where {same})",
            &[("target", &self.numbered(&self.target_rows())), ("same", &self.same())],
        );
        let always = self
            .relation
            .archived
            .columns
            .iter()
            .any(|column| column.identity == Some(Identity::Always));
        let linked = self.relation.archived.class == ArchivedClass::Linked;
        let nothing = Sql::default();
        Sql::fill(
            "insert into {target} ({names}){overriding} select {columns} from {stage} s{absent}{conflict}",
            &[
                ("target", &self.destination()),
                ("names", &columns("", &self.names())),
                ("overriding", &Sql::new(if always { " overriding system value" } else { "" })),
                ("columns", &columns("s.", &self.names())),
                ("stage", &self.numbered(&self.stage())),
                ("absent", if target_is_empty { &nothing } else { &absent }),
                ("conflict", &Sql::new(if linked { " on conflict do nothing" } else { "" })),
            ],
        )
    }

    /// UPDATE of rows that are there and differ; none where nothing but the key could differ.
    pub(super) fn update_changed(self) -> Option<Sql> {
        let archived = &self.relation.archived;
        let may_change = |name: &String| {
            let column = archived.columns.iter().find(|column| column.name == *name);
            let always = column.is_some_and(|c| c.identity == Some(Identity::Always));
            !archived.primary_key.contains(name) && !always
        };
        let names: Vec<String> = self.names().into_iter().filter(may_change).collect();
        if names.is_empty() || archived.primary_key.is_empty() {
            return None;
        }
        let assignments: Vec<Sql> = names
            .iter()
            .map(|name| {
                let name = Ident::new(name);
                Sql::default().ident(&name).text(" = s.").ident(&name)
            })
            .collect();
        Some(Sql::fill(
            "update {target} as t set {assignments} from {stage} as s \
             where {same} and {own} and row({s})::record operator(pg_catalog.*<>) row({t})::record",
            &[
                ("target", &self.destination()),
                ("assignments", &Sql::join(&assignments, ", ")),
                ("stage", &self.stage()),
                ("same", &self.same()),
                ("own", &self.own_row()),
                ("s", &columns("s.", &self.names())),
                ("t", &columns("t.", &self.names())),
            ],
        ))
    }

    /// DELETE of the tenant's rows whose key is not in the archive, or of all of them. The guard
    /// says which rows are the tenant's; where a key stands in the row, the statement says so too.
    pub(super) fn delete(self, extra_only: bool) -> Sql {
        let target = self.destination();
        let own = self.own_row();
        if !extra_only || self.relation.archived.primary_key.is_empty() {
            return Sql::fill(
                "delete from {target} as t where {own}",
                &[("target", &target), ("own", &own)],
            );
        }
        Sql::fill(
            "delete from {target} as t where {own} and not exists (select 1 from {stage} as s where {same})",
            &[("target", &target), ("own", &own), ("stage", &self.stage()), ("same", &self.same())],
        )
    }

    /// `t.key = 'id'`, or true for a derived relation, whose key stands in a parent.
    fn own_row(self) -> Sql {
        match self.relation.archived.class {
            ArchivedClass::Keyed | ArchivedClass::Root => self.keyed("t."),
            _ => Sql::new("true"),
        }
    }

    /// Keeps the keys of rows that are there and differ, before anything is inserted: a restore of
    /// missing rows leaves them as they are.
    pub(super) fn create_kept(self) -> Option<Sql> {
        let key = &self.relation.archived.primary_key;
        if key.is_empty() {
            return None;
        }
        Some(Sql::fill(
            "create temporary table {kept} on commit drop as select {key} from {stage} as s, {target} as t \
             where {same} and row({s})::record operator(pg_catalog.*<>) row({t})::record",
            &[
                ("kept", &self.kept()),
                ("key", &columns("s.", key)),
                ("stage", &self.stage()),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
                ("s", &columns("s.", &self.names())),
                ("t", &columns("t.", &self.names())),
            ],
        ))
    }

    fn kept(self) -> Sql {
        Sql::new("pg_temp.kept_").number(u64::from(self.relation.archived.ordinal))
    }

    /// COPY of the archived rows that were to be inserted or were there already, unchanged: from
    /// the temporary table, and as they are in the target now.
    pub(super) fn copy_kept_aside(self, has_kept: bool) -> (Sql, Sql) {
        let names = columns("s.", &self.names());
        let same_kept = self.same();
        let aside = Sql::fill(
            " and not exists (select 1 from {kept} t where {same})",
            &[("kept", &self.kept()), ("same", &same_kept)],
        );
        let nothing = Sql::default();
        let aside = if has_kept { &aside } else { &nothing };
        let stage = self.numbered(&self.stage());
        let expected = Sql::fill(
            "copy (select {names} from {stage} s where true{aside}) to stdout",
            &[("names", &names), ("stage", &stage), ("aside", aside)],
        );
        let found = Sql::fill(
            "copy (select {found} from {stage} s join {target} t on {same} where true{aside}) to stdout",
            &[
                ("found", &columns("t.", &self.names())),
                ("stage", &stage),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
                ("aside", aside),
            ],
        );
        (expected, found)
    }

    /// The largest value of a column in the archive, for the sequence that fills it.
    pub(super) fn largest(self, column: &str) -> Sql {
        Sql::fill(
            "select max(s.{column})::bigint from {stage} as s",
            &[("column", &Sql::from(&Ident::new(column))), ("stage", &self.stage())],
        )
    }
}
