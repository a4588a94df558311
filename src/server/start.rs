//! `server start`: the server runs, and stays when nobody uses it, until `server stop`.

use crate::failure::Failure;
use crate::postgres::embedded::{Embedded, StartOptions};
use crate::progress::Progress;
use crate::server::status::{ServerStatus, status};

/// Asks for the server to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartServer {
    /// Whether applications may come over the loopback, with a password (SCRAM).
    pub tcp: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStarted {
    /// Whether it ran before.
    pub ran_before: bool,
    /// The server now.
    pub status: ServerStatus,
}

/// Starts the server, or finds it running.
///
/// # Errors
/// As `Embedded::start`.
pub async fn start(
    embedded: &Embedded,
    request: StartServer,
    progress: &Progress,
) -> Result<ServerStarted, Failure> {
    let before = embedded.observe().await?.pid;
    let after = embedded.start(StartOptions { tcp: request.tcp }, progress).await?;
    let ran_before = before.is_some() && before == after.pid;
    Ok(ServerStarted { ran_before, status: status(embedded, progress).await? })
}
