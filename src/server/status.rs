//! `server status`: what the embedded server is doing. Changes nothing, starts nothing.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::postgres::embedded::{Embedded, SUPERUSER, State};
use crate::postgres::{Endpoint, connect};
use crate::progress::Progress;

/// The embedded server, as seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// What it is doing.
    pub state: State,
    /// The running server's version, else the major version of the data, if there is any.
    pub version: Option<String>,
    /// The number in the socket's name, and the TCP port where one is open.
    pub port: u16,
    /// Whether it listens on the loopback.
    pub tcp: bool,
    /// The directory of its socket.
    pub socket_dir: PathBuf,
    /// Its data.
    pub data_dir: PathBuf,
    /// What the running server answers to `SHOW fsync`; unknown while it does not run.
    pub fsync: Option<bool>,
    /// The postmaster, where it lives.
    pub pid: Option<i32>,
    /// The root of all state.
    pub home: PathBuf,
    /// Whether it stays when nobody uses it.
    pub stays: bool,
    /// Whether a process uses it now.
    pub in_use: bool,
}

/// Looks at the server.
///
/// # Errors
/// Where its files cannot be read, or a running one does not answer.
pub async fn status(embedded: &Embedded, progress: &Progress) -> Result<ServerStatus, Failure> {
    super::may_look(embedded)?;
    let seen = embedded.observe().await?;
    let (version, fsync) = if seen.state == State::Running {
        let endpoint = Endpoint::socket(&seen.socket_dir, seen.port, "postgres", SUPERUSER);
        let Running { version, fsync } = running(&endpoint).await?;
        (Some(version), Some(fsync))
    } else {
        (embedded.data_version()?.map(|major| major.to_string()), None)
    };
    let paths = embedded.paths();
    Ok(ServerStatus {
        state: seen.state,
        version,
        port: seen.port,
        tcp: seen.tcp,
        socket_dir: seen.socket_dir,
        data_dir: paths.data_dir.clone(),
        fsync,
        pid: seen.pid,
        home: paths.home.clone(),
        stays: embedded.stays(),
        in_use: embedded.is_in_use(progress).await?,
    })
}

/// What a running server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its version.
    pub version: String,
    /// What it answers to `SHOW fsync`.
    pub fsync: bool,
}

/// Asks a server itself, embedded or not: what is configured and what holds can differ.
///
/// # Errors
/// Where it cannot be reached.
pub async fn running(endpoint: &Endpoint) -> Result<Running, Failure> {
    let link = connect(endpoint, "tenantdesk status").await?;
    let sql = "select current_setting('server_version'), current_setting('fsync') = 'on'";
    let row = link
        .client()
        .query_typed_one(sql, &[])
        .await
        .map_err(crate::postgres::ServerError::from)?;
    Ok(Running { version: row.get(0), fsync: row.get(1) })
}
