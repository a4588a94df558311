//! PostgreSQL's password file: `host:port:database:user:password`, the first line that fits counts.
//! A file that others may read is left alone, as libpq does; the error of a login then says so.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::address::Place;

/// What a password is looked up by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) place: &'k Place,
    pub(super) port: u16,
    pub(super) database: &'k str,
    pub(super) user: &'k str,
}

/// Directories in which libpq looks for a socket by itself: there a host is called `localhost`.
pub(super) const USUAL_SOCKETS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// Looks a password up; a file that is not there has none.
///
/// # Errors
/// Why the file was left alone, as a sentence.
pub(super) fn look_up(path: &Path, key: Key<'_>) -> Result<Option<SecretString>, String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be opened: {error}")),
    };
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no plain file".to_owned());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err("others than its owner may read it".to_owned());
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(find(&SecretString::from(text), key))
}

/// The password of the first line that fits.
fn find(text: &SecretString, key: Key<'_>) -> Option<SecretString> {
    let port = key.port.to_string();
    text.expose_secret().lines().find_map(|line| {
        let line = line.trim_end_matches('\r');
        if line.starts_with('#') {
            return None;
        }
        let rest = host_fits(line, key.place)?;
        let rest = fits(rest, &port)?;
        let rest = fits(rest, key.database)?;
        let rest = fits(rest, key.user)?;
        (!rest.is_empty()).then(|| SecretString::from(unescaped(rest)))
    })
}

fn host_fits<'l>(line: &'l str, place: &Place) -> Option<&'l str> {
    match place {
        Place::Host(host) => fits(line, host),
        Place::Socket(dir) => {
            let usual = USUAL_SOCKETS.iter().any(|usual| dir == Path::new(usual));
            let by_name = if usual { fits(line, "localhost") } else { None };
            by_name.or_else(|| fits(line, &dir.to_string_lossy()))
        }
    }
}

/// The line behind its first field, where that is `*` or the wanted text.
fn fits<'l>(line: &'l str, wanted: &str) -> Option<&'l str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let (mut rest, mut wanted) = (line.chars(), wanted.chars());
    loop {
        let read = match rest.next()? {
            ':' => return wanted.next().is_none().then_some(rest.as_str()),
            '\\' => rest.next()?,
            plain => plain,
        };
        if wanted.next() != Some(read) {
            return None;
        }
    }
}

/// A backslash makes the next character plain; one at the end stands for itself.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        plain.push(if next == '\\' { rest.next().unwrap_or(next) } else { next });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, place: &Place, user: &str) -> Option<String> {
        let key = Key { place, port: 5432, database: "app", user };
        find(&SecretString::from(text), key).map(|found| found.expose_secret().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let host = Place::Host("db.example.org".into());
        let text = "# db.example.org:5432:app:ada:no\nother:5432:app:ada:no\n\
                    db.example.org:5433:app:ada:no\ndb.example.org:5432:app:bob:his\r\n\
                    db.example.org:*:app:ada:hers\n*:*:*:*:all";
        assert_eq!(found(text, &host, "ada").as_deref(), Some("hers"));
        assert_eq!(found(text, &host, "bob").as_deref(), Some("his"));
        assert_eq!(found(text, &host, "eve").as_deref(), Some("all"));
        assert_eq!(found("db.example.org:5432:app:ada:", &host, "ada"), None);
        assert_eq!(found("db.example.org:5432:app", &host, "ada"), None);
        assert_eq!(found("db.example.org:5432:app:adam:x", &host, "ada"), None);
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        let six = Place::Host("fe80::1".into());
        let text = r"fe80\:\:1:5432:app:a\\b\:c:p\:q\\r:s\";
        assert_eq!(found(text, &six, r"a\b:c").as_deref(), Some(r"p:q\r:s\"));
    }

    #[test]
    fn a_socket_is_localhost_only_where_libpq_looks_by_itself() {
        let text = "localhost:5432:app:ada:here\n/srv/run:5432:app:ada:there";
        assert_eq!(found(text, &Place::Socket("/tmp".into()), "ada").as_deref(), Some("here"));
        let own = Place::Socket("/srv/run".into());
        assert_eq!(found(text, &own, "ada").as_deref(), Some("there"));
        assert_eq!(found(text, &Place::Socket("/srv".into()), "ada"), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pgpass");
        let place = Place::Host("db".into());
        let key = Key { place: &place, port: 5432, database: "app", user: "ada" };
        assert!(look_up(&path, key).unwrap().is_none(), "one that is not there");
        std::fs::write(&path, "*:*:*:*:x").unwrap();
        for (mode, read) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(look_up(&path, key).is_ok(), read, "{mode:o}");
        }
        assert!(look_up(dir.path(), key).is_err(), "a directory");
    }
}
