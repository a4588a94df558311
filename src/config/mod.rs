//! The program's surroundings: where things are and what the environment says.

pub mod env;
pub mod paths;

pub use paths::{Paths, PathsError};
