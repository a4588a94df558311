//! Keys between the terminal library and the registry of commands, which knows none.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::command::{Key, Press};

/// The key of an event; `None` for what we do not use, such as anything with Alt.
#[must_use]
pub fn read(event: KeyEvent) -> Option<Key> {
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let press = match event.code {
        // Shift is part of the character; some terminals send it beside the character as well.
        KeyCode::Char(c) if ctrl => Press::Char(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Press::Char(c),
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Press::BackTab,
        KeyCode::F(number) => Press::F(number),
        code => NAMED.iter().find(|(known, _)| *known == code)?.1,
    };
    Some(Key { ctrl, press })
}

/// The event that a terminal would send for a key.
#[must_use]
pub fn event(key: Key) -> KeyEvent {
    let code = match key.press {
        Press::Char(c) => KeyCode::Char(c),
        Press::F(number) => KeyCode::F(number),
        named => NAMED.iter().find(|(_, known)| *known == named).map_or(KeyCode::Null, |k| k.0),
    };
    let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
    KeyEvent::new(code, modifiers)
}

const NAMED: [(KeyCode, Press); 14] = [
    (KeyCode::Enter, Press::Enter),
    (KeyCode::Esc, Press::Esc),
    (KeyCode::Tab, Press::Tab),
    (KeyCode::BackTab, Press::BackTab),
    (KeyCode::Up, Press::Up),
    (KeyCode::Down, Press::Down),
    (KeyCode::Left, Press::Left),
    (KeyCode::Right, Press::Right),
    (KeyCode::Home, Press::Home),
    (KeyCode::End, Press::End),
    (KeyCode::PageUp, Press::PageUp),
    (KeyCode::PageDown, Press::PageDown),
    (KeyCode::Delete, Press::Delete),
    (KeyCode::Backspace, Press::Backspace),
];

/// Whether a text field takes the key as a character.
#[must_use]
pub const fn is_printable(key: Key) -> bool {
    !key.ctrl && matches!(key.press, Press::Char(_))
}
