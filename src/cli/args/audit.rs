//! Arguments of the verbs about the ledger.

use chrono::TimeDelta;
use clap::{Args, Subcommand};

use crate::format::parse_duration;
use crate::identity::OperatorName;

/// Verbs of `audit`.
#[derive(Debug, Clone, Subcommand)]
pub enum Audit {
    /// Read the ledger, newest first
    List(List),
    /// Verify the chains; names the first bad row
    Verify(Verify),
}

/// Arguments of `audit list`.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Of one tenant only
    #[arg(long)]
    pub tenant: Option<String>,
    /// By one operator only
    #[arg(long, value_name = "NAME")]
    pub operator: Option<OperatorName>,
    /// Of one action only
    #[arg(long, value_name = "WORD")]
    pub action: Option<String>,
    /// Not older than this span, as in 2h or 7d
    #[arg(long, value_name = "SPAN", value_parser = parse_duration)]
    pub since: Option<TimeDelta>,
}

/// Arguments of `audit verify`.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// The chain of one tenant; all chains where missing
    #[arg(long)]
    pub tenant: Option<String>,
}
