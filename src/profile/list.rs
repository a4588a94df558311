//! `profile list`: the databases that have a name. Where a password is, never the password.

use crate::config::{Paths, ProfileName, Settings};
use crate::failure::Failure;

/// One profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileLine {
    /// The name.
    pub name: ProfileName,
    /// The address, which holds no password.
    pub url: String,
    /// The colours of the console there.
    pub theme: Option<&'static str>,
    /// Where the password comes from.
    pub password_from: String,
    /// Whether it is used where nothing else names a database.
    pub default: bool,
}

/// All profiles, by name.
///
/// # Errors
/// Where the configuration is wrong.
pub fn list(paths: &Paths) -> Result<Vec<ProfileLine>, Failure> {
    let Settings { default_profile, profiles, .. } = Settings::load(&paths.config_file)?;
    let lines = profiles.into_iter().map(|profile| ProfileLine {
        default: default_profile.as_ref() == Some(&profile.name),
        theme: profile.theme.map(crate::config::ThemeName::as_str),
        password_from: profile.password.to_string(),
        name: profile.name,
        url: profile.url,
    });
    Ok(lines.collect())
}
