//! The template of provisioning: which rows make a tenant, as INSERTs with named parameters.
//!
//! It lives in the relation map, is proposed from the catalogs ([`propose()`]), may be written by
//! hand, and is run by `lifecycle::provision` in the new tenant's own session.

mod column;
mod propose;
mod step;
mod words;

pub use column::shares_people;
pub use propose::{Need, Proposed, propose};
pub use step::{Step, parse};

/// The parameters that the program itself has a value for; every other one is given by hand.
pub const KNOWN: [&str; 12] = [
    "tenant_id",
    "slug",
    "name",
    "plan",
    "email",
    "user_id",
    "user_exists",
    "user_name",
    "first_name",
    "last_name",
    "password_hash",
    "now",
];

/// Whether the program draws a fresh uuid for a parameter: `uuid_1`, `uuid_2` and so on.
#[must_use]
pub fn is_fresh(name: &str) -> bool {
    name.strip_prefix("uuid_")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The names that nobody but the operator can give a value to, in the order of their places.
#[must_use]
pub fn unknown(steps: &[Step]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in steps.iter().flat_map(Step::names) {
        if !KNOWN.contains(&name.as_str()) && !is_fresh(name) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
