//! The program's surroundings: where things are, what the environment says, what the file says.

pub mod edit;
pub mod env;
pub mod paths;
pub mod profile;
pub mod schema;
pub mod setting;
pub mod settings;
pub mod shown;

mod chosen;
mod fault;
mod reader;

pub(crate) use chosen::unknown as unknown_profile;
pub use chosen::{ChoiceError, Chosen, Named, Wish};
pub use fault::Fault;
pub use paths::{Paths, PathsError};
pub use profile::{EMBEDDED, PasswordFrom, Profile, ProfileName};
pub use settings::{ConsoleSettings, Settings, SettingsError, ThemeName};
pub use shown::{Shown, Source};
