//! The single integration binary: one link, one cluster for all tests (docs/style.md, "Tests").

/// What the tests share: a real server that is surely stopped.
mod harness;
/// The harness leaves nothing behind.
mod harness_cleanup;
