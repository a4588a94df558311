//! A card to read: labels and values, scrolled; one record, an event, a welcome, the help.

use std::cell::{Cell, RefCell};

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::overlay;
use super::text::{line, width, wrap};
use crate::command::{Key, Press};
use crate::tui::theme::{Look, Role};

/// One entry of a card.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) role: Role,
    copies: Copies,
}

/// What of an entry can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copies {
    Nothing,
    /// Its text, which is the value.
    Text,
    /// An empty text, which the entry shows in words.
    Empty,
}

impl Entry {
    pub(crate) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        let (label, text) = (label.into(), text.into());
        Self { label, text, role: Role::Text, copies: Copies::Nothing }
    }

    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// A line over the whole width.
    pub(crate) fn note(text: impl Into<String>, role: Role) -> Self {
        Self::new("", text).role(role)
    }

    /// A value of a record: NULL is told from an empty text, and both are copied as nothing.
    pub(crate) fn value(label: impl Into<String>, value: Option<&str>) -> Self {
        let (text, role, copies) = match value {
            None => ("NULL", Role::Null, Copies::Empty),
            Some("") => ("(empty text)", Role::Dim, Copies::Empty),
            Some(text) => (text, Role::Text, Copies::Text),
        };
        Self { copies, ..Self::new(label, text).role(role) }
    }
}

/// A card.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) title: String,
    entries: Vec<Entry>,
    /// What the last line says.
    pub(crate) foot: String,
    /// Set on a card that must be seen: until when it takes no key, and only enter and esc close it.
    insists: Option<DateTime<Utc>>,
    /// The entry that is copied, where values are picked.
    picked: Option<usize>,
    top: Cell<usize>,
    drawn: Drawn,
}

/// A memory of the drawing.
#[derive(Debug, Clone)]
struct Drawn {
    /// The lines, and for which room they were wrapped: a value can have a million characters.
    lines: RefCell<Option<(u16, Vec<Line>)>>,
    /// How far one can scroll at this size.
    furthest: Cell<usize>,
    /// Whether the picked entry is to be brought into view.
    seek: Cell<bool>,
}

/// One line as it is drawn: the entry, whether it is its first, the text.
#[derive(Debug, Clone)]
struct Line {
    entry: usize,
    first: bool,
    text: String,
}

impl Card {
    pub(crate) fn new(title: impl Into<String>, entries: Vec<Entry>) -> Self {
        let drawn = Drawn {
            lines: RefCell::default(),
            furthest: Cell::new(usize::MAX),
            seek: Cell::new(false),
        };
        let (title, foot) = (title.into(), "esc close".to_owned());
        Self { title, entries, foot, insists: None, picked: None, top: Cell::new(0), drawn }
    }

    /// Makes it a card that nobody closes by typing on.
    pub(crate) fn insist(&mut self, until: DateTime<Utc>) {
        (self.insists, self.foot) = (Some(until), "enter close".to_owned());
    }

    /// Whether the key closes it.
    pub(crate) fn closes(&self, key: Key, now: DateTime<Utc>) -> bool {
        let closing = matches!(key.press, Press::Esc | Press::Enter)
            || key.press == Press::Char('q') && self.insists.is_none();
        closing && !key.ctrl && self.insists.is_none_or(|until| until <= now)
    }

    /// Lets values be picked and copied, beginning at one of them.
    pub(crate) fn pick(&mut self, value: usize) {
        let picked = self.values().nth(value).or_else(|| self.values().next());
        self.picked = picked;
        self.drawn.seek.set(true);
    }

    /// To the next value, or the one before.
    pub(crate) fn step(&mut self, forward: bool) {
        let Some(picked) = self.picked else { return };
        let next = if forward {
            self.values().find(|entry| *entry > picked)
        } else {
            self.values().take_while(|entry| *entry < picked).last()
        };
        self.picked = next.or(self.picked);
        self.drawn.seek.set(true);
    }

    /// Label and text of the picked value, as it is to be copied.
    pub(crate) fn picked(&self) -> Option<(&str, &str)> {
        let entry = self.entries.get(self.picked?)?;
        let text = if entry.copies == Copies::Text { entry.text.as_str() } else { "" };
        Some((&entry.label, text))
    }

    fn values(&self) -> impl Iterator<Item = usize> {
        let copied = |(_, entry): &(usize, &Entry)| entry.copies != Copies::Nothing;
        self.entries.iter().enumerate().filter(copied).map(|(index, _)| index)
    }

    pub(crate) fn scroll(&mut self, lines: isize) {
        let furthest = self.drawn.furthest.get();
        let top = self.top.get().min(furthest);
        self.top.set(top.saturating_add_signed(lines).min(furthest));
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let box_width = area.width.min(100);
        let room = box_width.saturating_sub(4);
        let labels = self.entries.iter().map(|entry| width(&entry.label)).max().unwrap_or(0);
        let labels = if labels == 0 { 0 } else { labels.min(room / 3) + 2 };
        let indent = |entry: &Entry| if entry.label.is_empty() { 0 } else { labels };
        let mut kept = self.drawn.lines.borrow_mut();
        let known = kept.take().filter(|(wrapped_for, _)| *wrapped_for == room);
        let lines = known.map_or_else(|| self.wrapped(room, indent), |(_, lines)| lines);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let inner = overlay(frame, (area, box_width, wanted.min(area.height)), &self.title, look);
        let height = usize::from(inner.height.saturating_sub(2));
        let furthest = lines.len().saturating_sub(height);
        self.drawn.furthest.set(furthest);
        if self.drawn.seek.take() {
            self.seek(&lines, height);
        }
        let top = self.top.get().min(furthest);
        let buffer = frame.buffer_mut();
        for (y, drawn) in (inner.y..).zip(lines.iter().skip(top).take(height)) {
            let entry = &self.entries[drawn.entry];
            let (x, indent) = (inner.x + 1, indent(entry));
            if drawn.first {
                let picked = self.picked == Some(drawn.entry);
                let style = look.style(if picked { Role::Selected } else { Role::Dim });
                line(buffer, (x, y, indent.saturating_sub(1)), &entry.label, style, look);
            }
            let at = (x + indent, y, room - indent);
            line(buffer, at, &drawn.text, look.style(entry.role), look);
        }
        let more = if furthest > top { "   more below" } else { "" };
        let at = (inner.x + 1, inner.bottom().saturating_sub(1), room);
        line(buffer, at, &format!("{}{more}", self.foot), look.style(Role::Dim), look);
        *kept = Some((room, lines));
    }

    fn wrapped(&self, room: u16, indent: impl Fn(&Entry) -> u16) -> Vec<Line> {
        let mut lines = Vec::new();
        for (entry, one) in self.entries.iter().enumerate() {
            for (index, text) in wrap(&one.text, room - indent(one)).into_iter().enumerate() {
                lines.push(Line { entry, first: index == 0, text });
            }
        }
        lines
    }

    /// Scrolls no further than it takes to see the beginning of the picked value.
    fn seek(&self, lines: &[Line], height: usize) {
        let place = lines.iter().position(|line| Some(line.entry) == self.picked);
        let Some(place) = place else { return };
        let (lowest, top) = ((place + 1).saturating_sub(height), self.top.get());
        self.top.set(top.clamp(lowest, place.max(lowest)));
    }
}
