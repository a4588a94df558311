//! The guard: all that ties our roles to their live tenant session, generated from the relation
//! map and installed in one transaction. docs/security.md says what it stops and what not.

mod condition;
mod directory;
mod doors;
mod draw;
mod functions;
mod host;
mod install;
mod limits;
mod measure;
mod plan;
mod policies;
mod record;
mod rights;
mod roles;
mod views;

/// The scripts around an installation, to be read before it runs.
pub mod sources {
    /// Roles, and the control schema's first table.
    pub const ENTER: &str = include_str!("sql/enter.sql");
    /// Takes the guard off.
    pub const CLEAR: &str = include_str!("sql/clear.sql");
    /// Gives the owners' roles back.
    pub const LEAVE: &str = include_str!("sql/leave.sql");
}

pub use condition::GuardError;
pub use host::REFUSE_DEFINITIONS;
pub use install::{
    Consent, Incomplete, InstallError, Installed, fingerprint, install, install_control,
};
pub(in crate::isolation) use install::{begin as begin_setup, run as run_setup};
pub use plan::{Extras, GuardPlan, plan};
