//! Secrets and keys: types that cannot be printed, and where they are kept.

pub mod signing_key;
