//! Claims of a JSON setting, as `PostgREST` and Supabase have them: which one names the tenant and which
//! the member. `current_setting('request.jwt.claims')::json -> 'app_metadata' ->> 'org_id'` reads the
//! claim `app_metadata.org_id`.

use std::collections::BTreeMap;

use super::names::words;
use crate::catalog::Catalog;

/// The claims that somebody reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Claims {
    /// Of the tenant.
    pub(super) tenant: Option<String>,
    /// Of the member.
    pub(super) member: Option<String>,
    /// Of the member's role in the tenant.
    pub(super) role: Option<String>,
    /// Of the member's e-mail address.
    pub(super) email: Option<String>,
    /// Those that name the database role of the application, as `PostgREST` has them.
    pub(super) database_role: Vec<String>,
}

/// Claims whose value is the database role: Supabase writes it as the audience, too.
const DATABASE_ROLE: [&str; 2] = ["role", "aud"];

/// Whether a name is one for a role: its last word is.
pub(super) fn is_role(named: &[String]) -> bool {
    named.last().is_some_and(|word| word == "role")
}

/// The claims that policies, defaults and functions read. `keys` are the spellings of the tenant key:
/// a claim of the same words names the tenant.
pub(super) fn claims(catalog: &Catalog, keys: &[&str]) -> Claims {
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    let policies = catalog.relations.values().flat_map(|relation| {
        let policies = relation.policies.iter();
        let told = policies.flat_map(|policy| [&policy.using, &policy.check]).flatten();
        told.chain(relation.columns.iter().filter_map(|column| column.default.as_ref()))
    });
    for text in policies.chain(catalog.functions.iter().map(|function| &function.source)) {
        for claim in paths(text) {
            *counted.entry(claim).or_default() += 1;
        }
    }
    let keys: Vec<Vec<String>> = keys.iter().map(|key| words(key)).collect();
    let last = |claim: &str| words(claim.rsplit('.').next().unwrap_or(claim));
    let most = |names: &dyn Fn(&str) -> bool| {
        let named = counted.iter().filter(|(claim, _)| names(claim));
        named.max_by_key(|(_, count)| **count).map(|(claim, _)| claim.clone())
    };
    Claims {
        tenant: most(&|claim| keys.contains(&last(claim))),
        member: most(&|claim| ["sub", "user_id", "userId", "member_id"].contains(&claim)),
        // `role` by itself is the database role that the request came with.
        role: most(&|claim| !DATABASE_ROLE.contains(&claim) && is_role(&last(claim))),
        email: most(&|claim| claim == "email"),
        database_role: DATABASE_ROLE
            .iter()
            .filter(|claim| counted.contains_key(**claim))
            .map(|claim| (*claim).to_owned())
            .collect(),
    }
}

/// The paths of claims in a text: `-> 'a' ->> 'b'` is `a.b`.
fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, arrow) in text.match_indices("->>") {
        let Some((claim, _)) = quoted(&text[place + arrow.len()..]) else { continue };
        let mut path = vec![claim];
        let mut before = text[..place].trim_end();
        // Outer parts stand before it, the nearest last.
        while let Some(start) = before.rfind("->") {
            let Some((outer, length)) = quoted(&before[start + 2..]) else { break };
            let rest = before[start + 2 + length..].trim();
            if !rest.trim_start_matches("::text").trim_matches([')', ' ']).is_empty() {
                break;
            }
            path.insert(0, outer);
            before = before[..start].trim_end();
        }
        found.push(path.join("."));
    }
    found
}

/// A text in single quotes at the start, and how long it is with what stands before it.
fn quoted(text: &str) -> Option<(String, usize)> {
    let inside = text.trim_start().strip_prefix('\'')?;
    let end = inside.find('\'')?;
    Some((inside[..end].to_owned(), text.len() - inside.len() + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_claim_is_read() {
        for (text, path) in [
            (
                "((current_setting('request.jwt.claims'::text, true))::json ->> 'org_id'::text)",
                "org_id",
            ),
            ("(auth.jwt() -> 'app_metadata'::text) ->> 'org_id'::text", "app_metadata.org_id"),
            ("auth.jwt()->'a'->'b'->>'c'", "a.b.c"),
        ] {
            assert_eq!(paths(text), [path], "{text}");
        }
        assert!(paths("a -> b").is_empty());
    }
}
