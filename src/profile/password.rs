//! Getting, keeping and forgetting the password of a profile, wherever it says that it is.
//!
//! Nothing here asks a person: what has to be typed is asked of the caller, who knows how.

use std::fmt;

use secrecy::SecretString;

use crate::config::{PasswordFrom, Paths, Profile, ProfileName, env};
use crate::failure::Failure;
use crate::secret::{Keyring, PasswordFile};

/// What has to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The password of a profile.
    Password(ProfileName),
    /// A password to keep: typed twice, because nobody sees it.
    NewPassword(ProfileName),
    /// What opens the file of passwords.
    Passphrase,
    /// What is to open it from now on: typed twice.
    NewPassphrase,
}

impl Wanted {
    /// Whether a slip of the finger would only be noticed later.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::NewPassword(_) | Self::NewPassphrase)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(name) | Self::NewPassword(name) => {
                write!(f, "Password of profile {name}")
            }
            Self::Passphrase => f.write_str("Passphrase of the file of passwords"),
            Self::NewPassphrase => f.write_str("New passphrase for the file of passwords"),
        }
    }
}

/// Whoever can be asked for what has to be typed.
pub type Ask<'a> = dyn FnMut(&Wanted) -> Result<SecretString, Failure> + 'a;

/// Where passwords are kept.
#[derive(Debug, Clone)]
pub struct Stores {
    pub(super) keyring: Keyring,
    pub(super) file: PasswordFile,
}

impl Stores {
    /// The keyring of the session, and the file of these paths.
    #[must_use]
    pub fn of(paths: &Paths) -> Self {
        Self { keyring: Keyring::default(), file: PasswordFile::at(&paths.secrets_file) }
    }

    /// The passphrase: of the environment, else typed.
    pub(super) fn passphrase(&self, ask: &mut Ask<'_>) -> Result<SecretString, Failure> {
        if let Some(passphrase) = secret_of(env::PASSPHRASE.read(), env::PASSPHRASE.name)? {
            return Ok(passphrase);
        }
        let wanted = if self.file.exists() { Wanted::Passphrase } else { Wanted::NewPassphrase };
        ask(&wanted)
    }

    /// Keeps a password where the profile says.
    pub(super) fn keep(
        &self,
        name: &ProfileName,
        from: &PasswordFrom,
        password: &SecretString,
        ask: &mut Ask<'_>,
    ) -> Result<(), Failure> {
        match from {
            PasswordFrom::Keyring => Ok(self.keyring.store(name.as_str(), password)?),
            PasswordFrom::File => {
                let passphrase = self.passphrase(ask)?;
                Ok(self.file.store(&passphrase, name.as_str(), password)?)
            }
            PasswordFrom::Prompt | PasswordFrom::Variable(_) | PasswordFrom::None => Ok(()),
        }
    }

    /// Takes the password of a profile out; whether there was one.
    pub(super) fn forget(
        &self,
        name: &ProfileName,
        from: &PasswordFrom,
        ask: &mut Ask<'_>,
    ) -> Result<bool, Failure> {
        match from {
            PasswordFrom::Keyring => Ok(self.keyring.remove(name.as_str())?),
            PasswordFrom::File if self.file.exists() => {
                let passphrase = self.passphrase(ask)?;
                Ok(self.file.remove(&passphrase, name.as_str())?)
            }
            _ => Ok(false),
        }
    }
}

/// The password of a profile; none where it needs none of ours.
///
/// # Errors
/// Where it is not to be had, with what to do about it.
pub fn password(
    profile: &Profile,
    stores: &Stores,
    ask: &mut Ask<'_>,
) -> Result<Option<SecretString>, Failure> {
    let (name, from) = (&profile.name, &profile.password);
    let found = match from {
        PasswordFrom::None => return Ok(None),
        PasswordFrom::Prompt => return ask(&Wanted::Password(name.clone())).map(Some),
        PasswordFrom::Variable(variable) => secret_of(env::named(variable), variable)?,
        PasswordFrom::Keyring => stores.keyring.read(name.as_str())?,
        PasswordFrom::File if !stores.file.exists() => None,
        PasswordFrom::File => {
            let passphrase = stores.passphrase(ask)?;
            stores.file.read(&passphrase, name.as_str())?
        }
    };
    found.map(Some).ok_or_else(|| missing(name, from))
}

/// What a person has to type before the password is to be had.
#[must_use]
pub fn asks(profile: &Profile, stores: &Stores) -> Option<Wanted> {
    match profile.password {
        PasswordFrom::Prompt => Some(Wanted::Password(profile.name.clone())),
        PasswordFrom::File if stores.file.exists() && env::PASSPHRASE.read().is_none() => {
            Some(Wanted::Passphrase)
        }
        _ => None,
    }
}

fn missing(name: &ProfileName, from: &PasswordFrom) -> Failure {
    let anew = "`tenantdesk profile remove` and `profile add` set it anew";
    match from {
        PasswordFrom::Variable(variable) => {
            let message =
                format!("profile {name} takes its password from {variable}, which is not set");
            Failure::refused(message)
        }
        PasswordFrom::Keyring => {
            Failure::refused(format!("the keyring holds no password for profile {name}")).hint(anew)
        }
        _ => Failure::refused(format!("the file of passwords holds none for profile {name}"))
            .hint(anew),
    }
}

/// A secret of the environment.
fn secret_of(
    value: Option<std::ffi::OsString>,
    name: &str,
) -> Result<Option<SecretString>, Failure> {
    let text = value.map(std::ffi::OsString::into_string).transpose();
    // The value is not repeated, whatever it is.
    let text = text.map_err(|_value| Failure::refused(format!("{name} is not valid UTF-8")))?;
    Ok(text.map(SecretString::from))
}
