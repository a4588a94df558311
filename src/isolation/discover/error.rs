//! A decision that the catalogs contradict: discovery refuses it by name, because what a person
//! decided is never quietly dropped.

use thiserror::Error;

use crate::failure::{Explain, Kind};

/// Why a decision cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecisionError {
    /// A relation that was named is not in the database.
    #[error("{decision} names `{relation}`, which is not in the database")]
    NoRelation {
        /// The flag or the decision.
        decision: String,
        /// The relation.
        relation: String,
    },
    /// A column that was named is not in its relation.
    #[error("{decision} names column `{column}` of `{relation}`, which has no such column")]
    NoColumn {
        /// The flag or the decision.
        decision: String,
        /// The relation.
        relation: String,
        /// The column.
        column: String,
    },
    /// It names what cannot have that class, or contradicts itself.
    #[error("{decision} cannot hold: {why}")]
    Impossible {
        /// The flag or the decision.
        decision: String,
        /// Why.
        why: String,
    },
}

impl Explain for DecisionError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec!["`tenantdesk tables list` shows what is decided; decide it anew with `tenantdesk tables set`".to_owned()]
    }
}
