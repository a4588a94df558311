//! What keeps tenants apart: the relation map and the guard that is generated from it.

pub mod discover;
pub mod guard;
pub mod map;
pub mod relations;
pub mod setup;
pub mod template;
