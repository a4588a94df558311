//! The program's surroundings: where things are and what the environment says.

pub mod env;
pub mod paths;
mod profile;

pub use paths::{Paths, PathsError};
pub use profile::{ProfileRefused, refuse_profile_flag, refuse_profile_variable};
