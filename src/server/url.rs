//! `server url`: the address of the embedded database for one login, without a password.

use crate::failure::Failure;
use crate::postgres::Endpoint;
use crate::postgres::embedded::{Embedded, State};
use crate::server::role::{DATABASE, Role};

/// The address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// `postgresql:///app?host=..&port=..&user=..`, percent-encoded.
    pub url: String,
    /// Whether the server runs, so that the address answers.
    pub running: bool,
}

/// Tells the address, of the running server or of the one that `server start` would start.
///
/// # Errors
/// Where the server's files cannot be read.
pub async fn url(embedded: &Embedded, role: Role) -> Result<ServerUrl, Failure> {
    super::may_look(embedded)?;
    let seen = embedded.observe().await?;
    let running = seen.state == State::Running;
    let endpoint = Endpoint::socket(&seen.socket_dir, seen.port, DATABASE, role.login());
    Ok(ServerUrl { url: endpoint.url(), running })
}
