//! Is our own set-up sound? Checks of the server, the login, the guard and this machine.
//!
//! Nothing here writes, starts a server or needs a level for what any login can see. What cannot be
//! looked at is told as "not run" with the reason, so that the verb helps most where least works.

mod access;
mod check;
mod connection;
mod examine;
mod host;
mod safety;
mod target;
mod version;

pub use check::{Check, Verdict};
pub use examine::{Examination, examine};
pub use host::Terminal;
pub use target::present_endpoint;
