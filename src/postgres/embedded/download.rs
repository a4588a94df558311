//! Server programs from the network, through `postgresql_embedded`: used where none is installed.
//!
//! The library's handle is made with a data directory that looks initialised, so that it
//! installs and does nothing else; that directory has no server, so dropping the handle stops
//! none. `Settings` is a literal, because its default makes two directories in the temporary
//! directory each time. What is unpacked is renamed into place whole.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};

use super::error::EmbeddedError;
use crate::progress::Progress;

/// Where the programs come from.
pub(super) const SOURCE: &str = "https://github.com/theseus-rs/postgresql-binaries";

/// The major version that is fetched where no data asks for another: the newest we develop on.
pub(super) const MAJOR: u32 = 18;

/// Long enough for 30 MB over a poor line.
const PATIENCE: Duration = Duration::from_mins(10);

/// The `bin` directories of versions downloaded before.
pub(super) fn versions(downloads: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(downloads).into_iter().flatten().flatten();
    let whole = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    whole.map(|entry| entry.path().join("bin")).filter(|bin| bin.exists()).collect()
}

/// Downloads the programs and gives their `bin` directory.
pub(super) async fn fetch(
    needed: Option<u32>,
    downloads: &Path,
    progress: &Progress,
) -> Result<PathBuf, EmbeddedError> {
    let major = needed.unwrap_or(MAJOR);
    let io = EmbeddedError::io;
    std::fs::create_dir_all(downloads).map_err(io("make the directory", downloads))?;
    open_to_all(downloads)?;
    let scratch = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(downloads)
        .map_err(io("make a directory in", downloads))?;
    let data_dir = scratch.path().join("no-data");
    std::fs::create_dir(&data_dir).map_err(io("make the directory", &data_dir))?;
    let marker = data_dir.join("postgresql.conf");
    std::fs::write(&marker, "").map_err(io("write", &marker))?;
    let version = VersionReq::parse(&format!("={major}"));
    let settings = Settings {
        releases_url: SOURCE.to_owned(),
        version: version.map_err(|error| EmbeddedError::Download(error.to_string()))?,
        installation_dir: scratch.path().join("unpacked"),
        password_file: scratch.path().join("no-password"),
        data_dir,
        host: "localhost".to_owned(),
        port: 0,
        username: super::SUPERUSER.to_owned(),
        password: String::new(),
        temporary: false,
        timeout: Some(PATIENCE),
        configuration: HashMap::new(),
        trust_installation_dir: false,
        socket_dir: None,
    };
    let mut library = PostgreSQL::new(settings);
    install(&mut library, major, progress).await?;
    let unpacked = library.settings().installation_dir.clone();
    let name = unpacked.file_name().unwrap_or_default().to_owned();
    let place = downloads.join(name);
    // Another process may have been faster; then its copy is as good.
    if !place.exists() {
        open_to_all(&unpacked)?;
        std::fs::rename(&unpacked, &place).map_err(io("move into place", &place))?;
    }
    Ok(place.join("bin"))
}

/// Waits for the library, tells that time passes, and lets the user stop.
async fn install(
    library: &mut PostgreSQL,
    major: u32,
    progress: &Progress,
) -> Result<(), EmbeddedError> {
    progress.enter(format!("downloading PostgreSQL {major} from {SOURCE}"));
    let begun = Instant::now();
    let mut work = std::pin::pin!(library.setup());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let mut told = 0;
    loop {
        tokio::select! {
            done = &mut work => {
                return done.map_err(|error| EmbeddedError::Download(with_causes(&error)));
            }
            _ = tick.tick() => {
                if progress.is_cancelled() {
                    return Err(EmbeddedError::Cancelled);
                }
                let seconds = begun.elapsed().as_secs();
                if seconds >= told + 2 {
                    told = seconds;
                    progress.enter(format!("downloading PostgreSQL {major} from {SOURCE}, {seconds} s so far"));
                }
                if begun.elapsed() > PATIENCE {
                    return Err(EmbeddedError::Download(format!("no answer within {} s", PATIENCE.as_secs())));
                }
            }
        }
    }
}

/// The library's errors keep what happened to themselves; their causes say it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    crate::text::screen(&text)
}

/// Lets every account read and run what is here: as root another account runs the server.
fn open_to_all(path: &Path) -> Result<(), EmbeddedError> {
    let io = EmbeddedError::io;
    let metadata = std::fs::symlink_metadata(path).map_err(io("look at", path))?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    let run = if metadata.is_dir() || mode & 0o100 != 0 { 0o111 } else { 0 };
    let open = std::fs::Permissions::from_mode(mode | 0o444 | run);
    std::fs::set_permissions(path, open).map_err(io("change the rights of", path))?;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io("list", path))? {
            open_to_all(&entry.map_err(io("list", path))?.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_unpacked_versions_do_not_count() {
        let downloads = tempfile::tempdir().unwrap();
        for dir in ["18.4.0/bin", ".new-x/unpacked/18.4.0/bin", "17.0.0"] {
            std::fs::create_dir_all(downloads.path().join(dir)).unwrap();
        }
        assert_eq!(versions(downloads.path()), [downloads.path().join("18.4.0/bin")]);
    }
}
