//! Why a restore did not happen: each with what to do, and always with nothing changed.

use thiserror::Error;

use crate::failure::{Explain, Kind};
use crate::postgres::ServerError;

/// Why nothing was restored.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The archive does not fit this database.
    #[error("the archive does not fit this database: `{relation}`: {why}")]
    Unfit {
        /// The relation.
        relation: String,
        /// What differs.
        why: String,
    },
    /// The tenant is not here.
    #[error("the archive's tenant `{0}` is not in this database")]
    NoTenant(String),
    /// The confirmation names something else.
    #[error("the confirmation `{given}` does not match `{expected}`")]
    Unconfirmed {
        /// What was typed.
        given: String,
        /// What had to be typed.
        expected: String,
    },
    /// The guard was taken away while the restore ran.
    #[error("the guard is not whole any more, so nothing was committed: {0}")]
    GuardBroken(String),
    /// Another restore of this tenant is running.
    #[error("another restore of this tenant is running")]
    Busy,
    /// The database is not as the preview saw it.
    #[error("`{0}` changed since the preview")]
    Moved(String),
    /// A row names another tenant; the guard refused it.
    #[error(
        "a row of `{relation}` in the archive belongs to another tenant, and the database refused it"
    )]
    OtherTenant {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// A value that must be unique is taken, perhaps by another tenant.
    #[error("a row of `{relation}` in the archive collides with one that is there")]
    Collision {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// A row refers to one that is in neither.
    #[error(
        "a row of `{relation}` refers to one that is neither in the archive nor in the database"
    )]
    Orphan {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// The server refused.
    #[error("`{relation}` could not be restored")]
    Server {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// The session has lost the role that the next statements need.
    #[error("the session may not act as `{role}` any more: it was ended or has expired")]
    Role {
        /// The role.
        role: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// The rows in the target are not those of the archive.
    #[error("after the restore `{0}` did not hold the rows of the archive")]
    Differs(String),
}

impl RestoreError {
    /// What the server said before a row of the target was touched.
    pub(super) fn staging(relation: &str, source: ServerError) -> Self {
        Self::Server { relation: relation.to_owned(), source: Box::new(source) }
    }

    /// Understands what the server said while it wrote a relation.
    pub(super) fn of(relation: &str, source: ServerError) -> Self {
        let (relation, source) = (relation.to_owned(), Box::new(source));
        match source.state() {
            Some("42501" | "44000") => Self::OtherTenant { relation, source },
            Some("23505" | "23P01") => Self::Collision { relation, source },
            Some("23503") => Self::Orphan { relation, source },
            _ => Self::Server { relation, source },
        }
    }
}

impl Explain for RestoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Server { source, .. } => source.kind(),
            Self::Differs(_) => Kind::Negative,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let unchanged = "nothing was changed".to_owned();
        match self {
            Self::Unfit { .. } => vec!["restore into a database of the same schema version".into()],
            Self::NoTenant(_) => {
                vec!["a restore goes into the tenant that was exported; make it first".into()]
            }
            Self::Unconfirmed { expected, .. } => vec![format!("write --confirm {expected}")],
            Self::Busy => {
                vec!["wait until it ends; `tenantdesk impersonation list` shows it".into()]
            }
            Self::Moved(_) => vec!["look at the plan again: --dry-run".into(), unchanged],
            Self::Collision { .. } => vec![
                unchanged,
                "`--mode replace` first removes what the archive does not hold".into(),
            ],
            Self::Server { source, .. } => source.hints().into_iter().chain([unchanged]).collect(),
            Self::Differs(_) => vec![
                unchanged,
                "a trigger changes rows as they are inserted, or the application wrote meanwhile"
                    .into(),
            ],
            Self::OtherTenant { .. }
            | Self::Orphan { .. }
            | Self::GuardBroken(_)
            | Self::Role { .. } => vec![unchanged],
        }
    }
}
