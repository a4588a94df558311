//! TLS to servers over a network, by rustls with ring: what an address asks for becomes a
//! connector for the driver.

mod connector;
mod files;
mod verifier;

pub(in crate::postgres) use connector::connector;
pub use files::TlsFileError;
