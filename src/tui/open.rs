//! Opens the console for a target and closes it again: a runtime, a runner, the loop.

use super::app::Start;
use super::run::run;
use super::runner::Runner;
use super::theme::Theme;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
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
pub fn open(paths: Paths, target: Target, look: Look) -> Result<(), Failure> {
    let broken = |what: &str, error: std::io::Error| {
        Failure::new(Kind::Internal, what).caused_by(error.to_string())
    };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| broken("no runtime could be started", error))?;
    runtime.block_on(async {
        let runner = Runner::new(paths, target);
        let theme = if look.colourless { Theme::Plain } else { Theme::Dark };
        let start = Start { theme, ascii: look.ascii, ..Start::default() };
        let result = run(runner.clone(), start).await;
        let finished = runner.finish().await;
        result.map_err(|error| broken("the terminal cannot be used", error))?;
        finished
    })
}
