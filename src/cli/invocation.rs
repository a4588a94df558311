//! What every verb of the command line gets: flags, a request id, a printer, somebody to ask, signals.

use std::future::Future;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::args::GlobalFlags;
use super::exit::Exit;
use super::look::{Look, Surroundings};
use super::output::Printer;
use super::progress_line::{PACE, ProgressLine};
use super::prompt::Asker;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::logging;
use crate::progress::Progress;

/// How long a verb may take to stop after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// One run of one command.
pub struct Invocation {
    /// The global flags.
    pub flags: GlobalFlags,
    /// The id that runs through log, ledger, JSON and errors.
    pub request: RequestId,
    /// Where answers go.
    pub printer: Printer,
    /// Who answers questions.
    pub asker: Asker,
    around: Surroundings,
    terminated: bool,
    child: Option<u8>,
}

impl Invocation {
    /// Sets up a command with the real streams.
    #[must_use]
    pub fn new(flags: GlobalFlags, around: Surroundings) -> Self {
        let look = Look::decide(&flags, &around);
        let printer = Printer::standard(look);
        let can_ask = around.in_terminal && around.err_terminal && !flags.json;
        let asker = Asker::standard(flags.yes, can_ask);
        let request = RequestId::draw();
        Self { printer, asker, request, around, flags, terminated: false, child: None }
    }

    /// Whether a console can be opened: both ends are a terminal and nobody asked for JSON.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.around.in_terminal && self.around.out_terminal && !self.flags.json
    }

    /// Whether colours are wanted on standard output.
    #[must_use]
    pub fn colours(&self) -> bool {
        Look::decide(&self.flags, &self.around).out_color
    }

    /// Starts the log file, once the program has a home; a program without one works all the same.
    pub fn start_log(&mut self) {
        let Ok(paths) = Paths::from_environment() else { return };
        if !paths.home.exists() {
            return;
        }
        if let Err(error) = logging::start(&paths.logs_dir, self.request, self.flags.verbose) {
            self.printer.warning(&format!("{error}; going on without a log"));
        }
    }

    /// The answer of the command: its JSON document, or the text that `as_text` prints.
    ///
    /// # Errors
    /// Where the document cannot be encoded.
    pub fn answer<T: Serialize>(
        &mut self,
        document: &T,
        as_text: impl FnOnce(&mut Printer),
    ) -> Result<(), Failure> {
        self.printer.answer(self.request, document, as_text)
    }

    /// Runs async work on a runtime of its own.
    ///
    /// # Errors
    /// What the work says, or that the system gives no threads.
    pub fn block_on<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| {
            Failure::new(Kind::Internal, "no runtime could be started").caused_by(error.to_string())
        })?;
        runtime.block_on(work(self))
    }

    /// Runs a verb while its progress is drawn. Ctrl-C or SIGTERM asks it to stop; the second one,
    /// or ten seconds, drop it where it stands.
    ///
    /// # Errors
    /// What the verb says, or that it was interrupted.
    pub async fn watch<T, F>(&mut self, verb: impl FnOnce(Progress) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (progress, mut events) = Progress::channel();
        let mut line = ProgressLine::new(&self.printer, self.around.err_terminal, Instant::now());
        let mut interrupts = listen(SignalKind::interrupt())?;
        let mut terminations = listen(SignalKind::terminate())?;
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = verb(progress.clone());
        tokio::pin!(work);
        let mut deadline: Option<tokio::time::Instant> = None;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                Some(event) = events.recv() => line.take(event, &mut self.printer),
                _ = interrupts.recv() => {
                    if progress.is_cancelled() { break Err(interrupted()) }
                    deadline = Some(self.stop(&progress, &mut line));
                }
                _ = terminations.recv() => {
                    self.terminated = true;
                    if progress.is_cancelled() { break Err(interrupted()) }
                    deadline = Some(self.stop(&progress, &mut line));
                }
                () = sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                    break Err(interrupted());
                }
                _ = ticks.tick() => line.draw(&mut self.printer, Instant::now()),
            }
        };
        while let Ok(event) = events.try_recv() {
            line.take(event, &mut self.printer);
        }
        line.clear(&mut self.printer);
        result
    }

    /// Lets this command end with the code of a program that it ran for the user.
    pub fn ends_as_child(&mut self, code: i32) {
        self.child = Some(u8::try_from(code).unwrap_or(u8::MAX));
    }

    /// Asks the verb to stop and says so.
    fn stop(&mut self, progress: &Progress, line: &mut ProgressLine) -> tokio::time::Instant {
        progress.cancel();
        line.clear(&mut self.printer);
        self.printer.status("stopping; once more stops at once");
        tokio::time::Instant::now() + GRACE
    }

    /// Prints a failure, sends what is buffered, and says how the command ended.
    pub fn conclude(mut self, result: Result<(), Failure>) -> Exit {
        let result = result.and_then(|()| self.printer.finish());
        match result {
            Ok(()) => self.child.map_or(Exit::Done, Exit::Child),
            Err(failure) => {
                tracing::warn!(kind = failure.kind.as_str(), "{}", failure.logged());
                self.printer.failure(Some(self.request), &failure);
                let stopped = failure.kind == Kind::Interrupted && self.terminated;
                if stopped { Exit::Terminated } else { Exit::Failed(failure.kind) }
            }
        }
    }
}

fn interrupted() -> Failure {
    Failure::new(Kind::Interrupted, "interrupted")
        .hint("`tenantdesk audit list` shows whether the work was completed")
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| {
        Failure::new(Kind::Internal, "signals cannot be listened to").caused_by(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;
    use crate::cli::output::tests::{Captured, PLAIN, captured};

    fn invocation() -> (Invocation, Captured) {
        let mut invocation = Invocation::new(GlobalFlags::default(), Surroundings::default());
        let (printer, _, err) = captured(PLAIN);
        invocation.printer = printer;
        (invocation, err)
    }

    /// Works until it is asked to stop, at most ten seconds.
    async fn patient(progress: Progress) -> Result<(), Failure> {
        let ask_to_stop = getpid();
        kill_process(ask_to_stop, Signal::TERM).unwrap();
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            progress.checkpoint()?;
        }
        Ok(())
    }

    // One test, because signals reach the whole process.
    #[tokio::test]
    async fn a_signal_asks_the_verb_to_stop_and_names_the_exit_code() {
        let (mut invocation, err) = invocation();
        let result = invocation.watch(patient).await;
        assert_eq!(result.as_ref().unwrap_err().kind, Kind::Interrupted);
        assert_eq!(invocation.conclude(result), Exit::Terminated);
        assert!(err.text().starts_with("stopping"), "{}", err.text());
    }

    #[tokio::test]
    async fn a_verb_that_ends_is_answered_with_its_result_and_its_warnings() {
        let (mut invocation, err) = invocation();
        let result = invocation.watch(|progress| async move {
            progress.warn("slow disk");
            Ok(7)
        });
        assert_eq!(result.await, Ok(7));
        assert_eq!(err.text(), "warning: slow disk\n");
        assert_eq!(invocation.conclude(Err(Failure::new(Kind::Negative, "no"))).code(), 1);
    }
}
