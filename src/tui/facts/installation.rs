//! Facts on the installation: the relation map and the operators.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::identity::{Level, OperatorName};
use crate::text::Untrusted;

/// The relation map as it is installed.
#[derive(Debug, Clone)]
pub struct MapFacts {
    /// Its relations, the root first.
    pub relations: Vec<MappedRelation>,
    /// What `faults()` says of the guard: object and fault; empty is sound.
    pub faults: Vec<(Untrusted, Untrusted)>,
}

/// One relation of the map.
#[derive(Debug, Clone)]
pub struct MappedRelation {
    /// Schema-qualified, quoted as SQL would need it.
    pub name: Untrusted,
    /// `root`, `keyed`, `derived`, `linked`, `global` or `excluded`.
    pub class: Untrusted,
    /// The tenant key.
    pub key: Option<Untrusted>,
    /// Why it is excluded.
    pub reason: Option<Untrusted>,
    /// `policy`, `view` or `none`.
    pub guard: Untrusted,
    /// The estimate of its rows, all tenants together.
    pub rows_estimate: Option<i64>,
}

/// One operator.
#[derive(Debug, Clone)]
pub struct OperatorFacts {
    /// The login.
    pub name: OperatorName,
    /// What it may do.
    pub level: Level,
    /// Whether several people use it.
    pub shared: bool,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// By whom.
    pub added_by: Untrusted,
}

/// Somebody who is to be an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAsk {
    /// The login.
    pub name: OperatorName,
    /// What it may do.
    pub level: Level,
    /// Whether several people use it.
    pub shared: bool,
    /// Whether the server knows it by a certificate: then there is no password.
    pub certificate: bool,
}

/// Somebody who is an operator now.
#[derive(Debug, Clone)]
pub struct AddedFacts {
    /// The login.
    pub name: OperatorName,
    /// What it may do.
    pub level: Level,
    /// How to log in from here, without a password.
    pub url: Untrusted,
    /// The password that was drawn, shown once.
    pub password: Option<SecretString>,
    /// Whether another database of the server had the login already.
    pub joined: bool,
}
