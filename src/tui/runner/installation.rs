//! Effects on the installation: the relation map and the operators.

use super::Site;
use crate::failure::Failure;
use crate::identity::{Level, OperatorName};
use crate::isolation::relations;
use crate::lifecycle::operators::{self as logins, AddOperator, Credential};
use crate::progress::Progress;
use crate::tenant::operators::{self, Gone, Login};
use crate::text::Untrusted;
use crate::tui::facts::{AddedFacts, MapFacts, MappedRelation, OperatorAsk, OperatorFacts};

impl Site {
    /// The relation map, and what is wrong with the guard.
    pub(super) async fn tables(&self) -> Result<MapFacts, Failure> {
        let console = self.console().await?;
        let listed = relations::list(&console).await?;
        let relation = |listed: relations::ListedRelation| MappedRelation {
            name: Untrusted::new(listed.name),
            class: Untrusted::new(listed.class),
            key: listed.key.map(Untrusted::new),
            reason: listed.reason.map(Untrusted::new),
            guard: Untrusted::new(listed.guard),
            rows_estimate: listed.rows_estimate,
        };
        Ok(MapFacts {
            relations: listed.into_iter().map(relation).collect(),
            faults: self.faults().await?,
        })
    }

    /// What is wrong with the guard: object and fault.
    pub(super) async fn faults(&self) -> Result<Vec<(Untrusted, Untrusted)>, Failure> {
        let console = self.console().await?;
        let faults = relations::faults(&console).await?;
        let fault =
            |fault: relations::Fault| (Untrusted::new(fault.object), Untrusted::new(fault.fault));
        Ok(faults.into_iter().map(fault).collect())
    }

    /// The operators.
    pub(super) async fn operators(&self) -> Result<Vec<OperatorFacts>, Failure> {
        let console = self.console().await?;
        let operator = |operator: operators::Operator| OperatorFacts {
            name: operator.name,
            level: operator.level,
            shared: operator.shared,
            added_at: operator.added_at,
            added_by: Untrusted::new(operator.added_by),
        };
        Ok(operators::list(&console).await?.into_iter().map(operator).collect())
    }

    /// Adds one, and lets them in.
    pub(super) async fn add_operator(&self, ask: OperatorAsk) -> Result<AddedFacts, Failure> {
        let console = self.console().await?;
        let OperatorAsk { name, level, shared, certificate } = ask;
        let credential = certificate.then_some(Credential::Without);
        let ask = AddOperator { name, level, shared, credential };
        let added = logins::add(&console, ask, &Progress::silent()).await?;
        Ok(AddedFacts {
            name: added.name,
            level: added.level,
            url: Untrusted::new(added.url),
            password: added.password,
            joined: added.login == Login::Joined,
        })
    }

    /// Gives one another level.
    pub(super) async fn set_level(&self, name: &OperatorName, level: Level) -> Result<(), Failure> {
        Ok(operators::level(&self.console().await?, name, level).await?)
    }

    /// Removes one; whether the login stays for another database.
    pub(super) async fn remove_operator(&self, name: &OperatorName) -> Result<bool, Failure> {
        let console = self.console().await?;
        Ok(logins::remove(&console, name, &Progress::silent()).await? == Gone::Kept)
    }
}
