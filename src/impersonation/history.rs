//! What an operator asked earlier, beyond the session: the shapes of statements, never a value.
//!
//! One file for each place and operator, one shape a line, the oldest first, readable for nobody
//! else (0600). A shape is what the ledger keeps as well: `?` in the place of each literal. What
//! cannot be read or written is no reason to stop anybody, so callers only log it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::shape::Shape;

/// So many shapes are kept.
const MOST: usize = 500;
/// Longer shapes are not kept: nobody looks for them by a part.
const LONGEST: usize = 4_000;

/// The file of one operator at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    file: PathBuf,
}

impl History {
    /// In a directory, for an operator at a place (a profile, or a database).
    #[must_use]
    pub fn at(directory: &Path, place: &str, operator: &str) -> Self {
        let file = directory.join(format!("{}@{}", plain(operator), plain(place)));
        Self { file }
    }

    /// What is kept, the oldest first.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn read(&self) -> io::Result<Vec<String>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Keeps the shape of a statement; one that is there already becomes the newest. The file is
    /// replaced as a whole, so that two consoles cannot leave half a line.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep(&self, sql: &str) -> io::Result<()> {
        let shape = Shape::of(sql).text;
        if shape.is_empty() || shape.len() > LONGEST || shape.chars().any(char::is_control) {
            return Ok(());
        }
        let mut shapes = self.read()?;
        shapes.retain(|earlier| *earlier != shape);
        shapes.push(shape);
        let old = shapes.len().saturating_sub(MOST);
        let text = shapes[old..].join("\n") + "\n";
        if let Some(directory) = self.file.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&new, &self.file));
        if written.is_err() {
            let _left_behind = fs::remove_file(&new);
        }
        written
    }
}

/// A name that every file system takes. No other text has it, but for two that begin with the same 80 bytes.
fn plain(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let one = |byte: u8| {
        if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }
    };
    text.bytes().take(80).map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn shapes_are_kept_for_nobody_else_and_never_a_value() {
        let home = tempfile::tempdir().unwrap();
        let history = History::at(&home.path().join("history"), "eu/prod", "jo@x");
        assert_eq!(history.read().unwrap(), [""; 0]);
        for sql in [
            "select * from t where mail = 'CANARY'",
            "table t",
            "select *\nfrom t where mail = 'b'",
        ] {
            history.keep(sql).unwrap();
        }
        assert_eq!(history.read().unwrap(), ["table t", "select * from t where mail = ?"]);
        let file = home.path().join("history/jo%40x@eu%2fprod");
        assert!(!fs::read_to_string(&file).unwrap().contains("CANARY"));
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path().join("history")).unwrap().count(), 1);
    }

    #[test]
    fn the_oldest_go_first() {
        let home = tempfile::tempdir().unwrap();
        let history = History::at(home.path(), "p", "o");
        for number in 0..MOST + 3 {
            history.keep(&format!("table t_{number}")).unwrap();
        }
        let kept = history.read().unwrap();
        assert_eq!((kept.len(), kept[0].as_str()), (MOST, "table t_3"));
    }
}
