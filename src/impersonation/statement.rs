//! The running impersonation, and one statement in it: recorded, run, recorded.
//!
//! The record of the intent is committed before the statement reaches the server; without it
//! nothing runs. The outcome is recorded whatever happens. One statement at a time: the session
//! has one connection, and a second caller waits its turn.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::types::{FromSql, Type};

use super::end::{Ending, how_it_ended};
use super::error::ImpersonationError;
use super::fetch::{Collector, Limits, Rows, Stop, fetch, time_limit};
use super::grid::BrowsedRelation;
use super::kind::{Classified, StatementKind, classify};
use super::shape::Shape;
use super::tripwire::{Leak, Tripwire};
use super::written;
use crate::audit::Attested;
use crate::clock;
use crate::console::ConsoleError;
use crate::identity::{Mode, OperatorName, Reason, RequestId};
use crate::isolation::map::RelationMap;
use crate::postgres::{Canceller, Isolation, Meaning, ServerError, Sql, Transaction};
use crate::tenant::directory::Tenant;
use crate::tenant::members::Member;
use crate::tenant::session::{SessionRole, TenantSession};
use crate::tenant::sessions;

/// A running impersonation. What it caches belongs to this operator and tenant and goes with it.
#[derive(Debug)]
pub struct Impersonation {
    pub(super) session: TenantSession,
    pub(super) map: RelationMap,
    /// In which tenant.
    pub tenant: Tenant,
    /// As whom; none where the target has no members.
    pub member: Option<Member>,
    /// Why.
    pub reason: Reason,
    /// The ticket.
    pub ticket: Option<String>,
    pub(super) relations: OnceCell<Vec<BrowsedRelation>>,
    turn: Mutex<()>,
    /// Set for good when the tripwire was touched.
    stopped: OnceLock<Leak>,
    cancelled: Arc<AtomicBool>,
}

/// One statement to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// As it was typed.
    pub sql: String,
    /// What the result may cost.
    pub limits: Limits,
    /// Whether the types of the columns are wanted; they cost one round trip.
    pub types: bool,
    /// The request it belongs to; the session's own where none is named.
    pub request: Option<RequestId>,
}

impl Ask {
    /// A statement with the usual limits.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), limits: Limits::default(), types: false, request: None }
    }
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it was.
    pub kind: StatementKind,
    /// Rows it changed; none for statements that read, or where the server does not tell.
    pub rows_affected: Option<u64>,
    /// What it returned.
    pub rows: Rows,
    /// How long the server took.
    pub took: TimeDelta,
}

/// Stops the running statement, from any task.
#[derive(Debug, Clone)]
pub struct StatementCanceller {
    canceller: Canceller,
    cancelled: Arc<AtomicBool>,
}

impl StatementCanceller {
    /// Asks the server to stop the statement; it then ends with [`ImpersonationError::Cancelled`].
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn cancel(&self) -> Result<(), ServerError> {
        self.cancelled.store(true, Ordering::Relaxed);
        self.canceller.cancel().await
    }
}

/// What the outcome in the ledger says of the result.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Impersonation {
    pub(super) fn new(
        session: TenantSession,
        map: RelationMap,
        tenant: Tenant,
        member: Option<Member>,
        reason: Reason,
        ticket: Option<String>,
    ) -> Self {
        Self {
            session,
            map,
            tenant,
            member,
            reason,
            ticket,
            relations: OnceCell::new(),
            turn: Mutex::new(()),
            stopped: OnceLock::new(),
            cancelled: Arc::default(),
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.session.id
    }

    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> &OperatorName {
        self.session.console().operator()
    }

    /// To read or to write.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.session.mode
    }

    /// Since when, by the database's clock.
    #[must_use]
    pub fn opened_at(&self) -> DateTime<Utc> {
        self.session.opened_at
    }

    /// Until when at most, by the database's clock.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.session.expires_at
    }

    /// Whether the server has closed the connection: an end from elsewhere does.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// A handle that stops the running statement.
    #[must_use]
    pub fn canceller(&self) -> StatementCanceller {
        StatementCanceller {
            canceller: self.session.canceller(),
            cancelled: Arc::clone(&self.cancelled),
        }
    }

    /// Runs one statement. In write mode it is committed when this returns.
    ///
    /// # Errors
    /// [`ImpersonationError`]; nothing is changed then, but for a connection that was lost during
    /// COMMIT.
    pub async fn run(&self, ask: &Ask) -> Result<Outcome, ImpersonationError> {
        let classified = classify(&ask.sql, self.mode())?;
        let shape = Shape::of(classified.text);
        let tripwire = Tripwire::new(&self.map, self.tenant.id.as_str());
        let limits = Limits { time: self.time(ask.limits.time), ..ask.limits };
        let started = Instant::now();
        let work = async {
            let mut collector = Collector::new(&tripwire, limits);
            let rows_affected = self.execute(&classified, ask.types, &mut collector).await?;
            let tally = Tally {
                rows: rows_affected.unwrap_or(collector.seen),
                bytes: collector.rows.bytes,
            };
            Ok(((rows_affected, collector.rows), tally))
        };
        let (rows_affected, rows) = self.recorded(ask.request, &shape, limits, work).await?;
        let took = TimeDelta::from_std(started.elapsed()).unwrap_or_default();
        Ok(Outcome { kind: classified.kind, rows_affected, rows, took })
    }

    /// Runs a judged statement in a transaction of its own.
    async fn execute(
        &self,
        classified: &Classified<'_>,
        types: bool,
        collector: &mut Collector<'_>,
    ) -> Result<Option<u64>, Stop> {
        let writes = matches!(classified.kind, StatementKind::Insert | StatementKind::Change);
        let isolation = if writes { Isolation::ReadWrite } else { Isolation::ReadOnly };
        let transaction = self.session.transaction(classified.role, isolation).await?;
        let mut affected = None;
        match classified.kind {
            StatementKind::Read => {
                let query = Sql::danger_operator_text(classified.text);
                fetch(&transaction, &query, &[], collector).await?;
            }
            StatementKind::Show | StatementKind::Explain => {
                transaction.batch(&time_limit(collector.limits.time)).await?;
                lines(&transaction, classified.text, collector).await?;
            }
            StatementKind::Insert | StatementKind::Change => {
                transaction.batch(&time_limit(collector.limits.time)).await?;
                affected = self.change(&transaction, classified, collector).await?;
            }
        }
        if writes {
            transaction.commit().await?;
        } else if types {
            // Not in a transaction that is to be committed: a question that fails would undo it.
            name_types(&transaction, classified.text, collector).await;
        }
        Ok(affected)
    }

    /// Runs a statement that writes; the caller commits.
    async fn change(
        &self,
        transaction: &Transaction<'_>,
        classified: &Classified<'_>,
        collector: &mut Collector<'_>,
    ) -> Result<Option<u64>, Stop> {
        if !classified.returning {
            return written::execute(transaction, classified.text).await.map(Some);
        }
        written::returning(transaction, classified.text, collector).await?;
        Ok(classified.counts.then_some(collector.seen))
    }

    /// Records the intent, does the work, records the outcome. A future does nothing before it
    /// is awaited, so `work` has not begun when the intent is written.
    pub(super) async fn recorded<T>(
        &self,
        request: Option<RequestId>,
        shape: &Shape,
        limits: Limits,
        work: impl Future<Output = Result<(T, Tally), Stop>>,
    ) -> Result<T, ImpersonationError> {
        let _turn = self.turn.lock().await;
        if let Some(leak) = self.stopped.get() {
            return Err(ImpersonationError::Leak(leak.clone()));
        }
        self.cancelled.store(false, Ordering::Relaxed);
        let request = request.unwrap_or_else(|| self.session.console().request()).as_uuid();
        let intent =
            self.session.record(Attested::statement_intent(&shape.text, &shape.literals, &request));
        let intent: i64 = match intent.await {
            Ok(rows) => rows.first().map_or(0, |row| row.get(0)),
            Err(error) => return Err(self.not_recorded(error).await),
        };
        let started = Instant::now();
        let result = work.await;
        let took = started.elapsed();
        if let Err(Stop::Leak(leak)) = &result {
            self.raise_alarm(leak).await;
        }
        self.record_outcome(intent, &result, took).await;
        match result {
            Ok((value, _)) => Ok(value),
            Err(Stop::Leak(leak)) => Err(ImpersonationError::Leak(leak)),
            Err(Stop::Server(error)) => Err(self.explained(error, limits).await),
        }
    }

    /// Records how a statement went. A record that fails does not undo what is done: it is tried
    /// twice, logged, and the intent stays visibly without outcome.
    async fn record_outcome<T>(
        &self,
        intent: i64,
        result: &Result<(T, Tally), Stop>,
        took: Duration,
    ) {
        let (outcome, tally, state) = match result {
            Ok((_, tally)) => ("ok", *tally, None),
            Err(Stop::Leak(_)) => ("stopped", Tally::default(), None),
            Err(Stop::Server(error)) => {
                let outcome = match error.meaning() {
                    Meaning::Cancelled if self.cancelled.load(Ordering::Relaxed) => "cancelled",
                    Meaning::Gone => "lost",
                    _ => "failed",
                };
                (outcome, Tally::default(), error.state().map(str::to_owned))
            }
        };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let rows = number(tally.rows);
        let bytes = number(tally.bytes);
        let millis = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        for last in [false, true] {
            let call =
                Attested::statement_outcome(&intent, &outcome, &rows, &bytes, &millis, &state);
            match self.session.record(call).await {
                Ok(_) => return,
                Err(error) if last => {
                    tracing::error!(session = self.id(), intent, %error, "the outcome of a statement could not be recorded");
                }
                Err(_) => {}
            }
        }
    }

    /// A foreign row: the event is in the ledger, the session is over, nothing is shown.
    async fn raise_alarm(&self, leak: &Leak) {
        let _first = self.stopped.set(leak.clone());
        let kind = "cross_tenant_leak_prevented";
        let detail = format!("column {}", leak.column);
        if let Err(error) = self.session.record(Attested::security_event(&kind, &detail)).await {
            tracing::error!(session = self.id(), %error, "the security event could not be recorded");
        }
        if let Err(error) = sessions::end(self.session.console(), self.id(), Some(kind)).await {
            tracing::error!(session = self.id(), %error, "the session could not be stopped");
        }
    }

    /// Why nothing was run: most often because the session is over.
    async fn not_recorded(&self, error: ConsoleError) -> ImpersonationError {
        match self.ending().await {
            Some(ending) => ImpersonationError::Ended(ending),
            None => ImpersonationError::NotRecorded(error),
        }
    }

    /// What an error of the server means here: an end of the session looks like many things.
    async fn explained(&self, error: ServerError, limits: Limits) -> ImpersonationError {
        let meaning = error.meaning();
        let could_be_the_end =
            matches!(meaning, Meaning::Gone | Meaning::Denied | Meaning::Cancelled);
        if could_be_the_end && let Some(ending) = self.ending().await {
            return ImpersonationError::Ended(ending);
        }
        match meaning {
            Meaning::Cancelled if self.cancelled.load(Ordering::Relaxed) => {
                ImpersonationError::Cancelled
            }
            Meaning::Cancelled => ImpersonationError::TimedOut { seconds: limits.time.as_secs() },
            _ => ImpersonationError::Statement(error),
        }
    }

    /// How the session ended; none where it lives or nobody can tell.
    async fn ending(&self) -> Option<Ending> {
        how_it_ended(self.session.console(), self.id()).await.ok().flatten()
    }

    /// The time a statement may take: what was asked for, and never more than is left.
    pub(super) fn time(&self, wanted: Duration) -> Duration {
        let left = (self.expires_at() - clock::now()).to_std().unwrap_or_default();
        wanted.min(left).max(Duration::from_millis(1))
    }

    /// A transaction that reads as the member.
    pub(super) async fn reading(&self) -> Result<Transaction<'_>, ServerError> {
        self.session.transaction(SessionRole::Reader, Isolation::ReadOnly).await
    }
}

/// Text in whatever type the server calls it: EXPLAIN gives text, JSON or XML, which are all
/// text on the wire.
struct AnyText(String);

impl<'r> FromSql<'r> for AnyText {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Runs what no cursor takes and what gives lines of text: SHOW and EXPLAIN.
async fn lines(
    transaction: &Transaction<'_>,
    text: &str,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let sql = Sql::danger_operator_text(text);
    let rows = transaction.client().query_typed(sql.as_str(), &[]).await?;
    if let Some(first) = rows.first() {
        collector.columns(first.columns().iter().map(|column| column.name().to_owned()));
    }
    for row in &rows {
        let cells: Result<Vec<_>, tokio_postgres::Error> = (0..row.len())
            .map(|index| row.try_get::<_, Option<AnyText>>(index).map(|c| c.map(|text| text.0)))
            .collect();
        collector.row(cells?)?;
    }
    Ok(())
}

/// Adds the names of the types; a statement that ran is not failed by what is an ornament.
async fn name_types(transaction: &Transaction<'_>, text: &str, collector: &mut Collector<'_>) {
    if let Ok(prepared) = transaction.client().prepare(text).await {
        for (column, known) in collector.rows.columns.iter_mut().zip(prepared.columns()) {
            column.type_name = Some(known.type_().name().to_owned());
        }
    }
}
