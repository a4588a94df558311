//! Where a database of the embedded server is: a socket directory, never a password.
//!
//! Remote targets will be a second form of address; what is here is all that `connect` needs.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;

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
}
