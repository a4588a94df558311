//! Ctrl-C, SIGTERM and SIGHUP (the terminal was closed): heard on the main thread, obeyed by the command on a thread of its own.
//!
//! A command that listens ends by itself, with its session ended and its server released. One that
//! cannot listen, because it waits for a key or for a pipe that nobody empties, is left behind,
//! so that the program ends all the same and always with the same exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::failure::{Failure, Kind};

/// How long a command that listens may take to stop after it was asked to.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// How long one that does not listen may take: it may be about to look.
const GLANCE: Duration = Duration::from_millis(300);
/// How long the end of a command may take after its work was given up.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often somebody who waits for a key looks whether he should stop.
const LOOK: Duration = Duration::from_millis(20);
/// As much as the main thread has: deep futures of a debug build need more than a thread's usual stack.
const STACK: usize = 8 << 20;

/// What was asked for so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// How often.
    times: u32,
    /// Whether one of them was SIGTERM or SIGHUP.
    terminated: bool,
}

/// What the command tells the main thread: how many say so at the moment.
#[derive(Debug, Default)]
struct Told {
    listens: AtomicU32,
    child: AtomicU32,
}

/// The command's end of it.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    asked: watch::Receiver<Asked>,
    told: Arc<Told>,
}

/// While it lives, the main thread believes what it says.
pub(super) struct While {
    told: Arc<Told>,
    what: fn(&Told) -> &AtomicU32,
}

impl Drop for While {
    fn drop(&mut self) {
        (self.what)(&self.told).fetch_sub(1, Ordering::SeqCst);
    }
}

impl Signals {
    /// The two ends.
    pub(super) fn pair() -> (watch::Sender<Asked>, Self) {
        let (tell, asked) = watch::channel(Asked::default());
        (tell, Self { asked, told: Arc::default() })
    }

    /// For a command that nobody watches: the console listens for itself.
    pub(super) fn unheard() -> Self {
        Self::pair().1
    }

    /// Whether the system asked the program to end (SIGTERM, SIGHUP).
    pub(super) fn is_terminated(&self) -> bool {
        self.asked.borrow().terminated
    }

    /// Stops here if it was asked to.
    ///
    /// # Errors
    /// [`Kind::Interrupted`].
    pub(super) fn checkpoint(&self) -> Result<(), Failure> {
        if self.asked.borrow().times > 0 { Err(interrupted()) } else { Ok(()) }
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        if self.asked.changed().await.is_err() {
            // Nobody is there who could ask.
            std::future::pending::<()>().await;
        }
    }

    /// Waits for a SIGTERM or SIGHUP.
    pub(super) async fn terminated(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| asked.terminated).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// From now on the command stops by itself.
    pub(super) fn listening(&self) -> While {
        self.say(|told| &told.listens)
    }

    /// From now on a child has the terminal: Ctrl-C is for it alone.
    pub(super) fn with_child(&self) -> While {
        self.say(|told| &told.child)
    }

    fn say(&self, what: fn(&Told) -> &AtomicU32) -> While {
        what(&self.told).fetch_add(1, Ordering::SeqCst);
        While { told: Arc::clone(&self.told), what }
    }

    /// Does blocking work that cannot be broken off (reading from a terminal or a pipe) on a thread
    /// of its own, which is left behind when a signal comes.
    ///
    /// # Errors
    /// [`Kind::Interrupted`].
    pub(super) fn leave_when_asked<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _listening = self.listening();
        let broken = || Failure::new(Kind::Internal, "reading was broken off");
        let (done, result) = mpsc::channel();
        std::thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || drop(done.send(work())))
            .map_err(|error| broken().caused_by(error.to_string()))?;
        loop {
            match result.recv_timeout(LOOK) {
                Ok(value) => return Ok(value),
                Err(RecvTimeoutError::Disconnected) => return Err(broken()),
                Err(RecvTimeoutError::Timeout) => self.checkpoint()?,
            }
        }
    }
}

/// A command that was stopped before it could say how far it came.
pub(super) fn interrupted() -> Failure {
    Failure::new(Kind::Interrupted, "interrupted")
        .hint("`tenantdesk audit list` shows whether the work was completed")
}

/// How a supervised command came to its end.
#[derive(Debug)]
pub(super) enum End<T> {
    /// By itself.
    Own(T),
    /// It did not end when it was asked to, and is left behind.
    GivenUp {
        /// Whether SIGTERM or SIGHUP asked.
        terminated: bool,
    },
}

/// Runs a command on a thread of its own, and passes signals on to it.
///
/// # Errors
/// Where the system gives no thread or no signals.
pub(super) fn supervise<T: Send + 'static>(
    command: impl FnOnce(Signals) -> T + Send + 'static,
) -> Result<End<T>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Internal, "the command could not be started")
            .caused_by(error.to_string())
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangups = hangups().map_err(failed)?;
        let (tell, signals) = Signals::pair();
        let told = Arc::clone(&signals.told);
        let (end, mut ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("command".to_owned())
            .stack_size(STACK)
            .spawn(move || drop(end.send(command(signals))))
            .map_err(failed)?;
        let mut deadline = None;
        loop {
            let terminated = tokio::select! {
                biased;
                result = &mut ended => match (result, thread.join()) {
                    (Ok(value), _) => return Ok(End::Own(value)),
                    (Err(_), Err(panic)) => std::panic::resume_unwind(panic),
                    (Err(_), Ok(())) => return Err(Failure::new(Kind::Internal, "the command said nothing")),
                },
                Some(()) = interrupts.recv() => false,
                Some(()) = terminations.recv() => true,
                Some(()) = next_hangup(&mut hangups) => true,
                () = sleep_until(deadline) => {
                    let terminated = tell.borrow().terminated;
                    return Ok(End::GivenUp { terminated });
                }
            };
            if terminated || !says(&told.child) {
                tell.send_modify(|asked| {
                    asked.times += 1;
                    asked.terminated |= terminated;
                });
                deadline = Some(Instant::now() + patience(&told, tell.borrow().times));
            }
        }
    })
}

/// A closed terminal; none where the program was started to outlive it (`nohup`).
fn hangups() -> std::io::Result<Option<Signal>> {
    if hangups_are_ignored() { Ok(None) } else { signal(SignalKind::hangup()).map(Some) }
}

/// Whether whoever started the program had it ignore SIGHUP.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit n - 1 is signal n; SIGHUP is 1.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

async fn next_hangup(hangups: &mut Option<Signal>) -> Option<()> {
    match hangups {
        Some(hangups) => hangups.recv().await,
        None => std::future::pending().await,
    }
}

fn says(count: &AtomicU32) -> bool {
    count.load(Ordering::SeqCst) > 0
}

/// How long the command may take from now on.
fn patience(told: &Told, times: u32) -> Duration {
    let obeys = says(&told.listens) || says(&told.child);
    match times {
        _ if !obeys => GLANCE,
        1 => GRACE + FAREWELL,
        _ => FAREWELL,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A signal, as the main thread passes it on.
    pub(in crate::cli) fn send(tell: &watch::Sender<Asked>, terminated: bool) {
        tell.send_modify(|asked| {
            asked.times += 1;
            asked.terminated |= terminated;
        });
    }

    #[test]
    fn a_read_that_never_ends_is_left_behind() {
        let (tell, signals) = Signals::pair();
        assert_eq!(signals.leave_when_asked(|| 7), Ok(7));
        let (_never_sent, blocks) = mpsc::channel::<()>();
        let reader = std::thread::spawn(move || signals.leave_when_asked(move || blocks.recv()));
        send(&tell, false);
        let failure = reader.join().unwrap().unwrap_err();
        assert_eq!(failure.kind, Kind::Interrupted);
    }

    #[test]
    fn what_is_said_holds_as_long_as_it_is_said() {
        let (_tell, signals) = Signals::pair();
        let listening = signals.listening();
        assert_eq!(patience(&signals.told, 1), GRACE + FAREWELL);
        assert_eq!(patience(&signals.told, 2), FAREWELL);
        drop(listening);
        assert_eq!(patience(&signals.told, 1), GLANCE);
    }

    #[test]
    fn a_command_that_ends_by_itself_is_believed() {
        assert!(matches!(supervise(|_| 7), Ok(End::Own(7))));
    }
}
