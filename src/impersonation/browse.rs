//! The data browser inside an impersonation: relations with estimates, pages, one record, counts.
//!
//! Everything it reads is recorded as a statement, with its shape and outcome, as if it had been
//! typed; the list of relations, many small questions, is one record.

use std::mem;
use std::time::Duration;

use futures_util::TryFutureExt as _;
use futures_util::future::try_join_all;
use serde_json::Value;

use super::error::ImpersonationError;
use super::fetch::{Collector, Cut, Limits, Rows, Stop, fetch};
use super::grid::{self, BrowsedColumn, BrowsedRelation};
use super::keyset::KeySet;
use super::page::{
    CELL, CELL_OF_RECORD, NoSuch, Page, PageAsk, PageQuery, RECORD_BYTES, RecordField, count_query,
    page_query, record_query,
};
use super::record::Tally;
use super::shape::Shape;
use super::statement::Impersonation;
use super::tripwire::Tripwire;
use crate::failure::Failure;
use crate::identity::RequestId;
use crate::isolation::relations;
use crate::postgres::{ServerError, Sql, Transaction};
use crate::text::Untrusted;

/// One query of the browser.
pub(super) struct Question<'q> {
    pub(super) sql: &'q Sql,
    pub(super) values: &'q [Option<String>],
    /// What the operator typed into the filter, and the keys that were followed: their digests are
    /// recorded.
    pub(super) typed: &'q [&'q str],
    pub(super) rows: usize,
    pub(super) bytes: u64,
    pub(super) time: Duration,
    pub(super) request: Option<RequestId>,
}

impl From<NoSuch> for ImpersonationError {
    fn from(missing: NoSuch) -> Self {
        Self::NotFound(missing.0)
    }
}

/// A key that is no value of its column's type names no row.
fn no_such_record(relation: &str, error: ImpersonationError) -> ImpersonationError {
    match error {
        ImpersonationError::Statement(ServerError::Statement { state, .. })
            if state.starts_with("22") =>
        {
            ImpersonationError::NotFound(format!("the record of {relation}"))
        }
        other => other,
    }
}

impl Impersonation {
    /// The relations that can be browsed, in the order of the map, with the planner's estimate of
    /// this tenant's rows.
    ///
    /// # Errors
    /// [`ImpersonationError`].
    pub async fn relations(
        &self,
        request: Option<RequestId>,
    ) -> Result<Vec<BrowsedRelation>, ImpersonationError> {
        let mut relations = self.known(request).await?.clone();
        let limits = self.limits(1);
        let shape = Shape { text: "explain every relation".to_owned(), literals: Vec::new() };
        let work = async {
            let transaction = self.reading().await?;
            let estimates = estimates(&transaction, &relations).await?;
            let tally = Tally { rows: estimates.len() as u64, bytes: 0 };
            Ok((estimates, tally))
        };
        let estimates = self.recorded(request, &shape, limits, work).await?;
        for (relation, estimate) in relations.iter_mut().zip(estimates) {
            relation.rows_estimate = estimate;
        }
        Ok(relations)
    }

    /// A page of rows.
    ///
    /// # Errors
    /// [`ImpersonationError::NotFound`] where the relation or a column is not there.
    pub async fn page(&self, ask: &PageAsk) -> Result<Page, ImpersonationError> {
        let relation = self.relation(&ask.relation, ask.request).await?;
        let query = page_query(relation, ask)?;
        let (sql, values, rows) = (&query.sql, &query.values[..], ask.limit + 1);
        let (Limits { bytes, time, .. }, request) = (Limits::default(), ask.request);
        let typed = &ask.typed();
        let question = Question { sql, values, typed, rows, bytes, time, request };
        let names_a_row = ask.filter.is_none() && !ask.at.is_empty();
        let rows = self.browse(relation, question).await.map_err(|error| {
            if names_a_row { no_such_record(&ask.relation, error) } else { error }
        })?;
        Ok(page(&query, rows, ask, relation.note()))
    }

    /// One record in full: its columns and its values, found by [`Page::keys`].
    ///
    /// # Errors
    /// [`ImpersonationError::NotFound`] where it is gone or was never this tenant's; a record that
    /// is too large to be held is refused.
    pub async fn record(
        &self,
        name: &str,
        key: &KeySet,
        request: Option<RequestId>,
    ) -> Result<Vec<RecordField>, ImpersonationError> {
        let relation = self.relation(name, request).await?;
        let query = record_query(relation, key)?;
        let (sql, values) = (&query.sql, &query.values[..]);
        let time = Limits::default().time;
        let bytes = RECORD_BYTES;
        let question = Question { sql, values, typed: &[], rows: 1, bytes, time, request };
        let rows = self.browse(relation, question).await;
        let mut rows = rows.map_err(|error| no_such_record(name, error))?;
        if rows.cut == Some(Cut::Bytes) {
            return Err(ImpersonationError::Below(too_large()));
        }
        let gone = || ImpersonationError::NotFound(format!("the record of {name}"));
        let mut row = rows.rows.pop().ok_or_else(gone)?;
        let shortened = shorten(&query.shown, &mut row, CELL_OF_RECORD);
        let fields = query.shown.into_iter().zip(row).enumerate();
        let field = |(index, (column, value))| {
            let shortened = shortened.contains(&index);
            RecordField { column, value, shortened }
        };
        Ok(fields.map(field).collect())
    }

    /// The exact number of rows that pages of this ask have together.
    ///
    /// # Errors
    /// [`ImpersonationError`].
    pub async fn count(&self, ask: &PageAsk) -> Result<i64, ImpersonationError> {
        let request = ask.request;
        let relation = self.relation(&ask.relation, request).await?;
        let (sql, values) = count_query(relation, ask)?;
        let Limits { bytes, time, .. } = Limits::default();
        let (sql, values, typed) = (&sql, &values[..], &ask.typed()[..]);
        let question = Question { sql, values, typed, rows: 1, bytes, time, request };
        let rows = self.browse(relation, question).await?;
        let first = rows.rows.first().and_then(|row| row.first()).and_then(Option::as_ref);
        first.and_then(|text| text.raw().parse().ok()).ok_or_else(|| {
            ImpersonationError::Statement(ServerError::Answer("count gave no number".to_owned()))
        })
    }

    /// Runs a query of the browser, recorded.
    pub(super) async fn browse(
        &self,
        relation: &BrowsedRelation,
        question: Question<'_>,
    ) -> Result<Rows, ImpersonationError> {
        let Question { sql, values, typed, rows, bytes, time, request } = question;
        let tripwire = Tripwire::for_relation(&self.map, self.tenant.id.as_str(), &relation.name);
        let limits = Limits { bytes, time: self.time(time), ..self.limits(rows) };
        let mut shape = Shape::of(sql.as_str());
        shape.literals.clear();
        for typed in typed {
            shape = shape.with_value(typed);
        }
        let work = async {
            let transaction = self.reading().await?;
            let mut collector = Collector::new(&tripwire, limits);
            fetch(&transaction, sql, values, &mut collector).await?;
            let tally = Tally { rows: collector.seen, bytes: collector.rows.bytes };
            Ok((collector.rows, tally))
        };
        self.recorded(request, &shape, limits, work).await
    }

    pub(super) fn limits(&self, rows: usize) -> Limits {
        let usual = Limits::default();
        Limits { rows, time: self.time(usual.time), ..usual }
    }

    /// A relation by the name of the map.
    pub(super) async fn relation(
        &self,
        name: &str,
        request: Option<RequestId>,
    ) -> Result<&BrowsedRelation, ImpersonationError> {
        let known = self.known(request).await?;
        known
            .iter()
            .find(|relation| relation.name == name)
            .ok_or_else(|| ImpersonationError::NotFound(format!("relation {name}")))
    }

    /// Columns and keys of all relations, read once in a session. They are the same for all
    /// tenants, but what is kept of them goes with the session all the same.
    pub(super) async fn known(
        &self,
        request: Option<RequestId>,
    ) -> Result<&Vec<BrowsedRelation>, ImpersonationError> {
        self.relations
            .get_or_try_init(|| async {
                let listed = relations::list(self.session.console()).await?;
                let shape =
                    Shape { text: "read columns and keys".to_owned(), literals: Vec::new() };
                let work = async {
                    let transaction = self.reading().await?;
                    let known = grid::load(&transaction, &self.map.all(), &listed).await?;
                    let tally = Tally { rows: known.len() as u64, bytes: 0 };
                    Ok((known, tally))
                };
                self.recorded(request, &shape, self.limits(1), work).await
            })
            .await
    }
}

impl From<Failure> for ImpersonationError {
    fn from(failure: Failure) -> Self {
        Self::Below(failure)
    }
}

/// The planner's estimates under the guard: all questions are sent before an answer is awaited.
async fn estimates(
    transaction: &Transaction<'_>,
    relations: &[BrowsedRelation],
) -> Result<Vec<Option<i64>>, Stop> {
    let questions: Vec<Sql> = relations
        .iter()
        .map(|relation| Sql::new("explain (format json) select 1 from ").relation(&relation.target))
        .collect();
    let asked = questions.iter().map(|question| {
        transaction.client().query_typed(question.as_str(), &[]).map_err(Stop::from)
    });
    let answers = try_join_all(asked).await?;
    Ok(answers
        .iter()
        .map(|rows| {
            let plan: Value = rows.first()?.try_get(0).ok()?;
            let rows = plan.pointer("/0/Plan/Plan Rows")?;
            rows.as_i64()
        })
        .collect())
}

/// Sorts what came back into what is shown and the keys behind it.
fn page(query: &PageQuery, mut got: Rows, ask: &PageAsk, note: Option<&'static str>) -> Page {
    let more = got.rows.len() > ask.limit || got.cut == Some(Cut::Bytes);
    got.rows.truncate(ask.limit);
    if query.backwards {
        got.rows.reverse();
    }
    let shown = query.shown.len();
    let mut orders = Vec::with_capacity(got.rows.len());
    let mut shortened = Vec::new();
    for (number, row) in got.rows.iter_mut().enumerate() {
        let keys = row.split_off(shown.min(row.len()));
        let text = |cell: Option<Untrusted>| cell.map(|cell| cell.raw().to_owned());
        orders.push(KeySet(keys.into_iter().map(text).collect()));
        let cut = shorten(&query.shown, row, CELL);
        shortened.extend(cut.into_iter().map(|column| (number, column)));
    }
    let started = ask.from == super::page::From::Start;
    let paged = !query.key_places.is_empty();
    let (before, after) = if query.backwards { (more, true) } else { (!started, more) };
    let key = |order: &KeySet| {
        KeySet(query.key_places.iter().filter_map(|place| order.0.get(*place).cloned()).collect())
    };
    Page {
        columns: query.shown.clone(),
        keys: if paged { orders.iter().map(key).collect() } else { Vec::new() },
        before: orders.first().filter(|_| before && paged).cloned(),
        after: orders.last().filter(|_| after && paged).cloned(),
        rows: mem::take(&mut got.rows),
        shortened,
        cut: got.cut.filter(|cut| *cut == Cut::Bytes),
        note: note.filter(|_| paged || more),
    }
}

/// Marks long values that the server was asked to cut, and says which columns they are in.
fn shorten(shown: &[BrowsedColumn], row: &mut [Option<Untrusted>], cell: u64) -> Vec<usize> {
    let most = usize::try_from(cell).unwrap_or(usize::MAX);
    let mut shortened = Vec::new();
    let wide = row.iter_mut().zip(shown).enumerate().filter(|(_, (_, column))| column.wide);
    for (index, (value, _)) in wide {
        let end = value.as_ref().and_then(|text| text.raw().char_indices().nth(most));
        if let (Some((end, _)), Some(text)) = (end, value.as_ref()) {
            *value = Some(Untrusted::new(format!("{}…", &text.raw()[..end])));
            shortened.push(index);
        }
    }
    shortened
}

fn too_large() -> Failure {
    let most = crate::format::bytes(RECORD_BYTES);
    Failure::refused(format!("the record is larger than {most}"))
        .hint("read the columns you need with a statement")
}
