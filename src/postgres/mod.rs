//! The wire: where a server is, how to reach it, and SQL as a value.

pub mod connect;
pub mod embedded;
pub mod endpoint;
pub mod error;
pub mod migrate;
pub mod sql;
mod tls;
pub mod transaction;
pub mod unreachable;

pub use connect::{Canceller, Hangup, Link, asks_for_password, connect};
pub use embedded::{Embedded, EmbeddedServer};
pub use endpoint::Endpoint;
pub use error::{Meaning, ServerError};
pub use sql::{Ident, RelationName, Sql, plain};
pub use tls::TlsFileError;
pub use transaction::{Isolation, Preamble, Transaction};
pub use unreachable::{Unreachable, Why};
