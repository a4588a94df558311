//! Arguments of the verbs about archives.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::identity::Reason;

/// Arguments of `export`.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// A slug, an id, or a text that matches one tenant
    pub tenant: String,
    /// The file to write, `-` for standard output; a new file among the archives where missing
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long)]
    pub force: bool,
}

/// Verbs of `archive`.
#[derive(Debug, Clone, Subcommand)]
pub enum Archive {
    /// List the archives of this installation
    List,
    /// Show what an archive holds; needs no database
    Inspect(File),
    /// Verify every byte of an archive; needs no database
    Verify(File),
}

/// The archive that is meant.
#[derive(Debug, Clone, Args)]
pub struct File {
    /// The file
    pub archive: PathBuf,
}

/// Arguments of `restore`.
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// The file; `-` is standard input
    pub archive: PathBuf,
    /// What to do with rows that the tenant has
    #[arg(long, value_enum, default_value_t)]
    pub mode: RestoreMode,
    /// Show what would be done, and change nothing. CONFLICTS counts rows that cannot be written: they name another tenant, or collide by a unique key with a row of this one; unique keys of expressions, of a part of the rows or of other tenants' rows are checked only when it runs
    #[arg(long)]
    pub dry_run: bool,
    /// The slug of the tenant (the id where there is none), typed again; asked for on a terminal
    #[arg(long, value_name = "SLUG")]
    pub confirm: Option<String>,
    /// Why, in at least 10 characters; asked for on a terminal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Reason>,
}

/// What a restore does with rows that the tenant has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RestoreMode {
    /// Insert rows that are missing; leave all others as they are.
    #[default]
    Missing,
    /// Make the tenant as it was in the archive: insert, change and delete.
    Replace,
}
