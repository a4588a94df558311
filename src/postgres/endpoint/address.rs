//! The address of one database for one login: over a socket, or over a network with TLS.
//!
//! It can carry a password, which nothing prints: not `Debug`, not `Display`, not [`Endpoint::url`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::encoding::percent_encoded;
use super::passfile::{self, Key};
use super::password::{Credential, Password, Source};
use super::resolve::is_loopback;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The directory of its socket.
    Socket(PathBuf),
    /// A host name or an IP address.
    Host(String),
}

/// How much a connection over a network has to be protected, in the words of libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted where the server insists.
    Allow,
    /// Encrypted where the server can.
    Prefer,
    /// Encrypted, with whoever answers.
    Require,
    /// Encrypted, with a server that a known authority vouches for.
    VerifyCa,
    /// As before, and for this very name.
    VerifyFull,
}

impl SslMode {
    /// All, from the weakest on.
    pub const ALL: [Self; 6] =
        [Self::Disable, Self::Allow, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// The word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// What holds where nobody says anything: over a network the server has to prove its name.
    #[must_use]
    pub fn default_for(place: &Place) -> Self {
        match place {
            Place::Socket(_) => Self::Disable,
            Place::Host(host) if is_loopback(host) => Self::Prefer,
            Place::Host(_) => Self::VerifyFull,
        }
    }
}

/// Which authorities are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// Whether SCRAM has to be bound to the TLS channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Never.
    Disable,
    /// Where both can.
    Prefer,
    /// Always.
    Require,
}

/// What is asked of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsWish {
    /// How much protection.
    pub mode: SslMode,
    /// Whom to trust.
    pub roots: Roots,
    /// The file of a client certificate.
    pub certificate: Option<PathBuf>,
    /// The file of its key.
    pub key: Option<PathBuf>,
    /// Whether the login is bound to the channel.
    pub binding: Binding,
}

/// A password file, and whether the address names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passfile {
    pub(super) path: PathBuf,
    pub(super) named: bool,
}

/// The address of one database for one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the server listens.
    pub place: Place,
    /// The TCP port, or the number in the socket's name.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The login role.
    pub user: String,
    /// What is asked of TLS; a socket has none.
    pub tls: TlsWish,
    /// How long connecting may take; a usual span where it is not said.
    pub patience: Option<Duration>,
    /// The name of connections that belong to no session.
    pub application: Option<String>,
    pub(super) passfile: Option<Passfile>,
    pub(super) password: Option<Password>,
}

impl Endpoint {
    /// A database behind a socket, which asks for no password.
    #[must_use]
    pub fn socket(dir: &Path, port: u16, database: &str, user: &str) -> Self {
        let place = Place::Socket(dir.to_owned());
        Self {
            tls: TlsWish {
                mode: SslMode::default_for(&place),
                roots: Roots::System,
                certificate: None,
                key: None,
                binding: Binding::Prefer,
            },
            place,
            port,
            database: database.to_owned(),
            user: user.to_owned(),
            patience: None,
            application: None,
            passfile: None,
            password: None,
        }
    }

    /// The same server and database for another login: whatever proves who somebody is stays behind.
    #[must_use]
    pub fn for_user(&self, user: &str) -> Self {
        if user == self.user {
            return self.clone();
        }
        let tls = TlsWish { certificate: None, key: None, ..self.tls.clone() };
        Self { user: user.to_owned(), tls, password: None, ..self.clone() }
    }

    /// The same address with a password, which comes before all others.
    #[must_use]
    pub fn with_password(self, password: SecretString) -> Self {
        Self { password: Some(Password::new(password, Source::Given)), ..self }
    }

    /// The directory of the socket, where it is one.
    #[must_use]
    pub fn socket_dir(&self) -> Option<&Path> {
        match &self.place {
            Place::Socket(dir) => Some(dir),
            Place::Host(_) => None,
        }
    }

    /// The host, where it is one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Socket(_) => None,
            Place::Host(host) => Some(host),
        }
    }

    /// Where the server listens, for a person.
    #[must_use]
    pub fn place_text(&self) -> String {
        match &self.place {
            Place::Socket(dir) => dir.to_string_lossy().into_owned(),
            Place::Host(host) => host.clone(),
        }
    }

    /// How much protection was asked for, in the words of libpq.
    #[must_use]
    pub const fn sslmode(&self) -> &'static str {
        self.tls.mode.as_str()
    }

    /// The password that came with it.
    #[must_use]
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// What there is to answer a server that asks for a password: the one that came with the
    /// address, else that of the password file, which is read anew each time.
    #[must_use]
    pub fn credential(&self) -> Credential {
        if let Some(password) = &self.password {
            return Credential::Known(password.clone());
        }
        let Some(Passfile { path, .. }) = &self.passfile else { return Credential::None };
        let key =
            Key { place: &self.place, port: self.port, database: &self.database, user: &self.user };
        match passfile::look_up(path, key) {
            Ok(Some(secret)) => {
                Credential::Known(Password::new(secret, Source::File(path.clone())))
            }
            Ok(None) => Credential::None,
            Err(why) => Credential::Unusable { file: path.clone(), why },
        }
    }

    /// The address as libpq and every driver read it, without the password.
    #[must_use]
    pub fn url(&self) -> String {
        let user = percent_encoded(self.user.as_bytes());
        let database = percent_encoded(self.database.as_bytes());
        let mut url = match &self.place {
            Place::Socket(dir) => format!(
                "postgresql:///{database}?host={}&port={}&user={user}",
                percent_encoded(dir.as_os_str().as_encoded_bytes()),
                self.port
            ),
            Place::Host(host) if host.contains(':') => {
                format!("postgresql://{user}@[{host}]:{}/{database}", self.port)
            }
            Place::Host(host) => {
                let host = percent_encoded(host.as_bytes());
                format!("postgresql://{user}@{host}:{}/{database}", self.port)
            }
        };
        for (name, value) in self.said() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(&percent_encoded(value.as_bytes()));
        }
        url
    }

    /// The parameters that differ from what holds by default.
    fn said(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut said = Vec::new();
        if self.tls.mode != SslMode::default_for(&self.place) {
            said.push(("sslmode", self.tls.mode.as_str().to_owned()));
        }
        if let Roots::File(file) = &self.tls.roots {
            said.push(("sslrootcert", path(file)));
        }
        if let Some(file) = &self.tls.certificate {
            said.push(("sslcert", path(file)));
        }
        if let Some(file) = &self.tls.key {
            said.push(("sslkey", path(file)));
        }
        match self.tls.binding {
            Binding::Prefer => {}
            Binding::Disable => said.push(("channel_binding", "disable".to_owned())),
            Binding::Require => said.push(("channel_binding", "require".to_owned())),
        }
        if let Some(patience) = self.patience {
            let seconds = if patience == Duration::MAX { 0 } else { patience.as_secs() };
            said.push(("connect_timeout", seconds.to_string()));
        }
        if let Some(name) = &self.application {
            said.push(("application_name", name.clone()));
        }
        if let Some(passfile) = self.passfile.as_ref().filter(|passfile| passfile.named) {
            said.push(("passfile", path(&passfile.path)));
        }
        said
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Parameters;
    use super::*;

    fn read(url: &str) -> Endpoint {
        let parts = Parameters::from_url(url).unwrap();
        Endpoint::from_parameters(parts, Parameters::default()).unwrap()
    }

    #[test]
    fn a_url_encodes_what_would_break_it() {
        let endpoint = Endpoint::socket("/home/a b&c/ü".as_ref(), 5432, "app", "o'b?#");
        assert_eq!(
            endpoint.url(),
            "postgresql:///app?host=%2Fhome%2Fa%20b%26c%2F%C3%BC&port=5432&user=o%27b%3F%23"
        );
    }

    #[test]
    fn an_address_is_read_back_as_it_was_written() {
        for url in [
            "postgresql:///app?host=%2Ftmp%2Fa%20b%26c&port=5433&user=ann",
            "postgresql://ann@db.example.org:5432/app",
            "postgresql://ann@[2001%3Adb8::1]:5432/app",
            "postgresql://a%40b@db:5433/a%2Fb?sslmode=verify-ca&sslrootcert=%2Fca.pem&sslcert=%2Fc.pem&sslkey=%2Fk.pem\
             &channel_binding=require&connect_timeout=3&application_name=x%20y&passfile=%2Fp",
            "postgresql://ann@db/app?connect_timeout=0&channel_binding=disable",
        ] {
            let endpoint = read(url);
            assert_eq!(read(&endpoint.url()), endpoint, "{url}");
        }
    }

    #[test]
    fn a_password_is_in_no_output_and_stays_with_its_login() {
        let endpoint = read("postgresql://ann:c4n4ry@db/app?sslcert=/c&sslkey=/k");
        for shown in [endpoint.url(), endpoint.to_string(), format!("{endpoint:?}")] {
            assert!(!shown.contains("c4n4ry"), "{shown}");
        }
        assert!(endpoint.password().is_some());
        let other = endpoint.for_user("eve");
        assert!(other.password().is_none() && other.tls.certificate.is_none());
        assert_eq!(endpoint.for_user("ann"), endpoint);
        let given = endpoint.with_password(SecretString::from("0ther"));
        assert_eq!(given.password().unwrap().source, Source::Given);
        assert!(!format!("{given:?}").contains("0ther"));
    }
}
