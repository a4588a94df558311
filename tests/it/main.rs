//! The single integration binary: one link, one cluster for all tests (docs/style.md, "Tests").

mod guard_install;
/// What the tests share: a real server that is surely stopped.
mod harness;
/// The harness leaves nothing behind.
mod harness_cleanup; // the guard is installed and holds
