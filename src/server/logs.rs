//! `server logs`: the end of what the embedded server printed.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::postgres::embedded::{Embedded, tail};

/// Asks for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLogs {
    /// How many of the last lines.
    pub lines: usize,
}

/// The lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLogs {
    /// The file.
    pub path: PathBuf,
    /// Its last lines, oldest first, safe for a terminal.
    pub lines: Vec<String>,
}

/// Reads the end of the log; no lines where the server has never been started.
///
/// # Errors
/// Where the file cannot be read.
pub fn logs(embedded: &Embedded, request: ReadLogs) -> Result<ServerLogs, Failure> {
    super::may_look(embedded)?;
    let path = embedded.paths().server_log.clone();
    let lines = tail(&path, request.lines)?;
    Ok(ServerLogs { path, lines })
}
