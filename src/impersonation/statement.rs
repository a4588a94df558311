//! The running impersonation, and one statement in it. One at a time: the session has one
//! connection, and a second caller waits its turn.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::types::{FromSql, Type};

use super::error::ImpersonationError;
use super::fetch::{Collector, Limits, Rows, Stop, fetch, time_limit};
use super::grid::BrowsedRelation;
use super::kind::{Classified, StatementKind, classify};
use super::record::Tally;
use super::reference::Reference;
use super::shape::Shape;
use super::tripwire::{Leak, Tripwire};
use super::written;
use crate::identity::{Mode, OperatorName, Reason, RequestId};
use crate::isolation::map::RelationMap;
use crate::postgres::{Canceller, Hangup, Isolation, ServerError, Sql, Transaction};
use crate::tenant::directory::Tenant;
use crate::tenant::members::Member;
use crate::tenant::session::{SessionRole, TenantSession};

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
    pub(super) references: OnceCell<Vec<Reference>>,
    pub(super) turn: Mutex<()>,
    /// Set for good when the tripwire was touched.
    pub(super) stopped: OnceLock<Leak>,
    pub(super) cancelled: Arc<AtomicBool>,
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
            references: OnceCell::new(),
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

    /// A handle to wait for the moment in which the connection is over, whoever ended it.
    #[must_use]
    pub fn hangup(&self) -> Hangup {
        self.session.hangup()
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
        let work = async {
            let started = Instant::now();
            let mut collector = Collector::new(&tripwire, limits);
            let rows_affected = self.execute(&classified, ask.types, &mut collector).await?;
            let tally = Tally {
                rows: rows_affected.unwrap_or(collector.seen),
                bytes: collector.rows.bytes,
            };
            Ok(((rows_affected, collector.rows, started.elapsed()), tally))
        };
        let (rows_affected, rows, took) = self.recorded(ask.request, &shape, limits, work).await?;
        let took = TimeDelta::from_std(took).unwrap_or_default();
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

    /// The time a statement may take: what was asked for, and never more than is left.
    pub(super) fn time(&self, wanted: Duration) -> Duration {
        wanted.min(self.session.left()).max(Duration::from_millis(1))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impersonation::{PageAsk, prepare};

    fn is_send<T: Send>(_: &T) {}

    /// The console runs these on a runtime with several threads; it compiles or it does not.
    #[expect(dead_code, reason = "only its types matter")]
    fn everything_can_move_between_threads(
        impersonation: &Impersonation,
        console: &crate::console::Console,
        start: crate::impersonation::StartImpersonation,
        ask: &Ask,
        page: &PageAsk,
    ) {
        is_send(&prepare(console, start));
        is_send(&impersonation.run(ask));
        is_send(&impersonation.page(page));
        is_send(&impersonation.relations(None));
    }
}
