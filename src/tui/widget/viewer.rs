//! One value, whole: JSON with its nesting, long text wrapped, bytes as hexadecimal; scrolled and
//! searched. What is shown is escaped, what is copied is the value itself.

use std::cell::{Cell, RefCell};

use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

use super::field;
use super::pane::overlay;
use super::text::{line, wrap};
use crate::command::{Key, Press};
use crate::text::screen_lines;
use crate::tui::theme::{Look, Role};

/// The viewer.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// The column.
    pub(crate) name: String,
    /// The value as it is copied.
    pub(crate) value: String,
    /// The key that copies.
    pub(crate) copies: String,
    kind: &'static str,
    /// What is to be known, such as that it is cut.
    remark: Option<String>,
    /// The value as it is read, line by line and escaped.
    text: Vec<String>,
    top: Cell<usize>,
    furthest: Cell<usize>,
    /// For which room the lines were wrapped; each with the number of its line in `text`.
    wrapped: RefCell<(u16, Vec<(usize, String)>)>,
    /// What is searched for, and whether it is being typed.
    search: Option<Input>,
    typing: bool,
}

impl Viewer {
    /// `type_name` is the column's, as SQL names it.
    pub(crate) fn new(name: &str, type_name: &str, value: &str, remark: Option<String>) -> Self {
        let (kind, text) = readable(type_name, value);
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            copies: String::new(),
            kind,
            remark,
            text: screen_lines(&text),
            top: Cell::new(0),
            furthest: Cell::new(usize::MAX),
            wrapped: RefCell::new((0, Vec::new())),
            search: None,
            typing: false,
        }
    }

    /// `None` closes it; else whether the key belongs to it.
    pub(crate) fn press(&mut self, key: Key) -> Option<bool> {
        if self.typing {
            return Some(self.type_search(key));
        }
        match key.press {
            Press::Esc | Press::Enter | Press::Char('q') if !key.ctrl => return None,
            Press::Char('/') => {
                self.search = Some(Input::default());
                self.typing = true;
            }
            Press::Char('n') if !key.ctrl => self.seek(true, 1),
            Press::Char('N') => self.seek(false, 1),
            Press::Up | Press::Char('k') if !key.ctrl => self.scroll(-1),
            Press::Down | Press::Char('j') if !key.ctrl => self.scroll(1),
            Press::PageUp => self.scroll(-10),
            Press::PageDown | Press::Char(' ') => self.scroll(10),
            Press::Home | Press::Char('g') if !key.ctrl => self.scroll(isize::MIN),
            Press::End | Press::Char('G') if !key.ctrl => self.scroll(isize::MAX),
            _ => return Some(false),
        }
        Some(true)
    }

    fn type_search(&mut self, key: Key) -> bool {
        let Some(input) = &mut self.search else { return false };
        if field::press(input, key) {
            self.seek(true, 0);
            return true;
        }
        match key.press {
            Press::Enter if !key.ctrl => self.typing = false,
            Press::Esc => (self.search, self.typing) = (None, false),
            _ => return false,
        }
        true
    }

    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(input) = self.search.as_mut().filter(|_| self.typing) {
            field::paste(input, text);
            self.seek(true, 0);
        }
    }

    fn scroll(&self, lines: isize) {
        let furthest = self.furthest.get();
        let top = self.top.get().min(furthest);
        self.top.set(top.saturating_add_signed(lines).min(furthest));
    }

    /// What is searched for, in small letters.
    fn wanted(&self) -> Option<String> {
        let wanted = self.search.as_ref()?.value().to_lowercase();
        (!wanted.is_empty()).then_some(wanted)
    }

    /// The wrapped lines in which the text stands; one that is broken over two counts where its
    /// line begins.
    fn found(&self) -> Vec<usize> {
        let Some(wanted) = self.wanted() else { return Vec::new() };
        let wrapped = self.wrapped.borrow();
        let contains = |text: &str| text.to_lowercase().contains(&wanted);
        let whole: Vec<bool> = self.text.iter().map(|text| contains(text)).collect();
        let mut found = Vec::new();
        let mut begin = 0;
        for (index, (number, text)) in wrapped.1.iter().enumerate() {
            if index == 0 || wrapped.1[index - 1].0 != *number {
                begin = index;
            }
            let last = wrapped.1.get(index + 1).is_none_or(|next| next.0 != *number);
            if contains(text) {
                found.push(index);
            } else if last && whole[*number] && found.last().is_none_or(|place| *place < begin) {
                found.push(begin);
            }
        }
        found
    }

    /// To the next line with the text, at least `least` lines away; round the ends.
    fn seek(&self, forward: bool, least: usize) {
        let (found, top) = (self.found(), self.top.get().min(self.furthest.get()));
        let next = if forward {
            found.iter().find(|place| **place >= top + least).or(found.first())
        } else {
            found.iter().rev().find(|place| **place + least <= top).or(found.last())
        };
        if let Some(place) = next {
            self.top.set(*place);
        }
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let box_width = area.width.min(110);
        let room = box_width.saturating_sub(4);
        let title = format!("{}, {}", self.name, self.kind);
        if self.wrapped.borrow().0 != room {
            let numbered = self.text.iter().enumerate();
            let pieces = |(number, text): (usize, &String)| {
                wrap(text, room).into_iter().map(move |piece| (number, piece)).collect::<Vec<_>>()
            };
            self.wrapped.replace((room, numbered.flat_map(pieces).collect()));
        }
        let wrapped = self.wrapped.borrow();
        let remark = u16::from(self.remark.is_some());
        let wanted = u16::try_from(wrapped.1.len()).unwrap_or(u16::MAX).saturating_add(4 + remark);
        let inner = overlay(frame, (area, box_width, wanted.min(area.height)), &title, look);
        let height = usize::from(inner.height.saturating_sub(2 + remark));
        let furthest = wrapped.1.len().saturating_sub(height);
        self.furthest.set(furthest);
        let top = self.top.get().min(furthest);
        let sought = self.wanted();
        let (x, buffer) = (inner.x + 1, frame.buffer_mut());
        if let Some(remark) = &self.remark {
            line(buffer, (x, inner.y, room), remark, look.style(Role::Warn), look);
        }
        for (y, (_, text)) in (inner.y + remark..).zip(wrapped.1.iter().skip(top).take(height)) {
            let hit = sought.as_ref().is_some_and(|sought| text.to_lowercase().contains(sought));
            let role = if hit { Role::Focus } else { Role::Text };
            line(buffer, (x, y, room), text, look.style(role), look);
        }
        drop(wrapped);
        self.draw_foot(frame, (x, inner.bottom().saturating_sub(1), room), top, look);
    }

    fn draw_foot(&self, frame: &mut Frame<'_>, at: (u16, u16, u16), top: usize, look: Look) {
        let (x, y, room) = at;
        if let Some(input) = self.search.as_ref().filter(|_| self.typing) {
            line(frame.buffer_mut(), (x, y, 2), "/ ", look.style(Role::Key), look);
            return field::draw(frame, (x + 2, y, room.saturating_sub(2)), input, true, look);
        }
        let found = self.found().len();
        let mut text = match &self.search {
            Some(_) if found == 0 => "not found   / find".to_owned(),
            Some(_) => format!("found in {found}: n next, N before   / find"),
            None => "/ find".to_owned(),
        };
        text = format!("{text}   {} copies all   esc close", self.copies);
        if self.furthest.get() > top {
            text.push_str("   more below");
        }
        line(frame.buffer_mut(), at, &text, look.style(Role::Dim), look);
    }
}

/// Bytes of one line of hexadecimal.
const HEX_LINE: usize = 16;

/// What sort of value it is, and how it is best read.
fn readable(type_name: &str, value: &str) -> (&'static str, String) {
    if type_name == "bytea"
        && let Some(hex) = value.strip_prefix("\\x").map(|hex| hex.trim_end_matches('…'))
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return ("bytes", hexadecimal(hex));
    }
    let is_json = value.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
    if is_json { ("JSON", indented(value)) } else { ("text", value.to_owned()) }
}

/// Place, bytes, and the characters that they are in ASCII.
fn hexadecimal(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let mut lines = Vec::new();
    for (number, chunk) in digits.chunks(HEX_LINE * 2).enumerate() {
        let bytes: Vec<String> = chunk.chunks(2).map(|pair| pair.iter().collect()).collect();
        let ascii: String = bytes
            .iter()
            .map(|byte| u8::from_str_radix(byte, 16).map_or('.', char::from))
            .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '.' })
            .collect();
        let width = HEX_LINE * 3 - 1;
        lines.push(format!("{:08x}  {:width$}  {ascii}", number * HEX_LINE, bytes.join(" ")));
    }
    lines.join("\n")
}

/// JSON with its nesting shown and every token as it stands: numbers keep their digits, keys their
/// order, strings their escapes.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = json.chars().filter(|c| !matches!(c, '\r')).peekable();
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if chars.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.extend(chars.next());
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_indented_and_every_token_stays_as_it_is() {
        let value = "{\"b\":[1.10, 1e400,{}],\"a\" : \"x:{,\\\"}\", \"e\":[ ]}";
        let (kind, text) = readable("jsonb", value);
        assert_eq!(kind, "JSON");
        let expected = "{\n  \"b\": [\n    1.10,\n    1e400,\n    {}\n  ],\n  \"a\": \"x:{,\\\"}\",\n  \"e\": []\n}";
        assert_eq!(text, expected);
        assert_eq!(readable("text", "{no json").0, "text");
    }

    #[test]
    fn bytes_are_hexadecimal_with_their_place() {
        let (kind, text) = readable("bytea", "\\x48690a1b");
        assert_eq!(kind, "bytes");
        assert!(text.starts_with("00000000  48 69 0a 1b  ") && text.ends_with("  Hi.."), "{text}");
        assert_eq!(readable("text", "\\x48").0, "text");
    }

    proptest! {
        #[test]
        fn indented_json_is_the_same_value(text in "[a-z\"\\\\{}:, ]{0,12}", n in any::<i32>()) {
            let value = serde_json::json!({ "k": [text, n, null, { "x": [] }] });
            let shown = indented(&value.to_string());
            let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
            prop_assert_eq!(back, value);
        }
    }
}
