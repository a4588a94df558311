//! Why the gate stays shut, and what to do about it.

use thiserror::Error;

use crate::failure::{Explain, Kind};
use crate::postgres::ServerError;

/// Why the gate stays shut.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// The server, or what our functions on it say.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The login is no operator of this database.
    #[error("`{login}` is no operator of this database")]
    NoOperator {
        /// The login.
        login: String,
    },
    /// The database holds no control schema.
    #[error("this database was never set up for tenantdesk")]
    NotSetUp,
}

impl Explain for ConsoleError {
    fn kind(&self) -> Kind {
        match self {
            Self::Server(error) => error.kind(),
            Self::NoOperator { .. } | Self::NotSetUp => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Server(error) => error.hints(),
            Self::NoOperator { login } => {
                vec![format!("an admin can run: tenantdesk operator add {login} --level support")]
            }
            Self::NotSetUp => {
                vec![
                    "`tenantdesk setup` prepares your own database, `tenantdesk demo` the embedded server".to_owned(),
                ]
            }
        }
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.logged(),
            Self::NoOperator { .. } | Self::NotSetUp => None,
        }
    }
}
