//! One pressed key as a value that can be read, written and compared: `ctrl-p`, `g`, `shift-tab`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in the one form that legacy terminals can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

/// Named keys; the first name of a code is the one that is shown.
const NAMES: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

impl Chord {
    /// The key without modifiers.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// Whether a text field takes it as a character.
    #[must_use]
    pub const fn is_printable(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.ctrl && !self.alt
    }

    /// The key without its modifiers.
    #[must_use]
    pub const fn code(self) -> KeyCode {
        self.code
    }

    /// Whether Ctrl is held.
    #[must_use]
    pub const fn ctrl(self) -> bool {
        self.ctrl
    }

    /// What speaks against it as a default: terminals eat Alt, and send some Ctrl keys as others.
    #[must_use]
    pub const fn objection(self) -> Option<&'static str> {
        match self.code {
            _ if self.alt => Some("many terminals keep Alt for themselves"),
            KeyCode::Char('h' | 'i' | 'j' | 'm') if self.ctrl => {
                Some("terminals cannot tell it from Backspace, Tab or Enter")
            }
            _ => None,
        }
    }

    /// The event a terminal would send.
    #[must_use]
    pub const fn event(self) -> KeyEvent {
        let mut modifiers = KeyModifiers::NONE;
        if self.ctrl {
            modifiers = modifiers.union(KeyModifiers::CONTROL);
        }
        if self.alt {
            modifiers = modifiers.union(KeyModifiers::ALT);
        }
        KeyEvent::new(self.code, modifiers)
    }
}

impl From<KeyEvent> for Chord {
    /// Shift is part of the character; some terminals send it beside the character as well.
    fn from(event: KeyEvent) -> Self {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Self { code, ctrl, alt }
    }
}

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no key: write `x`, `ctrl-x`, `f5`, `enter`, or a sequence as in `g g`")]
pub struct UnknownKey(pub String);

impl FromStr for Chord {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let (mut rest, mut ctrl, mut alt) = (text, false, false);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                (rest, ctrl) = (after, true);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty())
            {
                (rest, alt) = (after, true);
            } else {
                break;
            }
        }
        let mut letters = rest.chars();
        let single = letters.next().filter(|c| letters.next().is_none() && !c.is_control());
        let function = rest.strip_prefix('f').and_then(|n| n.parse().ok());
        let code = NAMES
            .iter()
            .find(|(name, _)| *name == rest)
            .map(|(_, code)| *code)
            .or_else(|| single.map(KeyCode::Char))
            .or_else(|| function.filter(|n| (1..=12).contains(n)).map(KeyCode::F));
        code.map(|code| Self { code, ctrl, alt }).ok_or_else(|| UnknownKey(text.to_owned()))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "f{n}"),
            (None, _) => f.write_str("?"),
        }
    }
}

/// Reads a sequence, its keys parted by spaces.
///
/// # Errors
/// [`UnknownKey`] for the first part that names no key, or for an empty text.
pub fn sequence(text: &str) -> Result<Vec<Chord>, UnknownKey> {
    let keys: Vec<Chord> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(UnknownKey(text.to_owned())) } else { Ok(keys) }
}
