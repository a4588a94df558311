//! Arguments of the verbs about operators.

use clap::{Args, Subcommand};

use crate::identity::{Level, OperatorName};

/// Verbs of `operator`.
#[derive(Debug, Clone, Subcommand)]
pub enum Operator {
    /// List the operators
    List,
    /// Create a personal login
    Add(Add),
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
