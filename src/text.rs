//! Text from outside is untrusted: one type, and one escaper for each place it can go.
//!
//! A tenant's name, a cell, a notice or an error message of the server can hold escape
//! sequences, bidirectional overrides or formulas. [`Untrusted`] has no `Display`; the only ways
//! out are the functions here, so a raw control byte cannot reach a terminal by accident.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

/// Text that came from the database, an archive or another program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(String);

impl Untrusted {
    /// Marks a text as untrusted.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For a terminal, one line: control, escape and bidi characters become visible signs.
    #[must_use]
    pub fn screen(&self) -> String {
        screen(&self.0)
    }

    /// For comparing, hashing and sending back to the database as a parameter; never for output.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// For a CSV cell: quoted, and a leading formula sign neutralised.
    #[must_use]
    pub fn csv(&self) -> String {
        let formula = self.0.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let mark = if formula { "'" } else { "" };
        format!("\"{mark}{}\"", self.0.replace('"', "\"\""))
    }

    /// For the clipboard: every script, line breaks and tabs as they are; what a terminal or a
    /// reader of the pasted text would obey without seeing it is shown as [`screen`] shows it.
    #[must_use]
    pub fn clipboard(&self) -> String {
        let lines = self.0.split('\n').map(|line| {
            let cells = line.trim_end_matches('\r').split('\t').map(screen);
            cells.collect::<Vec<_>>().join("\t")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// For window titles: printable ASCII only, anything else becomes `?`.
    #[must_use]
    pub fn plain(&self) -> String {
        self.0.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// In JSON the text stands as it is: the encoder escapes control characters by itself, and
/// programs want the value. C1 controls and bidi signs are legal JSON; see [`json_line`].
impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Makes one line of text safe for a terminal: nothing in the result can move the cursor,
/// change colours or turn the writing direction.
///
/// C0 controls become their control pictures (`␛`), C1 controls and format characters become
/// `<U+202E>`, so that a reader sees that something is there.
#[must_use]
pub fn screen(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{0}'..='\u{1f}' => {
                safe.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => safe.push('\u{2421}'),
            c if is_hidden(c) => {
                let _infallible = write!(safe, "<U+{:04X}>", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// As [`screen`], but keeps line breaks and tabs (as two spaces): for long texts and records.
#[must_use]
pub fn screen_lines(text: &str) -> Vec<String> {
    text.split('\n').map(|line| screen(&line.trim_end_matches('\r').replace('\t', "  "))).collect()
}

/// Characters that show nothing and yet change what is seen: C1 controls, bidi, zero width.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Makes an encoded JSON document safe to print on a terminal as well: characters that the
/// encoder leaves alone but a terminal obeys are written as `\uXXXX`, which is the same value.
#[must_use]
pub fn json_line(encoded: &str) -> String {
    let mut safe = String::with_capacity(encoded.len());
    let mut units = [0_u16; 2];
    for c in encoded.chars() {
        if is_hidden(c) || c == '\u{7f}' {
            for unit in c.encode_utf16(&mut units) {
                let _infallible = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_bidi_signs_are_shown() {
        assert_eq!(screen("a\u{1b}[31mb"), "a␛[31mb");
        assert_eq!(screen("x\u{202e}y\u{9b}z\u{7f}"), "x<U+202E>y<U+009B>z␡");
        assert_eq!(screen("東京 मुंबई"), "東京 मुंबई");
    }

    #[test]
    fn the_clipboard_gets_every_script_and_line_and_nothing_that_obeys() {
        let copied = |text: &str| Untrusted::new(text).clipboard();
        assert_eq!(copied("München\t東京\r\nzwei\n"), "München\t東京\nzwei\n");
        assert_eq!(copied("a\u{1b}[31m\u{202e}b\rc"), "a␛[31m<U+202E>b␍c");
    }

    #[test]
    fn formulas_are_neutralised_in_csv() {
        assert_eq!(Untrusted::new("=1+1\"").csv(), "\"'=1+1\"\"\"");
    }

    proptest! {
        #[test]
        fn no_control_character_reaches_the_screen(text in any::<String>()) {
            let safe = screen(&text);
            prop_assert!(!safe.chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn json_stays_the_same_value(text in any::<String>()) {
            let encoded = serde_json::to_string(&text).unwrap();
            let back: String = serde_json::from_str(&json_line(&encoded)).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
