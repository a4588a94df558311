//! From one row to its neighbours: the parents that it points to, the children that point to it.
//!
//! Whether a parent is there, and this tenant's, only its page can tell: a row of another tenant
//! and one that does not exist look the same. Children are counted in one statement, each up to a
//! limit and all of them within a few seconds, so that a row with a million children costs no more
//! than one with a thousand.

use std::time::Duration;

use super::browse::Question;
use super::error::ImpersonationError;
use super::fetch::Limits;
use super::grid::BrowsedRelation;
use super::page::{NoSuch, matching};
use super::record::Tally;
use super::reference::{self, Match, Reference};
use super::shape::Shape;
use super::statement::Impersonation;
use crate::identity::RequestId;
use crate::postgres::{Meaning, Sql};
use crate::text::Untrusted;

/// Children of one relation are counted up to here.
pub const MOST_COUNTED: u64 = 1_000;
/// What the counts may take together.
const COUNTING: Duration = Duration::from_secs(5);

/// The values of a row by the names of their columns; none is NULL.
pub type RowValues = [(String, Option<String>)];

/// Where one can go from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// What the row points to; the shortest keys first.
    pub parents: Vec<Link>,
    /// What points to the row.
    pub children: Vec<Link>,
}

/// One way from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The reference that it goes along.
    pub reference: Reference,
    /// Which rows of the other relation are meant; none where a value of the key is NULL, so that
    /// there is nothing to go to.
    pub at: Option<Vec<Match>>,
    /// How many children there are, where they were counted.
    pub rows: Option<Counted>,
}

/// A number of rows, counted up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The rows, at most [`MOST_COUNTED`].
    pub rows: u64,
    /// Whether there are more.
    pub more: bool,
}

impl Impersonation {
    /// Where one can go from a row of a relation. With `counted`, the children are counted.
    ///
    /// # Errors
    /// [`ImpersonationError::NotFound`] where there is no such relation. Counts that cannot be had
    /// in time are left out, and no error.
    pub async fn links(
        &self,
        relation: &str,
        row: &RowValues,
        counted: bool,
        request: Option<RequestId>,
    ) -> Result<Links, ImpersonationError> {
        let known = self.relation(relation, request).await?;
        let references = self.references(request).await?;
        let mut links = links(references, relation, row);
        if counted {
            self.count_children(known, &mut links.children, request).await?;
        }
        Ok(links)
    }

    /// All references between what can be browsed, read once in a session.
    async fn references(
        &self,
        request: Option<RequestId>,
    ) -> Result<&Vec<Reference>, ImpersonationError> {
        let known = self.known(request).await?;
        self.references
            .get_or_try_init(|| async {
                let shape = Shape { text: "read foreign keys".to_owned(), literals: Vec::new() };
                let work = async {
                    let transaction = self.reading().await?;
                    let references = reference::load(&transaction, &self.map, known).await?;
                    let tally = Tally { rows: references.len() as u64, bytes: 0 };
                    Ok((references, tally))
                };
                self.recorded(request, &shape, self.limits(1), work).await
            })
            .await
    }

    /// Counts in one statement; leaves the counts out where the server cannot give them.
    async fn count_children(
        &self,
        relation: &BrowsedRelation,
        children: &mut [Link],
        request: Option<RequestId>,
    ) -> Result<(), ImpersonationError> {
        let mut values = Vec::new();
        let (mut counts, mut counted) = (Vec::new(), Vec::new());
        for (index, link) in children.iter().enumerate() {
            let Some(at) = &link.at else { continue };
            let child = self.relation(&link.reference.from, request).await?;
            counts.push(count_of(child, at, &mut values)?);
            counted.push(index);
        }
        if counts.is_empty() {
            return Ok(());
        }
        let sql = Sql::new("select ").append(&Sql::join(&counts, ", "));
        let typed: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
        let question = Question {
            sql: &sql,
            values: &values,
            typed: &typed,
            rows: 1,
            bytes: Limits::default().bytes,
            time: COUNTING,
            request,
        };
        let row = match self.browse(relation, question).await {
            Ok(mut rows) => rows.rows.pop().unwrap_or_default(),
            Err(ImpersonationError::TimedOut { .. }) => return Ok(()),
            // A word of a polymorphic pair may lead to a key of another type.
            Err(ImpersonationError::Statement(error)) if error.meaning() != Meaning::Gone => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (index, cell) in counted.into_iter().zip(&row) {
            let rows = cell.as_ref().and_then(|text| text.raw().parse::<u64>().ok());
            children[index].rows = rows
                .map(|rows| Counted { rows: rows.min(MOST_COUNTED), more: rows > MOST_COUNTED });
        }
        Ok(())
    }
}

/// `(select count(*) from (select from child where .. limit 1001) counted)`
fn count_of(
    child: &BrowsedRelation,
    at: &[Match],
    values: &mut Vec<Option<String>>,
) -> Result<Sql, NoSuch> {
    let conditions = matching(child, at, values)?;
    Ok(Sql::new("(select pg_catalog.count(*) from (select from ")
        .relation(&child.target)
        .text(" where ")
        .append(&Sql::join(&conditions, " and "))
        .text(" limit ")
        .number(MOST_COUNTED + 1)
        .text(") counted)"))
}

/// The ways from a row along these references.
fn links(references: &[Reference], relation: &str, row: &RowValues) -> Links {
    let value = |name: &String| {
        let found = row.iter().find(|(column, _)| column == name);
        found.map(|(_, value)| value.as_deref())
    };
    // Of a row, only what is wholly here can be followed.
    let has = |columns: &[String]| columns.iter().all(|name| value(name).is_some());
    let pair = |(there, here): (&String, &String)| {
        value(here).flatten().map(|value| Match { column: there.clone(), value: value.to_owned() })
    };
    let of_word = |only: &Match| value(&only.column).flatten() == Some(only.value.as_str());
    let parents = references.iter().filter(|one| {
        one.from == relation && has(&one.columns) && one.only.as_ref().is_none_or(of_word)
    });
    let mut parents: Vec<Link> = parents
        .map(|one| Link {
            at: one.referenced.iter().zip(&one.columns).map(pair).collect(),
            reference: one.clone(),
            rows: None,
        })
        .collect();
    parents.sort_by_key(|link| link.reference.columns.len());
    let children = references.iter().filter(|one| one.to == relation && has(&one.referenced));
    let children = children.map(|one| {
        let at: Option<Vec<Match>> = one.columns.iter().zip(&one.referenced).map(pair).collect();
        let at = at.map(|at| at.into_iter().chain(one.only.clone()).collect());
        Link { at, reference: one.clone(), rows: None }
    });
    Links { children: children.collect(), parents }
}

/// The values of a record, as far as they are whole.
#[must_use]
pub fn row_values(fields: &[super::page::RecordField]) -> Vec<(String, Option<String>)> {
    let whole = fields.iter().filter(|field| !field.shortened);
    whole
        .map(|field| {
            let value = field.value.as_ref().map(Untrusted::raw).map(str::to_owned);
            (field.column.name.clone(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(from: &str, columns: &[&str], to: &str, referenced: &[&str]) -> Reference {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (from, to) = (from.to_owned(), to.to_owned());
        Reference { from, columns: own(columns), to, referenced: own(referenced), only: None }
    }

    fn row(values: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
        let own =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        values.iter().map(own).collect()
    }

    #[test]
    fn keys_of_several_columns_are_paired_in_their_order_and_null_leads_nowhere() {
        let composite = reference("a", &["T", "b"], "b", &["t", "Id"]);
        let single = reference("a", &["c"], "c", &["id"]);
        let references = [composite, single];
        let found =
            links(&references, "a", &row(&[("T", Some("1")), ("b", Some("2")), ("c", None)]));
        let names: Vec<_> = found.parents.iter().map(|link| link.reference.to.as_str()).collect();
        assert_eq!(names, ["c", "b"]);
        assert_eq!(found.parents[0].at, None);
        let at = |column: &str, value: &str| Match { column: column.into(), value: value.into() };
        assert_eq!(found.parents[1].at, Some(vec![at("t", "1"), at("Id", "2")]));
        let back = links(&references, "b", &row(&[("t", Some("1")), ("Id", Some("2"))]));
        assert_eq!(back.children[0].at, Some(vec![at("T", "1"), at("b", "2")]));
    }

    #[test]
    fn a_word_leads_to_its_own_relation_only() {
        let only = |word: &str| Some(Match { column: "kind".into(), value: word.into() });
        let to =
            |to: &str| Reference { only: only(to), ..reference("notes", &["owner"], to, &["id"]) };
        let references = [to("x"), to("y")];
        let values = row(&[("owner", Some("7")), ("kind", Some("y"))]);
        let found = links(&references, "notes", &values);
        assert_eq!(found.parents.len(), 1);
        assert_eq!(found.parents[0].reference.to, "y");
        let children = links(&references, "x", &row(&[("id", Some("7"))])).children;
        assert_eq!(children[0].at.as_ref().unwrap()[1], only("x").unwrap());
    }

    #[test]
    fn a_value_that_is_not_wholly_here_cannot_be_followed() {
        let references = [reference("a", &["b"], "b", &["id"])];
        assert!(links(&references, "a", &row(&[("c", Some("1"))])).parents.is_empty());
    }
}
