//! The record around everything that is read or changed: the intent is committed before anything
//! reaches the server, and without it nothing runs; the outcome is recorded whatever happens.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::end::{Ending, how_it_ended};
use super::error::ImpersonationError;
use super::fetch::{Limits, Stop};
use super::shape::Shape;
use super::statement::Impersonation;
use super::tripwire::Leak;
use crate::audit::Attested;
use crate::console::ConsoleError;
use crate::identity::RequestId;
use crate::postgres::{Meaning, ServerError};
use crate::tenant::sessions;

/// What `statement_intent` says of a session whose tenant or member may not act any more.
const UNWELCOME: &str = "55000";

/// What the outcome in the ledger says of the result.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Impersonation {
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
            Err(Stop::Server(error)) => Err(self.explained(*error, limits).await),
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
    pub(super) async fn not_recorded(&self, error: ConsoleError) -> ImpersonationError {
        // The tenant was suspended or the member may not act any more: the sweep ends the session now.
        if let ConsoleError::Server(server) = &error
            && server.state() == Some(UNWELCOME)
            && let Err(error) = sessions::sweep(self.session.console()).await
        {
            tracing::warn!(session = self.id(), %error, "the session could not be swept");
        }
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
}
