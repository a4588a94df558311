//! How a transaction tells the application's policies whose it is: a setting that holds the tenant, or
//! a JSON document of claims (`request.jwt.claims`), as `PostgREST` and Supabase set it.
//!
//! The map writes a claim as `setting#claim`, a claim inside another as `setting#outer.inner`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::isolation::map::RelationMap;

/// The setting that says who acts in the member's place. For the application's own log: whoever holds a
/// session can set it to anything, so it is no evidence; the ledger is.
const ACTOR: &str = "tenantdesk.act";

/// Who acts as whom in a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actors<'a> {
    /// The operator.
    pub(super) operator: &'a str,
    /// The session's number.
    pub(super) session: i64,
    /// The tenant's id.
    pub(super) tenant: &'a str,
    /// The member's id.
    pub(super) member: Option<&'a str>,
    /// The member's role in the tenant.
    pub(super) role: Option<&'a str>,
    /// The member's e-mail address.
    pub(super) email: Option<&'a str>,
}

/// What every transaction of a session tells the application, with its values.
#[must_use]
pub(super) fn told(map: &RelationMap, actors: &Actors<'_>) -> Vec<(String, String)> {
    let mut named: Vec<(&str, &str)> =
        map.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    named.push((map.tenant_setting.as_str(), actors.tenant));
    let people = [
        (&map.member_setting, actors.member),
        (&map.role_setting, actors.role),
        (&map.email_setting, actors.email),
    ];
    named.extend(people.iter().filter_map(|(name, value)| Some((name.as_deref()?, (*value)?))));
    let mut told = settings(&named);
    // As the `act` of RFC 8693: the outermost is who acts now.
    let act = json!({ "sub": actors.operator, "session": actors.session });
    told.push((ACTOR.to_owned(), act.to_string()));
    told
}

/// The settings of a transaction with their values; claims of one setting are one document.
fn settings(named: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut plain = Vec::new();
    let mut documents: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (name, value) in named {
        match name.split_once('#') {
            Some((setting, claim)) => put(documents.entry(setting).or_default(), claim, value),
            None => plain.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    let documents = documents
        .into_iter()
        .map(|(setting, document)| (setting.to_owned(), Value::Object(document).to_string()));
    plain.into_iter().chain(documents).collect()
}

/// Puts a claim where it belongs.
fn put(document: &mut Map<String, Value>, claim: &str, value: &str) {
    match claim.split_once('.') {
        Some((outer, inner)) => {
            let place =
                document.entry(outer.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(place) = place {
                put(place, inner, value);
            }
        }
        None => {
            document.insert(claim.to_owned(), Value::String(value.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_one_setting_are_one_document() {
        let told = settings(&[
            ("jwt#org_id", "7"),
            ("app.user", "ann"),
            ("jwt#sub", "u\"1"),
            ("jwt#app_metadata.role", "x"),
        ]);
        assert_eq!(told[0], ("app.user".to_owned(), "ann".to_owned()));
        let document: Value = serde_json::from_str(&told[1].1).unwrap();
        assert_eq!(told[1].0, "jwt");
        let expected =
            serde_json::json!({ "org_id": "7", "sub": "u\"1", "app_metadata": { "role": "x" } });
        assert_eq!(document, expected);
    }
}
