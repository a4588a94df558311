//! Work that writes: its intent is in the ledger before it, its outcome after it.

use uuid::Uuid;

use super::gate::Console;
use crate::audit::{Attested, Entry};
use crate::failure::{Failure, Kind};
use crate::postgres::{ServerError, Sql, Transaction};

/// How the verdict on work begins that was committed although the client saw an error.
const SEALED: &str = "ok, although";

/// An undertaking whose intent is recorded. It ends with [`Undertaking::finish`]; a crash leaves
/// the intent visibly without outcome.
#[derive(Debug)]
pub struct Undertaking {
    console: Console,
    id: Uuid,
    entry: Entry,
}

impl Undertaking {
    /// What [`Console::begin`] gives once the intent is recorded.
    pub(super) fn begun(console: Console, id: Uuid, entry: Entry) -> Self {
        Self { console, id, entry }
    }

    /// The operation's id, for `operation_mark` in the transaction of the work.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// What was announced.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The gate it came through.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Leaves the commit marker in the transaction of the work.
    ///
    /// # Errors
    /// What the server says.
    pub async fn mark(&self, transaction: &Transaction<'_>) -> Result<(), ServerError> {
        transaction
            .query(&Sql::new("select tenantdesk.operation_mark($1)"), &[&self.id])
            .await
            .map(drop)
    }

    /// Records the outcome and passes the result on. A failure to record does not hide the
    /// result of work that is done: it is logged, and the operation stays visibly unfinished.
    ///
    /// # Errors
    /// The error of the work itself. Where the work was committed and only its answer was lost, the
    /// message says so.
    pub async fn finish<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        let sealed = self.record(result.as_ref().err()).await;
        match result {
            Err(failure) if sealed => {
                let message = format!("it was done and committed, and then: {}", failure.message);
                Err(Failure::new(failure.kind, message)
                    .hint("do not run it again; `tenantdesk audit list` shows its outcome"))
            }
            result => result,
        }
    }

    /// As [`Undertaking::finish`], for work whose whole result is that it was committed: then a lost
    /// answer is no failure.
    ///
    /// # Errors
    /// The error of the work itself.
    pub async fn settle(self, result: Result<(), Failure>) -> Result<(), Failure> {
        let sealed = self.record(result.as_ref().err()).await;
        match result {
            Err(failure) if sealed => {
                tracing::warn!("committed, although the client saw: {}", failure.logged());
                Ok(())
            }
            result => result,
        }
    }

    /// Records the outcome; says whether the work was committed although the client saw an error.
    async fn record(self, failure: Option<&Failure>) -> bool {
        let (outcome, detail) = match failure {
            None => ("ok".to_owned(), None),
            Some(failure) if failure.kind == Kind::Interrupted => ("cancelled".to_owned(), None),
            Some(failure) => ("failed".to_owned(), Some(failure.logged().to_owned())),
        };
        match self.console.call(Attested::operation_end(&self.id, &outcome, &detail)).await {
            Ok(rows) => {
                let verdict = rows.first().and_then(|row| row.get::<_, Option<&str>>(0));
                verdict.is_some_and(|verdict| verdict.starts_with(SEALED))
            }
            Err(error) => {
                tracing::error!(operation = %self.id, %error, "the outcome could not be recorded");
                false
            }
        }
    }
}
