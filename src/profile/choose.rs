//! From what was named to what can be connected to: an address and, where one is needed, a password.

use super::password::{Ask, Stores, password};
use crate::config::{Chosen, EMBEDDED, Named, Paths, Profile, ThemeName, Wish};
use crate::failure::Failure;
use crate::startup::Target;

/// A database that can be connected to, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Which database.
    pub target: Target,
    /// The profile; none for an address, which is called after its database.
    pub profile: Option<String>,
    /// The colours of the console there, where the profile has its own.
    pub theme: Option<ThemeName>,
}

impl Destination {
    /// The embedded server.
    #[must_use]
    pub fn embedded() -> Self {
        Self { target: Target::Embedded, profile: Some(EMBEDDED.to_owned()), theme: None }
    }

    /// A target that no profile names.
    #[must_use]
    pub fn nameless(target: Target) -> Self {
        let embedded = matches!(target, Target::Embedded | Target::EmbeddedAs(_));
        Self { profile: embedded.then(|| EMBEDDED.to_owned()), target, theme: None }
    }

    /// The target of a profile, with its password.
    ///
    /// # Errors
    /// Where the password is not to be had, or the address is none that can be used.
    pub fn of_profile(
        profile: &Profile,
        paths: &Paths,
        ask: &mut Ask<'_>,
    ) -> Result<Self, Failure> {
        let password = password(profile, &Stores::of(paths), ask)?;
        let target = Target::of_address(&profile.url, password, paths)?;
        Ok(Self { target, profile: Some(profile.name.to_string()), theme: profile.theme })
    }
}

/// The database that is meant: see [`Chosen::decide`].
///
/// # Errors
/// Where nothing can be chosen, the password is not to be had, or the address cannot be used.
pub fn choose(wish: &Wish, paths: &Paths, ask: &mut Ask<'_>) -> Result<Destination, Failure> {
    destination(&Chosen::decide(wish, paths)?.named, paths, ask)
}

/// As [`choose`], for what is chosen already.
///
/// # Errors
/// Where the password is not to be had, or the address cannot be used.
pub fn destination(
    named: &Named,
    paths: &Paths,
    ask: &mut Ask<'_>,
) -> Result<Destination, Failure> {
    match named {
        Named::Embedded => Ok(Destination::embedded()),
        Named::Profile(profile) => Destination::of_profile(profile, paths, ask),
        Named::Url(url) => Ok(Destination::nameless(Target::of_address(url, None, paths)?)),
        Named::SecretUrl(url) => Ok(Destination::nameless(Target::of_secret_address(url, paths)?)),
    }
}
