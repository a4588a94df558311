//! Why something inside an impersonation did not happen.

use thiserror::Error;

use super::end::Ending;
use super::kind::Refusal;
use super::tripwire::Leak;
use crate::console::ConsoleError;
use crate::failure::{Explain, Failure, Kind, SqlPlace};
use crate::postgres::{Meaning, ServerError};

/// Why something inside an impersonation did not happen.
#[derive(Debug, Error)]
pub enum ImpersonationError {
    /// The statement was not even tried.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The record could not be written before the statement, so the statement was not run.
    #[error("the statement was not run, because it could not be recorded")]
    NotRecorded(#[source] ConsoleError),
    /// The server refused the statement.
    #[error("{0}")]
    Statement(ServerError),
    /// The operator cancelled it.
    #[error("the statement was cancelled")]
    Cancelled,
    /// It ran out of time.
    #[error("the statement was stopped after {seconds} s")]
    TimedOut {
        /// How long it was allowed to run.
        seconds: u64,
    },
    /// The session is over.
    #[error("{0}")]
    Ended(Ending),
    /// A row of another tenant was about to be shown: the session was stopped.
    #[error(transparent)]
    Leak(#[from] Leak),
    /// The data browser was asked for what is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// The gate.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// Something below that has its own words.
    #[error("{0}")]
    Below(Failure),
}

impl Explain for ImpersonationError {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(_) | Self::Ended(_) | Self::Leak(_) | Self::NotFound(_) => Kind::Refused,
            Self::NotRecorded(error) | Self::Console(error) => error.kind(),
            // The user's own SQL: only what the guard or a plan refused is a refusal.
            Self::Statement(error) => match error.meaning() {
                Meaning::Denied | Meaning::Limit => Kind::Refused,
                _ => Kind::Server,
            },
            Self::Cancelled => Kind::Interrupted,
            Self::TimedOut { .. } => Kind::Server,
            Self::Below(failure) => failure.kind,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Refused(refusal) => refusal.hint.map(str::to_owned).into_iter().collect(),
            Self::NotRecorded(error) | Self::Console(error) => error.hints(),
            Self::Statement(error) => statement_hints(error),
            Self::TimedOut { .. } => vec!["narrow it with WHERE, or look at its plan with EXPLAIN".to_owned()],
            Self::Ended(_) => vec!["`tenantdesk impersonate TENANT --reason REASON` starts another".to_owned()],
            Self::Leak(_) => vec![
                "the security event `cross_tenant_leak_prevented` is in the ledger: tell whoever looks after the guard".to_owned(),
                "`tenantdesk tables list` shows how each table is guarded".to_owned(),
            ],
            Self::NotFound(_) | Self::Cancelled => Vec::new(),
            Self::Below(failure) => failure.hints.clone(),
        }
    }

    fn sql(&self) -> Option<SqlPlace> {
        match self {
            Self::Statement(error) => error.sql(),
            Self::Below(failure) => failure.sql.as_deref().cloned(),
            _ => None,
        }
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Statement(error) => error.logged(),
            Self::Console(error) => error.logged(),
            Self::Below(failure) => Some(failure.logged().to_owned()),
            _ => None,
        }
    }
}

/// What the server said beside its message, and what it means here.
fn statement_hints(error: &ServerError) -> Vec<String> {
    let mut hints = error.hints();
    if let ServerError::Statement { state, position, .. } = error {
        if let Some(position) = position {
            hints.push(format!("the place is character {position} of the statement"));
        }
        match state.as_str() {
            "42501" => hints.extend([
                "a table without row level security is read through its guarded view: write its name without the schema".to_owned(),
                "shared and global tables are not written here, and ON CONFLICT DO UPDATE needs two rights that no role has together".to_owned(),
            ]),
            "25006" => hints.push("this statement writes, and reads run in READ ONLY transactions".to_owned()),
            _ => {}
        }
    }
    hints
}
