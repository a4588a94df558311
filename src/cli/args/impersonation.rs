//! Arguments of the verbs about impersonation.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, Subcommand};

use crate::format::parse_duration;
use crate::identity::Reason;

/// Arguments of `impersonate`.
///
/// Without `-c` or `-f` the console opens at the session.
#[derive(Debug, Clone, Args)]
pub struct Impersonate {
    /// A slug, an id, or a text that matches one tenant
    pub tenant: String,
    /// The active member to act as: e-mail address or id
    #[arg(long = "as", value_name = "MEMBER")]
    pub member: Option<String>,
    /// Why, in at least 10 characters; the tenant can read it
    #[arg(long, value_name = "TEXT")]
    pub reason: Reason,
    /// Where the reason can be looked up
    #[arg(long)]
    pub ticket: Option<String>,
    /// Allow writing; a session is never upgraded later
    #[arg(long)]
    pub write: bool,
    /// For how long, as in 90s, 15m or 1h
    #[arg(long = "for", value_name = "SPAN", default_value = "15m", value_parser = parse_duration)]
    pub span: TimeDelta,
    /// A statement to run; may be repeated
    #[arg(short = 'c', long = "sql", value_name = "SQL", conflicts_with = "file")]
    pub statements: Vec<String>,
    /// A file of statements to run; `-` is standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Verbs of `impersonation`.
#[derive(Debug, Clone, Subcommand)]
pub enum Impersonation {
    /// List the sessions that live, or all
    List(List),
    /// Show one session
    Show(Session),
    /// End a session; your own live one where ID is missing
    End(End),
}

/// Arguments of `impersonation list`.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Also those that ended
    #[arg(long)]
    pub all: bool,
}

/// The session that is meant.
#[derive(Debug, Clone, Args)]
pub struct Session {
    /// The number of the session
    pub id: i64,
}

/// Arguments of `impersonation end`.
#[derive(Debug, Clone, Args)]
pub struct End {
    /// The number of the session
    pub id: Option<i64>,
}
