//! The console without a terminal: key strings in, the text of the screen out.
//!
//! Effects are answered at once by [`Fixtures`], unless a test holds some of them back.

pub mod fixtures;
pub mod real;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tenantdesk::command::Key;
use tenantdesk::failure::Failure;
use tenantdesk::tui::{
    Answer, Effect, Message, Request, RequestNo, Start, State, key, update, view,
};
use unicode_width::UnicodeWidthStr as _;

pub use fixtures::Fixtures;

/// The time at which every test begins.
pub fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A console under test.
pub struct Console {
    pub state: State,
    pub now: DateTime<Utc>,
    /// Everything that was asked for, in order.
    pub asked: Vec<Effect>,
    /// Requests whose answer the test holds back.
    pub held: Vec<Request>,
    /// Which effects are held back.
    pub hold: fn(&Effect) -> bool,
    fixtures: Fixtures,
    size: (u16, u16),
}

impl Console {
    pub fn open(start: Start, size: (u16, u16), fixtures: Fixtures) -> Self {
        Self::open_holding(start, size, fixtures, |_| false)
    }

    pub fn open_holding(
        start: Start,
        size: (u16, u16),
        fixtures: Fixtures,
        hold: fn(&Effect) -> bool,
    ) -> Self {
        let now = noon();
        let (state, requests) = State::open(start, size, now);
        let mut console =
            Self { state, now, asked: Vec::new(), held: Vec::new(), hold, fixtures, size };
        console.carry_out(requests);
        console
    }

    /// Presses keys: letters as they are, and in angle brackets `<enter>`, `<ctrl-p>`,
    /// `<paste:text>`, `<wait:60>` (seconds), `<size:60x16>`.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for token in tokens(keys) {
            self.one(token);
        }
        self
    }

    fn one(&mut self, token: &str) {
        let message = match token.split_once(':') {
            Some(("paste", text)) => Message::Paste(text.to_owned()),
            Some(("wait", seconds)) => {
                self.now += TimeDelta::seconds(seconds.parse().unwrap());
                Message::Tick(self.now)
            }
            Some(("size", size)) => {
                let (width, height) = size.split_once('x').unwrap();
                self.size = (width.parse().unwrap(), height.parse().unwrap());
                Message::Resize(self.size.0, self.size.1)
            }
            _ => pressed(token),
        };
        self.send(message);
    }

    /// Something happens, and everything that follows from it.
    pub fn send(&mut self, message: Message) {
        let requests = update(&mut self.state, message);
        self.carry_out(requests);
    }

    fn carry_out(&mut self, requests: Vec<Request>) {
        for request in requests {
            self.asked.push(request.effect.clone());
            if (self.hold)(&request.effect) {
                self.held.push(request);
            } else if let Some(result) = self.fixtures.answer(&request.effect) {
                self.answer(request.no, result);
            }
        }
    }

    /// Answers one request.
    pub fn answer(&mut self, no: RequestNo, result: Result<Answer, Failure>) {
        self.send(Message::Answer { no, result });
    }

    /// Answers the oldest request that was held back as the fixtures would.
    pub fn release(&mut self) {
        let request = self.held.remove(0);
        let result = self.fixtures.answer(&request.effect).unwrap();
        self.answer(request.no, result);
    }

    /// The screen as cells.
    pub fn buffer(&self) -> Buffer {
        buffer(&self.state, self.size)
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        text(&self.buffer())
    }

    /// Whether the text is on the screen.
    pub fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// How often such an effect was asked for.
    pub fn count(&self, like: fn(&Effect) -> bool) -> usize {
        self.asked.iter().filter(|effect| like(effect)).count()
    }
}

/// The text of a screen after some keys, at a size.
pub fn screen(keys: &str, size: (u16, u16), fixtures: Fixtures) -> String {
    Console::open(Start::default(), size, fixtures).press(keys).text()
}

/// The parts of a key string: letters, and what stands in angle brackets.
fn tokens(keys: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), keys);
    while let Some(first) = rest.chars().next() {
        let end = rest.find('>').filter(|_| first == '<' && rest.len() > 1);
        let (token, after) = match end {
            Some(end) => (&rest[1..end], &rest[end + 1..]),
            None => rest.split_at(first.len_utf8()),
        };
        rest = after;
        tokens.push(token);
    }
    tokens
}

/// One key.
fn pressed(token: &str) -> Message {
    let name = if token == " " { "space" } else { token };
    let key: Key = name.parse().unwrap_or_else(|_| panic!("`{token}` is no key"));
    Message::Key(key::event(key))
}

/// The screen of a state as cells.
fn buffer(state: &State, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// A screen with its styles: before each run of cells stands a letter, whose meaning follows below.
pub fn styled(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (mut styles, mut screen) = (Vec::new(), String::new());
    for y in area.y..area.bottom() {
        let (mut line, mut last, mut x) = (String::new(), None, area.x);
        while x < area.right() {
            let cell = &buffer[(x, y)];
            let style = format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier);
            let known = styles.iter().position(|known| *known == style);
            let index = known.unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            if last.replace(index) != Some(index) {
                line.extend(['{', letter(index), '}']);
            }
            line.push_str(cell.symbol());
            x += u16::try_from(cell.symbol().width().max(1)).unwrap();
        }
        screen.push_str(line.trim_end());
        screen.push('\n');
    }
    for (index, style) in styles.iter().enumerate() {
        screen.extend(['{', letter(index), '}', ' ']);
        screen.push_str(style);
        screen.push('\n');
    }
    screen
}

fn letter(index: usize) -> char {
    char::from(b'a' + u8::try_from(index).unwrap())
}

/// A wide character takes two cells and is written once.
pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.y..area.bottom() {
        let (mut line, mut x) = (String::new(), area.x);
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
