//! Who may log in: the map from the operating system's user to our login roles.
//!
//! The socket lies in a 0700 directory and asks for no password; `peer` lets in exactly the user
//! that runs this program, as exactly the roles that are listed here.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::account::{self, ServerAccount};
use super::error::EmbeddedError;

/// The name of the map, in `pg_hba.conf` and `pg_ident.conf`.
const MAP: &str = "tenantdesk";

/// The text of `pg_hba.conf`. TCP is closed unless `server start --tcp` opens it, and then it is
/// for the application alone: an operator could give himself a password.
pub(super) const HBA: &str = "\
# Written by tenantdesk when it made this data directory.
# TYPE  DATABASE  USER                ADDRESS       METHOD
local   all       all                               peer map=tenantdesk
host    all       embedded_superuser  all           reject
host    app       app_user            127.0.0.1/32  scram-sha-256
";

/// The roles in a map file that a user may log in as.
fn logins(text: &str, user: &str) -> BTreeSet<String> {
    let prefix = format!("{MAP} \"{user}\" \"");
    let entries = text.lines().filter_map(|line| line.strip_prefix(&prefix)?.strip_suffix('"'));
    entries.map(str::to_owned).collect()
}

fn render(user: &str, roles: &BTreeSet<String>) -> String {
    let mut text =
        String::from("# Written by tenantdesk. MAP  SYSTEM-USERNAME  DATABASE-USERNAME\n");
    for role in roles {
        text.push_str(&entry(user, role));
    }
    text
}

fn entry(user: &str, role: &str) -> String {
    format!("{MAP} \"{user}\" \"{role}\"\n")
}

/// Changes the roles that the user may log in as; says whether the file was written.
/// The caller lets the server read it.
pub(super) fn change(
    data_dir: &Path,
    user: &str,
    account: Option<&ServerAccount>,
    edit: impl FnOnce(&mut BTreeSet<String>),
) -> Result<bool, EmbeddedError> {
    let path = data_dir.join("pg_ident.conf");
    let io = EmbeddedError::io;
    let text = std::fs::read_to_string(&path).map_err(io("read", &path))?;
    let before = logins(&text, user);
    let mut roles = before.clone();
    edit(&mut roles);
    if roles == before {
        return Ok(false);
    }
    for name in roles.iter().map(String::as_str).chain([user]) {
        check(name)?;
    }
    // Written beside and moved into place: the server never reads half a file.
    let mut new = tempfile::Builder::new()
        .prefix("pg_ident.")
        .tempfile_in(data_dir)
        .map_err(io("write in", data_dir))?;
    new.write_all(render(user, &roles).as_bytes()).map_err(io("write", new.path()))?;
    let private = std::fs::Permissions::from_mode(0o600);
    new.as_file().set_permissions(private).map_err(io("change the rights of", &path))?;
    account::give(account, new.path())?;
    new.as_file().sync_all().map_err(io("write", &path))?;
    new.persist(&path).map_err(|error| io("write", &path)(error.error))?;
    Ok(true)
}

/// A name must not end its quotes, nor mean a pattern or a group.
fn check(name: &str) -> Result<(), EmbeddedError> {
    let odd = |c: char| c == '"' || c.is_control();
    if name.is_empty() || name.starts_with(['/', '+']) || name == "all" || name.contains(odd) {
        return Err(EmbeddedError::NoLoginName(crate::text::screen(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_added_once_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pg_ident.conf");
        std::fs::write(&file, "# what initdb wrote\n").unwrap();
        let add = |role: &str| {
            change(dir.path(), "a user", None, |roles| {
                roles.insert(role.to_owned());
            })
        };
        assert!(add("app_user").unwrap());
        assert!(add("app_owner").unwrap());
        assert!(!add("app_user").unwrap());
        let text = std::fs::read_to_string(&file).unwrap();
        let entries: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            entries,
            ["tenantdesk \"a user\" \"app_owner\"", "tenantdesk \"a user\" \"app_user\""]
        );
        assert!(change(dir.path(), "a user", None, BTreeSet::clear).unwrap());
        assert_eq!(logins(&std::fs::read_to_string(&file).unwrap(), "a user").len(), 0);
    }

    #[test]
    fn names_that_mean_more_than_themselves_are_refused() {
        for bad in ["", "all", "+group", "/^.*$", "a\"b", "a\nb"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("ann-2").is_ok());
    }
}
