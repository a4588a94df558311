//! `paths`: every place on disk that the program uses.

use std::collections::BTreeMap;

use super::invocation::Invocation;
use crate::config::Paths;
use crate::failure::Failure;

/// Prints the places.
///
/// # Errors
/// Where there is no home directory to derive them from.
pub(super) fn print(invocation: &mut Invocation) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let listing: Vec<(&str, String)> = paths
        .listing()
        .into_iter()
        .map(|(name, path)| (name, path.to_string_lossy().into_owned()))
        .collect();
    let document = BTreeMap::from([("paths", listing.iter().cloned().collect::<BTreeMap<_, _>>())]);
    invocation.answer(&document, |printer| printer.pairs(listing))
}
