//! The program's surroundings: where things are and what the environment says.

pub mod env;
pub mod paths;
pub mod settings;

pub use paths::{Paths, PathsError};
pub use settings::{ConsoleSettings, Settings, SettingsError, ThemeName};
