//! No verb: the console, where there is a terminal; else the server's state and what to run.

use super::exit::Exit;
use super::invocation::Invocation;
use super::target;
use crate::config::Paths;
use crate::failure::Failure;
use crate::impersonation::StartImpersonation;
use crate::startup::Target;

/// What the other skin needs to open.
pub struct ConsoleRequest {
    /// Where our files are.
    pub paths: Paths,
    /// Which database.
    pub target: Target,
    /// Whether to do without colours.
    pub colourless: bool,
    /// Whether to draw with ASCII only.
    pub ascii: bool,
    /// The impersonation to open at once.
    pub impersonate: Option<StartImpersonation>,
    /// What tells how it ended.
    pub invocation: Invocation,
}

impl std::fmt::Debug for ConsoleRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsoleRequest").field("target", &self.target).finish_non_exhaustive()
    }
}

/// The request to open the console, or why there can be none and how the command ends.
///
/// # Errors
/// The exit of the command, whose failure is printed.
pub(super) fn request(
    mut invocation: Invocation,
    impersonate: Option<StartImpersonation>,
) -> Result<ConsoleRequest, Exit> {
    let places = Paths::from_environment().map_err(Failure::from).and_then(|paths| {
        let target = target::choose(&mut invocation, &paths)?;
        Ok((paths, target))
    });
    match places {
        Ok((paths, target)) => Ok(ConsoleRequest {
            paths,
            target,
            colourless: !invocation.colours(),
            ascii: invocation.flags.ascii,
            impersonate,
            invocation,
        }),
        Err(failure) => Err(invocation.conclude(Err(failure))),
    }
}
