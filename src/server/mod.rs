//! The embedded server as its owner sees it: one file for each verb of `tenantdesk server`.
//!
//! Works without a console: nothing here needs the control schema, and what it changes is a
//! process of the operating system, not a row.

pub mod logs;
pub mod loopback;
pub mod psql;
pub mod role;
pub mod start;
pub mod status;
pub mod stop;
pub mod url;

pub use role::Role;

// The skins never import `postgres`; what they hold of the server has its name here.
pub use crate::postgres::embedded::Embedded;
