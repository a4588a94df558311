//! `manifest.json` and `digest.json`: what an archive says about itself.
//!
//! Both are promises to later versions of this program and to people who read an archive by hand
//! (docs/archive-format.md), so nothing else derives serde here. Unknown fields are refused: an
//! archive of a later version is named as such before the strict reading begins.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::digest::{LineSum, Sha};

/// The word in `format` of the manifest.
pub const FORMAT: &str = "tenantdesk-archive";
/// The format version that this program writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// `manifest.json`, the first member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// The format version.
    pub version: u32,
    /// The program that wrote the archive, `tenantdesk 0.1.0`.
    pub tool: String,
    /// When the snapshot was taken, by the database's clock; whole seconds, and the `mtime` of
    /// every member.
    pub taken_at: DateTime<Utc>,
    /// Where the rows come from.
    pub source: Source,
    /// Whose rows they are.
    pub tenant: ArchivedTenant,
    /// The settings that fix the text form of values, as they stood while the rows were read.
    pub text: BTreeMap<String, String>,
    /// The relations with rows in this archive, parents before children.
    pub relations: Vec<ArchivedRelation>,
    /// The relations (or a part of their rows) that are left out, each with the reason.
    pub omitted: Vec<OmittedRelation>,
}

/// The server, the database and the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// As the server reports it, for people.
    pub server_version: String,
    /// The number, for programs.
    pub server_version_num: u32,
    /// Which cluster: the system identifier, a text because it exceeds 2^53.
    pub system_identifier: String,
    /// The database.
    pub database: String,
    /// `pg_current_snapshot()` of the reading transaction.
    pub snapshot: String,
}

/// The tenant at the time of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedTenant {
    /// The key, as text.
    pub id: String,
    /// The slug, where the target has one.
    pub slug: Option<String>,
    /// The display name.
    pub name: String,
    /// How tenants are kept apart: `shared`, `schema` or `database`.
    pub model: String,
}

/// How the rows of a relation belong to the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchivedClass {
    /// The tenant's own row of the root table.
    Root,
    /// A column names the tenant.
    Keyed,
    /// The tenant is known through a path of foreign keys.
    Derived,
    /// Rows that other tenants share; only ever added, never changed.
    Linked,
}

/// One relation, with all that is needed to read its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedRelation {
    /// Its place in the order, from 1; the directory of its members.
    pub ordinal: u16,
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// How the rows belong to the tenant.
    pub class: ArchivedClass,
    /// The column that names the tenant (root, keyed).
    pub key: Option<String>,
    /// The foreign keys that lead to a keyed relation, nearest first (derived).
    pub path: Vec<PathStep>,
    /// The same for a polymorphic pair, one way for each word; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<ArchivedWay>,
    /// The columns of each line, in this order; generated ones are not among them.
    pub columns: Vec<ArchivedColumn>,
    /// The generated columns, for comparison only.
    pub generated: Vec<String>,
    /// The primary key, or empty.
    pub primary_key: Vec<String>,
    /// What the lines are sorted by.
    pub order: Vec<String>,
}

/// The way to the tenant of rows whose column holds a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedWay {
    /// The column that holds the word.
    pub column: String,
    /// The word.
    pub word: String,
    /// The foreign keys that lead to a keyed relation, nearest first.
    pub path: Vec<PathStep>,
}

/// One foreign key on the way to the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathStep {
    /// The columns here; a single one is written as a text.
    #[serde(rename = "column", with = "crate::isolation::one_or_many")]
    pub columns: Vec<String>,
    /// The parent, as SQL needs it.
    pub references: String,
    /// The columns there.
    #[serde(with = "crate::isolation::one_or_many")]
    pub referenced: Vec<String>,
}

/// One column of the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedColumn {
    /// The name.
    pub name: String,
    /// The type as `format_type` prints it.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// Whether the value comes from an identity, and which kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// The two kinds of identity columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// `generated always as identity`.
    Always,
    /// `generated by default as identity`.
    ByDefault,
}

/// A relation whose rows are not in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OmittedRelation {
    /// The relation, schema-qualified.
    pub name: String,
    /// `global`, `excluded`, or `shared`: then only rows without a tenant key are meant.
    pub class: String,
    /// Why, where the map says so.
    pub reason: Option<String>,
}

/// `digest.json`, the last member but one: what the reader must find again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestDocument {
    /// The format version.
    pub version: u32,
    /// Every member before this one, in order.
    pub members: Vec<MemberDigest>,
    /// Every relation of the manifest, in order, also those without rows.
    pub relations: Vec<RelationDigest>,
    /// All raw bytes of the file before the header of this member.
    pub file: FileDigest,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberDigest {
    /// The name.
    pub name: String,
    /// Bytes as they stand in the file.
    pub bytes: u64,
    /// Of these bytes.
    pub sha256: Sha,
    /// Lines in it; none for the manifest.
    pub rows: u64,
    /// Bytes after decompression; for the manifest the same as `bytes`.
    pub raw_bytes: u64,
}

/// One relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelationDigest {
    /// As in the manifest.
    pub ordinal: u16,
    /// Lines.
    pub rows: u64,
    /// Bytes of all lines, line ends included.
    pub bytes: u64,
    /// The sum modulo 2^256 of the SHA-256 of each line, its line end included.
    pub line_sum: LineSum,
}

/// All that stands before `digest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// How many bytes.
    pub bytes: u64,
    /// Of these bytes.
    pub sha256: Sha,
}

impl Manifest {
    /// Whether the relations stand in order with the ordinals 1, 2, 3 and no name twice.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        let mut names = std::collections::BTreeSet::new();
        self.relations.iter().zip(1_u16..).all(|(relation, ordinal)| {
            relation.ordinal == ordinal && names.insert((&relation.schema, &relation.table))
        }) && u16::try_from(self.relations.len()).is_ok()
    }
}
