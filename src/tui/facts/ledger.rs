//! Facts on the ledger and on the server.

use chrono::{DateTime, Utc};

use crate::audit::EventPlace;
use crate::text::Untrusted;

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this tenant (slug or id).
    pub tenant: Option<String>,
    /// Of this operator.
    pub operator: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
}

/// One event.
#[derive(Debug, Clone)]
pub struct EventFacts {
    /// Its number in its chain.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// In whose chain; `None` is the installation's.
    pub tenant: Option<Untrusted>,
    /// Who.
    pub actor: Untrusted,
    /// What.
    pub action: Untrusted,
    /// On what.
    pub object: Untrusted,
    /// How it went; empty while it is not known.
    pub outcome: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Label and value of everything else that was recorded, the reason included.
    pub recorded: Vec<(String, Untrusted)>,
    /// The number of the intent whose outcome this is, in the same chain.
    pub intent: Option<i64>,
}

/// Newest events first.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<EventFacts>,
    /// Behind which event the older ones begin; `None` where there are none.
    pub older: Option<EventPlace>,
}

/// What the verification says of one chain.
#[derive(Debug, Clone)]
pub struct ChainFacts {
    /// Whose; `None` is the installation's.
    pub tenant: Option<Untrusted>,
    /// Events in it.
    pub size: i64,
    /// What is wrong, and at which number; `None` is sound.
    pub fault: Option<Untrusted>,
}

/// The server as an operator sees it.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Label and value, in the order to show: state, version, port, `socket_dir`, fsync, ..
    pub facts: Vec<(String, Untrusted)>,
    /// What `faults()` says of the guard: object and fault; empty is sound.
    pub faults: Vec<(Untrusted, Untrusted)>,
}
