//! `profile add`: the password first, then the configuration; nothing of the one without the other.

use secrecy::SecretString;

use super::password::{Ask, Stores, Wanted};
use crate::config::profile::holds_password;
use crate::config::{PasswordFrom, Paths, Profile, ProfileName, Settings, ThemeName, edit};
use crate::failure::{Failure, Kind};
use crate::startup::Target;

/// A profile to be.
#[derive(Debug, Clone)]
pub struct AddProfile {
    /// The name.
    pub name: ProfileName,
    /// The address, without a password.
    pub url: String,
    /// Where its password is to be.
    pub password_from: PasswordFrom,
    /// The password, where it is known already; else it is asked for.
    pub password: Option<SecretString>,
    /// The colours of the console there.
    pub theme: Option<ThemeName>,
    /// Whether it is used where nothing else names a database.
    pub default: bool,
}

/// Keeps the password and writes the profile.
///
/// # Errors
/// Where the name is taken, the address cannot be used, the password cannot be kept, or the
/// configuration cannot be written; nothing is kept then.
pub fn add(paths: &Paths, request: AddProfile, ask: &mut Ask<'_>) -> Result<Profile, Failure> {
    let AddProfile { name, url, password_from, password, theme, default } = request;
    if holds_password(&url) {
        return Err(Failure::new(Kind::Usage, "the address holds a password")
            .hint("leave it out: the password is asked for, or read with `--password-stdin`"));
    }
    Target::of_address(&url, None, paths)?;
    let settings = Settings::load(&paths.config_file)?;
    if settings.profile(name.as_str()).is_some() {
        return Err(Failure::refused(format!("there is a profile {name} already"))
            .hint(format!("`tenantdesk profile remove {name}` makes room for it")));
    }
    let stores = Stores::of(paths);
    let kept = matches!(password_from, PasswordFrom::Keyring | PasswordFrom::File);
    if kept {
        let password = match password {
            Some(password) => password,
            None => ask(&Wanted::NewPassword(name.clone()))?,
        };
        stores.keep(&name, &password_from, &password, ask)?;
    }
    let profile = Profile { name, url, theme, password: password_from, line: 0 };
    let written = edit::add(&paths.config_file, &profile, default);
    if let Err(error) = written {
        // A password that no profile needs must not stay behind; why there is none is what counts.
        if kept && let Err(failure) = stores.forget(&profile.name, &profile.password, ask) {
            tracing::warn!("the password could not be taken back: {}", failure.logged());
        }
        return Err(error.into());
    }
    Ok(profile)
}
