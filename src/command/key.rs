//! Keys as data: what a person presses, without a terminal library, so that documents know them too.
//!
//! Alt is missing on purpose (terminals eat it), and so are Ctrl-H, I, J and M, which older
//! terminals cannot tell from Backspace, Tab and Enter.

use std::fmt;
use std::str::FromStr;

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whether Ctrl is held.
    pub ctrl: bool,
    /// What is pressed.
    pub press: Press,
}

/// The key itself; a capital letter stands for Shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Press {
    /// A printable character.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Delete.
    Delete,
    /// Backspace.
    Backspace,
    /// A function key.
    F(u8),
}

/// The keys that have a name, with the name used in configuration and documents.
const NAMED: [(Press, &str); 14] = [
    (Press::Enter, "enter"),
    (Press::Esc, "esc"),
    (Press::Tab, "tab"),
    (Press::BackTab, "backtab"),
    (Press::Up, "up"),
    (Press::Down, "down"),
    (Press::Left, "left"),
    (Press::Right, "right"),
    (Press::Home, "home"),
    (Press::End, "end"),
    (Press::PageUp, "pageup"),
    (Press::PageDown, "pagedown"),
    (Press::Delete, "delete"),
    (Press::Backspace, "backspace"),
];

impl Press {
    /// The names of the keys that have one.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(_, name)| *name)
    }
}

/// Why a word is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The word is none of the names.
    #[error(
        "`{0}` is no key: write `a`, `A`, `ctrl-a`, `f1`, or a name such as `enter` or `pageup`"
    )]
    Unknown(String),
    /// The terminal could not tell it from another key.
    #[error("`{0}` cannot be bound: terminals cannot tell it from another key")]
    Ambiguous(String),
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (ctrl, name) = text.strip_prefix("ctrl-").map_or((false, text), |name| (true, name));
        let unknown = || InvalidKey::Unknown(text.to_owned());
        let press = press(name).ok_or_else(unknown)?;
        match press {
            Press::Char('h' | 'i' | 'j' | 'm') if ctrl => {
                Err(InvalidKey::Ambiguous(text.to_owned()))
            }
            Press::Char(letter) if ctrl && !letter.is_ascii_lowercase() => Err(unknown()),
            _ => Ok(Self { ctrl, press }),
        }
    }
}

/// Reads a sequence of keys, parted by spaces, as in `g g`.
///
/// # Errors
/// [`InvalidKey`] for the first word that is no key, or for an empty text.
pub fn sequence(text: &str) -> Result<Vec<Key>, InvalidKey> {
    let keys: Vec<Key> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(InvalidKey::Unknown(text.to_owned())) } else { Ok(keys) }
}

/// What a name without Ctrl stands for.
fn press(name: &str) -> Option<Press> {
    let mut chars = name.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return (!only.is_control() && only != ' ').then_some(Press::Char(only));
    }
    if name == "space" {
        return Some(Press::Char(' '));
    }
    let number = name.strip_prefix('f').and_then(|number| number.parse().ok());
    if let Some(number @ 1..=12) = number {
        return Some(Press::F(number));
    }
    NAMED.iter().find(|(_, known)| *known == name).map(|(press, _)| *press)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        match self.press {
            Press::Char(' ') => f.write_str("space"),
            Press::Char(letter) => write!(f, "{letter}"),
            Press::F(number) => write!(f, "f{number}"),
            named => f.write_str(
                NAMED.iter().find(|(press, _)| *press == named).map_or("", |(_, name)| name),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written_alike() {
        for name in
            ["a", "A", "?", "ctrl-p", "enter", "pageup", "f1", "f12", "space", "backtab", "-"]
        {
            assert_eq!(name.parse::<Key>().unwrap().to_string(), name);
        }
        for (_, name) in NAMED {
            assert_eq!(name.parse::<Key>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn keys_that_terminals_confuse_are_refused() {
        for name in ["ctrl-h", "ctrl-i", "ctrl-j", "ctrl-m"] {
            assert_eq!(name.parse::<Key>(), Err(InvalidKey::Ambiguous(name.to_owned())));
        }
        for name in ["", "alt-x", "ctrl-", "f13", "f0", "hyper", "ctrl-A", " "] {
            assert_eq!(name.parse::<Key>(), Err(InvalidKey::Unknown(name.to_owned())), "{name}");
        }
    }
}
