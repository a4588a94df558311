//! A profile: a database with a name, how its console looks, and where its password comes from.
//!
//! A profile never holds a password. An address with one in it is refused wherever it is read.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::settings::ThemeName;

/// What the embedded server is called where a profile is named; no profile can have this name.
pub const EMBEDDED: &str = "embedded";

/// The longest name.
const LONGEST: usize = 63;

/// The name of a profile: letters, digits, `-` and `_`, so that it needs no quotes anywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

/// Why a text is no name of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidProfileName {
    /// It has other characters, none, or too many.
    #[error("the name of a profile has 1 to 63 letters, digits, `-` and `_`")]
    Form,
    /// It means the embedded server.
    #[error("`embedded` is the name of the embedded server")]
    Embedded,
}

impl ProfileName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(fits) {
            return Err(InvalidProfileName::Form);
        }
        if text == EMBEDDED {
            return Err(InvalidProfileName::Embedded);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ProfileName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Where the password of a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PasswordFrom {
    /// The operating system's keyring.
    Keyring,
    /// The file of passwords, encrypted with a passphrase.
    File,
    /// The person in front of it, each time.
    Prompt,
    /// A variable of the environment.
    Variable(String),
    /// Nowhere: the server needs none, or it comes from where PostgreSQL's own programs take it.
    #[default]
    None,
}

/// Why a text does not say where a password comes from. It may be a password: nothing repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("where the password comes from is {}", PasswordFrom::WORDS)]
pub struct InvalidPasswordFrom;

impl PasswordFrom {
    /// What can be written.
    pub const WORDS: &str = "\"keyring\", \"file\", \"prompt\", \"none\" or \"env:NAME\"";
    /// As a regular expression, for the published schema.
    pub const PATTERN: &str = "^(keyring|file|prompt|none|env:[A-Za-z_][A-Za-z0-9_]*)$";
}

impl FromStr for PasswordFrom {
    type Err = InvalidPasswordFrom;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_variable = |name: &str| {
            let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
        };
        match (text, text.strip_prefix("env:")) {
            ("keyring", _) => Ok(Self::Keyring),
            ("file", _) => Ok(Self::File),
            ("prompt", _) => Ok(Self::Prompt),
            ("none", _) => Ok(Self::None),
            (_, Some(name)) if is_variable(name) => Ok(Self::Variable(name.to_owned())),
            _ => Err(InvalidPasswordFrom),
        }
    }
}

impl fmt::Display for PasswordFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str("keyring"),
            Self::File => f.write_str("file"),
            Self::Prompt => f.write_str("prompt"),
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A database with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name.
    pub name: ProfileName,
    /// The address, without a password; made of its parts where the file has those.
    pub url: String,
    /// The colours of the console there.
    pub theme: Option<ThemeName>,
    /// Where the password comes from.
    pub password: PasswordFrom,
    /// The line of its table.
    pub line: usize,
}

/// The parts of an address, as the file names them.
pub(super) fn address_of_parts<'p>(parts: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let (mut database, mut parameters) = (String::new(), Vec::new());
    for (name, value) in parts {
        let value = percent_encoded(value.as_bytes());
        match name {
            "database" => database = value,
            _ => parameters.push(format!("{name}={value}")),
        }
    }
    format!("postgresql:///{database}?{}", parameters.join("&"))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Whether an address holds a password, or may: rather one too many than one that is shown.
#[must_use]
pub fn holds_password(address: &str) -> bool {
    if percent_decoded(address).to_ascii_lowercase().contains("password=") {
        return true;
    }
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    // A slash or a question mark in a password ends the authority early: all before the `@` counts.
    let Some((before, _)) = rest.split_once('@') else { return false };
    let Some((_, after)) = before.split_once(':') else { return false };
    // `host:5432/app?user=ada@example.org` is the one harmless form.
    let port = after.chars().take_while(char::is_ascii_digit).count();
    let path = &after[port..];
    port == 0 || !path.starts_with('/') || !path.contains('?')
}

/// What a reader of the address would see; what is not encoded as it should be stays.
fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether an address begins as one does.
pub(super) fn is_address(text: &str) -> bool {
    text.starts_with("postgresql://") || text.starts_with("postgres://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quotes_and_never_means_the_embedded_server() {
        for fine in ["production", "eu-1", "A_b"] {
            assert_eq!(fine.parse::<ProfileName>().unwrap().as_str(), fine);
        }
        for bad in ["", "a.b", "a b", "ü", "a\"", &"x".repeat(64)] {
            assert_eq!(bad.parse::<ProfileName>(), Err(InvalidProfileName::Form), "{bad}");
        }
        assert_eq!("embedded".parse::<ProfileName>(), Err(InvalidProfileName::Embedded));
    }

    #[test]
    fn where_a_password_comes_from_is_a_word_and_never_a_password() {
        for word in ["keyring", "file", "prompt", "none", "env:DB_1"] {
            assert_eq!(word.parse::<PasswordFrom>().unwrap().to_string(), word);
        }
        for bad in ["hunter2", "env:", "env:1A", "env:A B", "Keyring"] {
            let error = bad.parse::<PasswordFrom>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn an_address_is_made_of_its_parts() {
        let parts = [("host", "/run/a b"), ("port", "5433"), ("database", "app"), ("user", "ada")];
        assert_eq!(
            address_of_parts(parts),
            "postgresql:///app?host=%2Frun%2Fa%20b&port=5433&user=ada"
        );
    }

    #[test]
    fn a_password_in_an_address_is_found() {
        for fine in [
            "postgresql:///app?host=/run/x&user=ada",
            "postgres://ada@db/app",
            "postgres://ada@db:5432/app",
            "postgres://db:5432/app?user=ada@example.org",
            "host=db",
        ] {
            assert!(!holds_password(fine), "{fine}");
        }
        for bad in [
            "postgres://ada:x@db/app",
            "postgres://ada:a/b@db/app",
            "postgres://ada:a?b@db/app",
            "postgres://ada:1/b@db/app",
            "postgres://db/app?PASSWORD=x",
            "postgres://db/app?pass%77ord=x",
            "host=db password=x",
        ] {
            assert!(holds_password(bad), "{bad}");
        }
    }
}
