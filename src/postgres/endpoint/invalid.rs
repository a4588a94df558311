//! Why an address is none that can be used, and what to write instead. An address may hold a
//! password where nobody expects one, so no message repeats more of it than a parameter's name.

use thiserror::Error;

use crate::failure::{Explain, Kind};

/// Why an address is none that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidAddress {
    /// It is not of the form.
    #[error("the address is not of the form postgresql://USER@HOST:PORT/DATABASE?NAME=VALUE: {0}")]
    Form(&'static str),
    /// A parameter that nobody knows.
    #[error("the address has a parameter `{0}`, which is none that tenantdesk knows")]
    Unknown(String),
    /// A parameter of libpq that cannot be followed.
    #[error("the address has the parameter `{name}`: {why}")]
    Unsupported {
        /// The parameter.
        name: &'static str,
        /// Why it is not followed.
        why: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// A value that is not allowed.
    #[error("`{name}` in the address, or {variable} in the environment, is not {allowed}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// The environment variable that stands for it.
        variable: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Two values for one thing.
    #[error("the address says twice what `{0}` is")]
    Twice(&'static str),
    /// More than one host.
    #[error(
        "the address, or PGHOST, names several hosts: a session and its records belong to one server"
    )]
    Several,
    /// It holds a password where everybody can read it.
    #[error("the address holds a password, and the arguments of a process are no secret")]
    Password,
    /// No user name.
    #[error("the address names no user, and the operating system knows none")]
    NoUser,
}

/// Where a password may come from.
pub(in crate::postgres) const PASSWORD_PLACES: &str = "a password comes from TENANTDESK_URL (the address with it), PGPASSWORD, \
     a password file (PGPASSFILE, else ~/.pgpass), the keyring of a profile, or a prompt";

impl Explain for InvalidAddress {
    fn kind(&self) -> Kind {
        match self {
            Self::Form(_) | Self::Unknown(_) | Self::Twice(_) => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Form(_) => {
                "for example postgresql://ada@db.example.org/app, or for a socket \
                 postgresql:///app?host=/run/postgresql&user=ada; `tenantdesk server url` prints the address of the \
                 embedded server"
            }
            Self::Unknown(_) => {
                "there are host, port, user, dbname, sslmode, sslrootcert, sslcert, sslkey, channel_binding, \
                 connect_timeout, application_name and passfile"
            }
            Self::Unsupported { hint, .. } => hint,
            Self::Several => "name the server that takes writes",
            Self::Password => PASSWORD_PLACES,
            Self::NoUser => "name one: postgresql://USER@HOST/DATABASE, or PGUSER",
            Self::Value { .. } | Self::Twice(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
