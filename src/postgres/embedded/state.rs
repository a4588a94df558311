//! What the server is doing, as seen from outside: nothing here changes anything.

use std::path::PathBuf;
use std::time::Duration;

use tokio::net::UnixStream;

use super::account::ServerAccount;
use super::error::EmbeddedError;
use super::postmaster::{self, PidFile, Standing};
use crate::config::Paths;

/// The states of the embedded server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no data directory yet.
    Absent,
    /// It does not run.
    Stopped,
    /// It is on its way up, or recovers.
    Starting,
    /// It answers.
    Running,
    /// It is on its way down.
    Stopping,
    /// Its process lives, but its socket is gone.
    Unreachable,
}

impl State {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the server is doing.
    pub state: State,
    /// The postmaster, where it lives.
    pub pid: Option<i32>,
    /// The directory of the socket: the running server's, else the one it would get.
    pub socket_dir: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
    /// Whether it listens on TCP.
    pub tcp: bool,
}

/// Looks at the server.
pub(super) async fn observe(
    paths: &Paths,
    account: Option<&ServerAccount>,
) -> Result<Observation, EmbeddedError> {
    let mut seen = Observation {
        state: State::Stopped,
        pid: None,
        socket_dir: paths.socket_dir.clone(),
        port: super::PORT,
        tcp: false,
    };
    if !paths.data_dir.join("PG_VERSION").exists() {
        seen.state = State::Absent;
        return Ok(seen);
    }
    let Some(file) = PidFile::read(&paths.data_dir)? else { return Ok(seen) };
    // A socket that answers proves the process; else the process has to be looked at.
    if file.status == "ready" && answers(&file).await {
        seen.state = State::Running;
    } else {
        match postmaster::standing(file.pid, &paths.data_dir, account).await {
            Standing::Gone | Standing::Stranger => return Ok(seen),
            Standing::Server => {
                seen.state = match file.status.as_str() {
                    "ready" => State::Unreachable,
                    "stopping" => State::Stopping,
                    _ => State::Starting,
                };
            }
        }
    }
    seen.pid = Some(file.pid);
    seen.port = file.port;
    seen.tcp = file.tcp;
    if !file.socket_dir.as_os_str().is_empty() {
        seen.socket_dir = file.socket_dir;
    }
    Ok(seen)
}

/// Whether something accepts connections on the socket that the pid file names.
pub(super) async fn answers(file: &PidFile) -> bool {
    let socket = file.socket_dir.join(format!(".s.PGSQL.{}", file.port));
    let connect = UnixStream::connect(socket);
    matches!(tokio::time::timeout(Duration::from_secs(5), connect).await, Ok(Ok(_)))
}
