//! The JSON Schema of the configuration file, for editors: made from the table of settings, so that
//! it allows what the program reads. Published as docs/reference/config.schema.json.

use serde_json::{Map, Value, json};

use super::profile::PasswordFrom;
use super::setting::{CONSOLE, Kind, PROFILE, Setting, TOP};

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut top = properties(TOP);
    top.insert("console".to_owned(), table("How the console looks and which keys it has", CONSOLE));
    let mut profile = table("A database with a name", PROFILE);
    profile["anyOf"] = json!([
        { "required": ["url"] },
        { "required": ["host", "database", "user"] },
    ]);
    top.insert(
        "profiles".to_owned(),
        json!({
            "description": "Databases that have a name",
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,63}$", "not": { "const": "embedded" } },
            "additionalProperties": profile,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tenantdesk: config.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": top,
    })
}

fn table(description: &str, settings: &[Setting]) -> Value {
    json!({
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "properties": properties(settings),
    })
}

fn properties(settings: &[Setting]) -> Map<String, Value> {
    settings.iter().map(|setting| (setting.name.to_owned(), property(setting))).collect()
}

fn property(setting: &Setting) -> Value {
    let mut property = match setting.kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Port => json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Password => json!({ "type": "string", "pattern": PasswordFrom::PATTERN }),
        Kind::Keys => json!({
            "type": "object",
            "additionalProperties": { "type": "array", "items": { "type": "string" } },
        }),
    };
    property["description"] = setting.purpose.into();
    if let Some(default) = setting.default {
        property["default"] = match (setting.kind, default.parse::<u16>()) {
            (Kind::Port, Ok(port)) => port.into(),
            (Kind::Flag, _) => (default == "true").into(),
            _ => default.into(),
        };
    }
    property
}
