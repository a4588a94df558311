//! The loop around the pure core: events in, effects out, a frame when something changed.
//!
//! It sleeps until something happens. A frame is drawn at once, but never more than 60 a second;
//! a timer runs only while something counts down (see [`State::wake_at`]).

use std::io::{self, Stdout};
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event, EventStream};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue};
use futures_util::StreamExt as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::app::{Message, Start, State, update};
use super::effect::{Effect, Effects, Request, Tell};
use super::repaint::Painted;
use super::terminal;
use super::view::view;
use super::widget::notice::Weight;
use crate::clock;
use crate::failure::{Failure, Kind};

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// How long the end of a session may take when the console ends.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens the console and stays until it is left; the terminal is given back in any case.
///
/// # Errors
/// Where the terminal cannot be taken or written to, or a panic somewhere took it away.
pub async fn run<E: Effects>(effects: E, start: Start) -> Result<(), Failure> {
    let ended = stay(effects, start).await.map_err(|error| {
        Failure::new(Kind::Internal, "the terminal cannot be used").caused_by(error.to_string())
    })?;
    match ended {
        Ended::Left => Ok(()),
        Ended::Broken => {
            Err(Failure::new(Kind::Internal, "a fault of this program ended the console"))
        }
    }
}

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was left, or told to end.
    Left,
    /// A panic gave the terminal back, and its message stands there.
    Broken,
}

async fn stay<E: Effects>(effects: E, start: Start) -> io::Result<Ended> {
    let guard = terminal::take()?;
    let (sender, inbox) = unbounded_channel();
    let (state, requests) = State::open(start, crossterm::terminal::size()?, clock::now());
    let mut console = Console {
        effects,
        sender,
        inbox,
        state,
        terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(io::stdout()))?),
        painted: Painted::default(),
        drawn: None,
        changed: true,
        patience: None,
        over: false,
        suspended: false,
    };
    console.draw()?;
    console.carry_out(requests)?;
    let ended = console.listen().await?;
    drop(guard);
    Ok(ended)
}

struct Console<E> {
    effects: E,
    sender: UnboundedSender<Message>,
    inbox: UnboundedReceiver<Message>,
    state: State,
    /// Never dropped: its own drop shows the cursor, and where the terminal is gone it panics while
    /// it complains. Whatever it changed is undone by the guard.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    painted: Painted,
    drawn: Option<Instant>,
    changed: bool,
    /// Until when we wait for the end of the session.
    patience: Option<Instant>,
    over: bool,
    /// The terminal is given back until the job is continued.
    suspended: bool,
}

/// The signals that concern a console.
struct Signals {
    ends: [Signal; 3],
    stop: Signal,
    go_on: Signal,
}

/// What woke the loop.
#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
enum Woken {
    Message(Message),
    Stop,
    GoOn,
    Timer,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let end = |kind| signal(kind);
        Ok(Self {
            ends: [
                end(SignalKind::terminate())?,
                end(SignalKind::hangup())?,
                end(SignalKind::interrupt())?,
            ],
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Woken {
        let [terminate, hangup, interrupt] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Woken::Message(Message::Terminate),
            _ = hangup.recv() => Woken::Message(Message::Terminate),
            _ = interrupt.recv() => Woken::Message(Message::Terminate),
            _ = self.stop.recv() => Woken::Stop,
            _ = self.go_on.recv() => Woken::GoOn,
        }
    }
}

impl<E: Effects> Console<E> {
    async fn listen(&mut self) -> io::Result<Ended> {
        let mut events = EventStream::new();
        let mut signals = Signals::listen()?;
        while !self.over && (self.suspended || terminal::is_ours()) {
            let wait = self.wait();
            let woken = tokio::select! {
                event = events.next(), if !self.suspended => read(event),
                Some(message) = self.inbox.recv(), if !self.suspended => Woken::Message(message),
                woken = signals.next() => woken,
                () = sleep(wait), if !self.suspended => Woken::Timer,
            };
            let woken = if self.suspended { self.awake(woken)? } else { woken };
            match woken {
                Woken::Message(message) => self.take(message)?,
                Woken::Stop => self.suspend()?,
                Woken::GoOn => {
                    terminal::resume(&mut self.terminal)?;
                    self.changed = true;
                }
                Woken::Timer => self.time_passed()?,
            }
            // What is ready already goes into the same frame.
            while let Ok(message) = self.inbox.try_recv() {
                self.take(message)?;
            }
            if self.changed && self.until_frame().is_zero() && terminal::is_ours() {
                self.draw()?;
            }
        }
        Ok(if self.over { Ended::Left } else { Ended::Broken })
    }

    /// How long nothing has to be done; `None` is for ever.
    fn wait(&self) -> Option<Duration> {
        let frame = self.changed.then(|| self.until_frame());
        let clock = self.state.wake_at().map(|at| (at - clock::now()).to_std().unwrap_or_default());
        let end = self.patience.map(|until| until.saturating_duration_since(Instant::now()));
        [frame, clock, end].into_iter().flatten().min()
    }

    fn until_frame(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| FRAME.saturating_sub(drawn.elapsed()))
    }

    fn take(&mut self, message: Message) -> io::Result<()> {
        let mut requests = update(&mut self.state, Message::Tick(clock::now()));
        requests.extend(update(&mut self.state, message));
        self.changed = true;
        self.carry_out(requests)
    }

    fn time_passed(&mut self) -> io::Result<()> {
        if self.patience.is_some_and(|until| until <= Instant::now()) {
            self.over = true;
        }
        if self.state.wake_at().is_some_and(|at| at <= clock::now()) {
            let requests = update(&mut self.state, Message::Tick(clock::now()));
            self.changed = true;
            self.carry_out(requests)?;
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if self.painted.moved(&self.state) {
            terminal::repaint(&mut self.terminal)?;
        }
        let drawn = self.terminal.draw(|frame| view(&self.state, frame))?;
        if self.painted.drifted(drawn.buffer) {
            terminal::repaint(&mut self.terminal)?;
            self.terminal.draw(|frame| view(&self.state, frame))?;
        }
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        (self.drawn, self.changed) = (Some(Instant::now()), false);
        Ok(())
    }

    /// Effects on the terminal are carried out here, all others by the runner, each on its task.
    fn carry_out(&mut self, requests: Vec<Request>) -> io::Result<()> {
        for request in requests {
            match request.effect {
                Effect::Quit => self.over = true,
                Effect::Redraw => terminal::redraw(&mut self.terminal)?,
                Effect::Suspend => self.suspend()?,
                Effect::Copy(text) => {
                    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
                }
                _ => self.hand_over(request),
            }
        }
        if self.state.is_ending() && self.patience.is_none() {
            self.patience = Some(Instant::now() + PATIENCE);
        }
        Ok(())
    }

    fn hand_over(&self, request: Request) {
        let (effects, sender) = (self.effects.clone(), self.sender.clone());
        let (no, tell) = (request.no, Tell::new(sender.clone()));
        let work = tokio::spawn(async move { effects.run(request, tell).await });
        tokio::spawn(async move {
            let broken = || Failure::new(Kind::Internal, "a fault of this program ended the work");
            let result = work.await.unwrap_or_else(|_| Err(broken()));
            // A console that is gone waits for nothing.
            let _gone = sender.send(Message::Answer { no, result });
        });
    }

    /// The job was continued, or is to end: the terminal is taken again.
    fn awake(&mut self, woken: Woken) -> io::Result<Woken> {
        terminal::resume(&mut self.terminal)?;
        (self.suspended, self.changed) = (false, true);
        Ok(if matches!(woken, Woken::Message(_)) { woken } else { Woken::Timer })
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.changed = true;
        self.suspended = terminal::suspend()?;
        if !self.suspended {
            self.state.note(Weight::Warning, "there is no shell that could continue the console");
        }
        Ok(())
    }
}

/// A stream that ends is a terminal that is gone.
fn read(event: Option<io::Result<Event>>) -> Woken {
    match event {
        Some(Ok(Event::Key(key))) => Woken::Message(Message::Key(key)),
        Some(Ok(Event::Paste(text))) => Woken::Message(Message::Paste(text)),
        Some(Ok(Event::Resize(width, height))) => Woken::Message(Message::Resize(width, height)),
        Some(Ok(_)) => Woken::Timer,
        Some(Err(_)) | None => Woken::Message(Message::Terminate),
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
