//! How an impersonation ends, and how to tell from the outside why it did.

use std::fmt;

use super::statement::Impersonation;
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
