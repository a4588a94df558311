//! Every place on disk that the program uses, derived once from the environment.
//!
//! All state is under one root, so that copying or removing it is one command. The socket alone
//! may lie elsewhere: its path has to be under 100 bytes for every operating system and driver.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::env;
use crate::failure::{Explain, Kind};
use crate::text::screen;

/// What a socket directory may have, so that `/.s.PGSQL.65535` fits under 100 bytes.
const SOCKET_DIR_LIMIT: usize = 84;

/// Why the places cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathsError {
    /// Neither the variable nor the account names a directory.
    #[error("there is no home directory: neither TENANTDESK_HOME nor HOME is an absolute path")]
    NoHome,
    /// PostgreSQL's configuration, addresses and reports are text.
    #[error("the path `{0}` is not valid UTF-8")]
    NotText(String),
    /// A line break in a path would be a line of its own in PostgreSQL's configuration.
    #[error("the path `{0}` holds control characters")]
    Control(String),
}

impl Explain for PathsError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec!["set TENANTDESK_HOME to the directory that is to hold tenantdesk's state".to_owned()]
    }
}

/// Every place on disk. The directories need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The root of all state.
    pub home: PathBuf,
    /// The data directory of the embedded server.
    pub data_dir: PathBuf,
    /// The directory of the embedded server's socket when it is started from here. A running
    /// server may have been started with another; its pid file says which.
    pub socket_dir: PathBuf,
    /// Versions of PostgreSQL that were downloaded.
    pub downloads_dir: PathBuf,
    /// Locks between processes of this program, and the mark that the server is to stay.
    pub locks_dir: PathBuf,
    /// Logs.
    pub logs_dir: PathBuf,
    /// What the embedded server prints.
    pub server_log: PathBuf,
    /// Where exports go by default.
    pub archives_dir: PathBuf,
    /// Signed receipts of exports and restores.
    pub receipts_dir: PathBuf,
    /// Signing keys; beside the data directory, never inside it.
    pub keys_dir: PathBuf,
    /// Shapes of statements that operators ran in the console, without values.
    pub history_dir: PathBuf,
    /// Passwords of profiles, encrypted, where there is no keyring.
    pub secrets_file: PathBuf,
    /// Configuration.
    pub config_dir: PathBuf,
    /// The configuration file.
    pub config_file: PathBuf,
}

impl Paths {
    /// The places that the environment names.
    ///
    /// # Errors
    /// [`PathsError`] where there is no home directory or its path is no plain text.
    pub fn from_environment() -> Result<Self, PathsError> {
        let user = env::user_dirs();
        let home = match (env::HOME.read(), &user) {
            (Some(named), _) => PathBuf::from(named),
            (None, _) if is_root() => PathBuf::from("/var/lib/tenantdesk"),
            (None, Some(user)) => user.data.join("tenantdesk"),
            (None, None) => return Err(PathsError::NoHome),
        };
        let config_dir = user.map_or_else(|| home.join("config"), |u| u.config.join("tenantdesk"));
        Self::new(&home, &config_dir)
    }

    /// The places under a given root, with the configuration in a given directory.
    ///
    /// # Errors
    /// [`PathsError`] where a path is no plain text.
    pub fn new(home: &Path, config_dir: &Path) -> Result<Self, PathsError> {
        let home = plain(home)?;
        let config_dir = plain(config_dir)?;
        let runtime_dir = env::RUNTIME_DIR.read().map(PathBuf::from);
        let logs_dir = home.join("logs");
        Ok(Self {
            data_dir: home.join("data"),
            socket_dir: socket_dir(&home, runtime_dir.as_deref(), is_root()),
            downloads_dir: home.join("postgresql"),
            locks_dir: home.join("locks"),
            server_log: logs_dir.join("server.log"),
            logs_dir,
            archives_dir: home.join("archives"),
            receipts_dir: home.join("receipts"),
            keys_dir: home.join("keys"),
            history_dir: home.join("history"),
            secrets_file: home.join("secrets.age"),
            config_file: config_dir.join("config.toml"),
            config_dir,
            home,
        })
    }

    /// Each place with its name, in the order in which `tenantdesk paths` lists them.
    #[must_use]
    pub fn listing(&self) -> Vec<(&'static str, &Path)> {
        vec![
            ("home", &self.home),
            ("data_dir", &self.data_dir),
            ("socket_dir", &self.socket_dir),
            ("downloads_dir", &self.downloads_dir),
            ("locks_dir", &self.locks_dir),
            ("logs_dir", &self.logs_dir),
            ("server_log", &self.server_log),
            ("archives_dir", &self.archives_dir),
            ("receipts_dir", &self.receipts_dir),
            ("keys_dir", &self.keys_dir),
            ("history_dir", &self.history_dir),
            ("secrets_file", &self.secrets_file),
            ("config_dir", &self.config_dir),
            ("config_file", &self.config_file),
        ]
    }
}

/// Whether this process is root, for whom PostgreSQL needs another account.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn plain(path: &Path) -> Result<PathBuf, PathsError> {
    let shown = || screen(&path.to_string_lossy());
    let text = path.to_str().ok_or_else(|| PathsError::NotText(shown()))?;
    if text.chars().any(char::is_control) {
        return Err(PathsError::Control(shown()));
    }
    std::path::absolute(path).map_err(|_empty_or_no_directory| PathsError::NoHome)
}

/// `<home>/run` where it is short enough, else a short one that is this home's alone.
///
/// A comma separates addresses in every driver, so a path with one cannot be used either. As
/// root the server's account could not enter root's runtime directory.
fn socket_dir(home: &Path, runtime_dir: Option<&Path>, root: bool) -> PathBuf {
    let fits = |dir: &Path| {
        let text = dir.as_os_str().as_encoded_bytes();
        text.len() <= SOCKET_DIR_LIMIT && !text.contains(&b',')
    };
    let own = home.join("run");
    if fits(&own) {
        return own;
    }
    let digest = hex::encode(Sha256::digest(home.as_os_str().as_encoded_bytes()));
    let hash = &digest[..12];
    let runtime = runtime_dir.filter(|dir| !root && dir.is_absolute() && dir.to_str().is_some());
    let runtime = runtime.map(|dir| dir.join(format!("tenantdesk-{hash}")));
    runtime.filter(|dir| fits(dir)).unwrap_or_else(|| {
        let user = rustix::process::geteuid().as_raw();
        PathBuf::from(format!("/tmp/tenantdesk-{user}-{hash}"))
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn everything_but_the_configuration_is_under_the_home() {
        let paths = Paths::new(Path::new("/srv/a b"), Path::new("/etc/x")).unwrap();
        for (name, path) in paths.listing() {
            assert_eq!(path.starts_with("/srv/a b"), !name.starts_with("config"), "{name}");
        }
    }

    #[test]
    fn a_long_home_gets_a_short_socket_directory_of_its_own() {
        let long = PathBuf::from(format!("/home/{}", "x".repeat(90)));
        let other = PathBuf::from(format!("/home/{}", "y".repeat(90)));
        for runtime in [None, Some(Path::new("/run/user/1000"))] {
            let dir = socket_dir(&long, runtime, false);
            assert!(dir.as_os_str().len() <= SOCKET_DIR_LIMIT, "{}", dir.display());
            assert!(dir.starts_with(runtime.unwrap_or(Path::new("/tmp"))));
            assert_ne!(dir, socket_dir(&other, runtime, false));
        }
        assert!(socket_dir(&long, Some(Path::new("/run/user/0")), true).starts_with("/tmp"));
        assert!(socket_dir(&long, Some(&long), false).starts_with("/tmp"));
        assert!(socket_dir(Path::new("/a,b"), None, false).starts_with("/tmp"));
        assert_eq!(socket_dir(Path::new("/a b"), None, false), Path::new("/a b/run"));
    }

    #[test]
    fn odd_homes_are_refused_by_name() {
        let refused = |home: &[u8]| {
            Paths::new(Path::new(OsStr::from_bytes(home)), Path::new("/etc/x")).unwrap_err()
        };
        assert!(matches!(refused(b"/srv/\xff"), PathsError::NotText(_)));
        assert!(matches!(refused(b"/srv/a\nb"), PathsError::Control(_)));
        assert_eq!(refused(b""), PathsError::NoHome);
    }
}
