//! What discovery proposes: a verdict on every relation, the root, the keys, the setting, the
//! application role and the people, each with how sure it is and why; and what a person has to decide.
//!
//! Everything in here is for people to read and for `setup` to ask; the map alone is what is installed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::isolation::map::{Class, Members, Metric, Relation, RelationMap, Step, Users};

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The best reading of weak signs; somebody should look at it.
    Guess,
    /// Several signs agree, none proves it.
    Likely,
    /// The catalogs say so, or a person does.
    Certain,
}

impl Certainty {
    /// The word used everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// One possible answer, the best first where there are several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The answer: a setting, a role, a spelling.
    pub value: String,
    /// How much speaks for it; only good for comparing.
    pub score: u32,
    /// How sure.
    pub sure: Certainty,
    /// What speaks for it, in sentences without a period.
    pub reasons: Vec<String>,
}

/// A table that may be the tenant root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootCandidate {
    /// The table, plain name.
    pub table: String,
    /// The column that keys the tenant.
    pub key: String,
    /// How much speaks for it; only good for comparing.
    pub score: u32,
    /// What speaks for it and against it.
    pub reasons: Vec<String>,
}

/// What a tenant is in this schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "form")]
pub enum ChosenRoot {
    /// A table has a row for each tenant.
    Table {
        /// The table, plain name.
        table: String,
        /// The column that keys the tenant.
        key: String,
        /// How sure.
        sure: Certainty,
        /// Why.
        why: String,
    },
    /// There is no such table: the key is a name, in every keyed table.
    KeyOnly {
        /// The commonest spelling of the key.
        key: String,
        /// How sure.
        sure: Certainty,
        /// Why.
        why: String,
    },
    /// Nothing is convincing; a person has to say.
    Undecided {
        /// Why.
        why: String,
    },
}

/// How a tenant key is written somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spelling {
    /// The column's name.
    pub column: String,
    /// The tables that have it as their key, plain names.
    pub tables: Vec<String>,
}

/// A root whose rows form a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hierarchy {
    /// The root's column that points to another tenant.
    pub column: String,
    /// What it means for isolation, in a sentence.
    pub why: String,
}

/// A part of the map with how sure it is and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding<T> {
    /// The part.
    pub value: T,
    /// How sure.
    pub sure: Certainty,
    /// Why, in a sentence.
    pub why: String,
}

/// A tenant key that a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyFacts {
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether an index begins with it.
    pub indexed: bool,
}

/// What discovery thinks of one relation that has a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The relation as it stands in the map.
    pub relation: Relation,
    /// How sure.
    pub sure: Certainty,
    /// Why, in one sentence.
    pub why: String,
    /// What to know besides: a nullable key, a missing index, virtual references.
    pub remarks: Vec<String>,
    /// Other ways to a tenant that were found and not taken.
    pub other_paths: Vec<Vec<Step>>,
    /// Keyed relations: about the key.
    pub key: Option<KeyFacts>,
    /// Whether a person decided it.
    pub decided: bool,
}

/// A relation without a convincing class. Setup stops while there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// The relation, plain name.
    pub relation: String,
    /// Why it has no class.
    pub why: String,
    /// The class that is nearest, where one is.
    pub nearest: Option<Class>,
    /// Commands that decide it, the likeliest first.
    pub commands: Vec<String>,
}

/// Something else that a person has to say before there is a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// What is asked: `tenant root`, `tenant key`, `application role`, `map`.
    pub about: String,
    /// Why it is asked.
    pub why: String,
    /// Commands that answer it, the likeliest first.
    pub commands: Vec<String>,
}

/// What is in the database, holds no rows of its own or follows another, and so has no class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The relation, plain name.
    pub relation: String,
    /// `view`, `materialized view`, `foreign table`, `extension`, `partition`, `foreign schema`.
    pub kind: String,
    /// A partition's parent; of others, what they belong to.
    pub of: Option<String>,
}

/// A derived relation that reaches its tenant in two ways, which should agree on every row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// The relation, plain name.
    pub relation: String,
    /// The way that was taken; empty where the relation is keyed.
    pub taken: Vec<Step>,
    /// The key at the end of the way that was taken.
    pub taken_key: String,
    /// The other way.
    pub other: Vec<Step>,
    /// The key at the end of the other way.
    pub other_key: String,
}

/// Everything that discovery found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The whole map, checked; absent while something is undecided or a question is open.
    pub map: Option<RelationMap>,
    /// What a tenant is.
    pub root: ChosenRoot,
    /// Tables that may be the root, the best first.
    pub root_candidates: Vec<RootCandidate>,
    /// The root's reference to itself, where tenants form a tree.
    pub hierarchy: Option<Hierarchy>,
    /// How the tenant key is written, the commonest first.
    pub keys: Vec<Spelling>,
    /// Settings that the application's policies read, the likeliest first; the first is taken.
    pub settings: Vec<Candidate>,
    /// Settings that name the member.
    pub member_settings: Vec<Candidate>,
    /// Settings that hold the member's role.
    pub role_settings: Vec<Candidate>,
    /// Settings that hold the member's e-mail address.
    pub email_settings: Vec<Candidate>,
    /// Settings that are the same for everybody.
    pub fixed_settings: BTreeMap<String, String>,
    /// Roles that may be the application's, the likeliest first; the first is taken.
    pub application_roles: Vec<Candidate>,
    /// Memberships.
    pub members: Option<Finding<Members>>,
    /// The people.
    pub users: Option<Finding<Users>>,
    /// What is counted.
    pub metrics: Vec<Metric>,
    /// A verdict on each relation that has a class, by name.
    pub verdicts: Vec<Verdict>,
    /// Relations without a class, by name.
    pub undecided: Vec<Undecided>,
    /// What else has to be said.
    pub questions: Vec<Question>,
    /// Views, partitions and the like, by name.
    pub listed: Vec<Listed>,
    /// Relations with several ways to their tenant.
    pub agreements: Vec<Agreement>,
    /// What else a person should know.
    pub remarks: Vec<String>,
}
