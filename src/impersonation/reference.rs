//! Which rows point to which: the foreign keys of the catalog, and those that only the relation map
//! knows (declared ways, polymorphic pairs). Only between relations and columns that can be read.

use super::grid::BrowsedRelation;
use crate::isolation::map::{Class, Relation, RelationMap, Step};
use crate::postgres::{RelationName, ServerError, Sql, Transaction};

/// These columns of a relation name a row of another, or of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The relation that points, as the map names it.
    pub from: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The relation that is pointed to, as the map names it.
    pub to: String,
    /// The columns there, in the same order.
    pub referenced: Vec<String>,
    /// Polymorphic: only rows whose column holds the word.
    pub only: Option<Match>,
}

/// A column holds exactly this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The column.
    pub column: String,
    /// Its value in text form.
    pub value: String,
}

impl Reference {
    /// Along one step of the map.
    fn step(from: &str, step: &Step, only: Option<Match>) -> Self {
        Self {
            from: from.to_owned(),
            columns: step.columns.clone(),
            to: step.references.clone(),
            referenced: step.referenced.clone(),
            only,
        }
    }

    /// From one column to another.
    fn single(from: (&str, &str), to: (&str, &str)) -> Self {
        Self {
            from: from.0.to_owned(),
            columns: vec![from.1.to_owned()],
            to: to.0.to_owned(),
            referenced: vec![to.1.to_owned()],
            only: None,
        }
    }

    /// Whether both ends can be read as far as they matter.
    fn is_readable(&self, known: &[BrowsedRelation]) -> bool {
        let has = |relation: &str, columns: &[String]| {
            let relation = known.iter().find(|one| one.name == relation);
            relation.is_some_and(|one| columns.iter().all(|name| one.column(name).is_some()))
        };
        let only: Vec<String> = self.only.iter().map(|only| only.column.clone()).collect();
        !self.columns.is_empty()
            && self.columns.len() == self.referenced.len()
            && has(&self.from, &self.columns)
            && has(&self.from, &only)
            && has(&self.to, &self.referenced)
    }
}

/// Reads the foreign keys and adds what the map declares. A guarded view has no foreign keys: they
/// are those of the table in whose place it stands.
pub(super) async fn load(
    transaction: &Transaction<'_>,
    map: &RelationMap,
    known: &[BrowsedRelation],
) -> Result<Vec<Reference>, ServerError> {
    let relations = map.all();
    let tables: Vec<(&BrowsedRelation, RelationName)> = known
        .iter()
        .filter_map(|one| {
            let relation = relations.iter().find(|relation| relation.name == one.name)?;
            Some((one, relation.relation_name()))
        })
        .collect();
    let part = |of: fn(&RelationName) -> &str| -> Vec<String> {
        tables.iter().map(|(_, table)| of(table).to_owned()).collect()
    };
    let (schemas, names) = (part(|name| name.schema.as_str()), part(|name| name.name.as_str()));
    let sql = Sql::new(include_str!("sql/references.sql"));
    let rows = transaction.query(&sql, &[&schemas, &names]).await?;
    let name = |place: i64| {
        let index = usize::try_from(place - 1).ok()?;
        tables.get(index).map(|(relation, _)| relation.name.clone())
    };
    let declared = rows.iter().filter_map(|row| {
        Some(Reference {
            from: name(row.get("from_place"))?,
            columns: row.get("columns"),
            to: name(row.get("to_place"))?,
            referenced: row.get("referenced"),
            only: None,
        })
    });
    Ok(together(declared, map, &relations, known))
}

/// Each once, the declared ones first.
fn together(
    declared: impl Iterator<Item = Reference>,
    map: &RelationMap,
    relations: &[Relation],
    known: &[BrowsedRelation],
) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    let mapped = relations.iter().flat_map(of_relation).chain(of_members(map));
    for reference in declared.chain(mapped).filter(|one| one.is_readable(known)) {
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    references
}

/// What the map says of one relation: its path, its polymorphic ways, what ties a linked one.
fn of_relation(relation: &Relation) -> Vec<Reference> {
    if relation.class == Class::Excluded {
        return Vec::new();
    }
    let mut references = along(&relation.name, &relation.path, None);
    for way in &relation.ways {
        let only = Match { column: way.column.clone(), value: way.word.clone() };
        references.extend(along(&relation.name, &way.path, Some(only)));
    }
    if let Some(via) = &relation.via {
        references.push(Reference::single((&via.table, &via.column), (&relation.name, &via.own)));
    }
    references
}

/// The word decides on the first step only; from there on the way is a plain one.
fn along(from: &str, path: &[Step], only: Option<Match>) -> Vec<Reference> {
    let (mut from, mut only, mut references) = (from, only, Vec::new());
    for step in path {
        references.push(Reference::step(from, step, only.take()));
        from = &step.references;
    }
    references
}

/// Memberships name a person and a tenant.
fn of_members(map: &RelationMap) -> Vec<Reference> {
    let Some(members) = &map.members else { return Vec::new() };
    let person = map.users.as_ref().map(|users| {
        Reference::single((&members.table, &members.member), (&users.table, &users.id))
    });
    let tenant = map.root.table.as_deref().zip(map.root.key.as_deref());
    let tenant = tenant.map(|root| Reference::single((&members.table, &members.tenant), root));
    person.into_iter().chain(tenant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impersonation::{BrowsedColumn, RowKey};
    use crate::isolation::map::Way;

    fn browsed(name: &str, columns: &[&str]) -> BrowsedRelation {
        let column = |name: &&str| BrowsedColumn {
            name: (*name).to_owned(),
            type_name: "bigint".to_owned(),
            not_null: false,
            numeric: true,
            sortable: true,
            wide: false,
        };
        BrowsedRelation {
            name: name.to_owned(),
            class: Class::Keyed,
            columns: columns.iter().map(column).collect(),
            key: RowKey::None,
            rows_estimate: None,
            target: RelationName::new("app", name),
        }
    }

    fn step(column: &str, to: &str) -> Step {
        Step { columns: vec![column.into()], references: to.into(), referenced: vec!["id".into()] }
    }

    #[test]
    fn each_step_of_a_way_is_a_reference_and_the_word_decides_on_the_first_only() {
        let path = vec![step("owner_id", "b"), step("c_id", "c")];
        let way = Way { column: "owner_type".into(), word: "B".into(), path };
        let relation = Relation { ways: vec![way], ..Relation::new("a", Class::Derived) };
        let found = of_relation(&relation);
        let ends: Vec<_> = found.iter().map(|r| (r.from.as_str(), r.to.as_str())).collect();
        assert_eq!(ends, [("a", "b"), ("b", "c")]);
        let word = Match { column: "owner_type".into(), value: "B".into() };
        assert_eq!((found[0].only.clone(), found[1].only.clone()), (Some(word), None));
    }

    #[test]
    fn what_cannot_be_read_at_either_end_is_no_reference() {
        let known = [browsed("a", &["b_id"]), browsed("b", &["id"]), browsed("c", &[])];
        let readable = |column: &str, to: &str| {
            Reference::step("a", &step(column, to), None).is_readable(&known)
        };
        assert!(readable("b_id", "b"));
        assert!(!readable("hidden", "b"));
        assert!(!readable("b_id", "c"), "its key is hidden");
        assert!(!readable("b_id", "d"), "it is not there");
        let typed = Match { column: "b_type".into(), value: "B".into() };
        assert!(!Reference::step("a", &step("b_id", "b"), Some(typed)).is_readable(&known));
    }
}
