//! Starts the server, and knows why when it does not.
//!
//! `postgres` is run directly, without `pg_ctl`: that goes through a shell, which quotes paths
//! badly, and gives up after a time of its own. The process gets a group of its own, so that
//! Ctrl-C in a terminal reaches the console and not the server.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::account::{self, ServerAccount};
use super::error::EmbeddedError;
use super::postmaster::{self, PidFile, Standing};
use super::programs::Programs;
use super::{initialise, logs, state};
use crate::config::{Paths, env};
use crate::progress::Progress;

/// Recovery after a crash can be long; a server that only is slow is not given up early.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);

/// How long backends of a killed server may take to end.
const ORPHANS: Duration = Duration::from_secs(20);

/// What a start needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch<'a> {
    pub(super) paths: &'a Paths,
    pub(super) programs: &'a Programs,
    pub(super) account: Option<&'a ServerAccount>,
    /// The port to open on the loopback, if any.
    pub(super) tcp: Option<u16>,
}

impl Launch<'_> {
    /// Starts the server and waits until it answers. The caller holds the transition lock.
    pub(super) async fn run(self, progress: &Progress) -> Result<(), EmbeddedError> {
        progress.enter("starting the embedded PostgreSQL");
        initialise::socket_dir(&self.paths.socket_dir, self.account)?;
        clear_the_way(&self.paths.data_dir, self.account, progress).await?;
        let begun = Instant::now();
        loop {
            match self.attempt(progress).await {
                // Where the system does not tell who the backends of a killed server are, the
                // server does, and they can only be waited for.
                Err(EmbeddedError::Start { tail, .. })
                    if tail.contains("pre-existing shared memory block")
                        && begun.elapsed() < ORPHANS =>
                {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                other => return other,
            }
        }
    }

    async fn attempt(self, progress: &Progress) -> Result<(), EmbeddedError> {
        let program = self.programs.bin_dir.join("postgres");
        let (log, offset) = logs::open(&self.paths.server_log)?;
        let second = log.try_clone().map_err(EmbeddedError::io("open", &self.paths.server_log))?;
        let mut command = Command::new(&program);
        command
            .args(self.arguments())
            .env_clear()
            .envs(env::passed_on())
            .env("LC_ALL", "C")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(second);
        account::run_as(self.account, &mut command);
        let child = command.spawn().map_err(EmbeddedError::io("run", &program))?;
        self.wait_until_ready(child, offset, progress).await
    }

    async fn wait_until_ready(
        self,
        mut child: Child,
        offset: u64,
        progress: &Progress,
    ) -> Result<(), EmbeddedError> {
        let log = &self.paths.server_log;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let begun = Instant::now();
        let mut told = false;
        loop {
            let ended = child.try_wait().map_err(EmbeddedError::io("wait for", log))?;
            if ended.is_some() {
                let tail = logs::excerpt(log, offset);
                return Err(EmbeddedError::Start { tail, log: log.clone() });
            }
            // The child is ours and lives: only its own word and its socket are looked at, because
            // finding out about processes costs as much as the start itself.
            let file = PidFile::read(&self.paths.data_dir)?;
            if let Some(file) = file.filter(|file| Some(file.pid) == pid && file.status == "ready")
                && state::answers(&file).await
            {
                return Ok(());
            }
            if progress.is_cancelled() {
                if let Some(pid) = pid {
                    postmaster::signal(pid, Signal::INT);
                }
                let _ended = child.wait().await;
                return Err(EmbeddedError::Cancelled);
            }
            if begun.elapsed() > PATIENCE {
                let tail = logs::excerpt(log, offset);
                let seconds = PATIENCE.as_secs();
                return Err(EmbeddedError::Slow { seconds, tail, log: log.clone() });
            }
            if !told && begun.elapsed() > Duration::from_secs(2) {
                told = true;
                progress.enter("the embedded PostgreSQL recovers after a crash");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What must hold stands on the command line: no configuration file and no ALTER SYSTEM
    /// overrides it there.
    fn arguments(self) -> Vec<OsString> {
        let socket_dir = self.paths.socket_dir.to_string_lossy().replace('"', "\"\"");
        let listen = if self.tcp.is_some() { "127.0.0.1" } else { "" };
        let settings = [
            format!("listen_addresses={listen}"),
            format!("port={}", self.tcp.unwrap_or(super::PORT)),
            format!("unix_socket_directories=\"{socket_dir}\""),
            "unix_socket_permissions=0700".to_owned(),
            "fsync=on".to_owned(),
            "full_page_writes=on".to_owned(),
            "max_prepared_transactions=0".to_owned(),
            "password_encryption=scram-sha-256".to_owned(),
            "logging_collector=off".to_owned(),
            "log_destination=stderr".to_owned(),
            "log_statement=none".to_owned(),
        ];
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.paths.data_dir.clone().into()];
        for setting in settings {
            arguments.push("-c".into());
            arguments.push(setting.into());
        }
        arguments
    }
}

/// Deals with what a killed server left: a pid file whose number now is a stranger's, and
/// backends that still work. The caller has seen that no postmaster lives.
async fn clear_the_way(
    data_dir: &Path,
    account: Option<&ServerAccount>,
    progress: &Progress,
) -> Result<(), EmbeddedError> {
    let pid_file = postmaster::path(data_dir);
    if !pid_file.exists() {
        return Ok(());
    }
    end_orphans(data_dir, account, progress).await?;
    let stale = match PidFile::read(data_dir)? {
        // PostgreSQL takes a process that ended and was never reaped for a living one, too.
        Some(file) => postmaster::standing(file.pid, data_dir, account).await != Standing::Server,
        // An empty file, after a full disk: stale where it is known that nobody works there.
        None => postmaster::processes_in(data_dir, account).await.is_some_and(|all| all.is_empty()),
    };
    if stale {
        postmaster::disown(data_dir)?;
    }
    Ok(())
}

/// Backends outlive a killed postmaster until they next wait for something; one that works can
/// still commit. They get a moment to end by themselves, then are asked, then made to.
async fn end_orphans(
    data_dir: &Path,
    account: Option<&ServerAccount>,
    progress: &Progress,
) -> Result<(), EmbeddedError> {
    let steps = [(1, Signal::TERM), (6, Signal::QUIT), (11, Signal::KILL)];
    let mut next = steps.iter().peekable();
    let begun = Instant::now();
    loop {
        let orphans = postmaster::processes_in(data_dir, account).await.unwrap_or_default();
        if orphans.is_empty() {
            return Ok(());
        }
        if progress.is_cancelled() {
            return Err(EmbeddedError::Cancelled);
        }
        if let Some((_, signal)) = next.next_if(|(s, _)| begun.elapsed().as_secs() >= *s) {
            progress.enter("ending processes of an earlier server that was killed");
            for &pid in &orphans {
                postmaster::signal(pid, *signal);
            }
        }
        if begun.elapsed() > ORPHANS {
            let list: Vec<String> = orphans.iter().map(ToString::to_string).collect();
            return Err(EmbeddedError::Orphans(list.join(", ")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_and_quotes_stays_one_argument() {
        let paths = Paths::new(Path::new("/srv/a \"b\" c"), Path::new("/etc/x")).unwrap();
        let programs = Programs { bin_dir: "/usr/bin".into(), major: 18 };
        let launch = Launch { paths: &paths, programs: &programs, account: None, tcp: None };
        let arguments = launch.arguments();
        assert_eq!(arguments[..2], ["-D", "/srv/a \"b\" c/data"]);
        assert!(arguments.contains(&"unix_socket_directories=\"/srv/a \"\"b\"\" c/run\"".into()));
        assert!(arguments.contains(&"fsync=on".into()));
        assert!(arguments.contains(&"listen_addresses=".into()));
        let with_tcp = Launch { tcp: Some(5433), ..launch }.arguments();
        assert!(with_tcp.contains(&"listen_addresses=127.0.0.1".into()));
        assert!(with_tcp.contains(&"port=5433".into()));
    }
}
