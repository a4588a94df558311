//! A process that outlives the test process, and cleans up after it however it ended.
//!
//! A `static` is never dropped, and `kill -9` runs no code at all. So a small `sh` in a process
//! group of its own reads a pipe whose other end only the test process holds: end of file means
//! that it is gone, and the script does what is left to do.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Who runs servers and watchers: the account that PostgreSQL accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// As root `postgres`, else `nobody`; `None` for an ordinary user, who needs no other.
    pub fn for_servers() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let passwd = std::fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
        let find = |name: &str| {
            let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            let uid = fields.next()?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { uid, gid })
        };
        Some(find("postgres").or_else(|| find("nobody")).expect("an account for servers"))
    }

    /// Makes the command run as this account (std drops the other groups by itself).
    pub fn apply(account: Option<Self>, command: &mut Command) -> &mut Command {
        if let Some(Self { uid, gid }) = account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a path to this account.
    pub fn own(account: Option<Self>, path: &Path) {
        if let Some(Self { uid, gid }) = account {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("chown");
        }
    }
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The watching process. Dropping it ends its watch and waits until it has cleaned up.
#[derive(Debug)]
pub struct Watcher {
    child: Child,
}

impl Watcher {
    /// Starts `script` with `arguments` as `$1`..; it must read standard input until its end.
    pub fn start(script: &str, arguments: &[&Path], account: Option<Account>) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(script)
            .arg("tenantdesk-test-watcher")
            .args(arguments)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = Account::apply(account, &mut command).spawn().expect("start the watcher");
        Self { child }
    }

    /// The process group that the watcher leads; it ends all that is in it.
    pub fn group(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Sends one line to the script.
    pub fn tell(&mut self, line: &str) {
        let pipe = self.child.stdin.as_mut().expect("the pipe is open while the watcher lives");
        pipe.write_all(format!("{line}\n").as_bytes()).expect("the watcher reads");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}
