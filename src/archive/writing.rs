//! The SQL that changes a target: one statement for each kind of work on one relation, or on all
//! relations of a circle at once.

use super::manifest::{ArchivedClass, Identity};
use super::statements::{Statements, columns};
use crate::postgres::{Ident, Sql};

impl Statements<'_> {
    /// INSERT of the archived rows whose key is not in the target; of shared parents whatever
    /// collides with nothing, because a person who belongs to other tenants only is not visible.
    /// `postponed` columns stay null for now.
    pub(super) fn insert_missing(self, target_is_empty: bool, postponed: &[String]) -> Sql {
        let absent = Sql::fill(
            " where not exists (select 1 from {target} t where {same})",
            &[("target", &self.numbered(&self.target_rows())), ("same", &self.same())],
        );
        let value = |name: String| {
            if postponed.contains(&name) {
                Sql::new("null")
            } else {
                Sql::new("s.").ident(&Ident::new(name))
            }
        };
        let values: Vec<Sql> = self.names().into_iter().map(value).collect();
        let always = self
            .relation
            .archived
            .columns
            .iter()
            .any(|column| column.identity == Some(Identity::Always));
        let linked = self.relation.archived.class == ArchivedClass::Linked;
        let nothing = Sql::default();
        Sql::fill(
            "insert into {target} ({names}){overriding} select {values} from {stage} s{absent}{conflict}",
            &[
                ("target", &self.destination()),
                ("names", &columns("", &self.names())),
                ("overriding", &Sql::new(if always { " overriding system value" } else { "" })),
                ("values", &Sql::join(&values, ", ")),
                ("stage", &self.numbered(&self.stage())),
                ("absent", if target_is_empty { &nothing } else { &absent }),
                ("conflict", &Sql::new(if linked { " on conflict do nothing" } else { "" })),
            ],
        )
    }

    /// Keeps the keys of the rows that an INSERT is about to write, where some of their columns are
    /// to be filled in afterwards.
    pub(super) fn create_fresh(self) -> Sql {
        Sql::fill(
            "drop table if exists {fresh}; create temporary table {fresh} on commit drop as select {key} from {stage} as s \
             where not exists (select 1 from {target} t where {same}); grant select on {fresh} to tenantdesk_archive_changer",
            &[
                ("fresh", &self.fresh()),
                ("key", &columns("s.", &self.key_names())),
                ("stage", &self.stage()),
                ("target", &self.numbered(&self.target_rows())),
                ("same", &self.same()),
            ],
        )
    }

    fn fresh(self) -> Sql {
        Sql::new("pg_temp.fresh_").number(u64::from(self.relation.archived.ordinal))
    }

    /// UPDATE that fills in what the INSERT left null.
    pub(super) fn fill_in(self, postponed: &[String]) -> Sql {
        let known = |name: &String| Sql::new("s.").ident(&Ident::new(name)).text(" is not null");
        let known: Vec<Sql> = postponed.iter().map(known).collect();
        Sql::fill(
            "update {target} as t set {assignments} from {stage} as s where {same} and {own} and ({known}) \
             and exists (select 1 from {fresh} as t where {same})",
            &[
                ("target", &self.own_destination()),
                ("assignments", &assignments(postponed)),
                ("stage", &self.stage()),
                ("same", &self.same()),
                ("own", &self.own_row()),
                ("known", &Sql::join(&known, " or ")),
                ("fresh", &self.fresh()),
            ],
        )
    }

    /// UPDATE of rows that are there and differ; none where nothing but the key could differ. With
    /// `has_kept` those that were to stay as they are stay.
    pub(super) fn update_changed(self, has_kept: bool) -> Option<Sql> {
        let archived = &self.relation.archived;
        let key = self.key_names();
        let may_change = |name: &String| {
            let column = archived.columns.iter().find(|column| column.name == *name);
            let always = column.is_some_and(|c| c.identity == Some(Identity::Always));
            !key.contains(name) && !always
        };
        let names: Vec<String> = self.names().into_iter().filter(may_change).collect();
        if names.is_empty() || key.is_empty() {
            return None;
        }
        let kept = Sql::fill(
            " and not exists (select 1 from {kept} as t where {same})",
            &[("kept", &self.kept()), ("same", &self.same())],
        );
        Some(Sql::fill(
            "update {target} as t set {assignments} from {stage} as s \
             where {same} and {own} and row({s})::record operator(pg_catalog.*<>) row({t})::record{kept}",
            &[
                ("target", &self.own_destination()),
                ("assignments", &assignments(&names)),
                ("stage", &self.stage()),
                ("same", &self.same()),
                ("own", &self.own_row()),
                ("s", &columns("s.", &self.names())),
                ("t", &columns("t.", &self.names())),
                ("kept", &if has_kept { kept } else { Sql::default() }),
            ],
        ))
    }

    /// DELETE of the tenant's rows whose key is not in the archive, or of all of them. The guard
    /// says which rows are the tenant's; where a key stands in the row, the statement says so too.
    pub(super) fn delete(self, extra_only: bool) -> Sql {
        let target = self.own_destination();
        let own = self.own_row();
        if !extra_only || self.relation.row_key.is_empty() {
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
}

/// `"a" = s."a", "b" = s."b"`.
fn assignments(names: &[String]) -> Sql {
    let assignment = |name: &String| {
        let name = Ident::new(name);
        Sql::default().ident(&name).text(" = s.").ident(&name)
    };
    Sql::join(&names.iter().map(assignment).collect::<Vec<_>>(), ", ")
}

/// One statement that does all of these, each an INSERT or DELETE of its own relation, and answers
/// with the rows of all of them: foreign keys are checked at the end of a statement.
pub(super) fn together(statements: &[Sql]) -> Sql {
    let part = |(number, statement): (u64, &Sql)| {
        let name = Sql::new("part_").number(number);
        name.text(" as (").append(statement).text(" returning 1)")
    };
    let parts: Vec<Sql> = (1..).zip(statements).map(part).collect();
    let count = |number| Sql::new("(select count(*) from part_").number(number).text(")");
    let counts: Vec<Sql> = (1_u64..).zip(statements).map(|(number, _)| count(number)).collect();
    Sql::fill(
        "with {parts} select {counts}",
        &[("parts", &Sql::join(&parts, ", ")), ("counts", &Sql::join(&counts, " + "))],
    )
}
