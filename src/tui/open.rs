//! Opens the console for a target and closes it again: a runtime, a runner, the loop.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::app::{Opening, Start};
use super::facts::PlaceFacts;
use super::run::run;
use super::runner::Runner;
use super::theme::{Colours, Themes};
use crate::config::{ConsoleSettings, Paths, Settings};
use crate::failure::{Failure, Kind};
use crate::impersonation::StartImpersonation;
use crate::profile::Destination;

/// How the console was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// By the person in front of it.
    ByPerson,
    /// By SIGINT from elsewhere; Ctrl-C is a key like any other here.
    Interrupted,
    /// By SIGTERM, or because its terminal was closed.
    Terminated,
}

/// The signals that end the console, as they came since this was made.
struct Ends {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
}

impl Ends {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Whether one came. The loop hears the same signals, so that it ended by one is known here.
    fn left(&mut self) -> Left {
        let came = |signal: &mut Signal| signal.recv().now_or_never().flatten().is_some();
        if came(&mut self.terminate) || came(&mut self.hangup) {
            Left::Terminated
        } else if came(&mut self.interrupt) {
            Left::Interrupted
        } else {
            Left::ByPerson
        }
    }
}

/// How the console is to look, whatever the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// With colours or without.
    pub colours: Colours,
    /// ASCII lines and signs.
    pub ascii: bool,
}

/// What the console is started with: the surroundings win over the file.
fn start(look: Look, settings: ConsoleSettings, place: PlaceFacts, opening: Opening) -> Start {
    let ConsoleSettings { theme, ascii, keys, .. } = settings;
    let themes = Themes { colours: look.colours, usual: theme };
    Start { themes, place, ascii: look.ascii || ascii, keys, opening }
}

/// Opens the console and stays until it is left.
///
/// The loop has a thread of its own, so that the process can end where the loop cannot.
///
/// # Errors
/// Where the configuration is wrong, the terminal cannot be taken, or the server does not stop in
/// time afterwards.
pub fn open(
    paths: Paths,
    destination: Destination,
    look: Look,
    impersonate: Option<StartImpersonation>,
) -> Result<Left, Failure> {
    let settings = Settings::load(&paths.config_file)?.console;
    let (tell, told) = mpsc::channel();
    let given_up = tell.clone();
    let work = move || {
        let place = PlaceFacts::of(&destination);
        let start = |opening| start(look, settings, place, opening);
        let result = stay(paths, destination, start, impersonate, given_up);
        // Nobody listens any more where the loop was given up.
        drop(tell.send(result));
    };
    let console = std::thread::Builder::new()
        .name("console".to_owned())
        .spawn(work)
        .map_err(|error| broken("no thread could be started", &error))?;
    match told.recv() {
        Ok(result) => result,
        // It ended without a word: it panicked, and its panic is ours.
        Err(mpsc::RecvError) => match console.join() {
            Ok(()) => Ok(Left::ByPerson),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

fn broken(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Internal, what).caused_by(error.to_string())
}

/// The console itself, on its thread.
fn stay(
    paths: Paths,
    destination: Destination,
    start: impl FnOnce(Opening) -> Start,
    impersonate: Option<StartImpersonation>,
    given_up: mpsc::Sender<Result<Left, Failure>>,
) -> Result<Left, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| broken("no runtime could be started", &error))?;
    runtime.block_on(async {
        let mut ends =
            Ends::listen().map_err(|error| broken("signals cannot be listened to", &error))?;
        let runner = Runner::new(paths, destination);
        // Beside the loop, on a thread of the runtime: see there.
        let watch = tokio::spawn(give_up_after_signal(given_up, runner.left_behind()));
        let opening = match impersonate {
            None => Ok(Opening::Tenants),
            Some(ask) => {
                runner.start(ask).await.map(|facts| Opening::Impersonation(Box::new(facts)))
            }
        };
        let result = match opening {
            Ok(opening) => run(runner.clone(), start(opening)).await,
            Err(failure) => Err(failure),
        };
        let finished = runner.finish().await;
        watch.abort();
        result.and(finished).map(|()| ends.left())
    })
}

/// How long the loop may take to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(8);

/// Lets the process end where the loop cannot. A terminal that is gone makes the event reader of
/// crossterm spin with its lock held, and the loop then waits for that lock for ever; no signal
/// reaches it any more. Sessions are ended from here then.
async fn give_up_after_signal(
    given_up: mpsc::Sender<Result<Left, Failure>>,
    end_sessions: impl Future<Output = ()>,
) {
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
    let _in_time = tokio::time::timeout(PATIENCE, end_sessions).await;
    super::terminal::restore();
    tracing::warn!("the console did not end after a signal and was given up");
    drop(given_up.send(Ok(Left::Terminated)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ThemeName;
    use crate::tui::theme::Theme;

    #[test]
    fn what_the_surroundings_say_wins_over_the_configuration() {
        let of = |colours, theme| {
            let settings = ConsoleSettings { theme, ..ConsoleSettings::default() };
            let place = PlaceFacts::default();
            let start = start(Look { colours, ascii: false }, settings, place, Opening::Tenants);
            start.themes.of(start.place.theme)
        };
        assert_eq!(of(Colours::Configured, None), Theme::Dark);
        assert_eq!(of(Colours::Configured, Some(ThemeName::Light)), Theme::Light);
        assert_eq!(of(Colours::Configured, Some(ThemeName::Plain)), Theme::Plain);
        assert_eq!(of(Colours::Never, Some(ThemeName::HighContrast)), Theme::Plain);
        assert_eq!(of(Colours::Always, Some(ThemeName::HighContrast)), Theme::HighContrast);
        assert_eq!(of(Colours::Always, Some(ThemeName::Plain)), Theme::Dark);
        let themes = Themes { colours: Colours::Configured, usual: Some(ThemeName::Light) };
        assert_eq!(themes.of(Some(ThemeName::Production)), Theme::Production);
        let colourless = Themes { colours: Colours::Never, ..themes };
        assert_eq!(colourless.of(Some(ThemeName::Production)), Theme::Plain);
        assert!(colourless.is_loud(Some(ThemeName::Production)) && !colourless.is_loud(None));
        let drawn = |flag, file| {
            let settings = ConsoleSettings { ascii: file, ..ConsoleSettings::default() };
            let look = Look { colours: Colours::Never, ascii: flag };
            start(look, settings, PlaceFacts::default(), Opening::Tenants).ascii
        };
        assert!(drawn(true, false) && drawn(false, true) && !drawn(false, false));
    }
}
