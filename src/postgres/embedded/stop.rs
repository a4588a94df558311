//! Stops the server: sessions are ended, transactions rolled back, everything written.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::error::EmbeddedError;
use super::postmaster::{self, PidFile};
use crate::progress::Progress;

/// Writing everything out can take long on a slow disk.
const PATIENCE: Duration = Duration::from_mins(2);

/// Stops the postmaster `pid`, which the caller knows to be ours, and waits until it is gone.
pub(super) async fn stop(
    data_dir: &Path,
    pid: i32,
    progress: &Progress,
) -> Result<(), EmbeddedError> {
    progress.enter("stopping the embedded PostgreSQL");
    // SIGINT is PostgreSQL's "fast shutdown".
    postmaster::signal(pid, Signal::INT);
    let begun = Instant::now();
    loop {
        let named = PidFile::read(data_dir)?.is_some_and(|file| file.pid == pid);
        // The file goes first; waiting for the process as well means that nothing of it is left.
        if !named && !postmaster::is_alive(pid) {
            return Ok(());
        }
        // It was killed by somebody else: the file stays, and the next start deals with it.
        if named && !postmaster::is_alive(pid) && begun.elapsed() > Duration::from_secs(1) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(EmbeddedError::Stop { pid, seconds: PATIENCE.as_secs() });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
