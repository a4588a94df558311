//! Discovery: from what the catalogs say to a proposed relation map, with reasons, doubts and what a
//! person has to decide. Pure over the snapshot and the decisions that were made before.

mod decisions;
mod error;
mod proposal;
mod propose;

pub use decisions::{Decisions, Hints};
pub use error::DecisionError;
pub use proposal::{
    Agreement, Candidate, Certainty, ChosenRoot, Finding, Hierarchy, KeyFacts, Listed, Proposal,
    Question, RootCandidate, Spelling, Undecided, Verdict,
};
pub use propose::discover;
