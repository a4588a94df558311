//! Where a database of the embedded server is: a socket directory, never a password.
//!
//! Remote targets will be a second form of address; what is here is all that `connect` needs.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;

use thiserror::Error;

use crate::failure::{Explain, Kind};

/// The address of one database for one login, over a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The directory that holds the server's socket.
    pub socket_dir: PathBuf,
    /// The number in the socket's name, and the TCP port where one is open.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The login role.
    pub user: String,
}

impl Endpoint {
    /// The same server and database for another login.
    #[must_use]
    pub fn for_user(&self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self.clone() }
    }

    /// The address as libpq and every driver read it; there is no password that it could show.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgresql:///{}?host={}&port={}&user={}",
            percent_encoded(self.database.as_bytes()),
            percent_encoded(self.socket_dir.as_os_str().as_encoded_bytes()),
            self.port,
            percent_encoded(self.user.as_bytes()),
        )
    }
}

/// Why an address is none that this version can use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// It is not of the form.
    #[error(
        "the address is not of the form postgresql:///DATABASE?host=SOCKET_DIRECTORY&user=LOGIN: {0}"
    )]
    Form(&'static str),
    /// It means a server over a network.
    #[error("`{0}` is a server over a network, and this version connects to local sockets only")]
    Network(String),
    /// It holds a password.
    #[error("the address holds a password")]
    Password,
}

impl Explain for InvalidUrl {
    fn kind(&self) -> Kind {
        match self {
            Self::Form(_) => Kind::Usage,
            Self::Network(_) | Self::Password => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Password => {
                vec![
                    "leave it out: this version connects through a local socket, which needs none"
                        .to_owned(),
                ]
            }
            _ => {
                vec!["`tenantdesk server url` prints an address of the embedded server".to_owned()]
            }
        }
    }
}

impl Endpoint {
    /// Reads the address of a local socket, as [`Endpoint::url`] writes it.
    ///
    /// # Errors
    /// [`InvalidUrl`].
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let rest = url
            .strip_prefix("postgresql://")
            .or_else(|| url.strip_prefix("postgres://"))
            .ok_or(InvalidUrl::Form("it does not begin with postgresql://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        // A slash in a password ends the authority early: look at everything before the query.
        if place.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(InvalidUrl::Password);
        }
        let (mut socket_dir, mut port, mut user) = (None, 5432, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(value)
                .ok_or(InvalidUrl::Form("a value is not encoded as it should be"))?;
            match name {
                "host" if value.starts_with('/') => socket_dir = Some(PathBuf::from(value)),
                "host" => return Err(InvalidUrl::Network(crate::text::screen(&value))),
                "port" => {
                    port = value.parse().map_err(|_| InvalidUrl::Form("the port is no number"))?;
                }
                "user" => user = Some(value),
                "password" => return Err(InvalidUrl::Password),
                _ => return Err(InvalidUrl::Form("it has parameters besides host, port and user")),
            }
        }
        if !authority.is_empty() {
            return Err(InvalidUrl::Network(crate::text::screen(authority)));
        }
        let database = percent_decoded(database).filter(|name| !name.is_empty());
        Ok(Self {
            socket_dir: socket_dir
                .ok_or(InvalidUrl::Form("host, the socket's directory, is missing"))?,
            port,
            database: database.ok_or(InvalidUrl::Form("the database is missing"))?,
            user: user.ok_or(InvalidUrl::Form("user is missing"))?,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
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

/// The other way; `None` where it is not valid.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_encodes_what_would_break_it() {
        let endpoint = Endpoint {
            socket_dir: "/home/a b&c/ü".into(),
            port: 5432,
            database: "app".to_owned(),
            user: "o'b?#".to_owned(),
        };
        assert_eq!(
            endpoint.url(),
            "postgresql:///app?host=%2Fhome%2Fa%20b%26c%2F%C3%BC&port=5432&user=o%27b%3F%23"
        );
    }

    #[test]
    fn an_address_is_read_back_as_it_was_written() {
        let endpoint = Endpoint {
            socket_dir: PathBuf::from("/tmp/a b&c"),
            port: 5433,
            database: "app".to_owned(),
            user: "ann".to_owned(),
        };
        assert_eq!(Endpoint::parse(&endpoint.url()), Ok(endpoint));
        for (bad, error) in [
            (
                "postgres://db.example.org/app?user=ann",
                InvalidUrl::Network("db.example.org".into()),
            ),
            ("postgres:///app?host=db&user=a", InvalidUrl::Network("db".into())),
            ("postgres://a:secret@db/app", InvalidUrl::Password),
            ("postgres://a:se/cret@db/app", InvalidUrl::Password),
            ("postgres:///app?host=/run&user=a&password=x", InvalidUrl::Password),
            ("postgres:///app?host=/run", InvalidUrl::Form("user is missing")),
        ] {
            assert_eq!(Endpoint::parse(bad), Err(error), "{bad}");
        }
    }
}
