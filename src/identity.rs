//! The names of things, parsed once at the edge and trusted afterwards.
//!
//! Each newtype keeps its field private, so a value of the type is proof that the rules of
//! docs/glossary.md were checked. Nothing here knows a database or a terminal.
//! More than 400 lines, because a dozen small types of one pattern are read best side by side.

use std::fmt;
use std::str::FromStr;

use nucleo_matcher::chars::normalize;
use serde::Serialize;
use thiserror::Error;
use uuid::Uuid;

/// Why a word is not the name it was given as.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// A slug breaks the rules for subdomains.
    #[error(
        "`{0}` is no slug: use 2 to 63 of a-z, 0-9 and `-`, starting and ending with a letter or digit"
    )]
    Slug(String),
    /// A slug that the product keeps for itself.
    #[error("the slug `{0}` is reserved")]
    ReservedSlug(String),
    /// A text that is no e-mail address that could be delivered.
    #[error("`{0}` is no e-mail address")]
    Email(String),
    /// An operator name that the server could not hold as a role name, or that is taken.
    #[error(
        "`{0}` is no operator name: use 1 to 63 of a-z, 0-9, `_` and `-`, starting with a letter, and not `pg_..` or `tenantdesk_..`"
    )]
    Operator(String),
    /// A reason that says nothing.
    #[error("the reason is too short: say in at least 10 characters why")]
    Reason,
    /// A reason that nobody will read.
    #[error("the reason is too long: it has at most 2,000 characters")]
    LongReason,
    /// A word that is none of the levels.
    #[error("`{0}` is no level: use viewer, support, approver or admin")]
    Level(String),
    /// A word that is none of the modes.
    #[error("`{0}` is no mode: use read or write")]
    Mode(String),
    /// A name of a tenant, a plan or a member that is empty or too long.
    #[error("a name has 1 to 200 characters and no control characters")]
    DisplayName,
}

/// The key of one tenant, as the text form of the key column of the tenant root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// Takes the text form of a key as the database printed it.
    #[must_use]
    pub fn from_database(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Draws a fresh random id for a tenant that does not exist yet (uuid keys).
    #[must_use]
    pub fn draw() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tenant's short name: what stands in addresses, file names and `--confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TenantSlug(String);

/// Slugs that would collide with hosts every product needs for itself.
const RESERVED_SLUGS: [&str; 10] =
    ["admin", "api", "app", "assets", "help", "mail", "static", "status", "support", "www"];

impl TenantSlug {
    /// Makes the slug that fits a display name: lower case, without accents, words joined by `-`.
    /// `None` where nothing usable is left (a name in a script without Latin letters).
    #[must_use]
    pub fn propose(name: &str) -> Option<Self> {
        let mut slug = String::new();
        let plain = |c| if c == 'ß' { c } else { normalize(c) };
        for c in name.chars().flat_map(char::to_lowercase).map(plain) {
            match c {
                'a'..='z' | '0'..='9' => slug.push(c),
                'ß' => slug.push_str("ss"),
                // Belongs to the letter before it, in a name that is written in parts.
                '\u{300}'..='\u{36f}' => {}
                _ if slug.ends_with('-') || slug.is_empty() => {}
                _ => slug.push('-'),
            }
        }
        slug.truncate(63);
        slug.trim_matches('-').parse().ok()
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantSlug {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let fits = (2..=63).contains(&bytes.len())
            && bytes.iter().all(|&c| plain(c) || c == b'-')
            && bytes.first().copied().is_some_and(plain)
            && bytes.last().copied().is_some_and(plain);
        if !fits {
            return Err(InvalidName::Slug(text.to_owned()));
        }
        // Somebody else's id as a slug would make both ambiguous.
        if RESERVED_SLUGS.contains(&text) || Uuid::try_parse(text).is_ok() {
            return Err(InvalidName::ReservedSlug(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TenantSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address, lower-cased; checked for shape, not for a living mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The text form, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refuse = || InvalidName::Email(text.to_owned());
        let trimmed = text.trim();
        let (local, domain) = trimmed.rsplit_once('@').ok_or_else(refuse)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(odd)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let domain_fits = domain.contains('.') && domain.split('.').all(label);
        if local_fits && domain_fits && trimmed.len() <= 254 {
            Ok(Self(trimmed.to_lowercase()))
        } else {
            Err(refuse())
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an operator, which is also the name of a personal database login.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OperatorName(String);

impl OperatorName {
    /// Takes the name of a login as the database printed it (`session_user`).
    #[must_use]
    pub fn from_database(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OperatorName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let bytes = text.as_bytes();
        let fits = (1..=63).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes
                .iter()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_-".contains(c))
            && !text.starts_with("pg_")
            && !text.starts_with("tenantdesk_")
            && !["public", "none", "current_user", "session_user"].contains(&text);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidName::Operator(text.to_owned())) }
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is done, in the operator's words; at least 10 visible characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// The text form, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = InvalidName;

    /// Counts visible characters only: spaces, control and zero-width characters say nothing.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invisible = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        let visible = text.chars().filter(|&c| !invisible(c)).count();
        if visible < 10 {
            return Err(InvalidName::Reason);
        }
        if text.chars().count() > 2000 {
            return Err(InvalidName::LongReason);
        }
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A human name of a tenant or a person: one line, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DisplayName(String);

impl DisplayName {
    /// The text form, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let trimmed = text.trim();
        let fits = !trimmed.is_empty()
            && trimmed.chars().count() <= 200
            && !trimmed.chars().any(char::is_control);
        if fits { Ok(Self(trimmed.to_owned())) } else { Err(InvalidName::DisplayName) }
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an operator may do; each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Sees the list of tenants and their usage.
    Viewer,
    /// Reads inside one tenant at a time, provisions tenants.
    Support,
    /// Ends sessions of others, reads the whole ledger.
    Approver,
    /// Writes, exports, restores, manages operators and plans.
    Admin,
}

impl Level {
    /// All levels, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Support, Self::Approver, Self::Admin];

    /// The word used in SQL, on the command line and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Level {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| InvalidName::Level(text.to_owned()))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a tenant session may write. A read session is never upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// SELECT only, in READ ONLY transactions.
    Read,
    /// INSERT, UPDATE and DELETE as far as the application may.
    Write,
}

impl Mode {
    /// The word used in SQL, on the command line and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl FromStr for Mode {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        [Self::Read, Self::Write]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| InvalidName::Mode(text.to_owned()))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a tenant session is for; each purpose has functions and roles of its own in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Acting as a member.
    Impersonate,
    /// Making a tenant that does not exist yet.
    Provision,
    /// Changing the life of a tenant (members, suspension).
    Manage,
    /// Reading everything of one tenant in one snapshot.
    Export,
    /// Writing rows of one tenant back.
    Restore,
    /// Removing one tenant.
    Erase,
}

impl Purpose {
    /// The word used in SQL, on the command line and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Impersonate => "impersonate",
            Self::Provision => "provision",
            Self::Manage => "manage",
            Self::Export => "export",
            Self::Restore => "restore",
            Self::Erase => "erase",
        }
    }
}

/// One id that runs through logs, ledger, JSON and errors of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Draws a fresh id; version 7, so that ids sort by time.
    #[must_use]
    pub fn draw() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as the database driver takes it.
    #[must_use]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_rules_of_subdomains() {
        for good in ["ac", "acme", "a-1", "9lives", &"x".repeat(63)] {
            assert!(good.parse::<TenantSlug>().is_ok(), "{good}");
        }
        for bad in ["", "a", "-ab", "ab-", "Acme", "a b", "ä1", "a_b", &"x".repeat(64), "www"] {
            assert!(bad.parse::<TenantSlug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slug_is_proposed_from_a_latin_name_and_not_invented_for_others() {
        let propose = |name| TenantSlug::propose(name).map(|slug| slug.0);
        assert_eq!(propose("Müller & Söhne GmbH").as_deref(), Some("muller-sohne-gmbh"));
        assert_eq!(propose("Łódzka Ścieżka").as_deref(), Some("lodzka-sciezka"));
        assert_eq!(propose("Große Cafe\u{301}s").as_deref(), Some("grosse-cafes"));
        assert_eq!(propose("北京科技"), None);
    }

    #[test]
    fn e_mail_addresses_are_checked_for_shape() {
        for good in ["a@b.co", "first.last+tag@sub.example.org", "ü@bücher.de"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.co", "a@", "a b@c.de", "a@b..de", "a@-b.de", ".a@b.de"] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reason_counts_visible_characters_only() {
        assert!("ticket 4711".parse::<Reason>().is_ok());
        for bad in [
            "too short",
            "          ",
            "\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
            "a\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}b",
        ] {
            assert!(bad.parse::<Reason>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn levels_include_the_ones_before() {
        assert!(Level::Admin > Level::Approver && Level::Approver > Level::Support);
        assert!(Level::Support > Level::Viewer);
    }
}
