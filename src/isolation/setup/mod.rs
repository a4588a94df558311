//! `setup`: prepares somebody's own database. It reads what is there, proposes a relation map, shows
//! all of the SQL, and then installs control schema, roles and guard in one transaction; suspends and
//! resumes it around migrations; takes everything back.
//!
//! It works on a connection of its own: the gate (`Console`) needs what setup makes. The login must
//! own the tables, may create roles, and CREATE in the database; it need not be a superuser.

mod agreement;
mod apply;
mod decide;
mod desk;
mod drift;
mod error;
mod prepare;
mod remove;
mod rights;
mod script;
mod suspend;

pub use agreement::Disagreement;
pub use apply::{SetUp, apply};
pub use decide::{Decided, Decision, Explained, decide, except, explain};
pub use desk::{SetupDesk, Standing};
pub use drift::Drift;
pub use error::SetupError;
pub use prepare::{Found, Prepared, Request, prepare, propose};
pub use remove::{Removed, remove};
pub use rights::MissingRight;
pub use script::{Phase, Script};
pub use suspend::{Suspended, suspend};
