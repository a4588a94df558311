//! Where a database is and how to get in: sockets and hosts, their addresses, passwords.

mod address;
mod encoding;
mod invalid;
mod parameters;
mod passfile;
mod password;
mod resolve;

pub use address::{Binding, Endpoint, Place, Roots, SslMode, TlsWish};
pub use invalid::InvalidAddress;
pub(in crate::postgres) use invalid::PASSWORD_PLACES;
pub use parameters::Parameters;
pub use password::{Credential, Password, Source};
