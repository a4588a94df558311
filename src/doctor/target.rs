//! Where the database is that would be examined, without starting anything for it.

use crate::config::Paths;
use crate::failure::Failure;
use crate::postgres::Endpoint;
use crate::postgres::embedded::{Embedded, State, os_user};
use crate::server::role::DATABASE;
use crate::startup::{self, Target};

/// Where the target is, as it is now: a server that does not run is not started.
///
/// # Errors
/// Where the embedded server is meant and does not run.
pub async fn present_endpoint(paths: &Paths, target: &Target) -> Result<Endpoint, Failure> {
    let login = match target {
        Target::Elsewhere(endpoint) => return Ok(endpoint.as_ref().clone()),
        Target::EmbeddedAs(login) => login.clone(),
        Target::Embedded => startup::operator_login(&os_user().await?).to_string(),
    };
    let seen = Embedded::new(paths).observe().await?;
    if seen.state != State::Running {
        let message = format!("the embedded server is {}", seen.state.as_str());
        return Err(Failure::refused(message).hint("`tenantdesk server start` starts it"));
    }
    Ok(Endpoint::socket(&seen.socket_dir, seen.port, DATABASE, &login))
}
