//! The program's surroundings: where things are and what the environment says.

pub mod env;
pub mod paths;
mod profile;
pub mod settings;

pub use paths::{Paths, PathsError};
pub use profile::{ProfileRefused, refuse_profile_flag, refuse_profile_variable};
pub use settings::{ConsoleSettings, Settings, SettingsError, ThemeName};
