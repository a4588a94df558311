//! The settings that a map has a session carry: what may be named, and what may not.
//!
//! Whoever edits the map chooses what every transaction of an operator is told. No setting of the server is
//! among it, and none of ours: the guard's own would be put in another's place.

use std::collections::HashSet;

use super::map::{MapError, RelationMap};

/// Every name of a setting that the map has, the tenant's first.
fn names(map: &RelationMap) -> impl Iterator<Item = &str> {
    let people = [&map.member_setting, &map.role_setting, &map.email_setting];
    let people = people.into_iter().flatten().map(String::as_str);
    let fixed = map.settings.keys().map(String::as_str);
    std::iter::once(map.tenant_setting.as_str()).chain(people).chain(fixed)
}

/// The names are those of custom settings, and none is told two things.
///
/// # Errors
/// [`MapError`] with the name.
pub(super) fn check_settings(map: &RelationMap) -> Result<(), MapError> {
    let mut seen = HashSet::new();
    let mut documents = HashSet::new();
    for name in names(map) {
        let (setting, claim) =
            name.split_once('#').map_or((name, None), |(setting, claim)| (setting, Some(claim)));
        let ours = setting.to_ascii_lowercase().starts_with("tenantdesk.");
        let custom = setting.split('.').count() >= 2 && setting.split('.').all(is_word);
        if ours || !custom || claim.is_some_and(|claim| claim.split('.').any(str::is_empty)) {
            let why = "a setting of the application has a dot in its name and is none of ours; a claim is written `setting#claim`";
            return Err(MapError::wrong(name, why));
        }
        if !seen.insert(name.to_owned()) {
            return Err(MapError::wrong(name, "this setting is told two things"));
        }
        if claim.is_some() {
            documents.insert(setting.to_owned());
        }
    }
    match documents.iter().find(|document| seen.contains(*document)) {
        Some(document) => {
            Err(MapError::wrong(document, "it cannot be a value and a document of claims"))
        }
        None => Ok(()),
    }
}

/// A part of a setting's name, as PostgreSQL takes it.
fn is_word(part: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    part.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_') && part.chars().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RelationMap)) -> Result<(), MapError> {
        let toml = include_str!("../../assets/starter/map.toml");
        let mut map = RelationMap::from_toml(toml).unwrap();
        change(&mut map);
        check_settings(&map)
    }

    #[test]
    fn settings_of_the_server_and_ours_are_no_settings_of_the_application() {
        assert!(with(|_| {}).is_ok());
        for name in ["role", "tenantdesk.session", "TenantDesk.act", "a..b", "1.x", "x.y#", ".a"] {
            assert!(with(|map| map.role_setting = Some(name.to_owned())).is_err(), "{name}");
            let fixed = (name.to_owned(), "x".to_owned());
            assert!(with(|map| map.settings.extend([fixed])).is_err(), "{name}");
        }
        let fixed = ("request.jwt.claims#app_metadata.aud".to_owned(), "x".to_owned());
        assert!(with(|map| map.settings.extend([fixed])).is_ok());
    }

    #[test]
    fn no_setting_is_told_two_things() {
        assert!(with(|map| map.role_setting = map.member_setting.clone()).is_err());
        let both = |map: &mut RelationMap| {
            map.role_setting = Some("jwt.claims".to_owned());
            map.email_setting = Some("jwt.claims#email".to_owned());
        };
        assert!(with(both).is_err());
    }
}
