//! The only source of "now" in the program; what must hold is decided by the database's clock.

use chrono::{DateTime, Utc};

/// The present time of this machine, in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that may read the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The form of times in file names: `20261121T025720Z`.
#[must_use]
pub fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}
