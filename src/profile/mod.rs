//! Profiles: databases that have a name in the configuration, each with its own place for its password.
//!
//! `choose` decides which database is meant and gets its password; `add`, `list`, `remove` and `test`
//! are the verbs. Files of profiles are no business of the ledger.

mod add;
mod choose;
mod list;
mod password;
mod remove;
mod test;

pub use add::{AddProfile, add};
pub use choose::{Destination, choose, destination};
pub use list::{ProfileLine, list};
pub use password::{Ask, Stores, Wanted, asks, password};
pub use remove::{Kept, Removed, find, remove};
pub use test::{Reached, test};
