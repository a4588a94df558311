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
/// Small archives for tests, whole and broken.
mod archive_fixture;
/// The format of archives: damage, forgery, other programs.
mod archive_format;
/// The shipped binary as a script sees it.
mod cli_program;
/// One tenant out: whole, stable, and nobody else.
mod export;
/// The guard is generated from a map and holds.
mod guard_install;
/// What the tests share: a real server that is surely stopped.
mod harness;
/// The harness leaves nothing behind.
mod harness_cleanup;
/// Generated pages are what the program does.
mod reference;
/// The embedded server from its first start to its end.
mod server_lifetime;
/// Where the embedded server lies and who may reach it; its verbs.
mod server_places;
/// The embedded server after kills, stale files, orphans and bad configuration.
mod server_recovery;
/// How the console behaves, driven by key strings.
mod tui_flows;
/// What the screens of the console look like.
mod tui_screens;
/// The console in a real pseudo-terminal.
mod tui_terminal;
/// Plans, limits that the database enforces, and the usage beside them.
mod usage;
