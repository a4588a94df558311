//! What a person decided: hints to discovery, and relations whose class is settled. They are kept in
//! the control schema (`tenantdesk.decisions`), so that a later `setup` comes to the same map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::isolation::map::{Members, Metric, Provision, Relation, RelationMap, Root, Users};

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
    /// The setting that holds the member's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_setting: Option<String>,
    /// The setting that holds the member's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_setting: Option<String>,
    /// Settings that are the same for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<BTreeMap<String, String>>,
    /// Which rows make a tenant, in the place of what would be proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
    /// Relations whose class is settled; they take the place of what would be found.
    #[serde(rename = "relation")]
    pub relations: Vec<Relation>,
    /// What is counted, in the place of what would be proposed.
    #[serde(rename = "metric", skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
}

impl Hints {
    /// Takes over what others say; what they leave open stays.
    pub fn take(&mut self, others: &Self) {
        let mine = |mine: &mut Option<String>, other: &Option<String>| {
            if other.is_some() {
                mine.clone_from(other);
            }
        };
        mine(&mut self.tenant_root, &others.tenant_root);
        mine(&mut self.setting, &others.setting);
        mine(&mut self.application_role, &others.application_role);
        if !others.tenant_keys.is_empty() {
            self.tenant_keys.clone_from(&others.tenant_keys);
        }
    }
}

impl Decisions {
    /// Everything that a map says, as decided: discovery finds a class for new relations only.
    #[must_use]
    pub fn from_map(map: &RelationMap) -> Self {
        Self {
            hints: Hints {
                tenant_root: Some(map.root.table.clone().unwrap_or_default()),
                tenant_keys: Vec::new(),
                setting: Some(map.tenant_setting.clone()),
                application_role: Some(map.application_role.clone()),
            },
            root: Some(map.root.clone()),
            members: map.members.clone(),
            users: map.users.clone(),
            member_setting: map.member_setting.clone(),
            role_setting: map.role_setting.clone(),
            email_setting: map.email_setting.clone(),
            settings: Some(map.settings.clone()),
            provision: map.provision.clone(),
            relations: map.relations.clone(),
            metrics: Some(map.metrics.clone()),
        }
    }
}
