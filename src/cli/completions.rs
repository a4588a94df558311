//! `completions`: a script for a shell, made from the same tree as the help.

use super::args::program::Completions;
use super::invocation::Invocation;
use super::parse;
use crate::failure::Failure;

/// Prints the script.
///
/// # Errors
/// Where the JSON form cannot be encoded.
pub(super) fn print(invocation: &mut Invocation, args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut parse::command(), "tenantdesk", &mut script);
    let document = serde_json::json!({ "script": String::from_utf8_lossy(&script) });
    invocation.answer(&document, |printer| printer.raw(&script))
}
