//! Asking before something happens: yes or no with No focused, or typing the slug.
//!
//! Dialogs that all look alike train people to press the same key; so the text says who does what
//! to whom and whether it can be undone, and what is dangerous must be typed.

use crate::command::{Key, Press};
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

use super::field;
use super::pane::overlay;
use super::text::{line, wrap};
use crate::identity::Reason;
use crate::tui::key::is_printable;
use crate::tui::theme::{Look, Role};

/// How the person agrees.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// By choosing Yes.
    YesNo { yes: bool },
    /// By typing the slug, and a reason where one is wanted.
    Type { expected: String, typed: Input, reason: Option<Input>, on_reason: bool },
}

/// The question, and what happens after it.
#[derive(Debug, Clone)]
pub(crate) struct Confirm<T> {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) ask: Ask,
    pub(crate) fault: Option<String>,
    pub(crate) then: T,
}

/// What a key meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Still thinking.
    Open,
    /// No.
    No,
    /// Yes, with the reason where one was wanted.
    Yes(Option<Reason>),
    /// The dialog does not know the key.
    Unknown,
}

impl<T> Confirm<T> {
    pub(crate) fn yes_no(title: impl Into<String>, text: impl Into<String>, then: T) -> Self {
        let ask = Ask::YesNo { yes: false };
        Self { title: title.into(), text: text.into(), ask, fault: None, then }
    }

    pub(crate) fn type_slug(
        title: impl Into<String>,
        text: impl Into<String>,
        (expected, with_reason): (String, bool),
        then: T,
    ) -> Self {
        let reason = with_reason.then(Input::default);
        let ask = Ask::Type { expected, typed: Input::default(), reason, on_reason: with_reason };
        Self { title: title.into(), text: text.into(), ask, fault: None, then }
    }

    pub(crate) fn press(&mut self, key: Key) -> Verdict {
        if key.press == Press::Esc {
            return Verdict::No;
        }
        self.fault = None;
        match &mut self.ask {
            Ask::YesNo { yes } => match key.press {
                Press::Char('y') if is_printable(key) => return Verdict::Yes(None),
                Press::Char('n' | 'q') if is_printable(key) => return Verdict::No,
                Press::Left | Press::Right | Press::Tab | Press::BackTab => *yes = !*yes,
                Press::Enter if *yes => return Verdict::Yes(None),
                Press::Enter => return Verdict::No,
                _ => return Verdict::Unknown,
            },
            Ask::Type { typed, reason, on_reason, expected } => {
                let place = match reason {
                    Some(reason) if *on_reason => reason,
                    _ => typed,
                };
                if field::press(place, key) {
                    return Verdict::Open;
                }
                match key.press {
                    Press::Enter if *on_reason => *on_reason = false,
                    Press::Tab | Press::BackTab | Press::Up | Press::Down => {
                        *on_reason = !*on_reason && reason.is_some();
                    }
                    Press::Enter if typed.value() != expected => {
                        self.fault = Some(format!("that is not `{expected}`"));
                    }
                    Press::Enter => match reason.as_ref().map(|r| r.value().parse::<Reason>()) {
                        Some(Err(fault)) => {
                            self.fault = Some(fault.to_string());
                            *on_reason = true;
                        }
                        Some(Ok(reason)) => return Verdict::Yes(Some(reason)),
                        None => return Verdict::Yes(None),
                    },
                    _ => return Verdict::Unknown,
                }
            }
        }
        Verdict::Open
    }

    pub(crate) fn paste(&mut self, text: &str) {
        // Only the reason: the slug is typed, so that the hand knows what it does.
        if let Ask::Type { reason: Some(reason), on_reason: true, .. } = &mut self.ask {
            field::paste(reason, text);
        }
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let width = area.width.min(68);
        let room = width.saturating_sub(4);
        let text = wrap(&self.text, room);
        let rows = match &self.ask {
            Ask::YesNo { .. } => 2,
            Ask::Type { reason, .. } => 3 + u16::from(reason.is_some()),
        };
        let lines = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let height = lines.saturating_add(rows + 2).min(area.height);
        let inner = overlay(frame, (area, width, height), &self.title, look);
        let x = inner.x + 1;
        let bottom = inner.bottom().saturating_sub(rows);
        for (y, one) in (inner.y..bottom).zip(&text) {
            line(frame.buffer_mut(), (x, y, room), one, look.style(Role::Text), look);
        }
        self.draw_ask(frame, (x, bottom + 1, room), look);
    }

    fn draw_ask(&self, frame: &mut Frame<'_>, (x, mut y, room): (u16, u16, u16), look: Look) {
        match &self.ask {
            Ask::YesNo { yes } => {
                for (place, label, focused) in [(x, "[ No ]", !yes), (x + 9, "[ Yes ]", *yes)] {
                    let role = if focused { Role::Selected } else { Role::Text };
                    line(frame.buffer_mut(), (place, y, 7), label, look.style(role), look);
                }
            }
            Ask::Type { expected, typed, reason, on_reason } => {
                if let Some(reason) = reason {
                    line(frame.buffer_mut(), (x, y, 10), "reason", look.style(Role::Text), look);
                    field::draw(frame, (x + 10, y, room - 10), reason, *on_reason, look);
                    y += 1;
                }
                let label = format!("type {expected} ");
                let wide = super::text::width(&label).min(room / 2).max(10);
                line(frame.buffer_mut(), (x, y, wide), &label, look.style(Role::Text), look);
                field::draw(frame, (x + wide, y, room - wide), typed, !on_reason, look);
                let (text, role) = match &self.fault {
                    Some(fault) => (fault.as_str(), Role::Bad),
                    None => ("enter agrees   esc leaves all as it is", Role::Dim),
                };
                line(frame.buffer_mut(), (x, y + 1, room), text, look.style(role), look);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in<T>(confirm: &mut Confirm<T>, keys: &str) -> Verdict {
        let keys = crate::command::sequence(keys).unwrap();
        keys.into_iter().map(|key| confirm.press(key)).last().unwrap()
    }

    #[test]
    fn enter_on_a_fresh_question_means_no() {
        assert_eq!(type_in(&mut Confirm::yes_no("t", "x", ()), "enter"), Verdict::No);
        assert_eq!(type_in(&mut Confirm::yes_no("t", "x", ()), "right enter"), Verdict::Yes(None));
        assert_eq!(type_in(&mut Confirm::yes_no("t", "x", ()), "y"), Verdict::Yes(None));
    }

    #[test]
    fn only_the_very_slug_agrees() {
        let mut confirm = Confirm::type_slug("t", "x", ("acme".to_owned(), false), ());
        assert_eq!(type_in(&mut confirm, "enter"), Verdict::Open);
        assert_eq!(type_in(&mut confirm, "a c m enter"), Verdict::Open);
        assert_eq!(type_in(&mut confirm, "e enter"), Verdict::Yes(None));
    }

    #[test]
    fn a_pasted_slug_does_not_count() {
        let mut confirm = Confirm::type_slug("t", "x", ("acme".to_owned(), false), ());
        confirm.paste("acme");
        assert_eq!(type_in(&mut confirm, "enter"), Verdict::Open);
    }

    #[test]
    fn a_wanted_reason_must_say_something() {
        let mut confirm = Confirm::type_slug("t", "x", ("ab".to_owned(), true), ());
        assert_eq!(type_in(&mut confirm, "x enter a b enter"), Verdict::Open);
        confirm.paste("rows were deleted by hand");
        let Verdict::Yes(Some(reason)) = type_in(&mut confirm, "enter enter") else {
            panic!("not agreed")
        };
        assert_eq!(reason.as_str(), "xrows were deleted by hand");
    }
}
