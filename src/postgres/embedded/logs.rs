//! What the server printed. Its lines can hold text of users, so they leave here screened.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::error::EmbeddedError;
use crate::text::screen;

/// A log that is larger when the server starts is set aside, one generation.
const ROTATE_AT: u64 = 10 << 20;

/// How much of the end is read at most.
const TAIL_BYTES: u64 = 256 << 10;

/// Opens the log for a server that starts; gives its length before.
pub(super) fn open(path: &Path) -> Result<(File, u64), EmbeddedError> {
    let io = EmbeddedError::io;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > ROTATE_AT) {
        let aside = path.with_extension("log.1");
        std::fs::rename(path, &aside).map_err(io("move aside", path))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let file = options.open(path).map_err(io("open", path))?;
    let length = file.metadata().map_err(io("look at", path))?.len();
    Ok((file, length))
}

/// The last lines of a log, screened; none where there is no log.
///
/// # Errors
/// Where the log is there and cannot be read.
pub fn tail(path: &Path, lines: usize) -> Result<Vec<String>, EmbeddedError> {
    tail_since(path, 0, lines)
}

/// The last lines after an offset.
pub(super) fn tail_since(
    path: &Path,
    offset: u64,
    lines: usize,
) -> Result<Vec<String>, EmbeddedError> {
    let io = EmbeddedError::io;
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("open", path)(error)),
    };
    let length = file.metadata().map_err(io("look at", path))?.len();
    let from = offset.max(length.saturating_sub(TAIL_BYTES));
    file.seek(SeekFrom::Start(from)).map_err(io("read", path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io("read", path))?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    // A piece of a line at the front says nothing.
    let cut = usize::from(from > offset && all.len() > 1);
    let first = all.len().saturating_sub(lines).max(cut);
    Ok(all[first..].iter().map(|line| screen(line)).collect())
}

/// The tail as one text for an error.
pub(super) fn excerpt(path: &Path, offset: u64) -> String {
    match tail_since(path, offset, 20) {
        Ok(lines) if lines.is_empty() => "(the log is empty)".to_owned(),
        Ok(lines) => lines.join("\n"),
        Err(error) => format!("({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_begins_after_the_offset_and_is_screened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.log");
        assert_eq!(tail(&path, 5).unwrap(), Vec::<String>::new());
        std::fs::write(&path, "old\nFATAL: \u{1b}[2J\nlast\n").unwrap();
        assert_eq!(tail_since(&path, 4, 20).unwrap(), ["FATAL: ␛[2J", "last"]);
        assert_eq!(tail(&path, 1).unwrap(), ["last"]);
    }
}
