//! Arguments of the verbs about profiles and the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::{PasswordFrom, ProfileName, ThemeName};

/// Verbs of `profile`.
#[derive(Debug, Clone, Subcommand)]
pub enum Profile {
    /// List the profiles; never a password, only where it comes from
    List,
    /// Give the database of `--url` a name, and keep its password
    Add(Add),
    /// Connect to a profile and say what is there
    Test(Name),
    /// Remove a profile and its password
    Remove(Name),
}

/// Arguments of `profile add`.
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// The name of the profile; its address is given with `--url`
    pub name: ProfileName,
    /// keyring, file (encrypted with a passphrase), prompt, env:VARIABLE or none; else keyring, or none for a local socket
    #[arg(long, value_name = "WHERE")]
    pub password_from: Option<PasswordFrom>,
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
    /// The colours of the console there: dark, light, high-contrast, plain or production
    #[arg(long, value_name = "THEME")]
    pub theme: Option<ThemeName>,
    /// Use it where nothing else names a database
    #[arg(long)]
    pub default: bool,
}

/// The profile that is meant.
#[derive(Debug, Clone, Args)]
pub struct Name {
    /// The name of the profile
    pub name: String,
}

/// Verbs of `config`.
#[derive(Debug, Clone, Subcommand)]
pub enum Config {
    /// Print every value with what it comes from
    Show,
    /// Report everything that is wrong with a configuration file
    Validate(Validate),
}

/// Arguments of `config validate`.
#[derive(Debug, Clone, Args)]
pub struct Validate {
    /// The file; else the one that is in use
    pub file: Option<PathBuf>,
}
