//! The wire: where a server is, how to reach it, and SQL as a value.

pub mod connect;
pub mod embedded;
pub mod endpoint;
pub mod error;
pub mod migrate;
pub mod sql;
pub mod transaction;

pub use connect::{Canceller, Hangup, Link, connect};
pub use embedded::{Embedded, EmbeddedServer};
pub use endpoint::Endpoint;
pub use error::{Meaning, ServerError};
pub use sql::{Ident, RelationName, Sql, plain};
pub use transaction::{Isolation, Preamble, Transaction};
