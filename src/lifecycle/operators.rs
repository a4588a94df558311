//! `operator add|password|remove` as both skins run them: the login in the database, and the way in to it.
//!
//! On the embedded server the way in is the map of the operating system's users, and nobody has a
//! password; on any other it is a password that is drawn and shown once, or what the server asks
//! for by itself (a certificate, `peer`).

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Paths;
use crate::console::Console;
use crate::failure::{Failure, Kind};
use crate::identity::{Level, OperatorName};
use crate::postgres::embedded::Embedded;
use crate::progress::Progress;
use crate::tenant::operators::{self, Gone, Login, NewOperator};
use crate::tenant::password;

/// The least length of a password that a person chose.
const SHORTEST: usize = 12;

/// How a new login proves who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// By a password that is drawn and shown once.
    Drawn,
    /// By a password that somebody chose.
    Chosen(SecretString),
    /// By what the server asks for itself: a certificate, `peer`.
    Without,
}

/// Asks for an operator.
#[derive(Debug, Clone)]
pub struct AddOperator {
    /// The login.
    pub name: OperatorName,
    /// The level in this database.
    pub level: Level,
    /// Whether several people use it; such a login never writes.
    pub shared: bool,
    /// How it proves who it is; as the server needs it where nothing is said.
    pub credential: Option<Credential>,
}

/// An operator who was made.
#[derive(Debug, Clone)]
pub struct Added {
    /// The login.
    pub name: OperatorName,
    /// The level in this database.
    pub level: Level,
    /// Whether several people use it.
    pub shared: bool,
    /// Where the login came from.
    pub login: Login,
    /// The address to log in with from here, without a password.
    pub url: String,
    /// The password that was drawn, to be shown once.
    pub password: Option<SecretString>,
}

/// Makes an operator and lets them in.
///
/// # Errors
/// Where the level does not allow it, the name is taken, the password is too short, or the
/// embedded server is asked for a password that it has no use for.
pub async fn add(
    console: &Console,
    ask: AddOperator,
    progress: &Progress,
) -> Result<Added, Failure> {
    let embedded = embedded_of(console)?;
    let password = match (ask.credential, &embedded) {
        (None | Some(Credential::Without), Some(_)) | (Some(Credential::Without), None) => None,
        (Some(Credential::Drawn | Credential::Chosen(_)), Some(_)) => return Err(needs_none()),
        (None | Some(Credential::Drawn), None) => Some((password::draw()?, true)),
        (Some(Credential::Chosen(chosen)), None) => Some((long_enough(chosen)?, false)),
    };
    let new = NewOperator {
        name: &ask.name,
        level: ask.level,
        shared: ask.shared,
        password: password.as_ref().map(|(password, _)| password),
    };
    let login = operators::add(console, &new).await?;
    if let Some(paths) = &embedded {
        let server = Embedded::attach(paths, progress).await?;
        server.allow_logins(&[ask.name.as_str()], progress).await?;
        server.release(progress).await?;
    }
    let url = console.endpoint().for_user(ask.name.as_str()).url();
    // What a login had before is not known here, and what a person chose they know themselves.
    let shown = password.filter(|(_, drawn)| *drawn && login == Login::Made);
    let password = shown.map(|(password, _)| password);
    Ok(Added { name: ask.name, level: ask.level, shared: ask.shared, login, url, password })
}

/// Sets a new password; gives it back where it was drawn, to be shown once.
///
/// # Errors
/// Where the level does not allow it, another database knows the login, the password is too
/// short, or the server is the embedded one, which asks for none.
pub async fn set_password(
    console: &Console,
    name: &OperatorName,
    chosen: Option<SecretString>,
) -> Result<Option<SecretString>, Failure> {
    if embedded_of(console)?.is_some() {
        return Err(needs_none());
    }
    if let Some(chosen) = chosen {
        operators::set_password(console, name, &long_enough(chosen)?).await?;
        return Ok(None);
    }
    let drawn = password::draw()?;
    operators::set_password(console, name, &drawn).await?;
    Ok(Some(drawn))
}

/// Removes an operator, and on the embedded server the way in.
///
/// # Errors
/// As [`operators::remove`]; or the server's map of logins cannot be written.
pub async fn remove(
    console: &Console,
    name: &OperatorName,
    progress: &Progress,
) -> Result<Gone, Failure> {
    let gone = operators::remove(console, name).await?;
    if let (Some(paths), Gone::Dropped) = (embedded_of(console)?, gone) {
        let server = Embedded::attach(&paths, progress).await?;
        server.forbid_logins(&[name.as_str()], progress).await?;
        server.release(progress).await?;
    }
    Ok(gone)
}

/// Where the embedded server is, if that is the one that this gate is on.
fn embedded_of(console: &Console) -> Result<Option<Paths>, Failure> {
    let paths = Paths::from_environment()?;
    let its_own = console.endpoint().socket_dir() == Some(paths.socket_dir.as_path());
    Ok(its_own.then_some(paths))
}

fn long_enough(password: SecretString) -> Result<SecretString, Failure> {
    if password.expose_secret().chars().count() >= SHORTEST {
        return Ok(password);
    }
    let message = format!("the password has less than {SHORTEST} characters");
    Err(Failure::new(Kind::Usage, message).hint("`--password generate` draws one"))
}

fn needs_none() -> Failure {
    Failure::refused(
        "the embedded server lets in by the operating system's user, without a password",
    )
    .hint("leave `--password` out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_password_is_refused() {
        assert!(long_enough("elevenchars".into()).is_err());
        assert!(long_enough("twelve chars".into()).is_ok());
    }
}
