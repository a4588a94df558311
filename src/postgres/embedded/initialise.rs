//! Makes the home and the data directory.
//!
//! A data directory is made beside its place and renamed when it is whole, so that an interrupted
//! `initdb` leaves nothing that looks like data.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tokio::process::Command;

use super::account::{self, ServerAccount};
use super::error::EmbeddedError;
use super::ident;
use super::programs::Programs;
use crate::config::{Paths, env};
use crate::progress::Progress;
use crate::text::screen_lines;

/// What is set once, where the owner may change it. What must hold is on the command line of the
/// server (`start`), which no file and no ALTER SYSTEM overrides.
/// The values of the tenants stay out of the server's log: a message quotes the value that it
/// could not read, so errors of statements are told to the client alone (LOG stands above ERROR
/// here), and what else is logged comes without details and statements.
const CONFIGURATION: &str = "
# Added by tenantdesk when it made this data directory; yours to change.
max_connections = 100
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_line_prefix = '%m [%p] %q%u@%d '
";

/// Makes the directories that are this user's own, and refuses a home that is not.
pub(super) fn home(paths: &Paths, account: Option<&ServerAccount>) -> Result<(), EmbeddedError> {
    let user = rustix::process::geteuid().as_raw();
    // As root the server's account has to pass through the home to its data.
    let mode = if account.is_some() { 0o711 } else { 0o700 };
    make(&paths.home, mode)?;
    let metadata =
        std::fs::metadata(&paths.home).map_err(EmbeddedError::io("look at", &paths.home))?;
    if metadata.uid() != user {
        let path = paths.home.clone();
        return Err(EmbeddedError::OtherOwner { path, owner: metadata.uid(), user });
    }
    if metadata.mode() & 0o002 != 0 {
        return Err(EmbeddedError::OpenToOthers(paths.home.clone()));
    }
    for dir in [&paths.locks_dir, &paths.logs_dir] {
        make(dir, 0o700)?;
    }
    if let Some(account) = account
        && let Some(dir) = account.stopped_at(&paths.data_dir)
    {
        return Err(EmbeddedError::Unreachable { account: account.name.clone(), dir });
    }
    Ok(())
}

/// Makes the socket directory, 0700 and owned by the server's account, and checks that nobody
/// else made it first: its short form lies in a directory where everybody writes.
pub(super) fn socket_dir(dir: &Path, account: Option<&ServerAccount>) -> Result<(), EmbeddedError> {
    let user = rustix::process::geteuid().as_raw();
    let owner = account.map_or(user, |account| account.uid);
    make(dir, 0o700)?;
    let metadata = std::fs::symlink_metadata(dir).map_err(EmbeddedError::io("look at", dir))?;
    let own = metadata.uid() == owner || metadata.uid() == user;
    if !metadata.is_dir() || !own {
        return Err(EmbeddedError::OtherOwner {
            path: dir.to_owned(),
            owner: metadata.uid(),
            user,
        });
    }
    if metadata.mode() & 0o777 != 0o700 {
        let private = Permissions::from_mode(0o700);
        std::fs::set_permissions(dir, private)
            .map_err(EmbeddedError::io("change the rights of", dir))?;
    }
    account::give(account, dir)
}

/// The major version of the data directory; `None` where there is no data yet.
pub(super) fn data_version(data_dir: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = data_dir.join("PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => Err(EmbeddedError::NotData(data_dir.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EmbeddedError::io("read", &path)(error)),
    }
}

/// Makes the data directory. The caller holds the transition lock and knows there is none.
pub(super) async fn data_dir(
    paths: &Paths,
    programs: &Programs,
    account: Option<&ServerAccount>,
    os_user: &str,
    progress: &Progress,
) -> Result<(), EmbeddedError> {
    let io = EmbeddedError::io;
    let taken =
        std::fs::read_dir(&paths.data_dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken || paths.data_dir.is_file() {
        return Err(EmbeddedError::NotData(paths.data_dir.clone()));
    }
    progress.enter(format!("making the data directory (PostgreSQL {})", programs.major));
    sweep(&paths.home);
    let new = tempfile::Builder::new()
        .prefix(STAGING)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&paths.home)
        .map_err(io("make a directory in", &paths.home))?;
    account::give(account, new.path())?;
    initdb(programs, new.path(), account).await?;
    configure(new.path(), account, os_user)?;
    // An empty directory in the place gives way; a full one was refused above.
    std::fs::rename(new.path(), &paths.data_dir).map_err(io("move into place", &paths.data_dir))?;
    let _moved_away = new.keep();
    Ok(())
}

const STAGING: &str = ".data-";

/// Removes what an interrupted run left.
fn sweep(home: &Path) {
    for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            let _tried = std::fs::remove_dir_all(entry.path());
        }
    }
}

async fn initdb(
    programs: &Programs,
    dir: &Path,
    account: Option<&ServerAccount>,
) -> Result<(), EmbeddedError> {
    // Order by code point, which no upgrade of the system's library changes under an index;
    // upper and lower case for all scripts. From 17 on the server brings that itself.
    let preferred: &[&str] = if programs.major >= 17 {
        &["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    } else {
        &["--no-locale", "--lc-ctype=C.UTF-8"]
    };
    let Some(said) = run_initdb(programs, dir, account, preferred).await? else { return Ok(()) };
    // Systems without that locale (macOS has another name for it) get plain C.
    if !said.contains("locale") {
        return Err(EmbeddedError::Initdb { said });
    }
    match run_initdb(programs, dir, account, &["--no-locale"]).await? {
        None => Ok(()),
        Some(said) => Err(EmbeddedError::Initdb { said }),
    }
}

/// Runs initdb; `Some` is what it complained.
async fn run_initdb(
    programs: &Programs,
    dir: &Path,
    account: Option<&ServerAccount>,
    locale: &[&str],
) -> Result<Option<String>, EmbeddedError> {
    let program = programs.bin_dir.join("initdb");
    let mut command = Command::new(&program);
    command
        .arg("--pgdata")
        .arg(dir)
        .args(["--username", super::SUPERUSER, "--encoding", "UTF8", "--data-checksums"])
        .args(["--auth-local", "peer", "--auth-host", "reject", "--no-instructions"])
        .args(locale)
        .env_clear()
        .envs(env::passed_on())
        .env("LC_ALL", "C")
        .current_dir("/")
        .kill_on_drop(true);
    account::run_as(account, &mut command);
    let output = command.output().await.map_err(EmbeddedError::io("run", &program))?;
    if output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Some(screen_lines(text.trim_end()).join("\n")))
}

fn configure(
    dir: &Path,
    account: Option<&ServerAccount>,
    os_user: &str,
) -> Result<(), EmbeddedError> {
    let io = EmbeddedError::io;
    let settings = dir.join("postgresql.conf");
    let mut file =
        std::fs::OpenOptions::new().append(true).open(&settings).map_err(io("open", &settings))?;
    file.write_all(CONFIGURATION.as_bytes()).map_err(io("write", &settings))?;
    let hba = dir.join("pg_hba.conf");
    std::fs::write(&hba, ident::HBA).map_err(io("write", &hba))?;
    ident::change(dir, os_user, account, |roles| {
        roles.insert(super::SUPERUSER.to_owned());
    })?;
    Ok(())
}

/// Makes a directory and those above it; one that exists is left as it is.
fn make(dir: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if dir.is_dir() {
        return Ok(());
    }
    let io = EmbeddedError::io;
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent).map_err(io("make the directory", parent))?;
    }
    match std::fs::DirBuilder::new().mode(mode).create(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        created => {
            created.map_err(io("make the directory", dir))?;
            // The umask may have taken what the server's account needs.
            std::fs::set_permissions(dir, Permissions::from_mode(mode))
                .map_err(io("change the rights of", dir))
        }
    }
}
