//! What an address says, taken apart as libpq does it: nothing is checked against anything yet.
//! The same parts come from a URL, from the environment and from a profile.

use std::fmt;

use secrecy::SecretString;

use super::encoding::percent_decoded;
use super::invalid::InvalidAddress;
use crate::config::env;
use crate::text::screen;

/// The parts of an address. What is `None` is left open.
#[derive(Clone, Default)]
pub struct Parameters {
    /// A host name, an IP address, or the directory of a socket.
    pub host: Option<String>,
    /// The port.
    pub port: Option<String>,
    /// The login role.
    pub user: Option<String>,
    /// The database.
    pub dbname: Option<String>,
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub sslmode: Option<String>,
    /// A file of authorities, or `system`.
    pub sslrootcert: Option<String>,
    /// The file of a client certificate.
    pub sslcert: Option<String>,
    /// The file of its key.
    pub sslkey: Option<String>,
    /// `disable`, `prefer` or `require`.
    pub channel_binding: Option<String>,
    /// Seconds; 0 waits for ever.
    pub connect_timeout: Option<String>,
    /// The name of connections that belong to no session.
    pub application_name: Option<String>,
    /// A password file.
    pub passfile: Option<String>,
    /// A password.
    pub password: Option<SecretString>,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameters")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("dbname", &self.dbname)
            .field("sslmode", &self.sslmode)
            .finish_non_exhaustive()
    }
}

/// A usual character that was left as it is.
const ENCODE: InvalidAddress = InvalidAddress::Form(
    "an `@`, `:`, `/`, `?` or `#` in a name or password is written %40, %3A, %2F, %3F or %23",
);

impl Parameters {
    /// What the environment says, as libpq reads it.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = |variable: env::Variable| {
            variable.read().map(|value| value.to_string_lossy().into_owned())
        };
        Self {
            host: text(env::PG_HOST),
            port: text(env::PG_PORT),
            user: text(env::PG_USER),
            dbname: text(env::PG_DATABASE),
            sslmode: text(env::PG_SSL_MODE),
            sslrootcert: text(env::PG_SSL_ROOT_CERT),
            sslcert: text(env::PG_SSL_CERT),
            sslkey: text(env::PG_SSL_KEY),
            channel_binding: text(env::PG_CHANNEL_BINDING),
            connect_timeout: text(env::PG_CONNECT_TIMEOUT),
            application_name: None,
            passfile: text(env::PG_PASS_FILE),
            password: text(env::PG_PASSWORD).map(SecretString::from),
        }
    }

    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`InvalidAddress`]; no message repeats what could be a password.
    pub fn from_url(url: &str) -> Result<Self, InvalidAddress> {
        let rest = url
            .strip_prefix("postgresql://")
            .or_else(|| url.strip_prefix("postgres://"))
            .ok_or(InvalidAddress::Form("it does not begin with postgresql://"))?;
        let mut parts = Self::default();
        // As libpq: whatever stands before an `@` is who logs in, unless a slash comes first.
        let rest = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => {
                parts.credentials(&rest[..at])?;
                &rest[at + 1..]
            }
            _ => rest,
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if place.contains(['@', '#']) {
            return Err(ENCODE);
        }
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        parts.authority(authority)?;
        parts.dbname = decoded(database)?.filter(|name| !name.is_empty());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(InvalidAddress::Form(
                "a parameter has no value: they are written NAME=VALUE and joined by `&`",
            ))?;
            let name = percent_decoded(name).unwrap_or_default();
            let value = decoded(value)?.unwrap_or_default();
            parts.parameter(&name, value)?;
        }
        Ok(parts)
    }

    /// `USER` or `USER:PASSWORD`.
    fn credentials(&mut self, text: &str) -> Result<(), InvalidAddress> {
        let (user, password) =
            text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
        self.user = decoded(user)?.filter(|user| !user.is_empty());
        if let Some(password) = password.map(decoded).transpose()?.flatten() {
            self.password = Some(SecretString::from(password));
        }
        Ok(())
    }

    /// `HOST`, `HOST:PORT`, `[IPV6]:PORT` or nothing.
    fn authority(&mut self, text: &str) -> Result<(), InvalidAddress> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let closed = InvalidAddress::Form("the `[` of an IPv6 address is not closed");
            let (host, after) = rest.split_once(']').ok_or(closed)?;
            let port = after.strip_prefix(':');
            if port.is_none() && !after.is_empty() {
                return Err(if after.starts_with(',') {
                    InvalidAddress::Several
                } else {
                    InvalidAddress::Form("behind the `]` of an IPv6 address comes a `:` or a `/`")
                });
            }
            (host, port)
        } else {
            text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
        };
        if text.contains(',') {
            return Err(InvalidAddress::Several);
        }
        if port.is_some_and(|port| port.contains(':')) {
            return Err(InvalidAddress::Form("an IPv6 address is written in `[` and `]`"));
        }
        self.host = decoded(host)?.filter(|host| !host.is_empty());
        self.port = port.map(decoded).transpose()?.flatten().filter(|port| !port.is_empty());
        Ok(())
    }

    /// One of `?NAME=VALUE&..`.
    fn parameter(&mut self, name: &str, value: String) -> Result<(), InvalidAddress> {
        let (known, place) = match name {
            "host" => ("host", &mut self.host),
            "port" => ("port", &mut self.port),
            "user" => ("user", &mut self.user),
            "dbname" => ("dbname", &mut self.dbname),
            "sslmode" => ("sslmode", &mut self.sslmode),
            "sslrootcert" => ("sslrootcert", &mut self.sslrootcert),
            "sslcert" => ("sslcert", &mut self.sslcert),
            "sslkey" => ("sslkey", &mut self.sslkey),
            "channel_binding" => ("channel_binding", &mut self.channel_binding),
            "connect_timeout" => ("connect_timeout", &mut self.connect_timeout),
            "application_name" => ("application_name", &mut self.application_name),
            "passfile" => ("passfile", &mut self.passfile),
            "password" => {
                let again = self.password.replace(SecretString::from(value)).is_some();
                return if again { Err(InvalidAddress::Twice("password")) } else { Ok(()) };
            }
            // As JDBC writes it, and libpq reads it.
            "ssl" if value == "true" => {
                let again = self.sslmode.replace("require".to_owned()).is_some();
                return if again { Err(InvalidAddress::Twice("sslmode")) } else { Ok(()) };
            }
            _ => return Err(not_followed(name)),
        };
        if value.is_empty() {
            return Ok(());
        }
        if place.replace(value).is_some() {
            return Err(InvalidAddress::Twice(known));
        }
        Ok(())
    }

    /// These parts, and where one is open that of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            host: self.host.or(other.host),
            port: self.port.or(other.port),
            user: self.user.or(other.user),
            dbname: self.dbname.or(other.dbname),
            sslmode: self.sslmode.or(other.sslmode),
            sslrootcert: self.sslrootcert.or(other.sslrootcert),
            sslcert: self.sslcert.or(other.sslcert),
            sslkey: self.sslkey.or(other.sslkey),
            channel_binding: self.channel_binding.or(other.channel_binding),
            connect_timeout: self.connect_timeout.or(other.connect_timeout),
            application_name: self.application_name.or(other.application_name),
            passfile: self.passfile.or(other.passfile),
            password: self.password.or(other.password),
        }
    }
}

/// Why a parameter of this name cannot be followed.
fn not_followed(name: &str) -> InvalidAddress {
    let (name, why, hint) = match name {
        "options" => (
            "options",
            "settings of a session would not reach the transactions of tenantdesk, and a pooler loses them",
            "leave it out; what must hold is set for each transaction",
        ),
        "service" => (
            "service",
            "service files are not read",
            "write what the service says (host, port, user, dbname) into the address, or make a profile of it",
        ),
        "hostaddr" => (
            "hostaddr",
            "the name to connect to and the name to check must be one",
            "name the address as host, with `sslmode=verify-ca` where the certificate is for another name",
        ),
        "sslpassword" => (
            "sslpassword",
            "keys with a passphrase cannot be read",
            "write the key without one: `openssl pkey -in KEY -out NEWKEY`, mode 0600",
        ),
        "target_session_attrs" | "load_balance_hosts" => (
            "target_session_attrs",
            "there is one server, the one that takes writes",
            "leave it out",
        ),
        _ => return InvalidAddress::Unknown(screen(name)),
    };
    InvalidAddress::Unsupported { name, why, hint }
}

/// Decodes; an empty text stays one.
fn decoded(text: &str) -> Result<Option<String>, InvalidAddress> {
    percent_decoded(text).map(Some).ok_or(InvalidAddress::Form(
        "a `%` that is none is written %25, and what is encoded has to be UTF-8 without zero bytes",
    ))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(url: &str) -> Parameters {
        Parameters::from_url(url).unwrap()
    }

    #[test]
    fn the_parts_of_an_address_are_found() {
        let parts = read("postgres://a%40b@db.example.org:5433/my%20app?sslmode=require");
        assert_eq!(parts.user.as_deref(), Some("a@b"));
        assert_eq!(parts.host.as_deref(), Some("db.example.org"));
        assert_eq!(parts.port.as_deref(), Some("5433"));
        assert_eq!(parts.dbname.as_deref(), Some("my app"));
        assert_eq!(parts.sslmode.as_deref(), Some("require"));
        let six = read("postgresql://[2001:db8::1]:5433/app");
        assert_eq!((six.host.as_deref(), six.port.as_deref()), (Some("2001:db8::1"), Some("5433")));
        let socket = read("postgresql://%2Frun%2Fpg/app");
        assert_eq!(socket.host.as_deref(), Some("/run/pg"));
        let bare = read("postgresql://");
        assert_eq!((bare.host, bare.user, bare.dbname, bare.port), (None, None, None, None));
        assert_eq!(read("postgresql:///?ssl=true").sslmode.as_deref(), Some("require"));
    }

    #[test]
    fn a_password_is_taken_as_libpq_takes_it_and_never_printed() {
        for (url, password) in [
            ("postgres://ada:c4n4ry@db/app", "c4n4ry"),
            ("postgres://ada:c4n%2Fary%3A@db/app", "c4n/ary:"),
            ("postgres://ada:c4n?ary#:@db/app", "c4n?ary#:"),
            ("postgres://ada@db/app?password=c4n%26ary", "c4n&ary"),
        ] {
            let parts = read(url);
            assert_eq!(parts.password.as_ref().unwrap().expose_secret(), password, "{url}");
            assert!(!format!("{parts:?}").contains("c4n"), "{parts:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_without_repeating_it() {
        let form = |url: &str| match Parameters::from_url(url).unwrap_err() {
            InvalidAddress::Form(why) => why,
            other => panic!("{url}: {other:?}"),
        };
        assert!(form("mysql://db/app").contains("postgresql://"));
        assert!(form("host=db password=c4n4ry").contains("postgresql://"));
        assert!(form("postgres://ada:c4n/ary@db/app").contains("%2F"));
        assert!(form("postgres://ada:c4n@ary@db/app").contains("%40"));
        assert!(form("postgres://[::1/app").contains("not closed"));
        assert!(form("postgres://::1/app").contains("`[`"));
        assert!(form("postgres://db/app?sslmode").contains("no value"));
        assert!(form("postgres://db/a%zz").contains("%25"));
        for several in ["postgres://a,b/app", "postgres://a:1,b:2/app", "postgres://[::1],b/app"] {
            assert_eq!(Parameters::from_url(several).unwrap_err(), InvalidAddress::Several);
        }
        let twice = Parameters::from_url("postgres://db/app?host=other").unwrap_err();
        assert_eq!(twice, InvalidAddress::Twice("host"));
    }

    #[test]
    fn unknown_and_unsupported_parameters_are_named() {
        let refused = |query: &str| {
            Parameters::from_url(&format!("postgres://db/app?{query}")).unwrap_err().to_string()
        };
        assert!(refused("sslmod=require").contains("`sslmod`"));
        assert!(refused("options=-c%20x%3D1").contains("`options`"));
        assert!(refused("service=prod").contains("service files"));
        assert!(refused("hostaddr=10.0.0.1").contains("`hostaddr`"));
    }
}
