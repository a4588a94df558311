//! When a frame has to be painted whole, because the terminal may not show what we think it does.
//!
//! Programs and terminals disagree about the width of some clusters (Devanagari, new emoji). A
//! frame that sends only what changed then leaves single glyphs behind. So everything is painted
//! again when the screen or an overlay is another one, and when a line with such a cluster is;
//! a key that only moves the cursor repaints nothing.

use std::mem::{Discriminant, discriminant};

use ratatui::buffer::Buffer;

use super::app::{Screen, State};
use super::overlay::Overlay;

/// What the terminal shows, as far as it decides whether the next frame is painted whole.
#[derive(Debug, Default)]
pub(super) struct Painted {
    place: Option<Place>,
    doubtful: Vec<(u16, String)>,
}

/// What a person would call another screen.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    screen: Screen,
    overlays: Vec<Discriminant<Overlay>>,
    framed: bool,
}

impl Painted {
    /// Whether the place is another one than that of the last frame.
    pub(super) fn moved(&mut self, state: &State) -> bool {
        let place = Place {
            screen: state.screen(),
            overlays: state.overlays.iter().map(discriminant).collect(),
            framed: state.live.is_some(),
        };
        let before = self.place.replace(place);
        before.is_some() && before != self.place
    }

    /// Whether a line of doubtful width came, went or changed since the last frame.
    pub(super) fn drifted(&mut self, frame: &Buffer) -> bool {
        let lines = doubtful(frame);
        let before = std::mem::replace(&mut self.doubtful, lines);
        before != self.doubtful
    }
}

/// The lines with a cell whose width is a matter of opinion.
fn doubtful(frame: &Buffer) -> Vec<(u16, String)> {
    let area = frame.area;
    let line = |y: u16| (area.left()..area.right()).map(move |x| frame[(x, y)].symbol());
    (area.top()..area.bottom())
        .filter(|y| line(*y).any(is_doubtful))
        .map(|y| (y, line(y).collect()))
        .collect()
}

/// Several characters in one cell, or a pictograph: tables of widths differ in these.
fn is_doubtful(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let first = chars.next().unwrap_or(' ');
    chars.next().is_some() || first >= '\u{1f000}'
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::Painted;

    #[test]
    fn a_line_of_doubtful_width_that_changes_or_goes_is_noticed() {
        let mut painted = Painted::default();
        let (names, other) = (["abc      ", "गंगोत्री   "], ["xyz      ", "गंगोत्री   "]);
        assert!(painted.drifted(&Buffer::with_lines(names)));
        assert!(!painted.drifted(&Buffer::with_lines(names)));
        // Another line changes: the doubtful one stays where it is.
        assert!(!painted.drifted(&Buffer::with_lines(other)));
        assert!(painted.drifted(&Buffer::with_lines(["गंगोत्री   ", "xyz      "])));
        assert!(painted.drifted(&Buffer::with_lines(["abc      ", "def      "])));
        assert!(!painted.drifted(&Buffer::with_lines(["def      ", "abc      "])));
    }

    #[test]
    fn plain_accents_and_wide_characters_are_not_doubtful() {
        let mut painted = Painted::default();
        assert!(!painted.drifted(&Buffer::with_lines(["Łódź Αιγαίο 株式会社 │╭"])));
    }
}
