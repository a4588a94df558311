//! Runs a plan of setup: the guard in one transaction, then the decisions that led to it.

use serde::Serialize;

use super::desk::SetupDesk;
use super::error::SetupError;
use super::prepare::{Prepared, Request, prepare};
use crate::failure::Failure;
use crate::isolation::guard::{Consent, Incomplete, fingerprint, install_decided};
use crate::isolation::map::{Class, MapError};
use crate::progress::Progress;

/// What setup did.
#[derive(Debug, Clone, Serialize)]
pub struct SetUp {
    /// Whether anything was done.
    pub applied: bool,
    /// Whether nothing is open.
    pub complete: bool,
    /// What is still open, why it matters and the statement that closes it.
    pub incomplete: Vec<Incomplete>,
    /// How many relations have each class, in the order root, keyed, derived, linked, global, excluded.
    pub classes: Vec<(String, usize)>,
    /// How many statements the guard took.
    pub statements: usize,
}

/// Installs what was shown.
///
/// # Errors
/// [`SetupError::Moved`] where the schema is not what it was, or what the server says; nothing was
/// changed then.
pub async fn apply(
    desk: &SetupDesk,
    request: &Request,
    prepared: &Prepared,
    consent: Consent,
    progress: &Progress,
) -> Result<SetUp, Failure> {
    // The plan is as old as the person's reading of it.
    progress.enter("looking once more");
    let again = prepare(desk, request).await?;
    if fingerprint(&again.map) != fingerprint(&prepared.map) {
        let names: Vec<&str> = again.drift.iter().map(|drift| drift.relation.as_str()).collect();
        return Err(SetupError::Moved(names.join(", ")).into());
    }
    progress.enter("installing the guard");
    let decisions = serde_json::to_value(&prepared.decisions)
        .map_err(|error| MapError::Syntax(error.to_string()))?;
    let installed = install_decided(desk.link(), &prepared.map, consent, Some(&decisions)).await?;
    let all = prepared.map.all();
    let count = |class: Class| {
        (class.as_str().to_owned(), all.iter().filter(|relation| relation.class == class).count())
    };
    let classes =
        [Class::Root, Class::Keyed, Class::Derived, Class::Linked, Class::Global, Class::Excluded];
    Ok(SetUp {
        applied: true,
        complete: installed.incomplete.is_empty(),
        incomplete: installed.incomplete,
        classes: classes.map(count).into(),
        statements: installed.plan.statements.len(),
    })
}
