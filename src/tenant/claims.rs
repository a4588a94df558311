//! How a transaction tells the application's policies whose it is: a setting that holds the tenant, or
//! a JSON document of claims (`request.jwt.claims`), as `PostgREST` and Supabase set it.
//!
//! The map writes a claim as `setting#claim`, a claim inside another as `setting#outer.inner`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The settings of a transaction with their values; claims of one setting are one document.
#[must_use]
pub(super) fn settings(named: &[(&str, &str)]) -> Vec<(String, String)> {
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
