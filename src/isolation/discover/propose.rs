//! The way through discovery, question by question: see the files beside it.

use super::decisions::Decisions;
use super::error::DecisionError;
use super::proposal::{ChosenRoot, Proposal};
use crate::catalog::Catalog;

/// Proposes a relation map for what the catalogs say.
///
/// # Errors
/// [`DecisionError`] where a decision contradicts the catalogs.
pub fn discover(_catalog: &Catalog, _decisions: &Decisions) -> Result<Proposal, DecisionError> {
    Ok(Proposal {
        map: None,
        root: ChosenRoot::Undecided { why: "nothing was looked at yet".to_owned() },
        root_candidates: Vec::new(),
        hierarchy: None,
        keys: Vec::new(),
        settings: Vec::new(),
        member_settings: Vec::new(),
        application_roles: Vec::new(),
        members: None,
        users: None,
        metrics: Vec::new(),
        verdicts: Vec::new(),
        undecided: Vec::new(),
        questions: Vec::new(),
        listed: Vec::new(),
        agreements: Vec::new(),
    })
}
