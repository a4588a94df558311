//! Locks between processes: who uses the server, who starts or stops it, who sets it up.
//!
//! They are `flock` locks: the system drops them when a process ends, however it ends. The files
//! are never removed, because a lock on a removed file would be seen by nobody.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::error::EmbeddedError;
use crate::config::Paths;
use crate::progress::Progress;

/// How long another may take to start or stop: recovery after a crash can be long.
const PATIENCE: Duration = Duration::from_mins(5);

/// Held while the server is started, stopped or changed. Whoever wants the [`Usage`] lock, or to
/// know whether others have it, holds this one first.
#[derive(Debug)]
pub(super) struct Transition {
    _file: File,
}

/// Held as long as a process uses the server.
#[derive(Debug)]
pub(super) struct Usage {
    file: File,
}

impl Transition {
    /// Waits for the lock.
    pub(super) async fn take(paths: &Paths, progress: &Progress) -> Result<Self, EmbeddedError> {
        let file = exclusively(&paths.locks_dir.join("transition"), progress).await?;
        Ok(Self { _file: file })
    }
}

impl Usage {
    /// Becomes one of the users. Never waits: nobody holds it exclusively without the
    /// transition lock, which the caller has.
    pub(super) fn share(paths: &Paths, _held: &Transition) -> Result<Self, EmbeddedError> {
        let path = paths.locks_dir.join("usage");
        let file = open(&path)?;
        flock(&file, FlockOperation::LockShared)
            .map_err(|error| EmbeddedError::io("lock", &path)(error.into()))?;
        Ok(Self { file })
    }

    /// Gives the use up, and says whether this was the last user. Without success the lock is
    /// lost as well, which is what giving up means.
    pub(super) fn give_up(self, _held: &Transition) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Whether anybody uses the server now.
    pub(super) fn is_held(paths: &Paths, _held: &Transition) -> Result<bool, EmbeddedError> {
        let file = open(&paths.locks_dir.join("usage"))?;
        is_free(&file).map(|free| !free)
    }
}

/// Waits for an exclusive lock on a file.
pub(super) async fn exclusively(path: &Path, progress: &Progress) -> Result<File, EmbeddedError> {
    let file = open(path)?;
    let begun = Instant::now();
    let mut told = false;
    while !is_free(&file)? {
        if progress.is_cancelled() {
            return Err(EmbeddedError::Cancelled);
        }
        if begun.elapsed() > PATIENCE {
            return Err(EmbeddedError::Locked(PATIENCE.as_secs()));
        }
        if !told && begun.elapsed() > Duration::from_millis(300) {
            told = true;
            progress.enter("waiting for another tenantdesk that starts or stops the server");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(file)
}

/// Takes the lock where nobody holds it; a file system that knows no locks is an error, not a holder.
fn is_free(file: &File) -> Result<bool, EmbeddedError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(false),
        Err(error) => Err(EmbeddedError::io("lock", Path::new("locks"))(error.into())),
    }
}

fn open(path: &Path) -> Result<File, EmbeddedError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(EmbeddedError::io("open", path))
}
