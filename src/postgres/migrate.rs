//! The migrations of the control schema: ordered, checksummed, append-only.
//!
//! They run inside the one transaction of an installation, which holds a transaction lock, so
//! concurrent installations wait for each other. A migration that was edited after it ran, or a
//! schema that is newer than this program, is refused.

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::error::ServerError;
use super::sql::Sql;
use super::transaction::Transaction;
use crate::failure::{Explain, Kind};

/// One migration.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1, without gaps.
    pub version: i32,
    /// The file's name without the number.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// Builds the list from the files, so that a name cannot differ from its file.
macro_rules! migrations {
    ($($digits:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            version: number($digits),
            name: $name,
            sql: include_str!(concat!("../../migrations/", $digits, "_", $name, ".sql")),
        }),+]
    };
}

/// The number that the four digits of a file's name are.
const fn number(digits: &str) -> i32 {
    let (mut number, mut rest) = (0, digits.as_bytes());
    while let [digit, after @ ..] = rest {
        number = number * 10 + (*digit - b'0') as i32;
        rest = after;
    }
    number
}

/// All migrations of this program, in order.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001" "create_ledger",
    "0002" "create_operators",
    "0003" "create_tenant_sessions",
    "0004" "create_operations",
    "0005" "manage_operators",
    "0006" "create_relations",
    "0007" "create_plans",
    "0008" "advance_sequences",
    "0009" "create_jobs",
    "0010" "tell_the_tenant",
    "0011" "watch_sessions",
];

/// Why migrations stop.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database was set up by a newer program.
    #[error("the control schema is at version {found}, and this program knows {known}")]
    Newer {
        /// The version in the database.
        found: i32,
        /// The newest version that this program knows.
        known: i32,
    },
    /// A migration is not the one that ran.
    #[error("migration {version} ({name}) is not the one that ran on this database")]
    Changed {
        /// Its number.
        version: i32,
        /// Its name.
        name: &'static str,
    },
    /// The server refused a migration.
    #[error("migration {version} ({name}) failed")]
    Failed {
        /// Its number.
        version: i32,
        /// Its name.
        name: &'static str,
        /// What the server said.
        source: ServerError,
    },
    /// The server refused the bookkeeping.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl Explain for MigrateError {
    fn kind(&self) -> Kind {
        match self {
            Self::Newer { .. } | Self::Changed { .. } => Kind::Refused,
            Self::Failed { .. } | Self::Server(_) => Kind::Server,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Newer { .. } => vec!["install the newer tenantdesk".to_owned()],
            Self::Changed { .. } => {
                vec!["the migrations of this build were edited; use a released build".to_owned()]
            }
            Self::Failed { source, .. } => source.hints(),
            Self::Server(error) => error.hints(),
        }
    }
}

/// Runs what is missing, inside the caller's transaction; gives how many ran.
///
/// # Errors
/// [`MigrateError`]; the caller's transaction is then of no use.
pub async fn migrate(transaction: &Transaction<'_>) -> Result<usize, MigrateError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let applied = transaction
        .query(
            &Sql::new("select version, checksum from tenantdesk.migrations order by version"),
            &[],
        )
        .await?;
    transaction.batch(&Sql::new("reset role")).await?;
    let known = MIGRATIONS.len();
    if let Some(newest) = applied.last().map(|row| row.get::<_, i32>(0)) {
        let last = i32::try_from(known).unwrap_or(i32::MAX);
        if newest > last {
            return Err(MigrateError::Newer { found: newest, known: last });
        }
    }
    for (migration, row) in MIGRATIONS.iter().zip(&applied) {
        let checksum: &[u8] = row.get(1);
        if checksum != Sha256::digest(migration.sql).as_slice() {
            return Err(MigrateError::Changed { version: migration.version, name: migration.name });
        }
    }
    for migration in &MIGRATIONS[applied.len()..] {
        run(transaction, migration).await?;
    }
    Ok(known - applied.len())
}

/// Runs one migration and records it.
async fn run(transaction: &Transaction<'_>, migration: &Migration) -> Result<(), MigrateError> {
    let Migration { version, name, sql } = *migration;
    let failed = |source| MigrateError::Failed { version, name, source };
    transaction.batch(&Sql::new(sql)).await.map_err(failed)?;
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await.map_err(failed)?;
    let checksum = Sha256::digest(sql).to_vec();
    transaction
        .execute(
            &Sql::new(
                "insert into tenantdesk.migrations (version, name, checksum) values ($1, $2, $3)",
            ),
            &[&version, &name, &checksum],
        )
        .await
        .map_err(failed)?;
    transaction.batch(&Sql::new("reset role")).await.map_err(failed)
}
