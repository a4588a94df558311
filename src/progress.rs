//! Progress as data: a verb sends events, a skin decides how to draw, throttle or drop them.
//!
//! The same handle carries the wish to stop: verbs call [`Progress::checkpoint`] between steps.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::failure::{Failure, Kind};

/// What a running verb tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// How many units the whole work has, where known.
    Planned {
        /// What is counted: `rows`, `tenants`, `bytes`.
        unit: &'static str,
        /// How many, or `None` where it cannot be known.
        total: Option<u64>,
    },
    /// A step has begun.
    Entered {
        /// The step in a few words, for people.
        step: String,
    },
    /// So many units are done altogether.
    Advanced {
        /// Units done since the start.
        done: u64,
    },
    /// Something the person should know; the work goes on.
    Warned {
        /// One sentence.
        message: String,
    },
}

/// The handle a verb reports to. Cloning gives another handle on the same work.
#[derive(Debug, Clone)]
pub struct Progress {
    sink: Option<UnboundedSender<Event>>,
    stop: CancellationToken,
}

impl Progress {
    /// A handle nobody listens to.
    #[must_use]
    pub fn silent() -> Self {
        Self { sink: None, stop: CancellationToken::new() }
    }

    /// A handle and the end where its events come out.
    #[must_use]
    pub fn channel() -> (Self, UnboundedReceiver<Event>) {
        let (sink, events) = unbounded_channel();
        (Self { sink: Some(sink), stop: CancellationToken::new() }, events)
    }

    /// Tells the total.
    pub fn plan(&self, unit: &'static str, total: Option<u64>) {
        self.send(Event::Planned { unit, total });
    }

    /// Tells that a step begins.
    pub fn enter(&self, step: impl Into<String>) {
        self.send(Event::Entered { step: step.into() });
    }

    /// Tells how much is done altogether.
    pub fn advance(&self, done: u64) {
        self.send(Event::Advanced { done });
    }

    /// Tells something the person should know.
    pub fn warn(&self, message: impl Into<String>) {
        self.send(Event::Warned { message: message.into() });
    }

    /// Asks the work to stop at its next checkpoint.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Whether the work was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Stops the work here if it was asked to stop.
    ///
    /// # Errors
    /// A [`Failure`] of kind [`Kind::Interrupted`] once [`Progress::cancel`] was called.
    pub fn checkpoint(&self) -> Result<(), Failure> {
        if self.is_cancelled() {
            return Err(cancelled());
        }
        Ok(())
    }

    /// Runs work that may be dropped wherever it stands, because it only reads: it ends at the
    /// moment when it is asked to.
    ///
    /// # Errors
    /// What the work says, or a [`Failure`] of kind [`Kind::Interrupted`].
    pub async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let stopped = self.stop.run_until_cancelled(work).await;
        stopped.unwrap_or_else(|| Err(cancelled()))
    }

    /// A listener that went away must not stop the work.
    fn send(&self, event: Event) {
        if let Some(sink) = &self.sink {
            let _gone = sink.send(event);
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(Kind::Interrupted, "cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_only_reads_ends_when_it_is_asked_to_and_not_before() {
        let progress = Progress::silent();
        assert_eq!(progress.unless_cancelled(async { Ok(7) }).await, Ok(7));
        let stop = async {
            progress.cancel();
            Ok::<_, Failure>(())
        };
        let waits = progress.unless_cancelled(std::future::pending::<Result<(), Failure>>());
        let (stopped, _) = tokio::join!(waits, stop);
        assert_eq!(stopped.unwrap_err().kind, Kind::Interrupted);
    }
}
