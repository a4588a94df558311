//! The application's way in over the loopback: `server start --tcp` gives its login a password.
//!
//! The password is drawn here, the server gets its SCRAM verifier only, and it is kept in a
//! password file of PostgreSQL's own form beside the data, so that no output ever holds it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::postgres::embedded::EmbeddedServer;
use crate::postgres::{Ident, Isolation, Preamble, Sql, Transaction, connect};
use crate::server::role::{DATABASE, Role};

/// How an application comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    /// `postgresql://app_user@127.0.0.1:5432/app`, without a password.
    pub url: String,
    /// The password file, for `PGPASSFILE`.
    pub passfile: PathBuf,
}

/// Gives the application a password unless it has one, and says how it comes in.
///
/// # Errors
/// Where the file cannot be written or the server refuses.
pub async fn open(paths: &Paths, server: &EmbeddedServer, port: u16) -> Result<Loopback, Failure> {
    let (passfile, login) = (paths.home.join("pgpass"), Role::App.login());
    let url = format!("postgresql://{login}@127.0.0.1:{port}/{DATABASE}");
    if !passfile.exists() {
        let password = draw()?;
        // The file first: a password that nobody knows could not be found again.
        write(&passfile, login, &password).map_err(|error| cannot_write(&passfile, &error))?;
        if let Err(failure) = set(server, login, &password).await {
            let _none = std::fs::remove_file(&passfile);
            return Err(failure);
        }
    }
    Ok(Loopback { url, passfile })
}

fn draw() -> Result<SecretString, Failure> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Kind::Internal, format!("the system gave no random bytes: {error}"))
    })?;
    Ok(SecretString::from(hex::encode(bytes)))
}

/// For every port, because the next start may take another.
fn write(path: &Path, login: &str, password: &SecretString) -> std::io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "127.0.0.1:*:{DATABASE}:{login}:{}", password.expose_secret())?;
    file.sync_all()
}

async fn set(server: &EmbeddedServer, login: &str, password: &SecretString) -> Result<(), Failure> {
    let verifier = postgres_protocol::password::scram_sha_256(password.expose_secret().as_bytes());
    let superuser = server.endpoint(DATABASE, crate::postgres::embedded::SUPERUSER);
    let link = connect(&superuser, "tenantdesk setup").await?;
    let alter =
        Sql::new("alter role ").ident(&Ident::new(login)).text(" password").literal(&verifier);
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: None, settings: &[] };
    let transaction = Transaction::begin(&link, preamble).await?;
    transaction.batch(&alter).await?;
    Ok(transaction.commit().await?)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format!("the password file `{}` cannot be written", path.display()))
        .caused_by(error.to_string())
        .hint("free the place or its directory, then run `tenantdesk server start --tcp` again")
}
