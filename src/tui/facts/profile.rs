//! Facts on profiles: the databases one can go to, and the one that the console is at.

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::ThemeName;
use crate::profile::Destination;
use crate::text::Untrusted;

/// Where the console is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceFacts {
    /// The profile, `embedded` for the embedded server; none for an address without a name.
    pub name: Option<String>,
    /// The colours there, where the profile has its own.
    pub theme: Option<ThemeName>,
}

impl PlaceFacts {
    /// What is shown of a destination.
    #[must_use]
    pub fn of(destination: &Destination) -> Self {
        Self { name: destination.profile.clone(), theme: destination.theme }
    }
}

/// A database one can go to.
#[derive(Debug, Clone)]
pub struct ProfileFacts {
    /// The name; `embedded` for the embedded server.
    pub name: String,
    /// The address, without a password.
    pub address: Untrusted,
    /// Where its password comes from.
    pub password_from: String,
    /// The colours there, where it has its own.
    pub theme: Option<ThemeName>,
    /// What has to be typed first, in words.
    pub asks: Option<String>,
    /// Whether it is used where nothing else names a database.
    pub default: bool,
}

/// Where to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchAsk {
    /// The profile, `embedded` for the embedded server.
    pub name: String,
    /// What was typed for it.
    pub typed: Option<Typed>,
}

/// A secret that was typed; nothing prints it.
#[derive(Debug, Clone)]
pub struct Typed(SecretString);

impl Typed {
    /// Takes a text for a secret.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// The secret, for whoever opens something with it.
    #[must_use]
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

impl PartialEq for Typed {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Typed {}
