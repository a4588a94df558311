//! Arguments of the verbs about plans and usage.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use crate::clock;
use crate::format::{self, InvalidUntil};
use crate::identity::Reason;

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

/// Verbs of `limit`.
#[derive(Debug, Clone, Subcommand)]
pub enum Limit {
    /// Set another hard limit for one tenant, until a date
    Override(Override),
}

/// Arguments of `limit override`.
#[derive(Debug, Clone, Args)]
pub struct Override {
    /// A slug, an id, or a text that matches one tenant
    pub tenant: String,
    /// What is counted, as `plan list` names it
    pub metric: String,
    /// How much is allowed
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_amount)]
    pub hard: i64,
    /// When it ends: a day (to its end, UTC), a time as in 2027-01-31T18:00:00Z, or a span as in 30d
    #[arg(long, value_name = "TIME", value_parser = parse_until)]
    pub until: DateTime<Utc>,
    /// Why, in at least 10 characters
    #[arg(long, value_name = "TEXT")]
    pub reason: Reason,
}

/// Reads a limit: nothing, or more.
fn parse_amount(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(amount) if amount >= 0 => Ok(amount),
        Ok(_) => Err("a limit is 0 or more".to_owned()),
        Err(_) => Err("it is no whole number".to_owned()),
    }
}

/// Reads a day, which counts to its end, a time with an offset, or a span.
fn parse_until(text: &str) -> Result<DateTime<Utc>, InvalidUntil> {
    format::parse_until(text, clock::now())
}
