//! Text on the screen: made safe, measured in cells, cut with a sign, wrapped.
//!
//! Everything a screen writes passes [`put`] or [`wrap`], and both escape first, so a control
//! character of the database cannot reach the terminal through any widget.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::text::{screen, screen_lines};
use crate::tui::theme::Look;

/// At which edge a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// The width in cells, after escaping.
pub(crate) fn width(text: &str) -> u16 {
    u16::try_from(screen(text).width()).unwrap_or(u16::MAX)
}

/// Escapes, and cuts at `room` cells with a sign that something is missing.
pub(crate) fn fit(text: &str, room: u16, look: Look) -> String {
    // Cells are narrow and values can be megabytes: look only at what could be shown.
    let most = usize::from(room) * 16 + 64;
    let head = &text[..text.floor_char_boundary(most)];
    let safe = screen(head);
    let room = usize::from(room);
    if safe.width() <= room && head.len() == text.len() {
        return safe;
    }
    let more = look.symbols().more;
    let (mut cut, mut used) = (String::new(), 0);
    for grapheme in safe.graphemes(true) {
        let cells = grapheme.width();
        if used + cells + more.width() > room {
            break;
        }
        cut.push_str(grapheme);
        used += cells;
    }
    if room >= more.width() {
        cut.push_str(more);
    }
    cut
}

/// Writes one line into `room` cells.
pub(crate) fn put(
    buffer: &mut Buffer,
    (x, y, room): (u16, u16, u16),
    text: &str,
    style: Style,
    align: Align,
    look: Look,
) {
    if room == 0 || !buffer.area.contains((x, y).into()) {
        return;
    }
    let safe = fit(text, room, look);
    let used = u16::try_from(safe.width()).unwrap_or(room).min(room);
    let start = if align == Align::Right { x + room - used } else { x };
    buffer.set_stringn(start, y, &safe, usize::from(used), style);
}

/// Writes one line at the left edge.
pub(crate) fn line(buffer: &mut Buffer, at: (u16, u16, u16), text: &str, style: Style, look: Look) {
    put(buffer, at, text, style, Align::Left, look);
}

/// Writes pieces of different styles after each other; answers the cells used.
pub(crate) fn pieces(
    buffer: &mut Buffer,
    (x, y, room): (u16, u16, u16),
    pieces: &[(Cow<'_, str>, Style)],
    look: Look,
) -> u16 {
    let mut used = 0;
    for (text, style) in pieces {
        line(buffer, (x + used, y, room - used), text, *style, look);
        used = used.saturating_add(width(text)).min(room);
    }
    used
}

/// Escapes and breaks a text into lines of at most `room` cells, between words where it can.
pub(crate) fn wrap(text: &str, room: u16) -> Vec<String> {
    let room = usize::from(room.max(2));
    let mut lines = Vec::new();
    for paragraph in screen_lines(text) {
        let (mut current, mut used) = (String::new(), 0);
        for word in words(&paragraph, room) {
            if used + word.width() > room && used > 0 && word.width() <= room {
                lines.push(std::mem::take(&mut current).trim_end().to_owned());
                used = 0;
                if word.trim().is_empty() {
                    continue;
                }
            }
            for piece in word.graphemes(true).flat_map(|grapheme| narrow(grapheme, room)) {
                if used + piece.width() > room {
                    lines.push(std::mem::take(&mut current));
                    used = 0;
                }
                current.push_str(piece);
                used += piece.width();
            }
        }
        lines.push(current);
    }
    lines
}

/// Words and blanks in turn. What stands between two blanks stays together (`12:00;`) unless it is
/// wider than a line, as in a script without blanks.
fn words(paragraph: &str, room: usize) -> Vec<&str> {
    let is_blank = |segment: &str| segment.trim().is_empty();
    let mut words = Vec::new();
    let (mut start, mut at) = (0, 0);
    for segment in paragraph.split_word_bounds() {
        if is_blank(segment) {
            words.extend(together(&paragraph[start..at], room));
            words.push(segment);
            start = at + segment.len();
        }
        at += segment.len();
    }
    words.extend(together(&paragraph[start..], room));
    words
}

fn together(word: &str, room: usize) -> Vec<&str> {
    if word.width() <= room { vec![word] } else { word.split_word_bounds().collect() }
}

/// A grapheme as it is, or its characters where a base and its spacing marks are wider than a line:
/// no single character takes more than two cells, the least room that [`wrap`] works with.
fn narrow(grapheme: &str, room: usize) -> impl Iterator<Item = &str> {
    let step = if grapheme.width() > room { 1 } else { usize::MAX };
    let mut rest = grapheme;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(step).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::theme::Theme;

    const LOOK: Look = Look::new(Theme::Plain, false);

    #[test]
    fn wide_and_combining_characters_are_measured_in_cells() {
        assert_eq!(fit("東京都庁舎", 5, LOOK), "東京…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}e\u{301}", 3, LOOK), "e\u{301}e\u{301}…");
        assert_eq!(width("a\u{1b}b"), 3);
    }

    #[test]
    fn long_words_are_broken_and_words_kept_whole() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 8), ["a", "", "b"]);
        assert_eq!(wrap("at 12:00; more", 9), ["at 12:00;", "more"]);
        assert_eq!(wrap("see 12:00; more", 9), ["see", "12:00;", "more"]);
        assert_eq!(wrap("a 東京都庁舎前", 6), ["a 東京", "都庁舎", "前"]);
    }

    #[test]
    fn a_sign_wider_than_the_line_is_broken_between_its_characters() {
        // A wide base with a spacing mark: one grapheme of three cells.
        assert_eq!(wrap("\u{1affd}\u{11347}", 2), ["\u{1affd}", "\u{11347}"]);
        assert_eq!(wrap("\u{1affd}\u{11347}", 3), ["\u{1affd}\u{11347}"]);
    }

    proptest! {
        #[test]
        fn a_fitted_text_never_takes_more_cells_than_it_has(text in any::<String>(), room in 0u16..40) {
            let fitted = fit(&text, room, LOOK);
            prop_assert!(fitted.width() <= usize::from(room));
            prop_assert!(!fitted.chars().any(char::is_control));
        }

        #[test]
        fn wrapping_keeps_every_line_within_the_room(text in any::<String>(), room in 2u16..40) {
            for line in wrap(&text, room) {
                prop_assert!(line.width() <= usize::from(room), "{line:?}");
            }
        }
    }
}
