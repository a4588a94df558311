//! The file under a temporary name: complete under its final name, or not there at all.
//!
//! It is written beside its destination, brought to the disk, then renamed. While it is written a
//! lock is held on it, so that the next run can tell an abandoned one from one at work.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Seek as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;

/// How temporary names begin and end.
const PREFIX: &str = ".tenantdesk-";
const SUFFIX: &str = ".part";
/// A file of this age has its lock, if anybody is at work on it.
const YOUNG: Duration = Duration::from_secs(60);

/// Whether an archive that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Replace (`--force`).
    Replace,
}

/// An archive that is being written; dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct ArchiveFile {
    draft: NamedTempFile,
    destination: PathBuf,
    existing: Existing,
}

impl ArchiveFile {
    /// Makes the temporary file (mode 0600), and removes those that killed runs left here.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where the destination is taken, [`io::ErrorKind::InvalidInput`]
    /// where it is no regular file; whatever the directory says.
    pub fn create(destination: &Path, existing: Existing) -> io::Result<Self> {
        if existing == Existing::Keep && destination.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        refuse_special(destination)?;
        let directory = directory_of(destination);
        remove_abandoned(directory)?;
        // Made by us: the errors of the crate show the temporary name, which is nobody's business.
        let make = |path: &Path| {
            File::options().read(true).write(true).create_new(true).mode(0o600).open(path)
        };
        let draft =
            tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(directory, make)?;
        flock(draft.as_file(), FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { draft, destination: destination.to_owned(), existing })
    }

    /// Brings the file to the disk and gives it its name.
    ///
    /// # Errors
    /// Whatever the disk says, and [`io::ErrorKind::AlreadyExists`] where the name was taken
    /// meanwhile; then nothing is left.
    pub fn publish(self) -> io::Result<PathBuf> {
        self.draft.as_file().sync_all()?;
        match self.existing {
            Existing::Keep => self.draft.persist_noclobber(&self.destination)?,
            Existing::Replace => {
                refuse_special(&self.destination)?;
                self.draft.persist(&self.destination)?
            }
        };
        File::open(directory_of(&self.destination))?.sync_all()?;
        Ok(self.destination)
    }
}

/// Where an export goes: under a name of its own, or nowhere but to whoever asked.
#[derive(Debug)]
pub(super) enum ExportFile {
    /// A file that gets its name when it is whole.
    Named(ArchiveFile),
    /// A file without a name; it goes with its last user.
    Nameless(File),
}

impl ExportFile {
    /// A file without a name, in a directory that is made if it is not there.
    ///
    /// # Errors
    /// Whatever the directory says.
    pub(super) fn nameless(directory: &Path) -> io::Result<Self> {
        private_directory(directory)?;
        tempfile::tempfile_in(directory).map(Self::Nameless)
    }

    /// The whole file: published, or given out from its beginning.
    ///
    /// # Errors
    /// As [`ArchiveFile::publish`].
    pub(super) fn finish(self) -> io::Result<Option<File>> {
        match self {
            Self::Named(file) => file.publish().map(|_| None),
            Self::Nameless(mut file) => {
                file.rewind()?;
                Ok(Some(file))
            }
        }
    }
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Named(file) => file.write(bytes),
            Self::Nameless(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Named(file) => file.flush(),
            Self::Nameless(file) => file.flush(),
        }
    }
}

impl Write for ArchiveFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.as_file_mut().flush()
    }
}

/// What stands at a path and is no regular file: it is never replaced, whatever is asked for.
pub(super) fn special(path: &Path) -> Option<&'static str> {
    let found = path.symlink_metadata().ok()?.file_type();
    match found {
        _ if found.is_file() => None,
        _ if found.is_symlink() => Some("a symbolic link"),
        _ if found.is_dir() => Some("a directory"),
        _ if found.is_char_device() => Some("a character device"),
        _ if found.is_block_device() => Some("a block device"),
        _ if found.is_fifo() => Some("a named pipe"),
        _ if found.is_socket() => Some("a socket"),
        _ => Some("no regular file"),
    }
}

fn refuse_special(path: &Path) -> io::Result<()> {
    match special(path) {
        Some(what) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}"))),
        None => Ok(()),
    }
}

/// A directory of this account alone, made where it is not there.
pub(super) fn private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Removes temporary files that nobody holds.
fn remove_abandoned(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) || !entry.file_type()?.is_file() {
            continue;
        }
        // One that vanishes or belongs to another user is none of our business.
        let Ok(file) = File::open(entry.path()) else { continue };
        // One that was made just now gets its lock in a moment.
        let Ok(modified) = file.metadata().and_then(|found| found.modified()) else { continue };
        let age = modified.elapsed().unwrap_or_default();
        if age > YOUNG && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // Where it cannot be removed it stays: that is no reason to write nothing.
            let _stays = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_file_leaves_nothing_and_a_published_one_only_itself() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.tenant");
        let mut file = ArchiveFile::create(&path, Existing::Keep).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        let mut file = ArchiveFile::create(&path, Existing::Keep).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(file.publish().unwrap(), path);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_is_replaced_only_on_demand_also_when_it_came_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.tenant");
        let late = ArchiveFile::create(&path, Existing::Keep).unwrap();
        fs::write(&path, "mine").unwrap();
        assert_eq!(late.publish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let refused = ArchiveFile::create(&path, Existing::Keep).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        ArchiveFile::create(&path, Existing::Replace).unwrap().publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_with_force_too() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("target");
        fs::write(&target, "mine").unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for (path, what) in [
            (link.as_path(), "a symbolic link"),
            (home.path(), "a directory"),
            (Path::new("/dev/null"), "a character device"),
        ] {
            let refused = ArchiveFile::create(path, Existing::Replace).unwrap_err();
            assert_eq!(refused.to_string(), format!("it is {what}"));
        }
        // It came while the archive was written.
        let path = home.path().join("late");
        let late = ArchiveFile::create(&path, Existing::Replace).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert_eq!(late.publish().unwrap_err().to_string(), "it is a symbolic link");
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        assert!(link.is_symlink() && path.is_symlink());
    }

    #[test]
    fn a_refused_write_does_not_show_the_temporary_name() {
        let error = ArchiveFile::create(Path::new("/proc/a.tenant"), Existing::Keep).unwrap_err();
        assert!(!error.to_string().contains("/proc"), "{error}");
    }

    #[test]
    fn a_directory_that_is_made_for_archives_is_for_this_account_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("archives");
        private_directory(&directory).unwrap();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn an_abandoned_file_is_removed_and_one_at_work_is_not() {
        let home = tempfile::tempdir().unwrap();
        let abandoned = home.path().join(format!("{PREFIX}dead{SUFFIX}"));
        fs::write(&abandoned, "half").unwrap();
        let young = home.path().join(format!("{PREFIX}young{SUFFIX}"));
        fs::write(&young, "half").unwrap();
        let long_ago = (crate::clock::now() - YOUNG * 2).into();
        File::options().write(true).open(&abandoned).unwrap().set_modified(long_ago).unwrap();
        let at_work = ArchiveFile::create(&home.path().join("a"), Existing::Keep).unwrap();
        assert!(!abandoned.exists() && young.exists());
        let other = ArchiveFile::create(&home.path().join("b"), Existing::Keep).unwrap();
        assert!(at_work.draft.path().exists() && other.draft.path().exists());
    }
}
