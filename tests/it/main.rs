//! The single integration binary: one link, one cluster for all tests (docs/style.md, "Tests").

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests panic to say what must hold, read their own variables and export to nobody"
)]

/// House rules as tests: layers, sizes, names, docs.
mod architecture;
/// The shipped binary as a script sees it.
mod cli_program;
/// The guard is generated from a map and holds.
mod guard_install;
/// What the tests share: a real server that is surely stopped.
mod harness;
/// The harness leaves nothing behind.
mod harness_cleanup;
/// Impersonation: starting, reading, writing, recording, ending, browsing.
mod impersonation;
/// Generated pages are what the program does.
mod reference;
