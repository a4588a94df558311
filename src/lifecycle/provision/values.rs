//! The values behind a template's names. All travel as text, and the template casts them.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::plan::CreatePlan;
use crate::clock;
use crate::identity::TenantId;
use crate::isolation::template;

/// The values of one tenant, drawn once: a fresh uuid is the same wherever it is named.
#[derive(Debug)]
pub(super) struct Values(BTreeMap<String, Option<String>>);

impl Values {
    /// The values of a plan, whose ids are drawn.
    pub(super) fn of(
        plan: &CreatePlan,
        id: &TenantId,
        user_id: Option<&str>,
        hash: &SecretString,
    ) -> Self {
        let admin = plan.admin.as_ref();
        let full = admin.map(|admin| admin.name.as_str());
        let (first, last) = full.map_or((None, None), |name| {
            let (first, last) = name.split_once(' ').unwrap_or((name, ""));
            (Some(first.to_owned()), Some(last.trim().to_owned()))
        });
        let known = [
            ("tenant_id", Some(id.to_string())),
            ("slug", plan.slug.as_ref().map(ToString::to_string)),
            ("name", Some(plan.name.as_str().to_owned())),
            ("plan", plan.plan.clone()),
            ("email", admin.map(|admin| admin.email.to_string())),
            ("user_id", user_id.map(ToOwned::to_owned)),
            ("user_exists", Some(admin.is_some_and(|admin| admin.exists).to_string())),
            ("user_name", full.map(ToOwned::to_owned)),
            ("first_name", first),
            ("last_name", last),
            ("password_hash", Some(hash.expose_secret().to_owned())),
            ("now", Some(clock::now().to_rfc3339())),
        ];
        let mut values: BTreeMap<String, Option<String>> =
            known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let names = plan.statements.iter().flat_map(|(_, step)| step.names());
        for name in names.filter(|name| template::is_fresh(name)) {
            values.entry(name.clone()).or_insert_with(|| Some(Uuid::new_v4().to_string()));
        }
        values.extend(plan.values.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        Self(values)
    }

    /// The value of a name; the outer none is a name that nobody gave a value to.
    pub(super) fn get(&self, name: &str) -> Option<&Option<String>> {
        self.0.get(name)
    }
}
