//! What every verb answers when it cannot do what was asked.
//!
//! Each module has its own typed error that implements [`Explain`]; a [`Failure`] is what the
//! skins see: a kind (which fixes the exit code), a message, its causes and hints.

use std::error::Error;
use std::fmt;

use crate::identity::RequestId;

/// Which sort of "no" it is. The discriminants are the exit codes, a contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The answer is no, or only a part was done: findings, a mismatch.
    Negative = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Refused: policy, level, configuration, not found, conflict, limit.
    Refused = 3,
    /// The server: connection, SQL error, also of the user's SQL.
    Server = 4,
    /// A fault of this program.
    Internal = 5,
    /// Stopped by the user.
    Interrupted = 130,
}

impl Kind {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The word in JSON errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Server => "server",
            Self::Internal => "internal",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What the server said of a statement, for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlPlace {
    /// The SQLSTATE.
    pub state: String,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// Which of several statements, from 1.
    pub statement: Option<u64>,
}

/// What a typed error adds so that a person knows what to do next.
pub trait Explain: Error {
    /// Which sort of "no" it is.
    fn kind(&self) -> Kind;

    /// What to do next, one full sentence or command each; may be empty.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a log may hold of it, where the message can hold values of rows: the server quotes
    /// the value that it could not read.
    fn logged(&self) -> Option<String> {
        None
    }

    /// What the server said of a statement, where it is its error.
    fn sql(&self) -> Option<SqlPlace> {
        None
    }
}

/// An error as both skins show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which sort of "no" it is.
    pub kind: Kind,
    /// What went wrong, without a final period.
    pub message: String,
    /// The chain of causes, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// [`Explain::sql`]
    pub sql: Option<Box<SqlPlace>>,
    /// [`Explain::logged`]
    logged: Option<Box<str>>,
    /// Under which id it is found in log and ledger, where it belongs to one of several requests
    /// of a process.
    pub request: Option<RequestId>,
}

impl Failure {
    /// A failure without causes or hints.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let (message, causes, hints) = (message.into(), Vec::new(), Vec::new());
        Self { kind, message, causes, hints, sql: None, logged: None, request: None }
    }

    /// Shorthand for the commonest kind.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What a log or the ledger may hold of it: no values of rows.
    #[must_use]
    pub fn logged(&self) -> &str {
        self.logged.as_deref().unwrap_or(&self.message)
    }

    /// Names the request it belongs to.
    #[must_use]
    pub fn of_request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// Adds a cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let message = error.to_string();
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some libraries print their cause inside their own message; say it once.
            if !message.contains(&text) && !causes.iter().any(|c: &String| c.contains(&text)) {
                causes.push(text);
            }
            next = cause.source();
        }
        let (hints, logged) = (error.hints(), error.logged().map(Into::into));
        let sql = error.sql().map(Box::new);
        Self { kind: error.kind(), message, causes, hints, sql, logged, request: None }
    }
}

impl Explain for crate::identity::InvalidName {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}
