//! Installs the guard: one transaction, restrictive policies first, rights last. Needs three
//! rights (owner of the tables, CREATEROLE, CREATE on the database), never a superuser.

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::condition::GuardError;
use super::plan::{GuardPlan, plan};
use super::roles::{SESSION_ROLES, list};
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
}

/// Something that keeps the guard from being whole.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Installs or renews control schema and guard.
///
/// # Errors
/// [`InstallError`]; the transaction is rolled back and nothing was changed.
pub async fn install(
    link: &Link,
    map: &RelationMap,
    consent: Consent,
) -> Result<Installed, InstallError> {
    let transaction = Transaction::begin(
        link,
        Preamble {
            isolation: Isolation::ReadWrite,
            role: None,
            // The path is ours: a function that somebody made in a schema of his would else be run
            // with the rights of setup.
            settings: &[("lock_timeout", "10s"), ("search_path", "pg_catalog, pg_temp")],
        },
    )
    .await?;
    // Concurrent installations wait for each other; the lock ends with the transaction.
    transaction.batch(&Sql::new("select pg_catalog.pg_advisory_xact_lock(8431652)")).await?;
    run(&transaction, Sql::new(include_str!("sql/enter.sql"))).await?;
    let migrations = migrate(&transaction).await?;
    run(&transaction, Sql::new(include_str!("sql/clear.sql"))).await?;
    let catalog = load(&transaction, Some(&map.application_role)).await?;
    let plan = plan(map, &catalog, consent.enforce_limits)?;
    for statement in &plan.statements {
        run(&transaction, statement.clone()).await?;
    }
    grant_application(&transaction, &map.application_role).await?;
    record(&transaction, map, &plan).await?;
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
    if consent.close_doors {
        close_doors(&transaction, &map.application_role).await?;
    }
    // After the doors: what PUBLIC could run until then, operators need by name now.
    grant_needed_functions(&transaction).await?;
    let incomplete = incomplete(&transaction).await?;
    seal(&transaction, incomplete.len()).await?;
    run(&transaction, Sql::new(include_str!("sql/leave.sql"))).await?;
    transaction.commit().await?;
    Ok(Installed { migrations, plan, incomplete })
}

/// Runs one generated statement and names it where it fails.
async fn run(transaction: &Transaction<'_>, statement: Sql) -> Result<(), InstallError> {
    transaction.batch(&statement).await.map_err(|source| InstallError::Statement {
        statement: statement
            .as_str()
            .lines()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(300)
            .collect(),
        source,
    })
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
    let role = Sql::from(&Ident::new(role));
    let statement = Sql::fill(
        "set local role tenantdesk_owner; grant usage on schema tenantdesk to {role}; \
         grant execute on function tenantdesk.enqueue_job, tenantdesk.audit_event to {role}; \
         set local role tenantdesk_ledger; grant execute on function tenantdesk.tenant_audit to {role}; reset role",
        &[("role", &role)],
    );
    run(transaction, statement).await
}

/// Records map, relations and metrics in the control schema.
async fn record(
    transaction: &Transaction<'_>,
    map: &RelationMap,
    plan: &GuardPlan,
) -> Result<(), InstallError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner; delete from tenantdesk.relations; delete from tenantdesk.map")).await?;
    let document = serde_json::to_value(map).map_err(|e| MapError::Syntax(e.to_string()))?;
    transaction
        .execute(&Sql::new("insert into tenantdesk.map (document) values ($1)"), &[&document])
        .await?;
    for (relation, oid, form) in &plan.forms {
        let path = (!relation.path.is_empty())
            .then(|| serde_json::to_value(&relation.path).unwrap_or_default());
        transaction
            .execute(
                &Sql::new("insert into tenantdesk.relations (name, class, key, path, reason, guard, relation) values ($1, $2, $3, $4, $5, $6, $7)"),
                &[&relation.name, &relation.class.as_str(), &relation.key, &path, &relation.reason, form, oid],
            )
            .await?;
    }
    let known: Vec<&str> = map.metrics.iter().map(|metric| metric.name.as_str()).collect();
    transaction
        .execute(&Sql::new("delete from tenantdesk.metrics where name <> all ($1)"), &[&known])
        .await?;
    for metric in &map.metrics {
        let period = if metric.window.is_some() { "month" } else { "total" };
        transaction
            .execute(
                &Sql::new("insert into tenantdesk.metrics (name, unit, period, source) values ($1, $2, $3, $4) on conflict (name) do update set unit = excluded.unit, period = excluded.period, source = excluded.source"),
                &[&metric.name, &metric.unit, &period, &metric.relation],
            )
            .await?;
    }
    transaction
        .execute(
            &Sql::new("insert into tenantdesk.configuration (name, value) values ('setup.fingerprint', $1) on conflict (name) do update set value = excluded.value"),
            &[&fingerprint(map)],
        )
        .await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(())
}

/// Closes what is open, keeps what the application had, and notes how to undo it.
async fn close_doors(
    transaction: &Transaction<'_>,
    application_role: &str,
) -> Result<(), InstallError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let doors = transaction
        .query(
            &Sql::new("select d.object, d.fix, pg_catalog.format(d.keep, $1::text), d.undo from tenantdesk.open_doors d where not exists (select from tenantdesk.exceptions e where e.object = d.object) order by 1"),
            &[&application_role],
        )
        .await?;
    transaction.batch(&Sql::new("reset role")).await?;
    for door in doors {
        let (object, fix, keep, undo): (String, String, String, String) =
            (door.get(0), door.get(1), door.get(2), door.get(3));
        run(transaction, Sql::danger_declared_text(fix.clone())).await?;
        run(transaction, Sql::danger_declared_text(keep.clone())).await?;
        transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
        transaction
            .execute(
                &Sql::new("insert into tenantdesk.guard_changes (object, change, kept, undo) values ($1, $2, $3, $4) on conflict (object) do nothing"),
                &[&object, &fix, &keep, &undo],
            )
            .await?;
        transaction.batch(&Sql::new("reset role")).await?;
    }
    // The archivist stages rows in temporary tables; where TEMP was never PUBLIC it needs it as well.
    let database: String = transaction
        .query_one(&Sql::new("select pg_catalog.current_database()::text"), &[])
        .await?
        .get(0);
    run(
        transaction,
        Sql::new("grant temporary on database ")
            .ident(&Ident::new(database))
            .text(" to tenantdesk_archivist"),
    )
    .await
}

/// What is open now, and what hides rows from an export.
async fn incomplete(transaction: &Transaction<'_>) -> Result<Vec<Incomplete>, InstallError> {
    transaction.batch(&Sql::new("set local role tenantdesk_owner")).await?;
    let rows = transaction.query(&Sql::new(include_str!("sql/incomplete.sql")), &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows
        .iter()
        .map(|row| Incomplete { object: row.get(0), why: row.get(1), fix: row.get(2) })
        .collect())
}

/// Records what the catalogs hold now, and the installation itself in the ledger.
async fn seal(transaction: &Transaction<'_>, open: usize) -> Result<(), InstallError> {
    transaction
        .batch(&Sql::new("set local role tenantdesk_owner; select tenantdesk.seal_guard()"))
        .await?;
    let outcome = if open == 0 { "ok".to_owned() } else { format!("incomplete: {open}") };
    transaction
        .query(
            &Sql::new("select tenantdesk.append('installation', 'setup', pg_catalog.current_database()::text, $1, 'database', null, null, null)"),
            &[&outcome],
        )
        .await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(())
}

/// The sources that generate the guard: a program that would generate another one installs it.
const GENERATOR: [&str; 13] = [
    include_str!("condition.rs"),
    include_str!("directory.rs"),
    include_str!("functions.rs"),
    include_str!("install.rs"),
    include_str!("limits.rs"),
    include_str!("measure.rs"),
    include_str!("plan.rs"),
    include_str!("policies.rs"),
    include_str!("rights.rs"),
    include_str!("roles.rs"),
    include_str!("views.rs"),
    include_str!("sql/clear.sql"),
    include_str!("sql/needed_functions.sql"),
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
