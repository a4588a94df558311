//! Discovery: from what the catalogs say to a proposed relation map, with reasons, doubts and what a
//! person has to decide. Pure over the snapshot and the decisions that were made before.

mod application;
mod assemble;
mod books;
mod choice_of_settings;
mod claims;
mod columns;
mod command;
mod decide;
mod decisions;
mod error;
mod graph;
mod keys;
mod metrics;
mod names;
mod pairs;
mod paths;
mod people;
mod proposal;
mod propose;
mod references;
mod rest;
mod root;
mod scope;
mod settings;
mod sort;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use decisions::{Decisions, Hints};
pub use error::DecisionError;
pub use proposal::{
    Agreement, Candidate, Certainty, ChosenRoot, Finding, Hierarchy, KeyFacts, Listed, Proposal,
    Question, RootCandidate, Spelling, Undecided, Verdict,
};
pub use propose::discover;
