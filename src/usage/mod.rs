//! What tenants use of what they bought: plans, limits, and the measured numbers beside them.
//! The database refuses what goes over a limit (isolation/guard/limits.rs); this only shows it.

mod limit;
pub mod plans;
pub mod report;

pub use limit::{Gauge, LimitSource, LimitState, Limits, OverrideLimit, fullness, override_limit};
