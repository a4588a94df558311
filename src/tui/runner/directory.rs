//! Effects on tenants, members, plans and provisioning.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::Site;
use crate::config::EMBEDDED;
use crate::failure::Failure;
use crate::identity::{Level, TenantId};
use crate::isolation::relations;
use crate::lifecycle::provision::{self, CreateTenant};
use crate::profile::Destination;
use crate::progress::Progress;
use crate::startup::Target;
use crate::tenant::directory::{self, Tenant};
use crate::tenant::members;
use crate::text::Untrusted;
use crate::tui::facts::{
    Greeting, MemberFacts, ProvisionAsk, TenantFacts, TenantState, TenantTable, WelcomeFacts,
};

impl Site {
    /// Who we are, and what must be known at once.
    pub(super) async fn greet(&self) -> Result<Greeting, Failure> {
        let console = self.console().await?;
        let faults = relations::faults(&console).await?;
        let warnings = faults
            .iter()
            .map(|fault| {
                Untrusted::new(format!("guard incomplete: {}: {}", fault.object, fault.fault))
            })
            .collect();
        Ok(Greeting {
            operator: console.operator().clone(),
            // The manager has no level: he sees what a viewer sees, the database decides the rest.
            level: console.level().unwrap_or(Level::Viewer),
            shared: console.is_shared(),
            manager: console.is_manager(),
            profile: self.target(),
            warnings,
            has_people: provision::begins_with_admin(&self.connected().await?.map),
        })
    }

    /// What the target is called: after its profile, else after its database.
    pub(super) fn target(&self) -> Untrusted {
        let Destination { target, profile, .. } = &self.shared.destination;
        match (profile, target) {
            (Some(name), _) => Untrusted::from(name.as_str()),
            (None, Target::Embedded | Target::EmbeddedAs(_)) => Untrusted::from(EMBEDDED),
            (None, Target::Elsewhere(endpoint)) => Untrusted::from(endpoint.database.as_str()),
        }
    }

    /// The directory.
    pub(super) async fn tenants(&self) -> Result<TenantTable, Failure> {
        let console = self.console().await?;
        let states = self.states().await?;
        let listed = directory::list(&console).await?;
        Ok(listed.into_iter().map(|tenant| states.facts(tenant)).collect())
    }

    /// Tenants that match a text.
    pub(super) async fn find(&self, text: &str) -> Result<Vec<TenantFacts>, Failure> {
        let console = self.console().await?;
        let states = self.states().await?;
        let found = directory::find(&console, text).await?;
        Ok(found.into_iter().map(|found| states.facts(found.tenant)).collect())
    }

    /// One tenant.
    pub(super) async fn tenant(&self, id: &TenantId) -> Result<TenantFacts, Failure> {
        let console = self.console().await?;
        let tenant = directory::resolve(&console, id.as_str()).await?;
        Ok(self.states().await?.facts(tenant))
    }

    /// Its members.
    pub(super) async fn members(&self, id: &TenantId) -> Result<Vec<MemberFacts>, Failure> {
        let console = self.console().await?;
        let map = &self.connected().await?.map;
        let active = map.members.as_ref().and_then(|members| members.active.clone());
        let listed = members::list(&console, id).await?;
        Ok(listed
            .into_iter()
            .map(|member| MemberFacts {
                active: active.as_deref().is_none_or(|word| {
                    member.state.as_ref().is_some_and(|state| state.raw() == word)
                }),
                id: member.id,
                email: member.email,
                name: member.name.unwrap_or_default(),
                role: member.role.unwrap_or_default(),
                state: member.state.unwrap_or_default(),
            })
            .collect())
    }

    /// Makes a tenant.
    pub(super) async fn provision(
        &self,
        ask: ProvisionAsk,
        progress: &Progress,
    ) -> Result<WelcomeFacts, Failure> {
        let console = self.console().await?;
        let request = CreateTenant {
            name: ask.name,
            slug: Some(ask.slug),
            admin_email: ask.admin_email,
            admin_name: None,
            plan: ask.plan,
            values: BTreeMap::new(),
        };
        let plan = provision::prepare(&console, request).await?;
        let linked = plan.admin.as_ref().is_some_and(|admin| admin.exists);
        let created = provision::create(&console, plan, progress).await?;
        Ok(WelcomeFacts {
            slug: Untrusted::new(created.tenant.handle()),
            tenant: created.tenant.id,
            admin_email: created.admin.as_ref().map(|admin| Untrusted::from(admin.email.as_str())),
            temporary_password: created
                .admin
                .and_then(|admin| admin.temporary_password)
                .map(SecretString::from),
            linked,
            welcome: Untrusted::new(created.welcome),
        })
    }

    /// The target's words for the states of a tenant.
    async fn states(&self) -> Result<States, Failure> {
        let root = &self.connected().await?.map.root;
        Ok(States { active: root.active.clone(), suspended: root.suspended.clone() })
    }
}

/// The target's words for the states of a tenant.
struct States {
    active: Option<String>,
    suspended: Option<String>,
}

impl States {
    /// A tenant as the screens want it.
    fn facts(&self, tenant: Tenant) -> TenantFacts {
        let status = tenant.status.clone().unwrap_or_default();
        let is = |word: &Option<String>| word.as_deref() == Some(status.raw());
        let state = if is(&self.suspended) {
            TenantState::Suspended
        } else if is(&self.active) || self.active.is_none() {
            TenantState::Active
        } else {
            TenantState::Other
        };
        TenantFacts {
            slug: Untrusted::new(tenant.handle()),
            id: tenant.id,
            name: tenant.name.unwrap_or_default(),
            plan: tenant.plan.unwrap_or_default(),
            status,
            state,
            domain: tenant.domain.unwrap_or_default(),
            created_at: tenant.created_at,
        }
    }
}
