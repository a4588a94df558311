//! The logins that `server url` and `server psql` offer.

use std::str::FromStr;

use thiserror::Error;

use crate::failure::{Explain, Kind};

/// The database that the starter schema lives in.
pub const DATABASE: &str = "app";

/// As whom to log in to the embedded server's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The application: sees the tenant that its setting names, through RLS.
    App,
    /// An operator of level support, for trying what operators may.
    Operator,
    /// The owner of the database: may create tables, databases and roles; no superuser.
    Owner,
}

/// A word that is none of the roles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no role of the embedded server: use app, operator or owner")]
pub struct InvalidRole(pub String);

impl Explain for InvalidRole {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::App, Self::Operator, Self::Owner];

    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    /// The login in the database.
    #[must_use]
    pub const fn login(self) -> &'static str {
        match self {
            Self::App => "app_user",
            Self::Operator => "support",
            Self::Owner => "app_owner",
        }
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| InvalidRole(crate::text::screen(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
