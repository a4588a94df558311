//! Tenants, operators and tenant sessions: the nouns that every capability works with.

mod claims;
pub mod directory;
pub mod follow;
pub mod live;
pub mod members;
pub mod operators;
pub mod password;
pub mod session;
mod session_role;
pub mod sessions;
pub mod trail;
