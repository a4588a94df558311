//! Why a restore did not happen: each with what to do, and always with nothing changed.

use thiserror::Error;

use crate::archive::plan::PlannedRelation;
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
    #[error("after the restore `{relation}` did not hold the rows of the archive{}", told(.rows))]
    Differs {
        /// The relation.
        relation: String,
        /// A few of the rows: the key and the columns that differ.
        rows: Vec<String>,
    },
    /// A row that has to go is still referred to.
    #[error(
        "a row of `{relation}` that the archive does not hold cannot be removed: another row refers to it"
    )]
    Referenced {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// A trigger of the target raised an error.
    #[error("a trigger refused a row of `{relation}`")]
    Trigger {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// Something that runs with the statement has no right to do what it does.
    #[error("writing `{relation}` asks for a right that a restore does not have")]
    NoRight {
        /// The relation.
        relation: String,
        /// What the server said.
        source: Box<ServerError>,
    },
    /// Rows of others would have gone or changed with the tenant's own.
    #[error(
        "{} of `{relation}` that a restore must leave alone would be changed or removed with the tenant's",
        crate::format::counted(*.rows, "row")
    )]
    Reaches {
        /// The relation.
        relation: String,
        /// How many.
        rows: i64,
    },
}

/// A word as a shell takes it.
fn in_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", crate::text::screen(word).replace('\'', "'\\''"))
}

/// Rows for people, and nothing where none is known.
fn told(rows: &[String]) -> String {
    if rows.is_empty() { String::new() } else { format!(": {}", rows.join("; ")) }
}

impl RestoreError {
    /// What the server said before a row of the target was touched.
    pub(super) fn staging(relation: &str, source: ServerError) -> Self {
        Self::Server { relation: relation.to_owned(), source: Box::new(source) }
    }

    /// Understands what the server said while it wrote a relation.
    pub(super) fn of(relation: &str, source: ServerError) -> Self {
        let (relation, source) = (relation.to_owned(), Box::new(source));
        let by_policy = source.to_string().contains("row-level security");
        match source.state() {
            Some("44000") => Self::OtherTenant { relation, source },
            Some("42501") if by_policy => Self::OtherTenant { relation, source },
            Some("42501") => Self::NoRight { relation, source },
            Some("P0001") => Self::Trigger { relation, source },
            Some("23505" | "23P01") => Self::Collision { relation, source },
            Some("23503") => Self::Orphan { relation, source },
            _ => Self::Server { relation, source },
        }
    }

    /// Understands what the server said of foreign keys that had waited.
    pub(super) fn waiting(relations: &[PlannedRelation], source: ServerError) -> Self {
        let has = |relation: &&PlannedRelation| {
            relation.keys.iter().any(|key| source.constraint() == Some(key.name.as_str()))
        };
        let relation = relations.iter().find(has);
        Self::of(relation.map_or("foreign keys", |relation| &relation.name), source)
    }

    /// The relations it is about: one statement can write several.
    pub(super) fn relations(&self) -> Vec<&str> {
        match self {
            Self::Differs { relation, .. }
            | Self::Collision { relation, .. }
            | Self::Orphan { relation, .. }
            | Self::Referenced { relation, .. } => relation.split("`, `").collect(),
            _ => Vec::new(),
        }
    }

    /// Understands what the server said while it deleted rows of a relation.
    pub(super) fn deleting(relation: &str, source: ServerError) -> Self {
        match Self::of(relation, source) {
            Self::Orphan { relation, source } => Self::Referenced { relation, source },
            other => other,
        }
    }
}

impl Explain for RestoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Server { source, .. } => source.kind(),
            Self::Differs { .. } => Kind::Negative,
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
            Self::Unconfirmed { expected, .. } => vec![format!("write --confirm {}", in_shell(expected))],
            Self::Busy => {
                vec!["wait until it ends; `tenantdesk impersonation list` shows it".into()]
            }
            Self::Moved(_) => vec!["look at the plan again: --dry-run".into(), unchanged],
            Self::Collision { .. } => vec![
                unchanged,
                "`--mode replace` first removes what the archive does not hold".into(),
            ],
            Self::Server { source, .. } => source.hints().into_iter().chain([unchanged]).collect(),
            Self::Orphan { source, .. } => {
                let key = source.constraint().map(|key| {
                    format!("the foreign key is `{}`; rows that broke it before it held (NOT VALID) cannot be written again", crate::text::screen(key))
                });
                [unchanged].into_iter().chain(key).collect()
            }
            Self::Referenced { .. } => vec![
                unchanged,
                "rows of other tenants can refer to it, too; `--mode missing` removes nothing".into(),
            ],
            Self::Trigger { .. } => vec![
                unchanged,
                "`--mode missing` only inserts: it does without UPDATE and DELETE".into(),
            ],
            Self::NoRight { .. } => vec![
                unchanged,
                "a trigger that writes other tables needs a SECURITY DEFINER function: a restore inserts with one role and updates with another".into(),
            ],
            Self::Reaches { .. } => vec![
                unchanged,
                "a foreign key with ON DELETE CASCADE or SET NULL, or a trigger, does it".into(),
            ],
            Self::Differs { .. } => vec![
                unchanged,
                "a trigger changes rows as they are inserted, or the application wrote meanwhile"
                    .into(),
            ],
            Self::OtherTenant { .. }
            | Self::GuardBroken(_)
            | Self::Role { .. } => vec![unchanged],
        }
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Differs { relation, .. } => {
                let rows = Vec::new();
                Some(Self::Differs { relation: relation.clone(), rows }.to_string())
            }
            _ => None,
        }
    }
}
