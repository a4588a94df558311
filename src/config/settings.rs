//! The configuration file: how the console looks and which keys it has. See docs/configuration.md.
//!
//! A file that is not there is fine. What is in it must be right: a setting that nobody knows is
//! a fault, because it was meant to do something. All faults are told at once, each with its line.
//! What a key sequence means is not known here; the console reports bindings it cannot use.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::failure::{Explain, Kind};
use crate::text::screen;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The part about the console.
    pub console: ConsoleSettings,
}

/// `[console]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleSettings {
    /// The colours, where they are chosen.
    pub theme: Option<ThemeName>,
    /// ASCII lines and signs only.
    pub ascii: bool,
    /// Words of a command to its keys, in the place of the default ones.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// A set of colours, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeName {
    /// For dark terminals.
    Dark,
    /// For light terminals.
    Light,
    /// Few strong colours.
    HighContrast,
    /// No colours.
    Plain,
}

impl ThemeName {
    /// All, with the word in the file.
    pub const ALL: [(&'static str, Self); 4] = [
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("plain", Self::Plain),
    ];
}

/// Why the file cannot be used.
#[derive(Debug, ThisError)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("the configuration `{}` cannot be read", screen(&.file.to_string_lossy()))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says what it cannot say.
    #[error("the configuration `{}` is wrong", screen(&.file.to_string_lossy()))]
    Wrong {
        /// The file.
        file: PathBuf,
        /// All that is wrong, in the order of the file.
        #[source]
        faults: Fault,
    },
}

impl Explain for SettingsError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => Vec::new(),
            Self::Wrong { .. } => {
                vec![
                    "mend the file, or move it away: without it everything is as it was made"
                        .to_owned(),
                ]
            }
        }
    }
}

/// One thing that is wrong. The next one hangs on it like a cause, so that all of them are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is allowed there.
    pub what: String,
    next: Option<Box<Self>>,
}

impl Fault {
    /// Hangs faults on each other.
    fn chain(faults: Vec<(usize, String)>) -> Option<Self> {
        faults
            .into_iter()
            .rev()
            .fold(None, |next, (line, what)| Some(Self { line, what, next: next.map(Box::new) }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as &(dyn Error + 'static))
    }
}

impl Settings {
    /// Reads the file; one that is not there says nothing.
    ///
    /// # Errors
    /// [`SettingsError`] with everything that is wrong.
    pub fn load(file: &Path) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::Unreadable { file: file.to_owned(), source }),
        };
        Self::read(&text).map_err(|faults| SettingsError::Wrong { file: file.to_owned(), faults })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader { text, faults: Vec::new() };
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(at, screen(error.message()));
        }
        // What could not be read would be missing below, and be told a second time.
        let settings =
            if errors.is_empty() { reader.top(table.get_ref()) } else { Self::default() };
        reader.faults.sort_by_key(|(line, _)| *line);
        Fault::chain(reader.faults).map_or(Ok(settings), Err)
    }
}

/// Walks through the file and collects what is wrong.
struct Reader<'t> {
    text: &'t str,
    faults: Vec<(usize, String)>,
}

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn fault(&mut self, at: usize, what: impl Into<String>) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        self.faults.push((line, what.into()));
    }

    fn unknown(&mut self, key: &Key<'_>, allowed: &str) {
        self.fault(
            key.span().start,
            format!("`{}` is no setting; {allowed}", screen(key.get_ref())),
        );
    }

    fn top(&mut self, table: &DeTable<'_>) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref().as_table()) {
                ("console", Some(table)) => settings.console = self.console(table),
                ("console", None) => {
                    self.fault(value.span().start, "`console` is a table: write `[console]`");
                }
                _ => self.unknown(key, "there is `[console]`"),
            }
        }
        settings
    }

    fn console(&mut self, table: &DeTable<'_>) -> ConsoleSettings {
        let mut settings = ConsoleSettings::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "theme" => settings.theme = self.theme(value),
                "ascii" => match value.get_ref().as_bool() {
                    Some(ascii) => settings.ascii = ascii,
                    None => self.fault(value.span().start, "`ascii` is `true` or `false`"),
                },
                "keys" => match value.get_ref().as_table() {
                    Some(table) => settings.keys = self.keys(table),
                    None => {
                        self.fault(value.span().start, "`keys` is a table: write `[console.keys]`");
                    }
                },
                _ => self.unknown(key, "`[console]` has `theme`, `ascii` and `[console.keys]`"),
            }
        }
        settings
    }

    fn theme(&mut self, value: &Value<'_>) -> Option<ThemeName> {
        let named = value.get_ref().as_str();
        let found = ThemeName::ALL.into_iter().find(|(word, _)| Some(*word) == named);
        if found.is_none() {
            let words = ThemeName::ALL.map(|(word, _)| format!("\"{word}\"")).join(", ");
            self.fault(value.span().start, format!("`theme` is one of {words}"));
        }
        found.map(|(_, theme)| theme)
    }

    fn keys(&mut self, table: &DeTable<'_>) -> BTreeMap<String, Vec<String>> {
        let mut keys = BTreeMap::new();
        for (words, value) in table {
            let list = value.get_ref().as_array().map(|list| {
                let texts = list.iter().map(|one| one.get_ref().as_str().map(str::to_owned));
                texts.collect::<Option<Vec<String>>>()
            });
            let words = words.get_ref().as_ref().to_owned();
            if let Some(Some(list)) = list {
                keys.insert(words, list);
            } else {
                let what = format!(
                    "the keys of `{}` are a list of texts, as in [\"n\", \"g n\"]; an empty list takes them away",
                    screen(&words)
                );
                self.fault(value.span().start, what);
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All faults, one a line.
    fn faults(text: &str) -> Vec<String> {
        let mut told = Vec::new();
        let mut next = Settings::read(text).err();
        while let Some(fault) = next {
            told.push(fault.to_string());
            next = fault.next.map(|next| *next);
        }
        told
    }

    #[test]
    fn a_file_is_read_and_one_that_is_not_there_says_nothing() {
        let text = "[console]\ntheme = \"high-contrast\"\nascii = true\n\n[console.keys]\n\
                    \"tenant create\" = [\"N\", \"g n\"]\nquit = []\n";
        let settings = Settings::read(text).unwrap();
        assert_eq!(settings.console.theme, Some(ThemeName::HighContrast));
        assert!(settings.console.ascii);
        assert_eq!(settings.console.keys["tenant create"], ["N", "g n"]);
        assert!(settings.console.keys["quit"].is_empty());
        assert_eq!(Settings::read("").unwrap(), Settings::default());
        assert_eq!(Settings::load(Path::new("/nowhere/config.toml")).unwrap(), Settings::default());
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_line_and_what_is_allowed() {
        let text = "colour = 1\n[console]\ntheme = \"mauve\"\nascii = \"yes\"\nfont = 1\n\
                    [console.keys]\nquit = \"q\"\nhelp = [1]\n";
        let told = faults(text);
        let lines: Vec<&str> = told.iter().filter_map(|fault| fault.split(':').next()).collect();
        assert_eq!(lines, ["line 1", "line 3", "line 4", "line 5", "line 7", "line 8"]);
        for (fault, part) in told.iter().zip([
            "`colour` is no setting; there is `[console]`",
            "`theme` is one of \"dark\", \"light\", \"high-contrast\", \"plain\"",
            "`ascii` is `true` or `false`",
            "`font` is no setting; `[console]` has `theme`, `ascii` and `[console.keys]`",
            "the keys of `quit` are a list of texts",
            "the keys of `help` are a list of texts",
        ]) {
            assert!(fault.contains(part), "{part} not in {fault}");
        }
        assert_eq!(faults("console = 3").len(), 1);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let told = faults("[console]\ntheme = dark\nascii = = true\n");
        assert!(told.iter().any(|fault| fault.starts_with("line 2:")), "{told:?}");
        assert!(told.iter().any(|fault| fault.starts_with("line 3:")), "{told:?}");
    }

    #[test]
    fn an_error_tells_every_fault_as_a_cause() {
        let file = PathBuf::from("/etc/x.toml");
        let faults = Settings::read("a = 1\nb = 2\n").unwrap_err();
        let failure = crate::failure::Failure::from(SettingsError::Wrong { file, faults });
        assert_eq!(failure.message, "the configuration `/etc/x.toml` is wrong");
        assert_eq!(failure.causes.len(), 2);
        assert!(failure.causes[1].starts_with("line 2: `b` is no setting"), "{failure:?}");
    }
}
