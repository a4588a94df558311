//! The state of the console, the closed list of what can happen to it, and the one pure function
//! that makes a new state and effects out of both.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyEvent, KeyEventKind};
use tui_input::Input;

use super::effect::{Answer, Effect, Request, RequestNo};
use super::facts::{Greeting, PlaceFacts, SessionFacts};
use super::keymap::Keymap;
use super::live::Live;
use super::operation::Operation;
use super::overlay::Overlay;
use super::request::{Requests, Slot};
use super::screen::{
    Archives, Audit, Impersonation, Restore, Server, Sessions, TenantPage, Tenants, Usage,
};
use super::theme::{Look, Theme, Themes};
use super::widget::notice::{Notices, Weight};
use super::{act, answer, key, live, operation, press, screen};
use crate::command::{Key, Scope};
use crate::failure::Failure;
use crate::progress;
use crate::text::Untrusted;

/// Everything that can happen.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "few messages exist at a time, and none is stored")]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The terminal has another size now.
    Resize(u16, u16),
    /// The time; comes with every other message, and once a second while something counts down.
    Tick(DateTime<Utc>),
    /// A request is answered.
    Answer {
        /// Which.
        no: RequestNo,
        /// What came back.
        result: Result<Answer, Failure>,
    },
    /// A request tells how far it is.
    Progress {
        /// Which.
        no: RequestNo,
        /// What it tells.
        event: progress::Event,
    },
    /// The database ended the session, or its connection is gone.
    SessionLost {
        /// Which.
        session: i64,
        /// Why: `expired`, `ended by maria`, ..
        why: Untrusted,
    },
    /// The process was asked to end (SIGTERM, SIGHUP, SIGINT, a closed terminal).
    Terminate,
}

/// Where the console opens.
#[derive(Debug, Clone, Default)]
pub enum Opening {
    /// At the list of tenants.
    #[default]
    Tenants,
    /// In an impersonation that the runner of effects already holds.
    Impersonation(Box<SessionFacts>),
}

/// What the console is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// What decides on the colours: `NO_COLOR` and the like, then the place, then the configuration.
    pub themes: Themes,
    /// Where the console is.
    pub place: PlaceFacts,
    /// ASCII lines and signs.
    pub ascii: bool,
    /// Keys of the configuration: words of a command to its keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Where it opens.
    pub opening: Opening,
}

/// Which screen; its state is kept in a field of its own, so that stale rows stay visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Tenants,
    Tenant,
    Impersonation,
    Usage,
    Archives,
    Restore,
    Audit,
    Server,
    Sessions,
}

/// A line that is being typed below the screen, for the screen on top.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) label: &'static str,
    /// What can be typed, shown while nothing is.
    pub(crate) hint: &'static str,
    pub(crate) input: Input,
    pub(crate) find: bool,
    /// What the filter was before, for esc.
    pub(crate) before: String,
}

/// The whole state.
#[derive(Debug)]
pub struct State {
    pub(crate) size: (u16, u16),
    pub(crate) now: DateTime<Utc>,
    pub(crate) look: Look,
    pub(crate) themes: Themes,
    pub(crate) place: PlaceFacts,
    pub(crate) keymap: Keymap,
    pub(crate) greeting: Option<Greeting>,
    /// Why there is no connection, as long as nothing was ever answered.
    pub(crate) unreachable: Option<String>,
    /// Never empty; the last is on screen.
    pub(crate) stack: Vec<Screen>,
    pub(crate) overlays: Vec<Overlay>,
    pub(crate) prompt: Option<Prompt>,
    /// Keys of a sequence that is not complete.
    pub(crate) pressed: Vec<Key>,
    pub(crate) notices: Notices,
    pub(crate) requests: Requests,
    pub(crate) outbox: Vec<Request>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) live: Option<Live>,
    /// The console ends as soon as its session has.
    pub(crate) quitting: bool,
    pub(crate) tenants: Tenants,
    pub(crate) tenant: Option<TenantPage>,
    pub(crate) impersonation: Option<Impersonation>,
    pub(crate) usage: Usage,
    pub(crate) archives: Archives,
    pub(crate) restore: Option<Restore>,
    pub(crate) audit: Audit,
    pub(crate) server: Server,
    pub(crate) sessions: Sessions,
}

impl State {
    /// The first state and what it asks for; a frame can be drawn before any answer.
    #[must_use]
    pub fn open(start: Start, size: (u16, u16), now: DateTime<Utc>) -> (Self, Vec<Request>) {
        let keymap = Keymap::derive(&start.keys);
        let mut state = Self {
            size,
            now,
            look: Look::new(Theme::default(), start.ascii),
            themes: start.themes,
            place: PlaceFacts::default(),
            greeting: None,
            unreachable: None,
            stack: vec![Screen::Tenants],
            overlays: Vec::new(),
            prompt: None,
            pressed: Vec::new(),
            notices: Notices::default(),
            requests: Requests::default(),
            outbox: Vec::new(),
            operations: Vec::new(),
            live: None,
            quitting: false,
            tenants: Tenants::default(),
            tenant: None,
            impersonation: None,
            usage: Usage::default(),
            archives: Archives::default(),
            restore: None,
            audit: Audit::default(),
            server: Server::default(),
            sessions: Sessions::default(),
            keymap,
        };
        state.arrive(start.place);
        for complaint in state.keymap.complaints().to_vec() {
            state.notices.push(Weight::Warning, complaint, now);
        }
        if let Opening::Impersonation(facts) = start.opening {
            live::begin(&mut state, *facts);
        }
        let requests = std::mem::take(&mut state.outbox);
        (state, requests)
    }

    /// The console is at a place from now on: everything that was shown of another is forgotten.
    pub(crate) fn arrive(&mut self, place: PlaceFacts) {
        self.requests.forget_all();
        self.look = self.look.at(self.themes.of(place.theme), self.themes.is_loud(place.theme));
        self.place = place;
        (self.greeting, self.unreachable, self.prompt) = (None, None, None);
        self.stack = vec![Screen::Tenants];
        self.overlays.clear();
        self.pressed.clear();
        self.operations.clear();
        (self.live, self.tenant, self.impersonation, self.restore) = (None, None, None, None);
        (self.tenants, self.usage) = (Tenants::default(), Usage::default());
        (self.archives, self.audit) = (Archives::default(), Audit::default());
        (self.server, self.sessions) = (Server::default(), Sessions::default());
        self.ask(Slot::Greeting, Effect::Greet);
        screen::load(self, Screen::Tenants);
    }

    /// Until when the loop may sleep if nothing happens; `None` is for ever.
    #[must_use]
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let counting = self.live.is_some()
            || !self.operations.is_empty()
            || self.requests.is_open(Slot::Statement)
            // What is listed there counts down, and goes on elsewhere.
            || self.screen() == Screen::Sessions;
        let second = counting.then(|| self.now + chrono::TimeDelta::seconds(1));
        second.into_iter().chain(self.notices.next_end()).min()
    }

    /// Whether the runner still works for us.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.quitting
    }

    pub(crate) fn ask(&mut self, slot: Slot, effect: Effect) -> RequestNo {
        let no = self.requests.issue(slot);
        self.outbox.push(Request { no, effect });
        no
    }

    pub(crate) fn note(&mut self, weight: Weight, text: impl Into<String>) {
        self.notices.push(weight, text, self.now);
    }

    pub(crate) fn screen(&self) -> Screen {
        self.stack.last().copied().unwrap_or(Screen::Tenants)
    }

    /// The screen as the registry of commands names it.
    pub(crate) fn scope(&self) -> Scope {
        match self.screen() {
            Screen::Tenants => Scope::Tenants,
            Screen::Tenant => Scope::Tenant,
            Screen::Impersonation => Scope::Impersonation,
            Screen::Usage => Scope::Usage,
            Screen::Archives => Scope::Archives,
            Screen::Restore => Scope::Restore,
            Screen::Audit => Scope::Audit,
            Screen::Server => Scope::Server,
            Screen::Sessions => Scope::Sessions,
        }
    }

    /// Goes to a screen: back to it where it is open already, so that crumbs stay short.
    pub(crate) fn go(&mut self, screen: Screen) {
        match self.stack.iter().position(|open| *open == screen) {
            Some(depth) => self.stack.truncate(depth + 1),
            None => self.stack.push(screen),
        }
        self.prompt = None;
        self.pressed.clear();
    }

    /// From the first screen on: for the `g` commands.
    pub(crate) fn go_top(&mut self, screen: Screen) {
        self.stack.truncate(1);
        self.go(screen);
        screen::load(self, screen);
    }
}

/// Makes a new state; answers the effects to carry out.
#[must_use]
pub fn update(state: &mut State, message: Message) -> Vec<Request> {
    match message {
        Message::Key(event) if event.kind == KeyEventKind::Release => {}
        Message::Key(event) => {
            if let Some(key) = key::read(event) {
                press::key(state, key);
            }
        }
        Message::Paste(text) => press::paste(state, &text),
        Message::Resize(width, height) => state.size = (width, height),
        Message::Tick(now) => {
            state.now = now;
            state.notices.sweep(now);
            live::tick(state);
            screen::sessions::tick(state);
        }
        Message::Answer { no, result } => answer::take(state, no, result),
        Message::Progress { no, event } => operation::progress(state, no, event),
        Message::SessionLost { session, why } => live::lost(state, session, &why),
        Message::Terminate => act::quit_now(state),
    }
    std::mem::take(&mut state.outbox)
}
