//! Arguments of the verbs about plans and usage.

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `usage`.
#[derive(Debug, Clone, Args)]
pub struct Usage {
    /// A slug, an id, or a text that matches one tenant; all tenants where missing
    pub tenant: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: UsageFormat,
}

/// How `usage` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UsageFormat {
    /// A table, or one document with --json.
    #[default]
    Table,
    /// One JSON object a line, a tenant each.
    Jsonl,
}

/// Verbs of `plan`.
#[derive(Debug, Clone, Subcommand)]
pub enum Plan {
    /// List the plans
    List,
    /// Show one plan and its limits
    Show(Which),
}

/// The plan that is meant.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The name of the plan
    pub plan: String,
}
