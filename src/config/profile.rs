//! Profiles, which this version does not have: a name that somebody gives is refused, because what
//! it means is another database than the one that would be used.

use thiserror::Error;

use super::env;
use crate::failure::{Explain, Kind};
use crate::text::screen;

/// Somebody named a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProfileRefused {
    /// On the command line.
    #[error("`--profile {0}`: this version has no profiles")]
    Flag(String),
    /// In the environment.
    #[error("TENANTDESK_PROFILE is `{0}`, and this version has no profiles")]
    Variable(String),
}

impl Explain for ProfileRefused {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Flag(_) => {
                "name the database with `--url`, or leave `--profile` out for the embedded server"
            }
            Self::Variable(_) => {
                "unset it for the embedded server, or name the database with `--url`"
            }
        };
        vec![hint.to_owned()]
    }
}

/// Refuses the name on the command line.
///
/// # Errors
/// [`ProfileRefused::Flag`] where there is one.
pub fn refuse_profile_flag(name: Option<&str>) -> Result<(), ProfileRefused> {
    name.map_or(Ok(()), |name| Err(ProfileRefused::Flag(screen(name))))
}

/// Refuses the name in the environment; `--url` comes before it.
///
/// # Errors
/// [`ProfileRefused::Variable`] where there is one.
pub fn refuse_profile_variable() -> Result<(), ProfileRefused> {
    let refused =
        |name: std::ffi::OsString| ProfileRefused::Variable(screen(&name.to_string_lossy()));
    env::PROFILE.read().map_or(Ok(()), |name| Err(refused(name)))
}
