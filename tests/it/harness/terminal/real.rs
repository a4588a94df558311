//! The console over its real runner and a real server: key strings in, the screen out, no terminal.
//!
//! Nothing is answered by the test. Every wait is for a text and has a deadline.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tenantdesk::clock;
use tenantdesk::config::Paths;
use tenantdesk::postgres::Endpoint;
use tenantdesk::profile::Destination;
use tenantdesk::startup::Target;
use tenantdesk::tui::{Effect, Effects as _, Message, Request, Runner, Start, State, Tell, update};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{buffer, pressed, text, tokens};

const PATIENCE: Duration = Duration::from_secs(30);

/// A console at work.
pub struct RealConsole {
    pub state: State,
    /// Every message of the runner, in order, as it is written for debugging.
    pub told: Vec<String>,
    /// What was put on the clipboard.
    pub copied: Vec<String>,
    runner: Runner,
    sender: UnboundedSender<Message>,
    inbox: UnboundedReceiver<Message>,
    size: (u16, u16),
    /// How far the console's clock is ahead, after a test has waited.
    ahead: TimeDelta,
    home: tempfile::TempDir,
}

impl RealConsole {
    /// Opens it as a login of a database.
    pub fn open(endpoint: Endpoint) -> Self {
        Self::configured(endpoint, "")
    }

    /// As [`RealConsole::open`], with this text in its configuration file.
    pub fn configured(endpoint: Endpoint, configuration: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("config")).unwrap();
        std::fs::write(home.path().join("config/config.toml"), configuration).unwrap();
        let paths = Paths::new(&home.path().join("home"), &home.path().join("config")).unwrap();
        let (sender, inbox) = unbounded_channel();
        let (size, ahead) = ((120, 40), TimeDelta::zero());
        let (state, requests) = State::open(Start::default(), size, clock::now());
        let destination = Destination::nameless(Target::Elsewhere(Box::new(endpoint)));
        let runner = Runner::new(paths, destination);
        let mut console = Self {
            state,
            told: Vec::new(),
            copied: Vec::new(),
            runner,
            sender,
            inbox,
            size,
            ahead,
            home,
        };
        console.hand_over(requests);
        console
    }

    /// Presses keys, as the console of fixed answers does; `<wait:1>` moves its clock only.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for token in tokens(keys) {
            let message = match token.split_once(':') {
                Some(("paste", text)) => Message::Paste(text.to_owned()),
                Some(("wait", seconds)) => {
                    self.ahead += TimeDelta::seconds(seconds.parse().unwrap());
                    Message::Tick(self.now())
                }
                _ => pressed(token),
            };
            self.take(message);
        }
        self
    }

    fn now(&self) -> DateTime<Utc> {
        clock::now() + self.ahead
    }

    fn take(&mut self, message: Message) {
        if !matches!(message, Message::Key(_) | Message::Paste(_)) {
            self.told.push(format!("{message:?}"));
        }
        let now = self.now();
        let mut requests = update(&mut self.state, Message::Tick(now));
        requests.extend(update(&mut self.state, message));
        self.hand_over(requests);
    }

    fn hand_over(&mut self, requests: Vec<Request>) {
        for request in requests {
            if let Effect::Copy(text) = &request.effect {
                self.copied.push(text.clone());
            }
            let (runner, sender, no) = (self.runner.clone(), self.sender.clone(), request.no);
            tokio::spawn(async move {
                let result = runner.run(request, Tell::new(sender.clone())).await;
                let _gone = sender.send(Message::Answer { no, result });
            });
        }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, part: &str) -> impl Future<Output = ()> {
        let what = format!("`{part}` comes");
        let caller = std::panic::Location::caller();
        async move { self.wait_until(&what, caller, |screen| screen.contains(part)).await }
    }

    /// Waits until a text is no longer on the screen.
    #[track_caller]
    pub fn wait_gone(&mut self, part: &str) -> impl Future<Output = ()> {
        let what = format!("`{part}` goes");
        let caller = std::panic::Location::caller();
        async move { self.wait_until(&what, caller, |screen| !screen.contains(part)).await }
    }

    async fn wait_until(
        &mut self,
        what: &str,
        caller: &std::panic::Location<'_>,
        holds: impl Fn(&str) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.text()) {
            assert!(Instant::now() < deadline, "{caller}: never happens: {what}:\n{}", self.text());
            // Once a second for what counts down; an answer wakes it at once.
            let second = Duration::from_secs(1);
            match tokio::time::timeout(second, self.inbox.recv()).await {
                Ok(Some(message)) => self.take(message),
                Ok(None) => panic!("nobody can answer any more"),
                Err(_) => self.take(Message::Tick(self.now())),
            }
        }
    }

    /// Where its state is.
    pub fn home(&self) -> std::path::PathBuf {
        self.home.path().join("home")
    }

    /// The screen.
    pub fn text(&self) -> String {
        text(&buffer(&self.state, self.size))
    }

    /// Whether the text is on the screen.
    pub fn shows(&self, part: &str) -> bool {
        self.text().contains(part)
    }
}
