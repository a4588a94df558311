//! Rows of a query in text form, through a cursor, with caps.
//!
//! The query goes out as one statement of the extended protocol inside `DECLARE .. CURSOR`, so it
//! can be no second statement; then our constant `FETCH` goes by the simple protocol, which
//! gives the text form of every type. Both are sent before an answer is awaited.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::try_join3;
use futures_util::{FutureExt as _, TryFutureExt as _, TryStreamExt as _};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryStream};

use super::tripwire::{Leak, Tripwire};
use crate::postgres::{ServerError, Sql, Transaction};
use crate::text::Untrusted;

/// What stands before the query; error positions are counted without it.
const DECLARE: &str = "declare tenantdesk_rows no scroll cursor for ";
/// Rows of the first fetch; how many follow depends on how wide these were.
const FIRST: usize = 128;
/// Rows of a later fetch at most: what is on its way when the byte cap is reached is thrown away.
const LATER: usize = 10_000;

/// What a result may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows at most.
    pub rows: usize,
    /// Bytes of values at most.
    pub bytes: u64,
    /// Time at most; never more than the session has left.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 1_000, bytes: 8 << 20, time: Duration::from_secs(30) }
    }
}

/// Which cap cut a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// There are more rows.
    Rows,
    /// The rows are too large.
    Bytes,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Untrusted,
    /// Its type, where it was asked for.
    pub type_name: Option<String>,
}

/// Rows in text form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The columns; empty where the statement gives no rows.
    pub columns: Vec<Column>,
    /// The rows; none is NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Which cap cut the result, if one did.
    pub cut: Option<Cut>,
    /// Bytes of all values that are here.
    pub bytes: u64,
}

/// Why a statement stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server.
    Server(Box<ServerError>),
    /// The tripwire.
    Leak(Leak),
}

impl From<ServerError> for Stop {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(Box::new(error.into()))
    }
}

/// Takes rows until a cap is reached; looks at every one of them.
#[derive(Debug)]
pub(super) struct Collector<'t> {
    tripwire: &'t Tripwire,
    pub(super) limits: Limits,
    watched: Vec<usize>,
    pub(super) rows: Rows,
    /// Rows that came, also those beyond the cap.
    pub(super) seen: u64,
}

impl<'t> Collector<'t> {
    pub(super) fn new(tripwire: &'t Tripwire, limits: Limits) -> Self {
        Self { tripwire, limits, watched: Vec::new(), rows: Rows::default(), seen: 0 }
    }

    /// Takes the names of the columns.
    pub(super) fn columns(&mut self, names: impl IntoIterator<Item = String>) {
        let column = |name: String| Column { name: name.into(), type_name: None };
        self.rows.columns = names.into_iter().map(column).collect();
        self.watched = self.tripwire.watched(self.rows.columns.iter().map(|c| c.name.raw()));
    }

    /// Takes a row, or lets it fall beyond a cap; a foreign one stops everything.
    pub(super) fn row(&mut self, cells: Vec<Option<String>>) -> Result<(), Stop> {
        for &index in &self.watched {
            if self.tripwire.is_foreign(cells.get(index).and_then(Option::as_deref)) {
                let column = self.rows.columns.get(index).map(|c| c.name.screen());
                return Err(Stop::Leak(Leak { column: column.unwrap_or_default() }));
            }
        }
        self.seen += 1;
        if self.rows.cut.is_some() {
            return Ok(());
        }
        let size: usize = cells.iter().flatten().map(String::len).sum();
        if self.rows.rows.len() >= self.limits.rows {
            self.rows.cut = Some(Cut::Rows);
        } else if self.rows.bytes + size as u64 > self.limits.bytes {
            self.rows.cut = Some(Cut::Bytes);
        } else {
            self.rows.bytes += size as u64;
            let untrusted = |cell: Option<String>| cell.map(Untrusted::from);
            self.rows.rows.push(cells.into_iter().map(untrusted).collect());
        }
        Ok(())
    }

    /// How many rows to ask for next: one more than fits, so that a cut is never silent.
    fn next(&self) -> usize {
        let missing = (self.limits.rows - self.rows.rows.len().min(self.limits.rows)) + 1;
        if self.seen == 0 {
            return missing.min(FIRST);
        }
        let average = (self.rows.bytes / self.seen).max(1);
        let fits = (self.limits.bytes - self.rows.bytes.min(self.limits.bytes)) / average + 16;
        missing.min(usize::try_from(fits).unwrap_or(LATER)).min(LATER)
    }
}

/// Sets how long the statements of this transaction may run.
pub(super) fn time_limit(time: Duration) -> Sql {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, 86_400_000);
    Sql::new("set local statement_timeout = ").number(millis)
}

/// Runs a query through a cursor. `values` travel as text parameters.
pub(super) async fn fetch(
    transaction: &Transaction<'_>,
    query: &Sql,
    values: &[Option<String>],
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let declare = Sql::new(DECLARE).append(query);
    let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect();
    let mut wanted = collector.next();
    let ((), _, mut stream) = try_join3(
        transaction.batch(&time_limit(collector.limits.time)).boxed(),
        transaction
            .client()
            .execute_typed(declare.as_str(), &parameters)
            .map_err(|error| shifted(error.into(), DECLARE))
            .boxed(),
        transaction.simple_stream(&fetch_forward(wanted)).boxed(),
    )
    .await?;
    loop {
        let before = collector.seen;
        drain(stream, collector).await?;
        let got = collector.seen - before;
        if collector.rows.cut.is_some() || got < wanted as u64 {
            return Ok(());
        }
        wanted = collector.next();
        stream = transaction.simple_stream(&fetch_forward(wanted)).await?;
    }
}

fn fetch_forward(count: usize) -> Sql {
    Sql::new("fetch forward ").number(count as u64).text(" from tenantdesk_rows")
}

/// Takes what one FETCH gives; stops early where a cap is reached.
async fn drain(stream: SimpleQueryStream, collector: &mut Collector<'_>) -> Result<(), Stop> {
    let mut stream = pin!(stream);
    while let Some(message) = stream.try_next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                collector.columns(columns.iter().map(|column| column.name().to_owned()));
            }
            SimpleQueryMessage::Row(row) => {
                let cells: Result<Vec<_>, _> =
                    (0..row.len()).map(|i| row.try_get(i).map(|c| c.map(str::to_owned))).collect();
                collector.row(cells?)?;
                if collector.rows.cut.is_some() {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The error with its position counted from the operator's own text.
pub(super) fn shifted(error: ServerError, prefix: &str) -> ServerError {
    match error {
        ServerError::Statement { state, message, detail, hint, constraint, position } => {
            let before = u32::try_from(prefix.chars().count()).unwrap_or(0);
            let position = position.and_then(|at| at.checked_sub(before)).filter(|at| *at > 0);
            ServerError::Statement { state, message, detail, hint, constraint, position }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::map::RelationMap;

    fn tripwire() -> Tripwire {
        let map = RelationMap::from_toml(include_str!("../../assets/starter/map.toml")).unwrap();
        Tripwire::new(&map, "a1")
    }

    fn row(text: &str) -> Vec<Option<String>> {
        vec![Some(text.to_owned())]
    }

    #[test]
    fn a_cut_is_told_and_rows_beyond_it_are_still_watched() {
        let tripwire = tripwire();
        let limits = Limits { rows: 1, ..Limits::default() };
        let mut collector = Collector::new(&tripwire, limits);
        collector.columns(["tenant_id".to_owned()]);
        collector.row(row("a1")).unwrap();
        assert_eq!(collector.rows.cut, None);
        collector.row(vec![None]).unwrap();
        assert_eq!((collector.rows.cut, collector.rows.rows.len()), (Some(Cut::Rows), 1));
        assert!(matches!(collector.row(row("b2")), Err(Stop::Leak(_))));
    }

    #[test]
    fn large_rows_are_cut_by_bytes_and_fetched_few_at_a_time() {
        let tripwire = tripwire();
        let limits = Limits { rows: 1_000, bytes: 1_000, ..Limits::default() };
        let mut collector = Collector::new(&tripwire, limits);
        collector.columns(["x".to_owned()]);
        assert_eq!(collector.next(), FIRST);
        collector.row(row(&"x".repeat(400))).unwrap();
        assert_eq!(collector.next(), 17);
        collector.row(row(&"x".repeat(601))).unwrap();
        assert_eq!((collector.rows.cut, collector.rows.bytes), (Some(Cut::Bytes), 400));
    }
}
