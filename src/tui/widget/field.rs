//! One line of text that is being typed.

use crate::command::{Key, Press};
use ratatui::Frame;
use ratatui::layout::Position;
use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::text::screen;
use crate::tui::key::is_printable;
use crate::tui::theme::{Look, Role};

/// Gives a key to the field; `false` where it means nothing to a text.
pub(crate) fn press(input: &mut Input, key: Key) -> bool {
    let request = match (key.press, key.ctrl) {
        (Press::Char(c), false) if is_printable(key) => InputRequest::InsertChar(c),
        (Press::Backspace, false) => InputRequest::DeletePrevChar,
        (Press::Delete, false) => InputRequest::DeleteNextChar,
        (Press::Left, false) => InputRequest::GoToPrevChar,
        (Press::Right, false) => InputRequest::GoToNextChar,
        (Press::Left, true) => InputRequest::GoToPrevWord,
        (Press::Right, true) => InputRequest::GoToNextWord,
        (Press::Home, false) | (Press::Char('a'), true) => InputRequest::GoToStart,
        (Press::End, false) | (Press::Char('e'), true) => InputRequest::GoToEnd,
        (Press::Char('w'), true) => InputRequest::DeletePrevWord,
        (Press::Char('u'), true) => InputRequest::DeleteFromStart,
        (Press::Char('k'), true) => InputRequest::DeleteTillEnd,
        _ => return false,
    };
    let _unchanged = input.handle(request);
    true
}

/// Puts a pasted text in, without the characters that a line cannot hold.
pub(crate) fn paste(input: &mut Input, text: &str) {
    for c in text.chars().filter(|c| is_typeable(*c)) {
        let _unchanged = input.handle(InputRequest::InsertChar(c));
    }
}

/// Whether the character stands for itself on the screen.
pub(crate) fn is_typeable(c: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    screen(text) == text
}

/// Draws the text and the cursor, scrolled so that the cursor is visible.
pub(crate) fn draw(
    frame: &mut Frame<'_>,
    (x, y, room): (u16, u16, u16),
    input: &Input,
    focused: bool,
    look: Look,
) {
    if room == 0 {
        return;
    }
    let at = input.value().char_indices().nth(input.cursor()).map_or(input.value().len(), |c| c.0);
    let (before, after) = input.value().split_at(at);
    let (before, after) = (screen(before), screen(after));
    let (mut shown, mut used) = (String::new(), 0);
    for grapheme in before.graphemes(true).rev() {
        if used + grapheme.width() >= usize::from(room) {
            break;
        }
        used += grapheme.width();
        shown.insert_str(0, grapheme);
    }
    shown.push_str(&after);
    let style = look.style(if focused { Role::Field } else { Role::Text });
    let blank = " ".repeat(usize::from(room));
    frame.buffer_mut().set_stringn(x, y, blank, usize::from(room), style);
    frame.buffer_mut().set_stringn(x, y, shown, usize::from(room), style);
    if focused {
        let cursor = x.saturating_add(u16::try_from(used).unwrap_or(0));
        frame.set_cursor_position(Position { x: cursor, y });
    }
}
