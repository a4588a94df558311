//! `profile test`: is the database there, who are we on it, is tenantdesk set up there?

use super::choose::Destination;
use crate::config::Paths;
use crate::console::{Console, ConsoleError};
use crate::failure::Failure;
use crate::identity::Level;
use crate::progress::Progress;
use crate::server::{self, Introduction};
use crate::startup::{self, Target};

/// A database that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// What it says of itself and of the connection.
    pub server: Introduction,
    /// The level of this login; none for the one that manages the installation, and for one that is
    /// no operator.
    pub level: Option<Level>,
    /// Whether this login manages the installation.
    pub manager: bool,
}

/// Connects and looks; nothing is changed.
///
/// # Errors
/// Where the database cannot be reached, or does not let this login in.
pub async fn test(
    destination: &Destination,
    paths: &Paths,
    progress: &Progress,
) -> Result<Reached, Failure> {
    let Target::Elsewhere(endpoint) = &destination.target else {
        // Its server is started for this, and always set up.
        let started = startup::start(paths, &destination.target, progress).await?;
        let server = server::introduction(started.console.endpoint()).await;
        let (level, manager) = (started.console.level(), started.console.is_manager());
        started.finish(progress).await?;
        return Ok(Reached { server: server?, level, manager });
    };
    let server = server::introduction(endpoint).await?;
    match Console::connect((**endpoint).clone()).await {
        Ok(console) => {
            let (level, manager) = (console.level(), console.is_manager());
            Ok(Reached { server, level, manager })
        }
        Err(ConsoleError::NoOperator { .. } | ConsoleError::NotSetUp) => {
            Ok(Reached { server, level: None, manager: false })
        }
        Err(error) => Err(error.into()),
    }
}
