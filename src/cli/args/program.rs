//! Arguments of the verbs about the program itself.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Clone, Args)]
pub struct Man {
    /// The verb whose page is wanted, as in `man tenant create`; the program's own where missing
    pub verb: Vec<String>,
}
