//! The embedded server: PostgreSQL of this machine, run for this program alone.
//!
//! **What of `postgresql_embedded` is used, and what not.** It finds and downloads the server
//! programs (`download`). It does not drive them: it always creates the superuser `postgres` with a
//! password in a 0644 file and clear-text authentication, starts with `-F` (fsync off), builds
//! the server's options as one unquoted string (a space in a path breaks them), trusts a stale
//! pid file, and **dropping any clone of its handle stops the server**, also one it only found
//! running. So `initdb` and `postgres` are run here as plain processes with argument lists.
//!
//! **As root** the processes alone run as another account, through `CommandExt::uid` and `gid`
//! (no `unsafe`, and no wrapper programs, which only the library would have needed).
//!
//! **Lifetime**: whoever uses the server holds a shared lock ([`EmbeddedServer`]); the last one
//! out stops it, unless it was asked to stay. The system drops the locks of a killed process, so
//! a killed console leaves a server that the next one attaches to, and stops.
//!
//! Reading order: `server`, `start`, `stop`, `postmaster`, `initialise`, `programs`.

pub(in crate::postgres) mod account;
mod download;
mod error;
mod ident;
mod initialise;
mod locks;
mod logs;
mod postmaster;
mod programs;
mod server;
mod start;
mod state;
mod stop;

pub use account::{ServerAccount, os_user};
pub use error::EmbeddedError;
pub use logs::tail;
pub use programs::{Download, Programs, Search};
pub use server::{Embedded, EmbeddedServer, SetupLock, StartOptions};
pub use state::{Observation, State};

/// The superuser of the embedded server. Only the operating system's user of this program can
/// log in as it, and only the program's own set-up does.
pub const SUPERUSER: &str = "embedded_superuser";

/// The number in the socket's name, unless TCP asks for another.
pub const PORT: u16 = 5432;
