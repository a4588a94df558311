//! The pid file, and whether the process that it names is our server.
//!
//! A pid file outlives a crash and a reboot, and its number may by then belong to any program.
//! So a number counts only with proof: the process is PostgreSQL and works in our data directory.
//! The file is never removed here: its seventh line (the shared memory) is how PostgreSQL itself
//! notices that backends of a killed server still live.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::Command;

use super::account::{self, ServerAccount};
use super::error::EmbeddedError;

/// What the pid file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    /// The postmaster.
    pub(super) pid: i32,
    /// The number in the socket's name.
    pub(super) port: u16,
    /// The directory of the socket; empty while the server starts.
    pub(super) socket_dir: PathBuf,
    /// Whether it listens on TCP.
    pub(super) tcp: bool,
    /// `starting`, `ready`, `stopping`; empty while the server starts.
    pub(super) status: String,
}

impl PidFile {
    /// Reads the pid file of a data directory; `None` where there is none.
    pub(super) fn read(data_dir: &Path) -> Result<Option<Self>, EmbeddedError> {
        let path = path(data_dir);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &path)(error)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |number: usize| lines.get(number - 1).copied().unwrap_or_default();
        Some(Self {
            // A single-user server writes its number negated.
            pid: line(1).parse::<i32>().ok()?.checked_abs()?,
            port: line(4).parse().unwrap_or(super::PORT),
            socket_dir: line(5).into(),
            tcp: !line(6).is_empty(),
            status: line(8).to_owned(),
        })
    }
}

/// Where the pid file is.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("postmaster.pid")
}

/// What a process number stands for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// No such process, or only its remains.
    Gone,
    /// A server process at work in the data directory, or one of which that cannot be ruled out.
    Server,
    /// Certainly something else, that has the number by chance.
    Stranger,
}

/// Finds out what a process number stands for.
pub(super) async fn standing(
    pid: i32,
    data_dir: &Path,
    account: Option<&ServerAccount>,
) -> Standing {
    let Some(program) = program_of(pid).await else { return Standing::Gone };
    if !program.starts_with("postgres") && !program.starts_with("postmaster") {
        return Standing::Stranger;
    }
    match processes_in(data_dir, account).await {
        Some(ours) if !ours.contains(&pid) => Standing::Stranger,
        _ => Standing::Server,
    }
}

/// The server processes that work in the data directory; `None` where the system cannot tell.
///
/// As root the question is asked by the server's account: in containers root lacks the right to
/// look at another user's processes.
pub(super) async fn processes_in(
    data_dir: &Path,
    account: Option<&ServerAccount>,
) -> Option<Vec<i32>> {
    const SCRIPT: &str = r#"cd /proc || exit 1
for process in [0-9]*; do
    if [ "$(readlink "$process/cwd")" = "$1" ]; then
        read -r name <"$process/comm" && echo "$process $name"
    fi
done 2>/dev/null
exit 0"#;
    if !cfg!(target_os = "linux") {
        return None;
    }
    let data_dir = std::fs::canonicalize(data_dir).ok()?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).arg("tenantdesk").arg(&data_dir).current_dir("/");
    account::run_as(account, &mut command);
    let output = command.output().await.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let servers = text.lines().filter_map(|line| {
        let (pid, program) = line.split_once(' ')?;
        program.starts_with("postgres").then(|| pid.parse().ok())?
    });
    Some(servers.filter(|&pid| !is_zombie(pid)).collect())
}

/// Whether a process is there and not only waiting to be reaped.
pub(super) fn is_alive(pid: i32) -> bool {
    let Some(number) = Pid::from_raw(pid) else { return false };
    let there = match test_kill_process(number) {
        Ok(()) => true,
        // It belongs to somebody else, but it is there.
        Err(error) => error == rustix::io::Errno::PERM,
    };
    there && !is_zombie(pid)
}

/// Sends a signal to a server process; that it is gone already is no error.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _gone = kill_process(pid, signal);
    }
}

fn is_zombie(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state follows the name, which is in parentheses and may hold any character.
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with(['Z', 'X'])
}

async fn program_of(pid: i32) -> Option<String> {
    if !is_alive(pid) {
        return None;
    }
    if let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) {
        return Some(name.trim().to_owned());
    }
    let output = Command::new("ps").args(["-o", "comm=", "-p", &pid.to_string()]).output().await;
    let text = String::from_utf8_lossy(&output.ok()?.stdout).into_owned();
    let name = text.trim().rsplit('/').next().unwrap_or_default().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Writes a number that no process has in place of a stranger's, and keeps all other lines.
///
/// PostgreSQL refuses to start while the number in its pid file belongs to any process of the
/// same user, which after the reboot of a container is the rule. With a dead number it goes on to
/// its own check of the shared memory, which removing the file would have switched off.
pub(super) fn disown(data_dir: &Path) -> Result<(), EmbeddedError> {
    // The largest number; systems give numbers up to 2^22.
    const NOBODY: &str = "2147483646";
    let path = path(data_dir);
    let io = EmbeddedError::io;
    let text = std::fs::read_to_string(&path).map_err(io("read", &path))?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    std::fs::write(&path, format!("{NOBODY}\n{rest}")).map_err(io("write", &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_read_whole_and_half_written() {
        let whole = "4711\n/srv/data\n1700000000\n5433\n/srv/a b\n127.0.0.1\n  1 2\nready   \n";
        let read = PidFile::parse(whole).unwrap();
        assert_eq!((read.pid, read.port, read.tcp), (4711, 5433, true));
        assert_eq!((read.socket_dir.to_str(), read.status.as_str()), (Some("/srv/a b"), "ready"));
        let half = PidFile::parse("4711\n/srv/data\n").unwrap();
        assert_eq!((half.pid, half.tcp, half.status.as_str()), (4711, false, ""));
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("x\n"), None);
    }

    #[test]
    fn disowning_changes_the_number_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(path(dir.path()), "1\n/srv/data\n17\n5432\n/run\n\n 1 2\nready\n").unwrap();
        disown(dir.path()).unwrap();
        let text = std::fs::read_to_string(path(dir.path())).unwrap();
        assert_eq!(text, "2147483646\n/srv/data\n17\n5432\n/run\n\n 1 2\nready\n");
        assert!(!is_alive(2_147_483_646));
    }

    #[tokio::test]
    async fn a_process_that_is_no_server_is_a_stranger() {
        let own = i32::try_from(std::process::id()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(standing(own, dir.path(), None).await, Standing::Stranger);
        assert_eq!(standing(2_147_483_646, dir.path(), None).await, Standing::Gone);
    }
}
