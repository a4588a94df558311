//! Why there is no connection: what, where and what to do next. One list of causes, each with its
//! words and its hints, hence the many lines.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

use super::endpoint::{Endpoint, Place, Roots, Source, SslMode};
use super::error::Meaning;
use super::tls::TlsFileError;
use crate::failure::{Explain, Kind};
use crate::format;
use crate::text::screen;

/// No connection to this address.
#[derive(Debug, Error)]
#[error("cannot connect to {endpoint}: {why}")]
pub struct Unreachable {
    /// Where to.
    pub endpoint: Endpoint,
    /// Why not.
    pub why: Why,
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum Why {
    /// No address for the name.
    #[error("the name of the host is not known ({0})")]
    NameUnknown(String),
    /// The machine is there, the server is not.
    #[error("nothing listens there")]
    Refused,
    /// No answer.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The network says no.
    #[error("{0}")]
    Network(String),
    /// The connection ended in the middle.
    #[error("whoever listens there ended the connection before it was open")]
    Dropped,
    /// A TLS file.
    #[error(transparent)]
    File(#[from] TlsFileError),
    /// No TLS on the server.
    #[error("the server offers no TLS, and sslmode is {}", .0.as_str())]
    NoTls(SslMode),
    /// A certificate for somebody else.
    #[error("the certificate of the server is not for this host, but for {0}")]
    WrongHost(String),
    /// An authority that is not trusted.
    #[error("the certificate of the server comes from an authority that is not trusted")]
    UnknownAuthority,
    /// A CA's certificate where a server's belongs.
    #[error("the server shows the certificate of an authority as its own")]
    AuthorityAsServer,
    /// Out of date.
    #[error("the certificate of the server expired{0}")]
    Expired(String),
    /// Ahead of its time.
    #[error("the certificate of the server is not valid yet{0}")]
    NotYetValid(String),
    /// Another fault of the certificate.
    #[error("the certificate of the server cannot be accepted: {0}")]
    Certificate(String),
    /// The server does not accept our certificate.
    #[error("the server does not accept the client certificate ({0})")]
    ClientCertificate(String),
    /// The server wants a client certificate.
    #[error("the server asks for a client certificate")]
    CertificateNeeded,
    /// Another fault of the handshake.
    #[error("TLS could not be set up: {0}")]
    Handshake(String),
    /// A password is asked for and there is none.
    #[error("the server asks for a password, and there is none")]
    PasswordNeeded {
        /// A password file that could not be used, and why.
        unusable: Option<(PathBuf, String)>,
    },
    /// The password does not fit.
    #[error("the login or its password is wrong")]
    WrongPassword {
        /// Where the password came from.
        from: Option<Source>,
    },
    /// `pg_hba.conf` has no line for us.
    #[error("the server does not let this login in from here: {0}")]
    NoHbaLine(String),
    /// The server refuses the login.
    #[error("the server refuses the login: {0}")]
    LoginRefused(String),
    /// No such database.
    #[error("there is no such database")]
    NoDatabase,
    /// No channel binding, another method of logging in.
    #[error("the login cannot be proven: {0}")]
    Unproven(String),
    /// Something in between does not know a parameter.
    #[error("a pooler in between refuses the connection: {0}")]
    Pooler(String),
    /// Anything else that the server says.
    #[error("{message}")]
    Said {
        /// The message.
        message: String,
        /// The SQLSTATE.
        state: String,
    },
    /// Anything else that the driver says.
    #[error("{0}")]
    Other(String),
}

impl Unreachable {
    /// The SQLSTATE, where the server answered with one that says more than that it is shut.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        match &self.why {
            Why::Said { state, .. } => Some(state),
            Why::WrongPassword { .. } => Some("28P01"),
            Why::NoHbaLine(_) | Why::LoginRefused(_) | Why::CertificateNeeded => Some("28000"),
            Why::NoDatabase => Some("3D000"),
            _ => None,
        }
    }

    fn host(&self) -> &str {
        match &self.endpoint.place {
            Place::Host(host) => host,
            Place::Socket(_) => "the server",
        }
    }

    fn socket_hints(&self) -> Vec<String> {
        let socket = matches!(self.endpoint.place, Place::Socket(_));
        let hint = if socket {
            "`tenantdesk server status` tells whether the embedded server runs".to_owned()
        } else {
            format!(
                "is PostgreSQL running on {}, does it listen there (listen_addresses), and is {} its port?",
                self.host(),
                self.endpoint.port
            )
        };
        vec![hint]
    }
}

impl Explain for Unreachable {
    fn kind(&self) -> Kind {
        match &self.why {
            Why::File(error) => error.kind(),
            _ => Kind::Server,
        }
    }

    fn hints(&self) -> Vec<String> {
        let (host, user) = (self.host(), &self.endpoint.user);
        let hint = match &self.why {
            Why::File(error) => return error.hints(),
            Why::PasswordNeeded { unusable } => return password_hints(unusable.as_ref()),
            Why::Refused => return self.socket_hints(),
            Why::UnknownAuthority | Why::AuthorityAsServer => return self.authority_hints(),
            Why::NoHbaLine(said) => return hba_hints(said, self.endpoint.tls.mode),
            Why::NameUnknown(_) => "is the host written as it should be, and is the network (VPN) up?".to_owned(),
            Why::Silent(_) => format!("a firewall in between? can {host} be reached from here? `connect_timeout=SECONDS` waits longer"),
            Why::Dropped => "is it PostgreSQL that listens there? its log says why it ended the connection".to_owned(),
            Why::NoTls(_) => format!("switch TLS on (`ssl = on` on {host}); `sslmode=disable` goes without, and then everything can be read on the way"),
            Why::WrongHost(names) if names == NO_NAMES => {
                format!("have it made again with a subjectAltName (`-addext subjectAltName=DNS:{host}`); a common name alone does not count. `sslmode=verify-ca` does not look at the name")
            }
            Why::WrongHost(_) => "use a name that the certificate is for; `sslmode=verify-ca` does not look at the name".to_owned(),
            Why::Expired(_) => format!("have the certificate on {host} renewed; if it is in date there, the clock of this machine is wrong"),
            Why::NotYetValid(_) => format!("is the clock of this machine right? else the one of whoever made the certificate of {host} is not"),
            Why::ClientCertificate(_) => "it has to come from an authority in `ssl_ca_file` of the server and to be in date: see sslcert and sslkey".to_owned(),
            Why::CertificateNeeded => "name it with sslcert=FILE, and its key with sslkey=FILE".to_owned(),
            Why::WrongPassword { from } => match from {
                Some(source) => format!("{source} is not the one of `{user}`; an operator's login may have been removed, too"),
                None => format!("is `{user}` the right login?"),
            },
            Why::LoginRefused(_) if self.endpoint.tls.certificate.is_some() => {
                format!("the common name of the client certificate has to be `{user}`, or pg_ident.conf has to say so")
            }
            Why::LoginRefused(_) => format!("is `{user}` a login of this server?"),
            Why::NoDatabase => format!("is `{}` written as it should be? `psql -l` lists databases", self.endpoint.database),
            Why::Unproven(_) => "`channel_binding=require` needs TLS and a login by SCRAM; Kerberos and the like are not supported".to_owned(),
            Why::Pooler(_) => "connect to the server itself, or have the pooler's `ignore_startup_parameters` name it".to_owned(),
            Why::Network(_) | Why::Certificate(_) | Why::Handshake(_) | Why::Said { .. } | Why::Other(_) => return Vec::new(),
        };
        vec![hint]
    }
}

impl Unreachable {
    fn authority_hints(&self) -> Vec<String> {
        let named = match &self.endpoint.tls.roots {
            Roots::System => {
                "name the certificate of its authority with `sslrootcert=FILE`; files under ~/.postgresql are not looked at".to_owned()
            }
            Roots::File(file) => format!(
                "`{}` (sslrootcert) holds other authorities: add the one of this server, whose certificate its owner has",
                file.display()
            ),
        };
        vec![
            named,
            "`sslmode=require` goes without this check, and then anybody in between can read along"
                .to_owned(),
        ]
    }
}

fn password_hints(unusable: Option<&(PathBuf, String)>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some((file, why)) = unusable {
        let file = file.display();
        hints.push(format!(
            "the password file `{file}` was left alone, because {why}; `chmod 600 {file}`"
        ));
    }
    hints.push(super::endpoint::PASSWORD_PLACES.to_owned());
    hints
}

fn hba_hints(said: &str, mode: SslMode) -> Vec<String> {
    let clear = said.contains("no encryption") || said.contains("SSL off");
    let first = if clear && mode < SslMode::Require {
        "the server may insist on TLS: `sslmode=verify-full`, or `require` where nobody vouches for it"
    } else {
        "the server's owner adds a line to pg_hba.conf, for example `hostssl DATABASE LOGIN ADDRESS scram-sha-256`, and reloads it"
    };
    vec![first.to_owned()]
}

/// What a certificate without names is for.
const NO_NAMES: &str = "no host at all";

impl Why {
    /// What the driver's error means. `mode` is what was asked for, `password` whether there was one.
    pub(super) fn of(
        error: &tokio_postgres::Error,
        mode: SslMode,
        source: Option<&Source>,
    ) -> Self {
        if let Some(db) = error.as_db_error() {
            let routine = db.routine().unwrap_or_default();
            return Self::said(db.code().code(), screen(db.message()), routine, source);
        }
        if error.is_closed() {
            return Self::Dropped;
        }
        let Some(cause) = error.source() else { return Self::Other(screen(&error.to_string())) };
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Self::of_io(io);
        }
        // The driver has no kinds for these, only words; tests hold that they are still these.
        match cause.to_string().as_str() {
            "server does not support TLS" => Self::NoTls(mode),
            "password missing" => Self::PasswordNeeded { unusable: None },
            words if error.to_string() == "authentication error" => Self::Unproven(screen(words)),
            words => Self::Other(screen(words)),
        }
    }

    /// What the server's refusal means. Its message may be in any language, the name of the
    /// routine is not.
    fn said(state: &str, message: String, routine: &str, source: Option<&Source>) -> Self {
        match state {
            "28P01" => Self::WrongPassword { from: source.cloned() },
            "28000" if routine == "ClientAuthentication" => {
                // One routine says both; in another language the second is told in its own words.
                let wants_one = message.contains("valid client certificate");
                if wants_one { Self::CertificateNeeded } else { Self::NoHbaLine(message) }
            }
            "28000" => Self::LoginRefused(message),
            "3D000" => Self::NoDatabase,
            "08P01" if message.contains("startup parameter") => Self::Pooler(message),
            // PgBouncer has a SQLSTATE of its own for whatever it does not like.
            "08P01" if message.contains("no such database") => Self::NoDatabase,
            "08P01" if message.contains("no such user") => Self::LoginRefused(message),
            "08P01" if message.contains("password authentication failed") => {
                Self::WrongPassword { from: source.cloned() }
            }
            _ => Self::Said { message, state: state.to_owned() },
        }
    }

    /// What an error of the system, or of TLS inside of one, means.
    pub(super) fn of_io(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(tls) = inner {
            return Self::of_tls(tls);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Self::Refused,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Dropped,
            _ => Self::Network(screen(&error.to_string())),
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(fault) => Self::of_certificate(fault),
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateRequired
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                | AlertDescription::DecryptError => Self::ClientCertificate(format!("{alert:?}")),
                _ => Self::Handshake(format!("the server says {alert:?}")),
            },
            other => Self::Handshake(screen(&other.to_string())),
        }
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::Expired => Self::Expired(String::new()),
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired(moment(" on", *not_after))
            }
            CertificateError::NotValidYet => Self::NotYetValid(String::new()),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid(moment(", but from", *not_before))
            }
            CertificateError::NotValidForName => Self::WrongHost("another one".to_owned()),
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongHost(names(presented))
            }
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            other => {
                let said = screen(&other.to_string());
                if format!("{other:?}").contains("CaUsedAsEndEntity") {
                    Self::AuthorityAsServer
                } else {
                    Self::Certificate(said)
                }
            }
        }
    }

    /// Whether the other way, with or without TLS, may still work.
    pub(super) fn is_about_encryption(&self) -> bool {
        matches!(self, Self::NoHbaLine(_) | Self::LoginRefused(_) | Self::Handshake(_))
    }

    /// Whether another address of the same name may still answer.
    pub(super) fn is_about_the_way(&self) -> bool {
        matches!(self, Self::Refused | Self::Network(_) | Self::Silent(_))
    }

    /// What it means to whoever tries again.
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Said { state, .. } => Meaning::of(state),
            _ => Meaning::Other,
        }
    }
}

/// A moment, with the words before it.
fn moment(words: &str, at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).ok();
    let at = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map(|at| format!("{words} {}", format::time(at))).unwrap_or_default()
}

/// The names in a certificate, as rustls tells them: `DnsName("db.example.org")`.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return NO_NAMES.to_owned();
    }
    let plain = presented.iter().take(5).map(|name| {
        let inside = name.split_once('(').map_or(name.as_str(), |(_, inside)| inside);
        format!("`{}`", screen(inside.trim_end_matches(')').trim_matches('"')))
    });
    let shown = plain.collect::<Vec<_>>().join(", ");
    if presented.len() > 5 { format!("{shown} and {} more", presented.len() - 5) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_certificate_are_told_as_they_are_written() {
        let presented = [r#"DnsName("db.example.org")"#, "IpAddress(10.0.0.1)"].map(str::to_owned);
        assert_eq!(names(&presented), "`db.example.org`, `10.0.0.1`");
        assert_eq!(names(&[]), NO_NAMES);
    }

    #[test]
    fn a_refusal_of_the_server_is_understood() {
        let why = |state: &str, message: &str| Why::said(state, message.to_owned(), "", None);
        assert!(matches!(why("28P01", "x"), Why::WrongPassword { .. }));
        let hba = Why::said("28000", "kein Eintrag".to_owned(), "ClientAuthentication", None);
        assert!(matches!(hba, Why::NoHbaLine(_)));
        assert!(matches!(
            why("28000", "role \"x\" is not permitted to log in"),
            Why::LoginRefused(_)
        ));
        assert!(matches!(why("3D000", "x"), Why::NoDatabase));
        assert!(matches!(why("08P01", "unsupported startup parameter: options"), Why::Pooler(_)));
        assert!(matches!(why("57P03", "starting up"), Why::Said { .. }));
    }
}
