//! Arguments of the verbs about the embedded server.

use clap::{Args, Subcommand, ValueEnum};

use crate::server::Role;

/// Arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// How many tenants
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tenants: u32,
    /// How many rows altogether, about
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub rows: u64,
    /// Remove all tenants of the embedded server first; asks before
    #[arg(long)]
    pub reset: bool,
    /// Do not open the console afterwards
    #[arg(long)]
    pub no_console: bool,
}

/// Verbs of `server`.
#[derive(Debug, Clone, Subcommand)]
pub enum Server {
    /// Start the server and keep it running after this command
    Start(Start),
    /// Stop the server
    Stop,
    /// Show version, state and places
    Status,
    /// Print an address that programs can connect to
    Url(RoleChoice),
    /// Open psql on the server
    Psql(Psql),
    /// Print the server's log
    Logs(Logs),
}

/// Arguments of `server start`.
#[derive(Debug, Clone, Args)]
pub struct Start {
    /// Also listen on a loopback port, with passwords, for applications that need it
    #[arg(long)]
    pub tcp: bool,
}

/// The role of `server url`.
#[derive(Debug, Clone, Args)]
pub struct RoleChoice {
    /// As whom
    #[arg(long, value_enum, default_value_t)]
    pub role: ServerRole,
}

/// Arguments of `server psql`.
#[derive(Debug, Clone, Args)]
pub struct Psql {
    /// As whom
    #[arg(long, value_enum, default_value_t)]
    pub role: ServerRole,
    /// Arguments for psql itself, after `--`
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
}

/// Arguments of `server logs`.
#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// How many lines from the end
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub lines: u32,
}

/// A login of the embedded server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ServerRole {
    /// The application's own role.
    App,
    /// An operator of level support.
    #[default]
    Operator,
    /// The owner of the database; may create databases and roles, is no superuser.
    Owner,
}

impl From<ServerRole> for Role {
    fn from(role: ServerRole) -> Self {
        match role {
            ServerRole::App => Self::App,
            ServerRole::Operator => Self::Operator,
            ServerRole::Owner => Self::Owner,
        }
    }
}
