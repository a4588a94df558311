//! What the server said, understood: a SQLSTATE becomes a meaning, a meaning an exit code.

use thiserror::Error;

use super::unreachable::Unreachable;
use crate::failure::{Explain, Kind, SqlPlace};
use crate::text::screen;

/// What a SQLSTATE means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Refused by rights, a policy or a level.
    Denied,
    /// Not there, or not visible: the two look the same.
    Missing,
    /// It exists already, or another one holds it.
    Conflict,
    /// A value that is not allowed.
    Invalid,
    /// Not in this state: the guard is not whole, the tenant is suspended.
    State,
    /// A plan's limit.
    Limit,
    /// The statement was cancelled or ran out of time.
    Cancelled,
    /// The connection is gone.
    Gone,
    /// Trying the whole transaction again may work.
    Retryable,
    /// Anything else.
    Other,
}

impl Meaning {
    /// The meaning of a SQLSTATE.
    #[must_use]
    pub fn of(state: &str) -> Self {
        match state {
            "42501" => Self::Denied,
            "P0002" => Self::Missing,
            "23505" | "42710" | "42P06" | "42P07" => Self::Conflict,
            "22023" | "22004" | "23514" | "23502" => Self::Invalid,
            "55000" => Self::State,
            "PT402" => Self::Limit,
            "57014" => Self::Cancelled,
            "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => Self::Gone,
            "40001" | "40P01" | "55P03" => Self::Retryable,
            _ => Self::Other,
        }
    }
}

/// An error of the server or of the way to it.
#[derive(Debug, Error)]
pub enum ServerError {
    /// No connection.
    #[error("{0}")]
    Connect(Box<Unreachable>),
    /// The server refused a statement.
    #[error("{message}")]
    Statement {
        /// Five characters.
        state: String,
        /// The server's message, made safe for a screen.
        message: String,
        /// The server's detail. It can hold values of rows: treat it as data.
        detail: Option<Box<str>>,
        /// The server's hint.
        hint: Option<Box<str>>,
        /// The constraint that was violated.
        constraint: Option<Box<str>>,
        /// Where in the statement, in characters from 1.
        position: Option<u32>,
    },
    /// The connection ended in the middle.
    #[error("the connection to the server ended")]
    Closed,
    /// The driver could not make sense of an answer.
    #[error("an answer of the server could not be read: {0}")]
    Answer(String),
}

impl ServerError {
    /// The SQLSTATE, where the server gave one.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        match self {
            Self::Connect(unreachable) => unreachable.state(),
            Self::Statement { state, .. } => Some(state),
            Self::Closed | Self::Answer(_) => None,
        }
    }

    /// What it means to us.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Closed => Meaning::Gone,
            Self::Connect(unreachable) => unreachable.why.meaning(),
            other => other.state().map_or(Meaning::Other, Meaning::of),
        }
    }

    /// The name of the constraint that was violated, where one was.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Statement { constraint, .. } => constraint.as_deref(),
            _ => None,
        }
    }
}

impl From<tokio_postgres::Error> for ServerError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            let position = match db.position() {
                Some(tokio_postgres::error::ErrorPosition::Original(at)) => Some(*at),
                _ => None,
            };
            return Self::Statement {
                state: db.code().code().to_owned(),
                message: screen(db.message()),
                detail: db.detail().map(|said| screen(said).into()),
                hint: db.hint().map(|said| screen(said).into()),
                constraint: db.constraint().map(Into::into),
                position,
            };
        }
        if error.is_closed() {
            return Self::Closed;
        }
        let io = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        if io { Self::Closed } else { Self::Answer(screen(&error.to_string())) }
    }
}

impl Explain for ServerError {
    fn kind(&self) -> Kind {
        if let Self::Connect(unreachable) = self {
            return unreachable.kind();
        }
        match self.meaning() {
            Meaning::Denied
            | Meaning::Missing
            | Meaning::Conflict
            | Meaning::Invalid
            | Meaning::State
            | Meaning::Limit => Kind::Refused,
            Meaning::Cancelled | Meaning::Gone | Meaning::Retryable | Meaning::Other => {
                Kind::Server
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Statement { hint: Some(hint), .. } => vec![hint.to_string()],
            Self::Statement { state, .. } if state == "55P03" => {
                vec!["another transaction holds it; try again".to_owned()]
            }
            // PgBouncer's words: it had no session of the server to give.
            Self::Statement { message, .. } if message == "query_wait_timeout" => {
                vec!["a verb holds several sessions of the server at once: raise the pooler's `default_pool_size`, or connect to the server itself".to_owned()]
            }
            Self::Connect(unreachable) => unreachable.hints(),
            _ => Vec::new(),
        }
    }

    fn sql(&self) -> Option<SqlPlace> {
        let Self::Statement { state, position, .. } = self else { return None };
        Some(SqlPlace { state: state.clone(), position: *position, statement: None })
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Statement { state, .. } => {
                Some(format!("the server refused a statement with SQLSTATE {state}"))
            }
            Self::Connect(_) | Self::Closed | Self::Answer(_) => None,
        }
    }
}
