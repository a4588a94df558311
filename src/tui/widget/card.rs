//! A card to read: labels and values, scrolled; one record, an event, a welcome, the help.

use std::cell::Cell;

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
}

impl Entry {
    pub(crate) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into(), role: Role::Text }
    }

    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// A line over the whole width.
    pub(crate) fn note(text: impl Into<String>, role: Role) -> Self {
        Self { label: String::new(), text: text.into(), role }
    }
}

/// A card.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) title: String,
    pub(crate) entries: Vec<Entry>,
    /// What the last line says.
    pub(crate) foot: &'static str,
    /// Set on a card that must be seen: until when it takes no key, and only enter and esc close it.
    insists: Option<DateTime<Utc>>,
    top: usize,
    /// A memory of the drawing: how far one can scroll at this size.
    furthest: Cell<usize>,
}

impl Card {
    pub(crate) fn new(title: impl Into<String>, entries: Vec<Entry>) -> Self {
        let (foot, furthest) = ("esc close", Cell::new(usize::MAX));
        Self { title: title.into(), entries, foot, insists: None, top: 0, furthest }
    }

    /// Makes it a card that nobody closes by typing on.
    pub(crate) fn insist(&mut self, until: DateTime<Utc>) {
        (self.insists, self.foot) = (Some(until), "enter close");
    }

    /// Whether the key closes it.
    pub(crate) fn closes(&self, key: Key, now: DateTime<Utc>) -> bool {
        let closing = matches!(key.press, Press::Esc | Press::Enter)
            || key.press == Press::Char('q') && self.insists.is_none();
        closing && !key.ctrl && self.insists.is_none_or(|until| until <= now)
    }

    pub(crate) fn scroll(&mut self, lines: isize) {
        let furthest = self.furthest.get();
        self.top = self.top.min(furthest).saturating_add_signed(lines).min(furthest);
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let box_width = area.width.min(100);
        let room = box_width.saturating_sub(4);
        let labels = self.entries.iter().map(|entry| width(&entry.label)).max().unwrap_or(0);
        let labels = if labels == 0 { 0 } else { labels.min(room / 3) + 2 };
        let mut lines: Vec<(&str, String, Role, u16)> = Vec::new();
        for entry in &self.entries {
            let indent = if entry.label.is_empty() { 0 } else { labels };
            let mut label = entry.label.as_str();
            for text in wrap(&entry.text, room - indent) {
                lines.push((label, text, entry.role, indent));
                label = "";
            }
        }
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let inner = overlay(frame, (area, box_width, wanted.min(area.height)), &self.title, look);
        let height = usize::from(inner.height.saturating_sub(2));
        let furthest = lines.len().saturating_sub(height);
        self.furthest.set(furthest);
        let top = self.top.min(furthest);
        let buffer = frame.buffer_mut();
        for (y, (label, text, role, indent)) in (inner.y..).zip(lines.iter().skip(top).take(height))
        {
            let x = inner.x + 1;
            line(buffer, (x, y, indent.saturating_sub(1)), label, look.style(Role::Dim), look);
            line(buffer, (x + indent, y, room - indent), text, look.style(*role), look);
        }
        let more = if furthest > top { "   more below" } else { "" };
        let at = (inner.x + 1, inner.bottom().saturating_sub(1), room);
        line(buffer, at, &format!("{}{more}", self.foot), look.style(Role::Dim), look);
    }
}
