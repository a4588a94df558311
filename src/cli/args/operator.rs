//! Arguments of the verbs about operators.

use clap::{Args, Subcommand, ValueEnum};

use crate::identity::{Level, OperatorName};

/// Verbs of `operator`.
#[derive(Debug, Clone, Subcommand)]
pub enum Operator {
    /// List the operators
    List,
    /// Create a personal login, or give a level to one that another database of the server has
    Add(Add),
    /// Set a new password for an operator
    Password(SetPassword),
    /// Remove an operator and end their sessions
    Remove(Name),
    /// Change the level of an operator; their sessions end
    Level(SetLevel),
}

/// Arguments of `operator add`.
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// The name of the login
    pub name: OperatorName,
    /// viewer, support, approver or admin
    #[arg(long, value_name = "LEVEL")]
    pub level: Level,
    /// Several people use it: every record says so, and it never writes
    #[arg(long)]
    pub shared: bool,
    /// Where the password comes from; a drawn one is shown once. The embedded server needs none
    #[arg(long, value_enum, value_name = "FROM")]
    pub password: Option<PasswordFrom>,
    /// The server knows the person by a client certificate: the same as `--password none`
    #[arg(long, conflicts_with = "password")]
    pub certificate: bool,
}

/// Where a password comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PasswordFrom {
    /// It is drawn and shown once.
    Generate,
    /// It is typed twice, unseen.
    Prompt,
    /// It is the first line of standard input.
    Stdin,
    /// There is none.
    None,
}

/// Arguments of `operator password`.
#[derive(Debug, Clone, Args)]
pub struct SetPassword {
    /// The name of the login
    pub name: OperatorName,
    /// Where the new password comes from; a drawn one is shown once
    #[arg(long, value_enum, value_name = "FROM", default_value = "generate")]
    pub password: PasswordFrom,
}

/// The operator that is meant.
#[derive(Debug, Clone, Args)]
pub struct Name {
    /// The name of the login
    pub name: OperatorName,
}

/// Arguments of `operator level`.
#[derive(Debug, Clone, Args)]
pub struct SetLevel {
    /// The name of the login
    pub name: OperatorName,
    /// viewer, support, approver or admin
    pub level: Level,
}
