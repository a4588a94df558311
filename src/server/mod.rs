//! The embedded server as its owner sees it: one file for each verb of `tenantdesk server`.
//!
//! Works without a console: nothing here needs the control schema, and what it changes is a
//! process of the operating system, not a row.

pub mod introduction;
pub mod logs;
pub mod loopback;
pub mod psql;
pub mod role;
pub mod start;
pub mod status;
pub mod stop;
pub mod url;

use std::io::ErrorKind;

use crate::failure::Failure;

/// Refuses the home of somebody else: what cannot be looked into would seem to be absent.
///
/// # Errors
/// Where this user may not look into the home.
pub(crate) fn may_look(embedded: &Embedded) -> Result<(), Failure> {
    let paths = embedded.paths();
    match paths.data_dir.join("PG_VERSION").symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let message = format!("this user may not look into `{}`", paths.home.display());
            Err(Failure::refused(message).caused_by(error.to_string()).hint(
                "it seems to belong to somebody else: become that user, or name a home of your own in TENANTDESK_HOME",
            ))
        }
        _ => Ok(()),
    }
}

pub use introduction::{Introduction, introduction};
pub use role::Role;

// The skins never import `postgres`; what they hold of the server has its name here.
pub use crate::postgres::embedded::Embedded;
