//! `archive list`, `archive inspect` and `archive verify`: archives as files, without a database.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::examine::{Examination, examine, peek};
use super::fault::{Fault, Refused};
use super::glance::Glance;
use super::limits::Limits;
use super::manifest::Manifest;
use super::signature::Trust;
use super::verified::{self, VerifiedArchive, spool};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::secret::signing_key::{KeyError, SigningKey};

/// One file of a directory of archives, told by its manifest alone: nothing of it is verified.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it says of itself, or what is wrong at first sight.
    pub manifest: Result<Manifest, Fault>,
}

/// The archives of a directory, newest first by name. A directory that is not there holds none.
///
/// # Errors
/// A directory that cannot be read.
pub fn list(directory: &Path) -> Result<Vec<Shelved>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::refused(format!("`{}` cannot be read", directory.display()))
            .caused_by(error.to_string())
    };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut shelf = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "tenant") {
            continue;
        }
        let opened = File::open(&path).map_err(|error| Fault::Unreadable(error.to_string()));
        let bytes = path.metadata().map_or(0, |found| found.len());
        let manifest = opened.and_then(|file| peek(BufReader::new(file), &Limits::default()));
        shelf.push(Shelved { path, bytes, manifest });
    }
    let taken_at = |shelved: &Shelved| shelved.manifest.as_ref().ok().map(|m| m.taken_at);
    shelf.sort_by(|a, b| taken_at(b).cmp(&taken_at(a)).then_with(|| a.path.cmp(&b.path)));
    Ok(shelf)
}

/// What an archive says of itself, in a moment and unverified.
///
/// # Errors
/// A file that cannot be opened, or [`Refused`] where it has no manifest that can be read.
pub fn glance(path: &Path) -> Result<Glance, Failure> {
    let file = BufReader::new(open_file(path)?);
    super::glance::glance(file, &Limits::default())
        .map_err(|fault| Refused { faults: vec![fault] }.into())
}

/// Looks at every byte of an archive and answers with all that is wrong. `signing_key` is the
/// file of the installation's key; where there is none, no archive is its own, and where this user
/// may not read it, everything else is looked at.
///
/// # Errors
/// A file that cannot be opened, a key that cannot be used, a cancelled `progress`.
pub fn inspect(
    path: &Path,
    signing_key: &Path,
    progress: &Progress,
) -> Result<Examination, Failure> {
    let file = open_file(path)?;
    progress.plan("bytes", file.metadata().ok().map(|found| found.len()));
    let trust = match trust(signing_key) {
        Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Trust::unknown()
        }
        trust => trust?,
    };
    examine(BufReader::new(file), &trust, &Limits::default(), progress)
}

/// Opens an archive for a restore: only a sound one. `-` is standard input, which is copied into
/// a nameless file of `spool_directory` first.
///
/// # Errors
/// A file that cannot be opened, [`Refused`] with all faults, a cancelled `progress`.
pub fn open(
    path: &Path,
    signing_key: &Path,
    spool_directory: &Path,
    progress: &Progress,
) -> Result<VerifiedArchive, Failure> {
    let file = if path == Path::new("-") {
        spooled(io::stdin().lock(), spool_directory)?
    } else {
        let file = open_file(path)?;
        let regular = file.metadata().is_ok_and(|found| found.is_file());
        if regular { file } else { spooled(file, spool_directory)? }
    };
    verified::open(file, &trust(signing_key)?, &Limits::default(), progress)
}

fn spooled(source: impl Read, directory: &Path) -> Result<File, Failure> {
    spool(source, directory)
        .map_err(|error| Refused { faults: vec![Fault::Unreadable(error.to_string())] }.into())
}

fn open_file(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::refused(format!("`{}` cannot be opened", path.display()))
            .caused_by(error.to_string())
    })
}

/// The installation's own key. Looking at an archive makes none: where there is no key, nobody has
/// signed anything here.
fn trust(signing_key: &Path) -> Result<Trust, KeyError> {
    match SigningKey::open(signing_key) {
        Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(Trust::nobody())
        }
        opened => Ok(Trust::own(opened?.public())),
    }
}
