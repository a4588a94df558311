//! Effects on the installation: the relation map and the operators.

use super::Site;
use crate::failure::Failure;
use crate::isolation::relations;
use crate::tenant::operators;
use crate::text::Untrusted;
use crate::tui::facts::{MapFacts, MappedRelation, OperatorFacts};

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
}
