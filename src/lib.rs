//! `tenantdesk`: support, provision, export and restore single tenants of a multi-tenant PostgreSQL.
//!
//! # Map
//!
//! Layers import downwards only (a test in `tests/it/architecture` holds it; docs/architecture.md says why).
//!
//! | layer | module | is |
//! |---|---|---|
//! | 0 | [`clock`] [`failure`] [`mod@format`] [`identity`] [`progress`] [`text`] | vocabulary: parsed names, untrusted text, progress, failures |
//! | 1 | [`config`] [`logging`] [`secret`] | settings that know their source, the log without secrets |
//! | 2 | [`postgres`] | the wire: embedded server, connection, transactions, quoting, migrations |
//! | 3 | [`catalog`] | what the database says about itself |
//! | 4 | [`audit`] [`console`] | the ledger, and the one gate to the database |
//! | 5 | [`server`] [`tenant`] [`isolation`] | the server as seen; tenants, operators, tenant sessions; relation map and guard |
//! | 6 | [`impersonation`] [`usage`] [`archive`] | capabilities; they never import each other |
//! | 7 | [`lifecycle`] | provisioning, the demo |
//! | 8 | [`startup`] [`profile`] [`command`] [`doctor`] | wiring, databases that have a name, the registry of commands, checks of ourselves |
//! | 9 | [`cli`] [`tui`] | two thin skins |

// The driver's futures nest deeply in the verbs that pipeline statements.
#![recursion_limit = "256"]

pub mod archive;
pub mod audit;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod console;
pub mod doctor;
pub mod failure;
pub mod format;
pub mod identity;
pub mod impersonation;
pub mod isolation;
pub mod lifecycle;
pub mod logging;
pub mod postgres;
pub mod profile;
pub mod progress;
pub mod secret;
pub mod server;
pub mod startup;
pub mod tenant;
pub mod text;
pub mod tui;
pub mod usage;
