//! Opens the console for a target and closes it again: a runtime, a runner, the loop.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::app::{Opening, Start};
use super::run::run;
use super::runner::Runner;
use super::theme::Theme;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::impersonation::StartImpersonation;
use crate::startup::Target;

/// How the console looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Without colours: modifiers and signs only.
    pub colourless: bool,
    /// ASCII lines and signs.
    pub ascii: bool,
}

/// Opens the console and stays until it is left.
///
/// # Errors
/// Where the terminal cannot be taken, or the server does not stop in time afterwards.
pub fn open(
    paths: Paths,
    target: Target,
    look: Look,
    impersonate: Option<StartImpersonation>,
) -> Result<(), Failure> {
    let broken = |what: &str, error: std::io::Error| {
        Failure::new(Kind::Internal, what).caused_by(error.to_string())
    };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| broken("no runtime could be started", error))?;
    runtime.block_on(async {
        // Beside the loop, on a thread of the runtime: see there.
        tokio::spawn(leave_after_signal());
        let runner = Runner::new(paths, target);
        let theme = if look.colourless { Theme::Plain } else { Theme::Dark };
        let opening = match impersonate {
            None => Ok(Opening::Tenants),
            Some(ask) => {
                runner.start(ask).await.map(|facts| Opening::Impersonation(Box::new(facts)))
            }
        };
        let result = match opening {
            Ok(opening) => {
                let start = Start { theme, ascii: look.ascii, opening, ..Start::default() };
                run(runner.clone(), start)
                    .await
                    .map_err(|e| broken("the terminal cannot be used", e))
            }
            Err(failure) => Err(failure),
        };
        let finished = runner.finish().await;
        result.and(finished)
    })
}

/// How long the loop may take to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(8);

/// Ends the process where the loop cannot. A terminal that is gone makes the event reader of
/// crossterm spin with its lock held, and the loop then waits for that lock for ever; no signal
/// reaches it any more. The database ends what was open by itself.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the loop hangs, and nothing else can end the process"
)]
async fn leave_after_signal() {
    let (Ok(mut hangup), Ok(mut term)) =
        (signal(SignalKind::hangup()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = hangup.recv() => {}
        _ = term.recv() => {}
    }
    tokio::time::sleep(PATIENCE).await;
    tracing::warn!("the console did not end after a signal; the process ends now");
    super::terminal::restore();
    std::process::exit(143);
}
