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
    /// Show one event whole: all that was recorded of it
    Show(Show),
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
    /// Go on with what comes, oldest first, until Ctrl-C; with --json one object a line
    #[arg(long, short = 'f')]
    pub follow: bool,
}

/// Arguments of `audit show`.
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// The number of the event in its chain, as `audit list` shows it
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    pub seq: i64,
    /// The tenant in whose chain it stands; the installation's own chain where missing
    #[arg(long)]
    pub tenant: Option<String>,
}

/// Arguments of `audit verify`.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// The chain of one tenant; all chains where missing
    #[arg(long)]
    pub tenant: Option<String>,
}
