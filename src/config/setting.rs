//! Every setting of the configuration file: one table that the reader, the published schema and
//! `config show` have in common, so that none of them can know a setting that the others do not.

use super::profile::PasswordFrom;

/// What a setting can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text but an empty one.
    Text,
    /// `true` or `false`.
    Flag,
    /// A port.
    Port,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Where a password comes from: [`PasswordFrom`].
    Password,
    /// A table of commands and their keys.
    Keys,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in its table.
    pub name: &'static str,
    /// What it can hold.
    pub kind: Kind,
    /// What it does, as a short sentence without a final period.
    pub purpose: &'static str,
    /// What holds where it is missing, in words; nothing where that says itself.
    pub default: Option<&'static str>,
}

const fn setting(name: &'static str, kind: Kind, purpose: &'static str) -> Setting {
    Setting { name, kind, purpose, default: None }
}

/// The names of the colour sets, in the order of [`super::ThemeName::ALL`].
pub const THEMES: &[&str] = &["dark", "light", "high-contrast", "plain", "production"];

/// How far TLS goes, as libpq names it.
pub const SSL_MODES: &[&str] =
    &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Outside of any table.
pub const TOP: &[Setting] = &[Setting {
    default: Some("embedded"),
    ..setting(
        "default_profile",
        Kind::Text,
        "The profile that is used where nothing else names a database",
    )
}];

/// In `[console]`.
pub const CONSOLE: &[Setting] = &[
    Setting {
        default: Some("dark"),
        ..setting("theme", Kind::OneOf(THEMES), "The colours of the console")
    },
    Setting {
        default: Some("false"),
        ..setting("ascii", Kind::Flag, "Lines and signs in ASCII only")
    },
    Setting {
        default: Some("true"),
        ..setting(
            "history",
            Kind::Flag,
            "Whether the shapes of statements are kept beyond their session, without values",
        )
    },
    setting("keys", Kind::Keys, "Words of a command to its keys, in the place of the default ones"),
];

/// In `[profiles.NAME]`.
pub const PROFILE: &[Setting] = &[
    setting(
        "url",
        Kind::Text,
        "The address of the database, without a password; or its parts below",
    ),
    setting("host", Kind::Text, "The server's name or address, or the directory of its socket"),
    Setting { default: Some("5432"), ..setting("port", Kind::Port, "The server's port") },
    setting("database", Kind::Text, "The database"),
    setting("user", Kind::Text, "The login"),
    setting("sslmode", Kind::OneOf(SSL_MODES), "How far TLS goes"),
    setting(
        "sslrootcert",
        Kind::Text,
        "The file of the authorities that the server's certificate is checked against",
    ),
    setting("sslcert", Kind::Text, "The file of the client's certificate"),
    setting("sslkey", Kind::Text, "The file of the client's key"),
    setting("theme", Kind::OneOf(THEMES), "The colours of the console at this database"),
    Setting {
        default: Some("none"),
        ..setting(
            "password",
            Kind::Password,
            "Where the password comes from, never the password itself",
        )
    },
];

/// The settings that make up an address where there is no `url`.
pub const PARTS: [&str; 8] =
    ["host", "port", "database", "user", "sslmode", "sslrootcert", "sslcert", "sslkey"];

impl Kind {
    /// What is allowed, as the end of `<name> is ..`.
    #[must_use]
    pub fn allowed(self) -> String {
        match self {
            Self::Text => "a text that is not empty".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Port => "a port from 1 to 65535".to_owned(),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            // What stands there may be a password: it is never repeated.
            Self::Password => format!(
                "where the password comes from, never the password itself: {}",
                PasswordFrom::WORDS
            ),
            Self::Keys => "a table: write `[console.keys]`".to_owned(),
        }
    }
}
