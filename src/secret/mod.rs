//! Secrets and keys: types that cannot be printed, and where they are kept.
//!
//! A password lies in the operating system's keyring, or, where there is none, in a file that a
//! passphrase encrypts; never in plain text.

pub mod keyring;
pub mod passwords;
pub mod signing_key;

pub use keyring::{Keyring, KeyringError};
pub use passwords::{PasswordFile, PasswordFileError};
