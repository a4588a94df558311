//! Who runs the server's processes, and who runs this program.
//!
//! PostgreSQL refuses root. As root its processes run as `postgres`, else `nobody`; everything
//! else of the program stays root. For an ordinary user they are the same.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tokio::process::Command;

use super::error::EmbeddedError;
use crate::config::paths::is_root;

/// The account that runs the server where it is not the program's own user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAccount {
    /// Its name.
    pub name: String,
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

impl ServerAccount {
    /// The account to use: as root the owner of an existing data directory, else `postgres`,
    /// else `nobody`; `None` for an ordinary user.
    ///
    /// # Errors
    /// Where root has no such account.
    pub fn choose(data_dir: &Path) -> Result<Option<Self>, EmbeddedError> {
        if !is_root() {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let accounts: Vec<Self> = passwd.lines().filter_map(parse).filter(|a| a.uid != 0).collect();
        let owner = std::fs::metadata(data_dir).ok().map(|m| m.uid());
        let by_name = |name: &str| accounts.iter().find(|account| account.name == name);
        let chosen = accounts
            .iter()
            .find(|account| Some(account.uid) == owner)
            .or_else(|| by_name("postgres"))
            .or_else(|| by_name("nobody"));
        chosen.cloned().map(Some).ok_or(EmbeddedError::NoAccount)
    }

    /// The first directory above `path`, from the root down, that this account may not pass.
    pub(super) fn stopped_at(&self, path: &Path) -> Option<std::path::PathBuf> {
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        let closed = above.into_iter().rev().find(|dir| {
            let Ok(metadata) = std::fs::metadata(dir) else { return false };
            let bit = match () {
                () if metadata.uid() == self.uid => 0o100,
                () if metadata.gid() == self.gid => 0o010,
                () => 0o001,
            };
            metadata.mode() & bit == 0
        });
        closed.map(Path::to_owned)
    }
}

/// Makes the command run as the account; std drops all other groups by itself.
pub(super) fn run_as(account: Option<&ServerAccount>, command: &mut Command) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
}

/// Gives a path to the account.
pub(super) fn give(account: Option<&ServerAccount>, path: &Path) -> Result<(), EmbeddedError> {
    let Some(account) = account else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
        .map_err(EmbeddedError::io("change the owner of", path))
}

/// The name of the user who runs this program, as `peer` authentication will look it up.
///
/// # Errors
/// Where the system does not know it.
pub async fn os_user() -> Result<String, EmbeddedError> {
    if let Some(name) = listed_name() {
        return Ok(name);
    }
    // Users of a directory service are in no file; `id` asks the system.
    let output = Command::new("id").arg("-un").output().await;
    let uid = rustix::process::geteuid().as_raw();
    output.ok().and_then(answered_name).ok_or(EmbeddedError::NoUserName(uid))
}

/// The same name as the default login of an address; `None` where the system knows none.
pub(in crate::postgres) fn login_name() -> Option<String> {
    let ask = || std::process::Command::new("id").arg("-un").output().ok();
    listed_name().or_else(|| ask().and_then(answered_name))
}

/// The name in the list of users.
fn listed_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = passwd.lines().filter_map(parse).find(|account| account.uid == uid);
    account.map(|account| account.name)
}

/// The name that `id` printed.
fn answered_name(output: std::process::Output) -> Option<String> {
    let named = Some(output).filter(|output| output.status.success());
    let name = named.and_then(|output| String::from_utf8(output.stdout).ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn parse(line: &str) -> Option<ServerAccount> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(ServerAccount { name, uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_of_users_is_read() {
        let postgres = parse("postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash");
        assert_eq!(postgres, Some(ServerAccount { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(parse("# comment"), None);
    }

    #[test]
    fn the_first_closed_directory_is_found() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("closed/open/data");
        std::fs::create_dir_all(&inner).unwrap();
        let closed = top.path().join("closed");
        std::fs::set_permissions(top.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .unwrap();
        std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        let stranger = ServerAccount { name: "stranger".into(), uid: 54321, gid: 54321 };
        assert_eq!(stranger.stopped_at(&inner), Some(closed.clone()));
        std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .unwrap();
        assert_eq!(stranger.stopped_at(&inner), None);
    }
}
