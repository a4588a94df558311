//! Discovery: from what the catalogs say to a proposed relation map, with reasons, doubts and what a
//! person has to decide. Pure over the snapshot and the decisions that were made before.

mod decisions;

pub use decisions::{Decisions, Hints};
