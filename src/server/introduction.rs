//! What a server says of itself and of the connection to it: version, login, transport.

use crate::failure::Failure;
use crate::postgres::{Endpoint, ServerError, connect};

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Its version.
    pub version: String,
    /// Who we are there.
    pub login: String,
    /// The version of TLS; none where the connection is not encrypted, as on a local socket.
    pub tls: Option<String>,
    /// Whether it is a socket of this machine.
    pub local: bool,
    /// Whether the database holds our control schema.
    pub set_up: bool,
}

/// Asks a server, embedded or not.
///
/// # Errors
/// Where it cannot be reached.
pub async fn introduction(endpoint: &Endpoint) -> Result<Introduction, Failure> {
    let link = connect(endpoint, "tenantdesk profile test").await?;
    let sql = "select current_setting('server_version'), session_user::text, \
               inet_server_addr() is null, \
               (select s.version from pg_catalog.pg_stat_ssl s where s.pid = pg_backend_pid() and s.ssl), \
               pg_catalog.to_regnamespace('tenantdesk') is not null";
    let row = link.client().query_one(sql, &[]).await.map_err(ServerError::from)?;
    Ok(Introduction {
        version: row.get(0),
        login: row.get(1),
        local: row.get(2),
        tls: row.get(3),
        set_up: row.get(4),
    })
}
