//! Progress as data: a verb sends events, a skin decides how to draw, throttle or drop them.
//!
//! The same handle carries the wish to stop: verbs call [`Progress::checkpoint`] between steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

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
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    /// A handle nobody listens to.
    #[must_use]
    pub fn silent() -> Self {
        Self { sink: None, cancelled: Arc::default() }
    }

    /// A handle and the end where its events come out.
    #[must_use]
    pub fn channel() -> (Self, UnboundedReceiver<Event>) {
        let (sink, events) = unbounded_channel();
        (Self { sink: Some(sink), cancelled: Arc::default() }, events)
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
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Stops the work here if it was asked to stop.
    ///
    /// # Errors
    /// A [`Failure`] of kind [`Kind::Interrupted`] once [`Progress::cancel`] was called.
    pub fn checkpoint(&self) -> Result<(), Failure> {
        if self.is_cancelled() {
            return Err(Failure::new(Kind::Interrupted, "cancelled"));
        }
        Ok(())
    }

    /// A listener that went away must not stop the work.
    fn send(&self, event: Event) {
        if let Some(sink) = &self.sink {
            let _gone = sink.send(event);
        }
    }
}
