//! How an impersonation ends, and how to tell why it did: from the outside, and from within after
//! somebody else ended it.

use std::fmt;

use super::error::ImpersonationError;
use super::statement::Impersonation;
use super::tripwire::Leak;
use crate::clock;
use crate::console::{Console, ConsoleError};
use crate::postgres::Meaning;
use crate::tenant::sessions;
use crate::text::screen;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its number.
    pub id: i64,
    /// Who ended it, where somebody did.
    pub by: Option<String>,
    /// Why: `expired`, `revoked`, or the words that were given.
    pub why: String,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.by, self.why.as_str()) {
            (_, "expired") => write!(f, "the impersonation {} has expired", self.id),
            (Some(by), why) => {
                write!(
                    f,
                    "the impersonation {} was ended by {}: {}",
                    self.id,
                    screen(by),
                    screen(why)
                )
            }
            (None, why) => write!(f, "the impersonation {} is over: {}", self.id, screen(why)),
        }
    }
}

/// Why an impersonation is over although nobody here ended it, in words that follow "it is over:".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The database ended it.
    Ended(Ending),
    /// The tripwire stopped it.
    Stopped(Leak),
    /// The connection is gone, and the database knows of no end.
    Connection,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(Ending { why, .. }) if why == "expired" => {
                f.write_str("its time has expired")
            }
            Self::Ended(Ending { by: Some(by), why, .. }) => {
                // The first word says what the name beside it says already.
                let words = ["revoked", "operator"].iter().find_map(|word| why.strip_prefix(word));
                let words = words.unwrap_or(why).trim_start_matches(": ");
                write!(f, "it was ended by {}", screen(by))?;
                if words.is_empty() { Ok(()) } else { write!(f, ": {}", screen(words)) }
            }
            Self::Ended(Ending { by: None, why, .. }) => write!(f, "it was ended: {}", screen(why)),
            Self::Stopped(leak) => leak.fmt(f),
            Self::Connection => f.write_str("the connection to the server ended"),
        }
    }
}

impl ImpersonationError {
    /// What it says of the end of the session, where it is one.
    #[must_use]
    pub fn lost(&self) -> Option<Lost> {
        match self {
            Self::Ended(ending) => Some(Lost::Ended(ending.clone())),
            Self::Leak(leak) => Some(Lost::Stopped(leak.clone())),
            _ => None,
        }
    }
}

/// How a session ended; `None` where it lives.
///
/// # Errors
/// [`ConsoleError`].
pub async fn how_it_ended(console: &Console, id: i64) -> Result<Option<Ending>, ConsoleError> {
    let found = match sessions::find(console, id).await {
        // An end from elsewhere closes the control connection too; the next try opens another.
        Err(ConsoleError::Server(error)) if error.meaning() == Meaning::Gone => {
            sessions::find(console, id).await?
        }
        other => other?,
    };
    let now = clock::now();
    Ok(found.filter(|session| !session.is_live(now)).map(|session| {
        let why =
            session.end_reason.map_or_else(|| "expired".to_owned(), |why| why.raw().to_owned());
        Ending { id, by: session.ended_by, why }
    }))
}

impl Impersonation {
    /// Why it is over, asked after its connection is gone.
    pub async fn lost(&self) -> Lost {
        if let Some(leak) = self.stopped.get() {
            return Lost::Stopped(leak.clone());
        }
        match how_it_ended(self.session.console(), self.id()).await {
            Ok(Some(ending)) => Lost::Ended(ending),
            Ok(None) => Lost::Connection,
            Err(error) => {
                tracing::warn!(session = self.id(), %error, "nobody can tell how it ended");
                Lost::Connection
            }
        }
    }

    /// Ends it: the end is committed, the rights are gone, the connection is closed.
    ///
    /// # Errors
    /// What the server says; an end that was there already is none.
    pub async fn end(self, why: &str) -> Result<(), ConsoleError> {
        let console = self.session.console().clone();
        let id = self.session.id;
        match self.session.end(why).await {
            Err(ConsoleError::Server(error)) if error.meaning() == Meaning::Gone => {
                sessions::end(&console, id, Some(why)).await.map(drop)
            }
            other => other,
        }
    }
}
