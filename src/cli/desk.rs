//! From a command line to a connected [`Console`], and back again whatever happened.

use super::invocation::Invocation;
use super::target;
use crate::config::Paths;
use crate::console::Console;
use crate::failure::Failure;
use crate::isolation::setup::SetupDesk;
use crate::progress::Progress;
use crate::startup;

/// Runs a verb on the database that the flags mean, with progress and signals.
///
/// # Errors
/// What the verb says, or why there is no database.
pub(super) fn with_console<T>(
    invocation: &mut Invocation,
    verb: impl AsyncFnOnce(&Console, &Progress) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let paths = Paths::from_environment()?;
    let target = target::choose(invocation, &paths)?;
    let request = invocation.request;
    invocation.block_on(async |invocation| {
        invocation
            .watch(async |progress| {
                let started = startup::start(&paths, &target, &progress).await?;
                let console = started.console.for_request(request);
                let result = verb(&console, &progress).await;
                drop(console);
                // The answer of the verb comes first; a server that does not stop is in the log.
                if let Err(failure) = started.finish(&progress).await {
                    tracing::warn!("{}", failure.logged());
                }
                result
            })
            .await
    })
}

/// As [`with_console`], for verbs that print or ask between their steps: each step is watched by
/// itself.
///
/// # Errors
/// What the verb says, or why there is no database.
pub(super) fn with_printer<T>(
    invocation: &mut Invocation,
    verb: impl AsyncFnOnce(&mut Invocation, &Console) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let paths = Paths::from_environment()?;
    let target = target::choose(invocation, &paths)?;
    let request = invocation.request;
    invocation.block_on(async |invocation| {
        let start = async |progress: Progress| startup::start(&paths, &target, &progress).await;
        let started = invocation.watch(start).await?;
        let console = started.console.for_request(request);
        let result = Box::pin(verb(invocation, &console)).await;
        drop(console);
        let _listening = invocation.signals.listening();
        if let Err(failure) = started.finish(&Progress::silent()).await {
            tracing::warn!("{}", failure.logged());
        }
        result
    })
}

/// As [`with_printer`], on the connection of setup.
///
/// # Errors
/// What the verb says, or why there is no database.
pub(super) fn with_setup<T>(
    invocation: &mut Invocation,
    verb: impl AsyncFnOnce(&mut Invocation, &SetupDesk) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let paths = Paths::from_environment()?;
    let target = target::choose(invocation, &paths)?;
    invocation.block_on(async |invocation| {
        let start =
            async |progress: Progress| startup::setup_desk(&paths, &target, &progress).await;
        let (desk, server) = invocation.watch(start).await?;
        let result = Box::pin(verb(invocation, &desk)).await;
        drop(desk);
        let _listening = invocation.signals.listening();
        if let Some(server) = server
            && let Err(error) = server.release(&Progress::silent()).await
        {
            tracing::warn!(%error, "the server could not be stopped");
        }
        result
    })
}

/// As [`with_console`], for verbs that only read: a signal ends them where they stand.
///
/// # Errors
/// What the verb says, or why there is no database.
pub(super) fn reading<T>(
    invocation: &mut Invocation,
    verb: impl AsyncFnOnce(&Console, &Progress) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_console(invocation, async |console, progress| {
        progress.unless_cancelled(verb(console, progress)).await
    })
}
