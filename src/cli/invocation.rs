//! What every verb of the command line gets: flags, a request id, a printer, somebody to ask, signals.

use std::future::Future;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::args::GlobalFlags;
use super::exit::Exit;
use super::look::{Look, Surroundings};
use super::output::Printer;
use super::progress_line::{PACE, ProgressLine};
use super::prompt::Asker;
use super::signals::{GRACE, Signals, interrupted};
use crate::config::{Paths, Wish};
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::logging;
use crate::progress::Progress;

/// What ends sooner than this needs no word that it is stopping.
const SOON: Duration = Duration::from_millis(300);
/// How long a thread that cannot be stopped (one that reads from a pipe) is waited for.
const LEFTOVERS: Duration = Duration::from_millis(100);

/// What somebody wants to be printed.
type Print = Box<dyn FnOnce(&mut Printer) + Send>;

/// Where a verb that is watched says what is to be printed.
pub(super) struct Teller(UnboundedSender<Print>);

impl Teller {
    /// Has something printed, after all that was told before.
    pub(super) fn print(&self, print: impl FnOnce(&mut Printer) + Send + 'static) {
        // The other end lives as long as the verb.
        let _gone = self.0.send(Box::new(print));
    }
}

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
    /// What it is asked to do by signals.
    pub(super) signals: Signals,
    around: Surroundings,
    child: Option<u8>,
}

impl Invocation {
    /// Sets up a command with the real streams.
    pub(super) fn new(
        flags: GlobalFlags,
        around: Surroundings,
        request: RequestId,
        signals: Signals,
    ) -> Self {
        let look = Look::decide(&flags, &around);
        let printer = Printer::standard(look);
        let can_ask = around.in_terminal && around.err_terminal && !flags.json;
        let asker = Asker::standard(flags.yes, can_ask, signals.clone());
        Self { printer, asker, request, signals, around, flags, child: None }
    }

    /// What the flags say about the database.
    #[must_use]
    pub fn wish(&self) -> Wish {
        Wish { url: self.flags.url.clone(), profile: self.flags.profile.clone() }
    }

    /// Whether a console can be opened: both ends are a terminal and nobody asked for JSON.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.around.can_show_a_console(&self.flags)
    }

    /// Whether standard output is a terminal.
    #[must_use]
    pub fn prints_on_a_terminal(&self) -> bool {
        self.around.out_terminal
    }

    /// Whether the reader of standard output is gone; nothing need be written to find out.
    #[must_use]
    pub fn reader_left(&self) -> bool {
        let out = std::io::stdout();
        let mut asked = [PollFd::new(&out, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let told = poll(&mut asked, Some(&at_once));
        told.is_ok_and(|count| count > 0) && asked[0].revents().contains(PollFlags::ERR)
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
        let result = runtime.block_on(work(self));
        runtime.shutdown_timeout(LEFTOVERS);
        result
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
        self.watch_printing(|progress, _| verb(progress)).await
    }

    /// As [`Invocation::watch`], for a verb that has something to print before it is done.
    ///
    /// # Errors
    /// What the verb says, or that it was interrupted.
    pub(super) async fn watch_printing<T, F>(
        &mut self,
        verb: impl FnOnce(Progress, Teller) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.signals.checkpoint()?;
        let _listening = self.signals.listening();
        let (progress, mut events) = Progress::channel();
        let mut line = ProgressLine::new(&self.printer, self.around.err_terminal, Instant::now());
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (teller, mut told) = unbounded_channel();
        // The futures of verbs are large: on the heap they are cheap to hand on.
        let mut work = Box::pin(verb(progress.clone(), Teller(teller)));
        let mut asked: Option<tokio::time::Instant> = None;
        let mut says_so = false;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                Some(event) = events.recv() => line.take(event, &mut self.printer),
                Some(print) = told.recv() => {
                    line.clear(&mut self.printer);
                    print(&mut self.printer);
                }
                () = self.signals.next() => {
                    if progress.is_cancelled() { break Err(interrupted()) }
                    progress.cancel();
                    asked = Some(tokio::time::Instant::now());
                }
                () = after(asked, SOON), if !says_so => {
                    says_so = true;
                    line.clear(&mut self.printer);
                    self.printer.status("stopping; once more stops at once");
                }
                () = after(asked, GRACE) => break Err(interrupted()),
                _ = ticks.tick() => line.draw(&mut self.printer, Instant::now()),
            }
        };
        while let Ok(event) = events.try_recv() {
            line.take(event, &mut self.printer);
        }
        line.clear(&mut self.printer);
        while let Ok(print) = told.try_recv() {
            print(&mut self.printer);
        }
        result
    }

    /// Lets this command end with the code of a program that it ran for the user.
    pub fn ends_as_child(&mut self, code: i32) {
        self.child = Some(u8::try_from(code).unwrap_or(u8::MAX));
    }

    /// Prints a failure, sends what is buffered, and says how the command ended.
    pub fn conclude(mut self, result: Result<(), Failure>) -> Exit {
        let result = result.and_then(|()| self.printer.finish());
        match result {
            Ok(()) => self.child.map_or(Exit::Done, Exit::Child),
            Err(failure) => {
                tracing::warn!(kind = failure.kind.as_str(), "{}", failure.logged());
                self.printer.failure(self.request, &failure);
                let stopped = failure.kind == Kind::Interrupted && self.signals.is_terminated();
                if stopped { Exit::Terminated } else { Exit::Failed(failure.kind) }
            }
        }
    }
}

/// Waits until so much time has passed since then; for ever where there was no such moment.
async fn after(moment: Option<tokio::time::Instant>, span: Duration) {
    match moment {
        Some(moment) => sleep_until(moment + span).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::tests::{Captured, PLAIN, captured};
    use crate::cli::signals::tests::send;

    fn invocation(signals: Signals) -> (Invocation, Captured) {
        let (flags, around) = (GlobalFlags::default(), Surroundings::default());
        let mut invocation = Invocation::new(flags, around, RequestId::draw(), signals);
        let (printer, _, err) = captured(PLAIN);
        invocation.printer = printer;
        (invocation, err)
    }

    /// Works until it is asked to stop, and then a while longer.
    async fn patient(progress: Progress, longer: Duration) -> Result<(), Failure> {
        let work = progress.unless_cancelled(std::future::pending()).await;
        tokio::time::sleep(longer).await;
        work
    }

    #[tokio::test]
    async fn a_signal_asks_the_verb_to_stop_and_names_the_exit_code() {
        for (terminated, exit) in
            [(false, Exit::Failed(Kind::Interrupted)), (true, Exit::Terminated)]
        {
            let (tell, signals) = Signals::pair();
            let (mut invocation, err) = invocation(signals);
            let verb = invocation.watch(async |progress| patient(progress, Duration::ZERO).await);
            let (result, ()) = tokio::join!(verb, async { send(&tell, terminated) });
            assert_eq!(result.as_ref().unwrap_err().kind, Kind::Interrupted);
            assert_eq!(invocation.conclude(result), exit);
            assert!(err.text().starts_with("error: cancelled"), "{}", err.text());
        }
    }

    #[tokio::test]
    async fn a_verb_that_takes_its_time_is_announced_and_dropped_at_the_second_signal() {
        let (tell, signals) = Signals::pair();
        let (mut invocation, err) = invocation(signals);
        let verb = invocation.watch(async |progress| patient(progress, GRACE * 2).await);
        let twice = async {
            send(&tell, false);
            tokio::time::sleep(SOON * 2).await;
            send(&tell, false);
        };
        let (result, ()) = tokio::join!(verb, twice);
        assert_eq!(result, Err(interrupted()));
        assert!(err.text().starts_with("stopping"), "{}", err.text());
        // The wish stays: nothing else is begun.
        assert_eq!(invocation.watch(async |_| Ok(())).await, Err(interrupted()));
    }

    #[tokio::test]
    async fn a_verb_that_ends_is_answered_with_its_result_and_its_warnings() {
        let (mut invocation, err) = invocation(Signals::unheard());
        let result = invocation.watch(|progress| async move {
            progress.warn("slow disk");
            Ok(7)
        });
        assert_eq!(result.await, Ok(7));
        assert_eq!(err.text(), "warning: slow disk\n");
        assert_eq!(invocation.conclude(Err(Failure::new(Kind::Negative, "no"))).code(), 1);
    }
}
