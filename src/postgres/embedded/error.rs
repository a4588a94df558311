//! What can go wrong with the embedded server, told so that a person can mend it.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::failure::{Explain, Kind};

/// Why the embedded server cannot be used.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// Nowhere are server programs that would do.
    #[error("no PostgreSQL {wanted} was found; looked at: {}", .places.join("; "))]
    NoPrograms {
        /// `15 or later`, or the version that the data needs.
        wanted: String,
        /// Each place, with what was wrong there.
        places: Vec<String>,
        /// The command that installs it here.
        install: String,
    },
    /// The directory that was named does not hold what is needed.
    #[error("TENANTDESK_POSTGRES_DIR names `{}`, but {why}", .dir.display())]
    NamedPrograms {
        /// The directory.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The data directory was made by a major version that none of the programs is.
    #[error(
        "the data in `{}` belongs to PostgreSQL {data}, and no programs of that version were found; the data was not touched; looked at: {}",
        .data_dir.display(), .places.join("; ")
    )]
    OtherVersion {
        /// The data directory.
        data_dir: PathBuf,
        /// Its major version.
        data: u32,
        /// Each place, with what was found there.
        places: Vec<String>,
        /// The command that installs that version here.
        install: String,
    },
    /// Something is in the place of the data directory.
    #[error("`{}` is not empty and no data directory of PostgreSQL", .0.display())]
    NotData(PathBuf),
    /// The home belongs to another user.
    #[error("`{}` belongs to user {owner}, and this is user {user}", .path.display())]
    OtherOwner {
        /// The directory.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who runs the program.
        user: u32,
    },
    /// Others could exchange what lies there.
    #[error("`{}` can be written by other users", .0.display())]
    OpenToOthers(PathBuf),
    /// The account of the server cannot pass a directory above its data.
    #[error("the account `{account}`, which runs the server for root, cannot enter `{}`", .dir.display())]
    Unreachable {
        /// The account.
        account: String,
        /// The directory that it may not pass.
        dir: PathBuf,
    },
    /// Running as root without any other account.
    #[error("PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`")]
    NoAccount,
    /// A user without a name, as some containers have.
    #[error("user {0} has no name in the system's list of users, which PostgreSQL needs")]
    NoUserName(u32),
    /// A role that cannot stand in the map of logins.
    #[error("`{0}` cannot be a login of the embedded server")]
    NoLoginName(String),
    /// `initdb` failed.
    #[error("PostgreSQL could not make its data directory: {said}")]
    Initdb {
        /// What it printed.
        said: String,
    },
    /// The server ended while it started.
    #[error("the embedded PostgreSQL did not start; the end of its log:\n{tail}")]
    Start {
        /// The end of the log of this start.
        tail: String,
        /// The whole log.
        log: PathBuf,
    },
    /// The server neither ended nor became ready.
    #[error("the embedded PostgreSQL was not ready after {seconds} s; the end of its log:\n{tail}")]
    Slow {
        /// How long it was waited for.
        seconds: u64,
        /// The end of the log of this start.
        tail: String,
        /// The whole log.
        log: PathBuf,
    },
    /// Processes of a killed server are still at work on the data.
    #[error("processes of an earlier server still use the data, and did not end: {0}")]
    Orphans(String),
    /// The server did not stop.
    #[error("the embedded PostgreSQL (process {pid}) did not stop within {seconds} s")]
    Stop {
        /// The process.
        pid: i32,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Another process holds the lock for starting and stopping.
    #[error("another tenantdesk has been starting or stopping the server for {0} s")]
    Locked(u64),
    /// A restart would cut others off.
    #[error("the server runs without TCP, and others use it; opening TCP needs a restart")]
    InUse,
    /// The user asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A file or a process could not be used.
    #[error("could not {action} `{}`", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The download failed for another reason than that there is none.
    #[error("PostgreSQL could not be downloaded: {0}")]
    Download(String),
}

impl EmbeddedError {
    /// For `map_err`: names what was tried, and with what.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl Explain for EmbeddedError {
    fn kind(&self) -> Kind {
        match self {
            Self::Initdb { .. }
            | Self::Start { .. }
            | Self::Slow { .. }
            | Self::Orphans(_)
            | Self::Stop { .. }
            | Self::Download(_) => Kind::Server,
            Self::Cancelled => Kind::Interrupted,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoPrograms { install, .. } => vec![
                format!("install PostgreSQL: {install}"),
                "or set TENANTDESK_POSTGRES_DIR to the directory of an installation".to_owned(),
            ],
            Self::OtherVersion { data, install, .. } => vec![
                format!("install PostgreSQL {data}: {install}"),
                "or set TENANTDESK_HOME to start with an empty server elsewhere".to_owned(),
            ],
            Self::NotData(_) | Self::OpenToOthers(_) => {
                vec!["set TENANTDESK_HOME to a directory of its own".to_owned()]
            }
            Self::OtherOwner { owner, .. } => vec![format!(
                "run tenantdesk as user {owner}, or set TENANTDESK_HOME to a directory of your own"
            )],
            Self::Unreachable { dir, .. } => vec![
                format!("let others pass: chmod o+x '{}'", dir.display()),
                "or set TENANTDESK_HOME to a directory outside".to_owned(),
            ],
            Self::NoAccount => vec!["add an account: useradd --system postgres".to_owned()],
            Self::NoUserName(user) => {
                vec![format!("give user {user} a name in /etc/passwd, or run as another user")]
            }
            Self::Start { log, .. } | Self::Slow { log, .. } => {
                vec![format!("the whole log is {}", log.display())]
            }
            Self::InUse => {
                vec!["close the others, then run `tenantdesk server start --tcp`".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
