//! `profile remove`: the profile and its password. Where the password cannot be taken out, the
//! profile goes all the same, and it is said what is left.

use super::password::{Ask, Stores};
use crate::config::{ChoiceError, Paths, Profile, Settings, edit, unknown_profile};
use crate::failure::Failure;

/// What became of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// There was none to take out.
    None,
    /// It is gone.
    Removed,
    /// It is still where it was, because of this.
    Left(Failure),
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The profile.
    pub profile: Profile,
    /// Its password.
    pub password: Kept,
    /// Whether it was used where nothing else named a database.
    pub was_default: bool,
}

/// The profile of a name.
///
/// # Errors
/// Where there is none, with the names that exist, or the configuration is wrong.
pub fn find(paths: &Paths, name: &str) -> Result<Profile, Failure> {
    let settings = Settings::load(&paths.config_file)?;
    let found = settings.profile(name).cloned();
    found.ok_or_else(|| {
        let error: ChoiceError = unknown_profile(&settings, name, "the command line".to_owned());
        error.into()
    })
}

/// Removes a profile and its password.
///
/// # Errors
/// Where the configuration cannot be written; the password is gone then.
pub fn remove(paths: &Paths, profile: Profile, ask: &mut Ask<'_>) -> Result<Removed, Failure> {
    let password = match Stores::of(paths).forget(&profile.name, &profile.password, ask) {
        Ok(true) => Kept::Removed,
        Ok(false) => Kept::None,
        Err(failure) if failure.kind == crate::failure::Kind::Interrupted => return Err(failure),
        Err(failure) => Kept::Left(failure),
    };
    let was_default = edit::remove(&paths.config_file, profile.name.as_str())?;
    Ok(Removed { profile, password, was_default })
}
