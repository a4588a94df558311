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
    /// The event trigger against definitions by operators, where it can be made.
    pub const REFUSE_DEFINITIONS: &str = include_str!("sql/refuse_definitions.sql");
    /// Functions of the application that operators need by name.
    pub const NEEDED_FUNCTIONS: &str = include_str!("sql/needed_functions.sql");
    /// Gives the owners' roles back.
    pub const LEAVE: &str = include_str!("sql/leave.sql");
}

pub use condition::GuardError;
pub(in crate::isolation) use doors::attempt as attempt_setup;
pub use install::{
    Consent, Incomplete, InstallError, Installed, application_grants, fingerprint, install,
    install_control, install_decided,
};
pub(in crate::isolation) use install::{begin as begin_setup, run as run_setup};
pub use plan::{Extras, GuardPlan, meter, plan};
