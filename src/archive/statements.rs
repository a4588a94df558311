//! The SQL that reads, stages and compares, built from a plan: quoted identifiers and one literal, the
//! key of the tenant, so that the planner knows how many rows to expect. What writes is in writing.rs.

use super::manifest::ArchivedClass;
use super::plan::PlannedRelation;
use crate::identity::TenantId;
use crate::postgres::{Ident, Sql};

/// Columns with an alias in front: `t."a", t."b"`.
pub(super) fn columns(alias: &'static str, names: &[String]) -> Sql {
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
    pub(super) fn names(self) -> Vec<String> {
        self.relation.archived.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The columns that tell rows apart.
    pub(super) fn key_names(self) -> Vec<String> {
        self.relation.row_key.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The temporary table of the archived rows.
    pub(super) fn stage(self) -> Sql {
        let ordinal = u64::from(self.relation.archived.ordinal);
        Sql::new("pg_temp.stage_").number(ordinal)
    }

    pub(super) fn destination(self) -> Sql {
        Sql::from(&self.relation.destination)
    }

    /// The destination of an UPDATE or DELETE: rows of heirs are theirs.
    pub(super) fn own_destination(self) -> Sql {
        let only = self.relation.has_heirs && self.relation.destination == self.relation.table;
        Sql::new(if only { "only " } else { "" }).append(&self.destination())
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

    /// How many rows the tenant has.
    pub(super) fn count(self) -> Sql {
        Sql::new("select count(*) from ").append(&self.tenant_rows())
    }

    /// The temporary table, with the types and collations of the target.
    pub(super) fn create_stage(self) -> Sql {
        Sql::fill(
            "create temporary table {stage} on commit drop as select {columns} from {target} as t with no data; \
             grant select on {stage} to tenantdesk_archive_inserter, tenantdesk_archive_changer",
            &[
                ("stage", &self.stage()),
                ("columns", &columns("t.", &self.names())),
                ("target", &Sql::from(&self.relation.source)),
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
        if keys.is_empty() || self.relation.row_key.is_empty() {
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
    pub(super) fn target_rows(self) -> Sql {
        Sql::fill(
            "(select {columns} from {rows}) as x",
            &[("columns", &columns("t.", &self.names())), ("rows", &self.tenant_rows())],
        )
    }

    /// Rows with the mark `present`; without a primary key also the text of the row and its number
    /// among equal ones, which then are the key.
    pub(super) fn numbered(self, rows: &Sql) -> Sql {
        let names = columns("", &self.names());
        let pieces = [("names", &names), ("rows", rows)];
        if self.relation.row_key.is_empty() {
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
    pub(super) fn same(self) -> Sql {
        let key = &self.relation.row_key;
        let pairs: Vec<Sql> = if key.is_empty() {
            vec![Sql::new("s.line = t.line"), Sql::new("s.copy = t.copy")]
        } else {
            // The operator is that of the key: another schema may have another one.
            let pair = |(name, equals): &(String, String)| {
                let (name, equals) = (Ident::new(name), Sql::danger_declared_text(equals));
                Sql::new("s.").ident(&name).text(" ").append(&equals).text(" t.").ident(&name)
            };
            key.iter().map(pair).collect()
        };
        Sql::join(&pairs, " and ")
    }

    /// Keeps the keys of rows that are there and differ, before anything is inserted: a restore of
    /// missing rows leaves them as they are.
    pub(super) fn create_kept(self) -> Option<Sql> {
        let key = &self.key_names();
        if key.is_empty() {
            return None;
        }
        Some(Sql::fill(
            "drop table if exists {kept}; create temporary table {kept} on commit drop as select {key} from {stage} as s, {target} as t \
             where {same} and row({s})::record operator(pg_catalog.*<>) row({t})::record; \
             grant select on {kept} to tenantdesk_archive_changer",
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

    pub(super) fn kept(self) -> Sql {
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

    /// A few rows in which archive and target differ: the key (the number among the archived rows,
    /// where there is none), and the columns, or null where the row is on one side only.
    pub(super) fn unlike(self, has_kept: bool) -> Sql {
        let column = |name: String| {
            let ident = Ident::new(&name);
            Sql::fill(
                "case when row(s.{name})::record operator(pg_catalog.*<>) row(t.{name})::record then {text}::text end",
                &[("name", &Sql::from(&ident)), ("text", &Sql::default().literal(&name))],
            )
        };
        let names: Vec<Sql> = self.names().into_iter().map(column).collect();
        let key = self.key_names();
        let key = if key.is_empty() {
            Sql::new("null::text")
        } else {
            let part = |name: &String| {
                let ident = Ident::new(name);
                Sql::fill(
                    "{text} || coalesce(s.{name}::text, t.{name}::text)",
                    &[
                        ("text", &Sql::default().literal(&format!("{name} "))),
                        ("name", &Sql::from(&ident)),
                    ],
                )
            };
            Sql::join(&key.iter().map(part).collect::<Vec<_>>(), " || ', ' || ")
        };
        let mine = Sql::fill(
            " and not exists (select 1 from {kept} as t where {same})",
            &[("kept", &self.kept()), ("same", &self.same())],
        );
        Sql::fill(
            "select {key}, case when s.present and t.present then array_remove(array[{names}], null) end, s.present is not null \
             from {stage} s full join {target} t on {same} \
             where (s.present is null or t.present is null or row({s})::record operator(pg_catalog.*<>) row({t})::record){mine} \
             order by s.present is null limit 5",
            &[
                ("key", &key),
                ("names", &Sql::join(&names, ", ")),
                ("stage", &self.numbered(&self.stage())),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
                ("s", &columns("s.", &self.names())),
                ("t", &columns("t.", &self.names())),
                ("mine", &if has_kept { mine } else { Sql::default() }),
            ],
        )
    }

    /// The largest value of a column in the archive, for the sequence that fills it.
    pub(super) fn largest(self, column: &str) -> Sql {
        Sql::fill(
            "select max(least(s.{column}, 9223372036854775807))::bigint from {stage} as s where s.{column} is not null",
            &[("column", &Sql::from(&Ident::new(column))), ("stage", &self.stage())],
        )
    }
}
