//! The guard: all that ties our roles to their live tenant session, generated from the relation
//! map and installed in one transaction. docs/security.md says what it stops and what not.

mod condition;
mod directory;
mod doors;
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

pub use condition::GuardError;
pub use host::REFUSE_DEFINITIONS;
pub use install::{Consent, Incomplete, InstallError, Installed, fingerprint, install};
pub use plan::{Extras, GuardPlan, plan};
