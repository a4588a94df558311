//! Why setup stops. Nothing was changed then.

use thiserror::Error;

use super::rights::MissingRight;
use crate::failure::{Explain, Kind};
use crate::isolation::discover::{Question, Undecided};

/// Why setup stops.
#[derive(Debug, Error)]
pub enum SetupError {
    /// Relations have no class.
    #[error("{} of the database cannot be classified, and nothing may stay unclassified: {}", tables(.0.len()), names(.0))]
    Undecided(Vec<Undecided>),
    /// Something else has to be said first.
    #[error("setup has to know more: {}", .0.iter().map(|q| q.why.as_str()).collect::<Vec<_>>().join("; "))]
    Questions(Vec<Question>),
    /// The login may not do it.
    #[error("`{login}` lacks rights that setup needs: {}", .missing.iter().map(|m| m.object.as_str()).collect::<Vec<_>>().join("; "))]
    Rights {
        /// Who is connected.
        login: String,
        /// What is missing.
        missing: Vec<MissingRight>,
    },
    /// There is nothing that could be suspended or removed.
    #[error("this database was never set up for tenantdesk")]
    NotSetUp,
    /// Somebody else manages the installation.
    #[error("`{0}` neither owns this database nor ran setup on it")]
    NotManager(String),
    /// It is suspended, and something else than going on was asked.
    #[error("the guard is suspended ({0})")]
    Suspended(String),
    /// It is not suspended.
    #[error("the guard is not suspended")]
    NotSuspended,
    /// The schema has moved on since the plan.
    #[error("the schema has changed since the plan was shown: {0}")]
    Moved(String),
    /// The confirmation is another one.
    #[error("`--confirm {given}` does not name the database, which is `{database}`")]
    Confirmation {
        /// What was given.
        given: String,
        /// The database.
        database: String,
    },
    /// No relation of that name.
    #[error("there is no table `{0}` in this database")]
    NoRelation(String),
    /// A word of a decision cannot be read.
    #[error("`{given}` is not of the form {form}")]
    Form {
        /// What was given.
        given: String,
        /// The form.
        form: &'static str,
    },
}

/// `1 table`, `3 tables`.
fn tables(count: usize) -> String {
    if count == 1 { "1 table".to_owned() } else { format!("{count} tables") }
}

/// The first few names.
fn names(undecided: &[Undecided]) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<&str> = undecided.iter().take(SHOWN).map(|u| u.relation.as_str()).collect();
    if undecided.len() > SHOWN {
        names.push("..");
    }
    names.join(", ")
}

impl Explain for SetupError {
    fn kind(&self) -> Kind {
        match self {
            Self::Form { .. } => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        let all = |commands: &[String]| commands.first().cloned();
        match self {
            Self::Undecided(undecided) => {
                let mut hints: Vec<String> =
                    undecided.iter().filter_map(|one| all(&one.commands)).collect();
                hints.push("`tenantdesk tables list` shows what was found, `tables explain TABLE` says why".to_owned());
                hints
            }
            Self::Questions(questions) => {
                questions.iter().flat_map(|question| question.commands.clone()).collect()
            }
            Self::Rights { missing, .. } => {
                let mut hints: Vec<String> =
                    missing.iter().map(|one| format!("{};  -- {}", one.fix, one.why)).collect();
                hints.dedup();
                hints
            }
            Self::NotSetUp => vec!["`tenantdesk setup` sets it up".to_owned()],
            Self::NotManager(_) => {
                vec![
                    "run it as the owner of the database, or as the login that ran setup"
                        .to_owned(),
                ]
            }
            Self::Suspended(_) => vec!["`tenantdesk setup --resume` puts it back".to_owned()],
            Self::NotSuspended | Self::Moved(_) => {
                vec!["`tenantdesk setup` brings the guard up to date".to_owned()]
            }
            Self::Confirmation { database, .. } => vec![format!("give `--confirm {database}`")],
            Self::NoRelation(_) => vec!["`tenantdesk tables list` shows them".to_owned()],
            Self::Form { .. } => vec!["`tenantdesk tables set --help` shows examples".to_owned()],
        }
    }
}
