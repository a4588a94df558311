//! The wire: where a server is, how it is started, how it is spoken to.

pub mod endpoint;

pub use endpoint::Endpoint;
