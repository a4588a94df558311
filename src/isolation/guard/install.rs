//! Installs the guard: one transaction, restrictive policies first, rights last. Needs three
//! rights (owner of the tables, CREATEROLE, CREATE on the database), never a superuser.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::condition::GuardError;
use super::plan::{Extras, GuardPlan, plan};
use super::roles::{SESSION_ROLES, list};
use super::{doors, host, record};
use crate::catalog::{CatalogError, load};
use crate::failure::{Explain, Kind};
use crate::isolation::map::{MapError, RelationMap};
use crate::postgres::migrate::{MigrateError, migrate};
use crate::postgres::{Ident, Isolation, Link, Preamble, ServerError, Sql, Transaction};

/// What may be done to the target beyond our own roles and policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Close what every login gets from PUBLIC and what walks around a guard.
    pub close_doors: bool,
    /// Put triggers on the counted tables that enforce plan limits.
    pub enforce_limits: bool,
    /// Where nobody may make an event trigger, put a restrictive policy for every role on tables
    /// that have a permissive one: it costs the application a little in each query.
    pub pin_public: bool,
}

/// How often an installation is tried where others hold what it needs, or change roles meanwhile.
const ATTEMPTS: u32 = 5;
/// How long a lock is waited for: while it is, the application's statements wait behind it.
const LOCK_TIMEOUT: &str = "2s";
/// How many statements are sent before an answer is awaited.
const AT_ONCE: usize = 64;

/// Something that keeps the guard from being whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// The object.
    pub object: String,
    /// Why it matters.
    pub why: String,
    /// The statement that closes it.
    pub fix: String,
}

/// What an installation did.
#[derive(Debug, Clone)]
pub struct Installed {
    /// How many migrations of the control schema ran.
    pub migrations: usize,
    /// The guard as it was run.
    pub plan: GuardPlan,
    /// What is still open.
    pub incomplete: Vec<Incomplete>,
}

/// Why an installation did not happen. Nothing was changed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// The map and the catalogs do not agree.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The map cannot be read.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The catalogs cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The control schema cannot be migrated.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A statement of the guard was refused.
    #[error("setup failed at: {statement}")]
    Statement {
        /// The statement, shortened.
        statement: String,
        /// What the server said.
        source: ServerError,
    },
    /// The server refused something around it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl InstallError {
    /// A statement that was refused; its beginning is enough to know it.
    fn at(statement: &Sql, source: ServerError) -> Self {
        let lines: Vec<&str> = statement.as_str().lines().take(2).collect();
        let statement = lines.join(" ").chars().take(300).collect();
        Self::Statement { statement, source }
    }

    /// Whether it may go well another time: a lock was not given, or somebody else changed the same
    /// role or made the same thing meanwhile.
    fn passes(&self) -> bool {
        let (Self::Statement { source, .. }
        | Self::Server(source)
        | Self::Migrate(MigrateError::Failed { source, .. } | MigrateError::Server(source))) = self
        else {
            return false;
        };
        let collided = ["pg_authid_rolname_index", "pg_auth_members", "pg_db_role_setting"];
        let constraint = source.constraint().unwrap_or_default();
        // XX000: a catalog's row was changed by somebody else at the same moment. 42704, 42710: a role went
        // or came between two statements, with the last or first installation of another database.
        let states = ["55P03", "40P01", "40001", "XX000", "42704", "42710"];
        source.state().is_some_and(|state| states.contains(&state))
            || collided.iter().any(|part| constraint.starts_with(part))
    }
}

impl Explain for InstallError {
    fn kind(&self) -> Kind {
        match self {
            Self::Guard(error) => error.kind(),
            Self::Map(error) => error.kind(),
            Self::Catalog(error) => error.kind(),
            Self::Migrate(error) => error.kind(),
            Self::Statement { source, .. } | Self::Server(source) => source.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Guard(error) => error.hints(),
            Self::Migrate(error) => error.hints(),
            Self::Statement { source, .. } | Self::Server(source) => source.hints(),
            Self::Map(_) | Self::Catalog(_) => Vec::new(),
        }
    }
}

/// Installs or renews control schema and guard. Locks are waited for only shortly, and all of it is
/// tried again a few times, because the application's statements would wait behind a long wait.
///
/// # Errors
/// [`InstallError`]; the transaction is rolled back and nothing was changed.
pub async fn install(
    link: &Link,
    map: &RelationMap,
    consent: Consent,
) -> Result<Installed, InstallError> {
    install_decided(link, map, consent, None).await
}

/// As [`install`], and keeps the decisions that led to the map in the same transaction.
///
/// # Errors
/// As [`install`].
pub async fn install_decided(
    link: &Link,
    map: &RelationMap,
    consent: Consent,
    decisions: Option<&serde_json::Value>,
) -> Result<Installed, InstallError> {
    let mut attempts = 1;
    loop {
        match install_once(link, map, consent, decisions).await {
            Err(error) => wait_for_another(&mut attempts, error).await?,
            done => return done,
        }
    }
}

/// Waits before another attempt, where a lock was not given or roles were changed meanwhile.
async fn wait_for_another(attempts: &mut u32, error: InstallError) -> Result<(), InstallError> {
    if *attempts >= ATTEMPTS || !error.passes() {
        return Err(error);
    }
    tracing::info!(attempts, %error, "setup is tried again");
    tokio::time::sleep(Duration::from_millis(250 << *attempts)).await;
    *attempts += 1;
    Ok(())
}

/// One attempt. What takes many round trips comes first: from the first policy on, the application's
/// statements wait for the end of it.
async fn install_once(
    link: &Link,
    map: &RelationMap,
    consent: Consent,
    decisions: Option<&serde_json::Value>,
) -> Result<Installed, InstallError> {
    let transaction = begin(link).await?;
    run(&transaction, Sql::new(include_str!("sql/enter.sql"))).await?;
    let migrations = migrate(&transaction).await?;
    let catalog = load(&transaction, Some(&map.application_role)).await?;
    let has_trigger = consent.close_doors && host::refuse_definitions(&transaction).await?;
    let pin_public = consent.pin_public && !has_trigger;
    let plan = plan(map, &catalog, Extras { limits: consent.enforce_limits, pin_public })?;
    record::record(&transaction, map, &catalog, &plan, consent).await?;
    if let Some(decisions) = decisions {
        record::decisions(&transaction, decisions).await?;
    }
    if consent.close_doors {
        doors::close(&transaction, &map.application_role).await?;
    }
    run(&transaction, Sql::new(include_str!("sql/clear.sql"))).await?;
    run_all(&transaction, &plan.statements).await?;
    grant_application(&transaction, &map.application_role).await?;
    doors::let_the_archivist_stage(&transaction).await?;
    if consent.enforce_limits {
        // The triggers are there and nobody writes past them: what is counted now stays true.
        run(
            &transaction,
            Sql::new(
                "set local role tenantdesk_owner; select tenantdesk.refill_counters(); reset role",
            ),
        )
        .await?;
    }
    // After the doors: what PUBLIC could run until then, operators need by name now.
    grant_needed_functions(&transaction).await?;
    let incomplete = doors::incomplete(&transaction).await?;
    record::seal(&transaction, incomplete.len()).await?;
    run(&transaction, Sql::new(include_str!("sql/leave.sql"))).await?;
    transaction.commit().await?;
    Ok(Installed { migrations, plan, incomplete })
}

/// Installs roles and control schema, and nothing on the target's tables: decisions about a schema
/// are kept there before it can be guarded.
///
/// # Errors
/// [`InstallError`]; nothing was changed then.
pub async fn install_control(link: &Link) -> Result<(), InstallError> {
    let mut attempts = 1;
    loop {
        match control_once(link).await {
            Err(error) => wait_for_another(&mut attempts, error).await?,
            done => return done,
        }
    }
}

/// One attempt at the control schema.
async fn control_once(link: &Link) -> Result<(), InstallError> {
    let transaction = begin(link).await?;
    run(&transaction, Sql::new(include_str!("sql/enter.sql"))).await?;
    migrate(&transaction).await?;
    record::manager(&transaction).await?;
    run(&transaction, Sql::new(include_str!("sql/leave.sql"))).await?;
    Ok(transaction.commit().await?)
}

/// Begins a transaction of setup, alone on this database.
///
/// # Errors
/// What the server says.
pub(in crate::isolation) async fn begin(link: &Link) -> Result<Transaction<'_>, InstallError> {
    let transaction = Transaction::begin(
        link,
        Preamble {
            isolation: Isolation::ReadWrite,
            role: None,
            // The path is ours: a function that somebody made in a schema of his would else be run
            // with the rights of setup.
            settings: &[("lock_timeout", LOCK_TIMEOUT), ("search_path", "pg_catalog, pg_temp")],
        },
    )
    .await?;
    // Concurrent installations wait for each other; the lock ends with the transaction.
    transaction.batch(&Sql::new("select pg_catalog.pg_advisory_xact_lock(8431652)")).await?;
    Ok(transaction)
}

/// Runs one generated statement and names it where it fails.
///
/// # Errors
/// [`InstallError::Statement`].
pub(in crate::isolation) async fn run(
    transaction: &Transaction<'_>,
    statement: Sql,
) -> Result<(), InstallError> {
    let result = transaction.batch(&statement).await;
    result.map_err(|source| InstallError::at(&statement, source))
}

/// Runs statements, many on the way at once: a remote server answers each after a while only.
async fn run_all(transaction: &Transaction<'_>, statements: &[Sql]) -> Result<(), InstallError> {
    for some in statements.chunks(AT_ONCE) {
        let results = join_all(some.iter().map(|statement| transaction.batch(statement))).await;
        for (statement, result) in some.iter().zip(results) {
            result.map_err(|source| InstallError::at(statement, source))?;
        }
    }
    Ok(())
}

/// Whoever is subject to a policy or a default must be able to run the functions it calls.
async fn grant_needed_functions(transaction: &Transaction<'_>) -> Result<(), InstallError> {
    let rows = transaction.query(&Sql::new(include_str!("sql/needed_functions.sql")), &[]).await?;
    for row in rows {
        let routine: String = row.get(0);
        // regprocedure prints a quoted, qualified name: it is SQL already.
        let statement = Sql::fill(
            "grant execute on routine {routine} to {roles}",
            &[("routine", &Sql::danger_declared_text(routine)), ("roles", &list(SESSION_ROLES))],
        );
        run(transaction, statement).await?;
    }
    Ok(())
}

/// What the application may do for the tenant of its own transaction: leave work for later, tell
/// of events, and read what operators did.
async fn grant_application(transaction: &Transaction<'_>, role: &str) -> Result<(), InstallError> {
    run(transaction, application_grants(role)).await
}

/// The rights of the application on functions of ours.
#[must_use]
pub fn application_grants(role: &str) -> Sql {
    let role = Sql::from(&Ident::new(role));
    Sql::fill(
        "set local role tenantdesk_owner; grant usage on schema tenantdesk to {role}; \
         grant execute on function tenantdesk.enqueue_job, tenantdesk.audit_event to {role}; \
         set local role tenantdesk_ledger; grant execute on function tenantdesk.tenant_audit to {role}; reset role",
        &[("role", &role)],
    )
}

/// The sources that generate the guard: a program that would generate another one installs it.
const GENERATOR: [&str; 17] = [
    include_str!("condition.rs"),
    include_str!("directory.rs"),
    include_str!("doors.rs"),
    include_str!("draw.rs"),
    include_str!("functions.rs"),
    include_str!("install.rs"),
    include_str!("limits.rs"),
    include_str!("measure.rs"),
    include_str!("plan.rs"),
    include_str!("policies.rs"),
    include_str!("record.rs"),
    include_str!("rights.rs"),
    include_str!("roles.rs"),
    include_str!("views.rs"),
    include_str!("sql/clear.sql"),
    include_str!("sql/needed_functions.sql"),
    include_str!("sql/refuse_definitions.sql"),
];

/// What an installation depends on: the program's migrations and guard, and the map. Where it is
/// the recorded one, setup has nothing to do.
#[must_use]
pub fn fingerprint(map: &RelationMap) -> String {
    let mut hash = Sha256::new();
    for migration in crate::postgres::migrate::MIGRATIONS {
        hash.update(migration.sql);
    }
    for source in GENERATOR {
        hash.update(source);
    }
    hash.update(serde_json::to_vec(map).unwrap_or_default());
    crate::format::digest(&hash.finalize())
}
