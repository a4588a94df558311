//! The configuration file: how the console looks, which keys it has, and which databases have a
//! name. See docs/configuration.md.
//!
//! A file that is not there is fine. What is in it must be right: a setting that nobody knows is
//! a fault, because it was meant to do something. All faults are told at once, each with its line.
//! What a key sequence means is not known here; the console reports bindings it cannot use.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use super::fault::Fault;
use super::profile::{Profile, ProfileName};
use super::reader;
use crate::failure::{Explain, Kind};
use crate::text::screen;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The profile that is used where nothing else names a database; none is the embedded server.
    pub default_profile: Option<ProfileName>,
    /// The part about the console.
    pub console: ConsoleSettings,
    /// The databases that have a name, in the order of their names.
    pub profiles: Vec<Profile>,
    /// The line of each value, by its path (`console.theme`).
    pub(super) lines: BTreeMap<String, usize>,
}

/// `[console]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleSettings {
    /// The colours, where they are chosen.
    pub theme: Option<ThemeName>,
    /// ASCII lines and signs only.
    pub ascii: bool,
    /// Whether shapes of statements are kept, where that is chosen.
    pub history: Option<bool>,
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
    /// As dark, and loud: whoever sees it knows that this is no place to try something out.
    Production,
}

impl ConsoleSettings {
    /// Whether shapes of statements are kept beyond their session.
    #[must_use]
    pub fn keeps_history(&self) -> bool {
        self.history.unwrap_or(true)
    }
}

impl ThemeName {
    /// All, with the word in the file.
    pub const ALL: [(&'static str, Self); 5] = [
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("plain", Self::Plain),
        ("production", Self::Production),
    ];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, theme)| *theme == self).map_or("", |(word, _)| word)
    }
}

impl std::str::FromStr for ThemeName {
    type Err = InvalidTheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, theme)| *theme).ok_or(InvalidTheme)
    }
}

/// A word that is no theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("a theme is {}", super::setting::Kind::OneOf(super::setting::THEMES).allowed())]
pub struct InvalidTheme;

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
        reader::read(text)
    }

    /// The profile of a name.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name.as_str() == name)
    }

    /// On which line a value stands, by its path (`console.theme`); none where the file is silent.
    #[must_use]
    pub fn line_of(&self, path: &str) -> Option<usize> {
        self.lines.get(path).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All faults, one a line.
    fn faults(text: &str) -> Vec<String> {
        let fault = Settings::read(text).err();
        fault.iter().flat_map(Fault::all).map(ToString::to_string).collect()
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
            "`colour` is no setting; there are `default_profile`, `[console]` and `[profiles.NAME]`",
            "`theme` is one of \"dark\", \"light\", \"high-contrast\", \"plain\", \"production\"",
            "`ascii` is `true` or `false`",
            "`font` is no setting; `[console]` has `theme`, `ascii`, `history` and `[console.keys]`",
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

    #[test]
    fn profiles_are_read_from_an_address_or_its_parts() {
        let text = "default_profile = \"b\"\n[profiles.b]\nhost = \"/run/x\"\nport = 5433\n\
                    database = \"app\"\nuser = \"ada\"\npassword = \"env:DB_PASSWORD\"\n\
                    [profiles.a]\nurl = \"postgresql://ada@db/app\"\ntheme = \"production\"\n";
        let settings = Settings::read(text).unwrap();
        let names: Vec<&str> = settings.profiles.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(settings.default_profile.as_ref().unwrap().as_str(), "b");
        let (a, b) = (settings.profile("a").unwrap(), settings.profile("b").unwrap());
        assert_eq!(b.url, "postgresql:///app?host=%2Frun%2Fx&port=5433&user=ada");
        assert_eq!(b.password.to_string(), "env:DB_PASSWORD");
        assert_eq!(
            (a.url.as_str(), a.theme),
            ("postgresql://ada@db/app", Some(ThemeName::Production))
        );
        assert_eq!(a.password, crate::config::PasswordFrom::None);
        assert_eq!(
            (settings.line_of("profiles.b.port"), settings.line_of("profiles.a.url")),
            (Some(4), Some(9))
        );
        assert_eq!(settings.line_of("console.theme"), None);
        let embedded = Settings::read("default_profile = \"embedded\"").unwrap();
        assert_eq!(embedded.default_profile, None);
    }

    #[test]
    fn faults_of_profiles_are_told_at_once_and_never_repeat_a_password() {
        let text = "default_profile = \"gone\"\n[profiles.a]\nurl = \"postgres://ada:c4n4ry@db/app\"\n\
                    port = 1\n[profiles.b]\nhost = \"db\"\npassword = \"c4n4ry\"\nport = 70000\n\
                    [profiles.embedded]\nurl = \"db\"\n[profiles.c]\nurl = 1\nsslmode = \"never\"\n\
                    [profiles.\"d e\"]\nhost = \"\"\nuser = \"u\"\nsslcert = \"x\"\n";
        let told = faults(text);
        for part in [
            "line 1: `default_profile` is `gone`, and there is no such profile",
            "line 3: `url` holds a password",
            "line 4: `port` is a part of the address, and `url` gives it whole",
            "line 5: `[profiles.b]` has no `url`, and `database` and `user` are missing",
            "line 7: `password` is where the password comes from, never the password itself",
            "line 8: `port` is a port from 1 to 65535",
            "line 9: `embedded`: `embedded` is the name of the embedded server",
            "line 10: `url` begins with postgresql://",
            "line 12: `url` is a text that is not empty",
            "line 13: `sslmode` is one of \"disable\"",
            "line 14: `d e`: the name of a profile has 1 to 63 letters",
            "line 14: `[profiles.d e]` has no `url`, and `database` is missing",
            "line 15: `host` is a text that is not empty",
            "line 17: `sslcert` is of no use without `sslkey`",
        ] {
            assert!(told.iter().any(|fault| fault.starts_with(part)), "{part} not in {told:#?}");
        }
        assert_eq!(told.len(), 14, "{told:#?}");
        assert!(!told.concat().contains("c4n4ry"));
    }

    #[test]
    fn the_table_of_settings_names_every_theme() {
        let words = ThemeName::ALL.map(|(word, _)| word);
        assert_eq!(words, crate::config::setting::THEMES);
        assert_eq!("production".parse::<ThemeName>().unwrap().as_str(), "production");
    }
}
