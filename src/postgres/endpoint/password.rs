//! A password that no output can hold, and where it came from: an error names the place to look at.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

/// Where a password came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Handed in by the caller: typed, or the secret of a profile.
    Given,
    /// From the address in `TENANTDESK_URL`.
    Address,
    /// From `PGPASSWORD`.
    Variable,
    /// From a password file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("the password that was given"),
            Self::Address => f.write_str("the password in TENANTDESK_URL"),
            Self::Variable => f.write_str("the password in PGPASSWORD"),
            Self::File(path) => write!(f, "the password in `{}`", path.display()),
        }
    }
}

/// A password.
#[derive(Clone)]
pub struct Password {
    secret: SecretString,
    /// Where it came from.
    pub source: Source,
}

impl Password {
    /// A password and where it came from.
    #[must_use]
    pub fn new(secret: SecretString, source: Source) -> Self {
        Self { secret, source }
    }

    /// The text, for the wire only.
    pub(in crate::postgres) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("source", &self.source).finish_non_exhaustive()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Password {}

/// What there is to answer a server that asks for a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// This one.
    Known(Password),
    /// None in any place.
    None,
    /// None, and a password file that could not be used: which, and why.
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why it was left alone.
        why: String,
    },
}
