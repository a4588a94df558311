//! What keeps tenants apart: the relation map and the guard that is generated from it.

pub mod discover;
pub mod guard;
pub mod map;
pub(crate) mod one_or_many;
pub mod relations;
mod setting_names;
pub mod setup;
pub mod template;
