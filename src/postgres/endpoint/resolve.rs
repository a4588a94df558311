//! From the parts of an address to an [`Endpoint`]: the one place that knows what is taken where
//! an address is silent.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::address::{Binding, Endpoint, Passfile, Place, Roots, SslMode, TlsWish};
use super::invalid::InvalidAddress;
use super::parameters::Parameters;
use super::passfile::USUAL_SOCKETS;
use super::password::{Password, Source};
use crate::config::env;
use crate::postgres::embedded::account;

impl Endpoint {
    /// Reads an address; the environment (`PGHOST`, `PGUSER`, ..) fills in what it leaves open.
    ///
    /// # Errors
    /// [`InvalidAddress`], also where it holds a password: those do not belong on a command line.
    pub fn parse(url: &str) -> Result<Self, InvalidAddress> {
        let given = Parameters::from_url(url);
        let suspect = matches!(&given, Ok(parts) if parts.password.is_some())
            || url.split_once("://").is_some_and(|(_, rest)| looks_like_a_password(rest));
        if suspect {
            return Err(InvalidAddress::Password);
        }
        Self::from_parameters(given?, Parameters::from_environment())
    }

    /// As [`Endpoint::parse`], for an address that comes from where a password may be.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn parse_secret(url: &SecretString) -> Result<Self, InvalidAddress> {
        let given = Parameters::from_url(url.expose_secret())?;
        Self::from_parameters(given, Parameters::from_environment())
    }

    /// An endpoint of parts: `given`, and where those are silent `environment`. A password in
    /// `given` counts as that of an address.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn from_parameters(
        mut given: Parameters,
        mut environment: Parameters,
    ) -> Result<Self, InvalidAddress> {
        let secret = |secret: &mut Option<SecretString>, source| {
            let secret = secret.take().filter(|secret| !secret.expose_secret().is_empty());
            secret.map(|secret| Password::new(secret, source))
        };
        let password = secret(&mut given.password, Source::Address);
        let password = password.or_else(|| secret(&mut environment.password, Source::Variable));
        // libpq looks into the user's password file by itself, but a named one is part of the address.
        let named = given.passfile.clone();
        let parts = given.or(environment);
        let passfile = named.map(|path| Passfile { path: path.into(), named: true });
        let passfile = passfile.or_else(|| usual_passfile(parts.passfile.as_deref()));
        let place = place(parts.host)?;
        let user = parts.user.or_else(account::login_name).ok_or(InvalidAddress::NoUser)?;
        Ok(Self {
            port: parts.port.map_or(Ok(5432), |port| port_number(&port))?,
            database: parts.dbname.unwrap_or_else(|| user.clone()),
            user,
            tls: TlsWish {
                mode: mode(parts.sslmode.as_deref(), parts.sslrootcert.as_deref(), &place)?,
                roots: match parts.sslrootcert.as_deref() {
                    None | Some("system") => Roots::System,
                    Some(file) => Roots::File(file.into()),
                },
                certificate: parts.sslcert.map(PathBuf::from),
                key: parts.sslkey.map(PathBuf::from),
                binding: binding(parts.channel_binding.as_deref())?,
            },
            patience: patience(parts.connect_timeout.as_deref())?,
            application: application(parts.application_name)?,
            place,
            passfile,
            password,
        })
    }
}

/// Whether there is a password in what cannot be read: a `:` before an `@`, or a parameter.
fn looks_like_a_password(rest: &str) -> bool {
    let place = rest.split('?').next().unwrap_or_default();
    place.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
        || rest.to_ascii_lowercase().contains("password=")
}

fn usual_passfile(variable: Option<&str>) -> Option<Passfile> {
    let path =
        variable.map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".pgpass")))?;
    Some(Passfile { path, named: false })
}

/// The place that a host means; without one the first usual directory that is there.
fn place(host: Option<String>) -> Result<Place, InvalidAddress> {
    let Some(host) = host else {
        let usual = USUAL_SOCKETS.iter().map(Path::new).find(|dir| dir.is_dir());
        return Ok(
            usual.map_or_else(|| Place::Host("localhost".into()), |d| Place::Socket(d.into()))
        );
    };
    if host.contains(',') {
        return Err(InvalidAddress::Several);
    }
    if host.starts_with('/') {
        return Ok(Place::Socket(host.into()));
    }
    if host.starts_with('@') || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(InvalidAddress::Form("the host is no name, no IP address and no directory"));
    }
    Ok(Place::Host(host))
}

fn port_number(text: &str) -> Result<u16, InvalidAddress> {
    if text.contains(',') {
        return Err(InvalidAddress::Several);
    }
    let wrong = InvalidAddress::Value {
        name: "port",
        variable: "PGPORT",
        allowed: "a number from 1 to 65535",
    };
    text.parse().ok().filter(|port| *port != 0).ok_or(wrong)
}

/// The mode, as asked for or by default: a host that is not this machine has to prove its name.
fn mode(
    asked: Option<&str>,
    roots: Option<&str>,
    place: &Place,
) -> Result<SslMode, InvalidAddress> {
    let wrong = |allowed| InvalidAddress::Value { name: "sslmode", variable: "PGSSLMODE", allowed };
    let Some(asked) = asked else {
        // As libpq: whoever names the system's authorities wants the name checked.
        return Ok(if roots == Some("system") {
            SslMode::VerifyFull
        } else {
            SslMode::default_for(place)
        });
    };
    let mode = SslMode::ALL.into_iter().find(|mode| mode.as_str() == asked);
    let mode = mode.ok_or_else(|| {
        wrong("one of disable, allow, prefer, require, verify-ca and verify-full")
    })?;
    if roots == Some("system") && mode != SslMode::VerifyFull && matches!(place, Place::Host(_)) {
        return Err(wrong("verify-full, which `sslrootcert=system` needs"));
    }
    // As libpq: an authority that is named is asked.
    Ok(if mode == SslMode::Require && roots.is_some() { SslMode::VerifyCa } else { mode })
}

fn binding(asked: Option<&str>) -> Result<Binding, InvalidAddress> {
    match asked {
        None | Some("prefer") => Ok(Binding::Prefer),
        Some("disable") => Ok(Binding::Disable),
        Some("require") => Ok(Binding::Require),
        Some(_) => Err(InvalidAddress::Value {
            name: "channel_binding",
            variable: "PGCHANNELBINDING",
            allowed: "one of disable, prefer and require",
        }),
    }
}

/// A name that could be taken for a session's is refused: an end tells connections apart by it.
fn application(asked: Option<String>) -> Result<Option<String>, InvalidAddress> {
    if asked.as_ref().is_some_and(|name| name.starts_with("tenantdesk/")) {
        return Err(InvalidAddress::Unsupported {
            name: "application_name",
            why: "names that begin with `tenantdesk/` belong to tenant sessions",
            hint: "take another, or leave it out",
        });
    }
    Ok(asked)
}

/// As libpq: 0 and less wait for ever.
fn patience(asked: Option<&str>) -> Result<Option<Duration>, InvalidAddress> {
    let wrong = InvalidAddress::Value {
        name: "connect_timeout",
        variable: "PGCONNECT_TIMEOUT",
        allowed: "a number of seconds",
    };
    let seconds = asked.map(|asked| asked.trim().parse::<i32>()).transpose().map_err(|_| wrong)?;
    Ok(seconds.map(|seconds| match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
        _ => Duration::MAX,
    }))
}

/// Whether a host is this machine, so that nothing crosses a network.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, environment: Parameters) -> Result<Endpoint, InvalidAddress> {
        Endpoint::from_parameters(Parameters::from_url(url)?, environment)
    }

    fn plain(url: &str) -> Endpoint {
        read(url, Parameters::default()).unwrap()
    }

    #[test]
    fn what_an_address_leaves_open_is_taken_from_the_environment_and_then_by_default() {
        let environment = Parameters {
            host: Some("elsewhere".into()),
            port: Some("5999".into()),
            user: Some("eve".into()),
            password: Some(SecretString::from("c4n4ry")),
            ..Parameters::default()
        };
        let endpoint = read("postgresql://db", environment.clone()).unwrap();
        assert_eq!(endpoint.place, Place::Host("db".into()));
        assert_eq!((endpoint.port, endpoint.user.as_str()), (5999, "eve"));
        assert_eq!(endpoint.database, "eve", "as libpq: the name of the user");
        assert_eq!(endpoint.password().unwrap().source, Source::Variable);
        let full = read("postgresql://ada:x@db:5433/app", environment).unwrap();
        assert_eq!((full.port, full.user.as_str(), full.database.as_str()), (5433, "ada", "app"));
        assert_eq!(full.password().unwrap().source, Source::Address);
        let os = plain("postgresql://db/app");
        assert_eq!((os.port, Some(os.user)), (5432, account::login_name()));
    }

    #[test]
    fn a_host_that_is_not_this_machine_has_to_prove_its_name() {
        for (url, mode) in [
            ("postgres://db.example.org/app", SslMode::VerifyFull),
            ("postgres://10.0.0.1/app", SslMode::VerifyFull),
            ("postgres://localhost/app", SslMode::Prefer),
            ("postgres://127.9.9.9/app", SslMode::Prefer),
            ("postgres://[::1]/app", SslMode::Prefer),
            ("postgres://localhost.example.org/app", SslMode::VerifyFull),
            ("postgres://localhost/app?sslrootcert=system", SslMode::VerifyFull),
            ("postgres://db/app?sslmode=require", SslMode::Require),
            ("postgres://db/app?sslmode=require&sslrootcert=/ca", SslMode::VerifyCa),
            ("postgres://db/app?sslmode=disable", SslMode::Disable),
            ("postgres:///app?host=/run", SslMode::Disable),
        ] {
            assert_eq!(plain(url).tls.mode, mode, "{url}");
        }
    }

    #[test]
    fn values_that_are_none_are_refused_by_name() {
        for (url, name) in [
            ("postgres://db/app?sslmode=on", "sslmode"),
            ("postgres://db/app?sslmode=require&sslrootcert=system", "sslmode"),
            ("postgres://db:0/app", "port"),
            ("postgres://db:x/app", "port"),
            ("postgres://db/app?channel_binding=yes", "channel_binding"),
            ("postgres://db/app?connect_timeout=soon", "connect_timeout"),
        ] {
            let error = read(url, Parameters::default()).unwrap_err();
            assert!(matches!(error, InvalidAddress::Value { name: n, .. } if n == name), "{error}");
        }
        let session =
            read("postgres://db/app?application_name=tenantdesk/5", Parameters::default());
        assert!(session.unwrap_err().to_string().contains("application_name"));
        let several = Parameters { host: Some("a,b".into()), ..Parameters::default() };
        assert_eq!(read("postgres:///app", several).unwrap_err(), InvalidAddress::Several);
    }

    #[test]
    fn a_password_on_the_command_line_is_refused_however_it_is_written() {
        for url in [
            "postgres://a:secret@db/app",
            "postgres://a:se/cret@db/app",
            "postgres://a:se@cret@db/app",
            "postgres:///app?host=/run&user=a&password=x",
            "postgres:///app?host=/run&user=a&p%61ssword=x",
        ] {
            let error = Endpoint::parse(url).unwrap_err();
            assert_eq!(error, InvalidAddress::Password, "{url}");
        }
        assert!(Endpoint::parse_secret(&SecretString::from("postgres://a:secret@db/app")).is_ok());
    }

    #[test]
    fn waiting_for_ever_is_asked_for_with_0() {
        assert_eq!(plain("postgres://db/a").patience, None);
        let five = plain("postgres://db/a?connect_timeout=5").patience;
        assert_eq!(five, Some(Duration::from_secs(5)));
        assert_eq!(plain("postgres://db/a?connect_timeout=0").patience, Some(Duration::MAX));
    }
}
