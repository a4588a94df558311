//! Passwords in the operating system's keyring: one entry for each profile, of the service `tenantdesk`.
//!
//! The library waits for as long as the keyring does, and a locked one waits for somebody to answer
//! its dialog, on a machine where nobody sees it for ever. So each call has a thread of its own, which
//! is left behind when the time is over.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use keyring::v1::{Entry, Error};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error as ThisError;

use crate::failure::{Explain, Kind};
use crate::text::screen;

/// What our entries are filed under.
pub const SERVICE: &str = "tenantdesk";
/// Long enough to type the password of the keyring into its dialog.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the keyring is of no use now.
#[derive(Debug, ThisError)]
pub enum KeyringError {
    /// There is none.
    #[error("there is no keyring here: {said}")]
    Missing {
        /// What the system said.
        said: String,
    },
    /// It does not answer.
    #[error("the keyring did not answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// It refuses.
    #[error("the keyring refuses: {said}")]
    Refused {
        /// What it said.
        said: String,
    },
    /// What it holds is no text.
    #[error("what the keyring holds for `{entry}` is no text")]
    NotText {
        /// Of which profile.
        entry: String,
    },
}

impl Explain for KeyringError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let elsewhere = "`--password-from file` of `tenantdesk profile add` keeps a password in a \
                         file that a passphrase encrypts, `prompt` asks for it each time";
        let first = match self {
            Self::Missing { .. } => {
                "a keyring runs in a desktop session, or by hand: `dbus-run-session` and `gnome-keyring-daemon --unlock`"
            }
            Self::Silent(_) => "it is locked, most likely, and waits for somebody who opens it",
            Self::Refused { .. } => "it is locked, or somebody closed its dialog",
            Self::NotText { .. } => "`tenantdesk profile remove` and `profile add` set it anew",
        };
        vec![first.to_owned(), elsewhere.to_owned()]
    }
}

/// The keyring of the person's session.
#[derive(Debug, Clone, Copy)]
pub struct Keyring {
    patience: Duration,
}

impl Default for Keyring {
    fn default() -> Self {
        Self { patience: PATIENCE }
    }
}

impl Keyring {
    /// One that is given up after another time.
    #[must_use]
    pub const fn with_patience(patience: Duration) -> Self {
        Self { patience }
    }

    /// The password of an entry; none where there is no such entry.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn read(self, entry: &str) -> Result<Option<SecretString>, KeyringError> {
        let found = self.ask(entry, |entry| match entry.get_password() {
            Ok(password) => Ok(Some(SecretString::from(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        found.map_err(|error| explain(&error, entry))
    }

    /// Keeps a password, in the place of the one that is there.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn store(self, entry: &str, password: &SecretString) -> Result<(), KeyringError> {
        let password = password.clone();
        let stored = self.ask(entry, move |entry| entry.set_password(password.expose_secret()))?;
        stored.map_err(|error| explain(&error, entry))
    }

    /// Takes an entry out; whether there was one.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn remove(self, entry: &str) -> Result<bool, KeyringError> {
        let removed = self.ask(entry, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })?;
        removed.map_err(|error| explain(&error, entry))
    }

    /// Asks on a thread of its own, and waits only so long.
    fn ask<T: Send + 'static>(
        self,
        entry: &str,
        question: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, KeyringError> {
        let name = entry.to_owned();
        let (tell, told) = mpsc::channel();
        let work = move || {
            let answer = match Entry::store_status() {
                Ok(()) => Ok(Entry::new(SERVICE, &name).and_then(|entry| question(&entry))),
                Err(error) => Err(KeyringError::Missing { said: screen(&error.to_string()) }),
            };
            // Nobody listens any more where the time was over.
            drop(tell.send(answer));
        };
        let missing = |said: &str| KeyringError::Missing { said: said.to_owned() };
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(work)
            .map_err(|error| missing(&error.to_string()))?;
        match told.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(KeyringError::Silent(self.patience)),
            Err(RecvTimeoutError::Disconnected) => Err(missing("it broke off")),
        }
    }
}

/// What the library says may hold what it read: only the kinds that cannot are repeated.
fn explain(error: &Error, entry: &str) -> KeyringError {
    match error {
        Error::NoDefaultStore => KeyringError::Missing { said: "no service answers".to_owned() },
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeyringError::NotText { entry: screen(entry) }
        }
        Error::PlatformFailure(said) | Error::NoStorageAccess(said) => {
            KeyringError::Refused { said: screen(&said.to_string()) }
        }
        _ => KeyringError::Refused { said: "it gives no reason".to_owned() },
    }
}
