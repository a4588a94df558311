//! `tenantdesk`: support, provision, export and restore single tenants of a multi-tenant PostgreSQL.
//!
//! # Map
//!
//! Layers import downwards only (a test in `tests/it/architecture.rs` holds it; docs/architecture.md says why).
//!
//! | layer | module | is |
//! |---|---|---|
//! | 0 | [`identity`] [`text`] [`progress`] [`failure`] [`clock`] [`mod@format`] | vocabulary |

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
pub mod failure;
pub mod format;
pub mod identity;
pub mod impersonation;
pub mod isolation;
pub mod lifecycle;
pub mod logging;
pub mod postgres;
pub mod progress;
pub mod secret;
pub mod server;
pub mod startup;
pub mod tenant;
pub mod text;
pub mod tui;
pub mod usage;
