//! The single integration binary: one link, one cluster for all tests (docs/style.md, "Tests").
