//! A list to pick from: with a line to search in, or by keys alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

use super::field;
use super::pane::overlay;
use super::text::line;
use super::window::{Column, Cursor, Table};
use crate::command::{Key, Press};
use crate::tui::theme::{Look, Role};

/// One line of the list.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// At the right edge.
    pub(crate) beside: String,
    pub(crate) role: Role,
}

/// The list.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    title: String,
    lines: Vec<Line>,
    /// Lines that contain what was typed, newest or nearest first.
    shown: Vec<usize>,
    cursor: Cursor,
    search: Option<Input>,
}

/// What a key meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picking {
    /// It belongs to the list.
    Taken,
    /// This line is picked.
    Picked(usize),
    /// Away with it.
    Close,
    /// The list does not know it.
    Unknown,
}

impl Pick {
    pub(crate) fn new(title: impl Into<String>, lines: Vec<Line>) -> Self {
        let (shown, cursor) = ((0..lines.len()).collect(), Cursor::default());
        Self { title: title.into(), lines, shown, cursor, search: None }
    }

    /// With a line to search in.
    pub(crate) fn searchable(mut self) -> Self {
        self.search = Some(Input::default());
        self
    }

    pub(crate) fn press(&mut self, key: Key) -> Picking {
        if let Some(input) = &mut self.search
            && field::press(input, key)
        {
            self.find();
            return Picking::Taken;
        }
        let len = self.shown.len();
        match key.press {
            Press::Esc => return Picking::Close,
            Press::Char('q') if self.search.is_none() && !key.ctrl => return Picking::Close,
            Press::Enter if !key.ctrl => {
                let picked = self.shown.get(self.cursor.selected).copied();
                return picked.map_or(Picking::Taken, Picking::Picked);
            }
            Press::Up => self.cursor.step(-1, len),
            Press::Down | Press::Tab => self.cursor.step(1, len),
            Press::Char('k') if !key.ctrl => self.cursor.step(-1, len),
            Press::Char('j') if !key.ctrl => self.cursor.step(1, len),
            // As a shell does: once more is the next older one.
            Press::Char('r') if key.ctrl => self.cursor.step(1, len),
            Press::PageUp => self.cursor.page(-1, len),
            Press::PageDown => self.cursor.page(1, len),
            Press::Home => self.cursor.first(),
            Press::End => self.cursor.last(len),
            _ => return Picking::Unknown,
        }
        Picking::Taken
    }

    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(input) = &mut self.search {
            field::paste(input, text);
            self.find();
        }
    }

    /// Whatever the case; the first that is left is selected.
    fn find(&mut self) {
        let wanted = self.search.as_ref().map_or("", Input::value).to_lowercase();
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let contains = |line: &Line| {
            let text = line.text.to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let lines = self.lines.iter().enumerate();
        self.shown = lines.filter(|(_, line)| contains(line)).map(|(index, _)| index).collect();
        self.cursor.first();
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let above = u16::from(self.search.is_some());
        let rows = u16::try_from(self.lines.len().max(1)).unwrap_or(u16::MAX);
        let height = rows.saturating_add(above + 4).min(area.height);
        let inner = overlay(frame, (area, area.width.min(90), height), &self.title, look);
        let (x, room) = (inner.x + 1, inner.width.saturating_sub(2));
        if let Some(input) = &self.search {
            line(frame.buffer_mut(), (x, inner.y, 2), "/ ", look.style(Role::Key), look);
            field::draw(frame, (x + 2, inner.y, room.saturating_sub(2)), input, true, look);
        }
        let beside = self.lines.iter().map(|line| super::text::width(&line.beside)).max();
        let columns = [
            Column::new("", 10).grows(),
            Column::new("", beside.unwrap_or(0).min(room / 2)).right(),
        ];
        let cell = |row: usize, column: usize| {
            let one = &self.lines[self.shown[row]];
            let text = if column == 0 { &one.text } else { &one.beside };
            (text.as_str().into(), one.role)
        };
        let place = Rect {
            x,
            y: inner.y + above,
            width: room,
            height: inner.height.saturating_sub(above + 1),
        };
        let (len, cursor, empty) = (self.shown.len(), &self.cursor, "nothing is found");
        Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
            frame.buffer_mut(),
            place,
            look,
        );
        let at = (x, inner.bottom().saturating_sub(1), room);
        line(frame.buffer_mut(), at, "enter picks   esc close", look.style(Role::Dim), look);
    }
}
