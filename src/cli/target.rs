//! Which database is meant, and the password for it where its server asks and nobody has said one.

use super::invocation::Invocation;
use crate::config::Paths;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::startup::Target;

/// The target of the flags and the environment. A person at a terminal is asked for a password
/// that is missing; without one the error of connecting says where it may come from.
///
/// # Errors
/// Where the address is none, or whoever is asked leaves.
pub(super) fn choose(invocation: &mut Invocation, paths: &Paths) -> Result<Target, Failure> {
    let target = Target::choose(invocation.flags.url.as_deref(), paths)?;
    ask_for_password(invocation, target)
}

/// Asks for the password of a target that needs one and has none.
///
/// # Errors
/// Where whoever is asked leaves or types nothing.
pub(super) fn ask_for_password(
    invocation: &mut Invocation,
    target: Target,
) -> Result<Target, Failure> {
    let Some(login) = target.without_password().filter(|_| invocation.asker.is_there()) else {
        return Ok(target);
    };
    let asks = invocation.block_on(async |invocation| {
        let question = async |progress: Progress| {
            let asked = async { Ok(target.asks_for_password().await) };
            progress.unless_cancelled(asked).await
        };
        invocation.watch(question).await
    })?;
    if !asks {
        return Ok(target);
    }
    let password =
        invocation.asker.secret(&mut invocation.printer, &format!("Password of {login}"))?;
    Ok(target.with_password(password))
}
