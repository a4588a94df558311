//! What a person decided: hints to discovery, and relations whose class is settled. They are kept in
//! the control schema (`tenantdesk.decisions`), so that a later `setup` comes to the same map.

use serde::{Deserialize, Serialize};

use crate::isolation::map::{Members, Metric, Relation, Root, Users};

/// Flags of `setup` that steer discovery; what is not given is found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hints {
    /// The tenant root, `schema.table`; the empty text says that there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_root: Option<String>,
    /// The spellings of the tenant key in other tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenant_keys: Vec<String>,
    /// The setting that the application's policies read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The application's own role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_role: Option<String>,
}

/// Everything that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decisions {
    /// The flags.
    pub hints: Hints,
    /// The root with its columns, where somebody corrected them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// The memberships.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// The people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
    /// The setting that names the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_setting: Option<String>,
    /// Relations whose class is settled; they take the place of what would be found.
    #[serde(rename = "relation")]
    pub relations: Vec<Relation>,
    /// What is counted, in the place of what would be proposed.
    #[serde(rename = "metric", skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
}
