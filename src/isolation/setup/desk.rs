//! The connection of setup, and how the database stands before it.

use crate::failure::Failure;
use crate::isolation::discover::Decisions;
use crate::isolation::map::{MapError, RelationMap};
use crate::postgres::{
    Endpoint, Isolation, Link, Preamble, ServerError, Sql, Transaction, connect,
};

/// A connection as the login that runs setup.
#[derive(Debug)]
pub struct SetupDesk {
    link: Link,
    endpoint: Endpoint,
}

/// How the database stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The database.
    pub database: String,
    /// The login that is connected.
    pub login: String,
    /// `server_version_num`.
    pub server_version: i32,
    /// Whether the login is a superuser.
    pub superuser: bool,
    /// Whether the control schema is there.
    pub controlled: bool,
    /// Whether the login may call our functions: an operator of some database, or who ran setup.
    pub member: bool,
    /// Whether this login manages the installation: it owns the database, or ran setup before.
    pub manager: bool,
    /// Why and since when the guard is suspended, if it is.
    pub suspended: Option<String>,
    /// The map that is installed.
    pub map: Option<RelationMap>,
    /// What was decided before.
    pub decisions: Decisions,
    /// Whether limits are enforced by triggers.
    pub limits: bool,
    /// Whether doors were closed.
    pub close_doors: bool,
    /// Whether tables for everybody are pinned.
    pub pin_public: bool,
    /// The fingerprint of the installation.
    pub fingerprint: Option<String>,
    /// The digest of the guard's statements when it was installed.
    pub guard: Option<String>,
    /// The document of the decisions, as it is kept.
    pub decided: Option<serde_json::Value>,
    /// What is excepted from the guard.
    pub excepted: Vec<String>,
    /// Whether an event trigger refuses definitions by operators.
    pub has_trigger: bool,
    /// How many migrations of the control schema have run.
    pub migrations: usize,
}

impl SetupDesk {
    /// Connects.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, Failure> {
        let link = connect(&endpoint, "tenantdesk setup").await?;
        Ok(Self { link, endpoint })
    }

    /// Where the database is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The connection.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// A snapshot to read from, with the path of the system only: names that the server prints are
    /// then qualified, and no function of somebody else stands in the way.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'_>, ServerError> {
        let settings = &[("search_path", "pg_catalog, pg_temp")];
        let preamble = Preamble { isolation: Isolation::Snapshot, role: None, settings };
        Transaction::begin(&self.link, preamble).await
    }

    /// How the database stands.
    ///
    /// # Errors
    /// What the server says, or that the installation is of another form.
    pub async fn standing(&self) -> Result<Standing, Failure> {
        let transaction = self.snapshot().await?;
        let standing = standing(&transaction).await?;
        transaction.commit().await?;
        Ok(standing)
    }
}

/// Reads how the database stands. What the control schema holds is read by its functions, as the
/// group of operators: they are the contract, tables are not.
///
/// # Errors
/// What the server says, or that the installation is of another form.
pub(super) async fn standing(transaction: &Transaction<'_>) -> Result<Standing, Failure> {
    let row = transaction.query_one(&Sql::new(include_str!("sql/standing.sql")), &[]).await?;
    let mut standing = Standing {
        database: row.get("database"),
        login: row.get("login"),
        server_version: row.get("version"),
        superuser: row.get("superuser"),
        controlled: row.get("controlled"),
        member: row.get("member"),
        manager: false,
        suspended: None,
        map: None,
        decisions: Decisions::default(),
        limits: false,
        close_doors: false,
        pin_public: false,
        fingerprint: None,
        guard: None,
        decided: None,
        excepted: Vec::new(),
        has_trigger: row.get("has_trigger"),
        migrations: 0,
    };
    if standing.controlled && standing.member {
        installation(transaction, &mut standing).await?;
    }
    Ok(standing)
}

/// What the control schema holds.
async fn installation(
    transaction: &Transaction<'_>,
    standing: &mut Standing,
) -> Result<(), Failure> {
    transaction.batch(&Sql::new("set local role tenantdesk_operator")).await?;
    let row = transaction.query_one(&Sql::new(include_str!("sql/installation.sql")), &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    let of = |error: serde_json::Error| MapError::Syntax(error.to_string());
    standing.manager = row.get("manager");
    standing.suspended = row.get("suspended");
    let map: Option<serde_json::Value> = row.get("map");
    standing.map = map.map(RelationMap::from_json).transpose()?;
    let decisions: Option<serde_json::Value> = row.get("decisions");
    standing.decided.clone_from(&decisions);
    standing.decisions =
        decisions.map(serde_json::from_value).transpose().map_err(of)?.unwrap_or_default();
    let on = |name: &str| row.get::<_, Option<&str>>(name) == Some("on");
    standing.limits = on("limits");
    standing.close_doors = on("close_doors");
    standing.pin_public = on("pin_public");
    standing.fingerprint = row.get("fingerprint");
    standing.guard = row.get("guard");
    standing.excepted = row.get("excepted");
    standing.migrations = usize::try_from(row.get::<_, i64>("migrations")).unwrap_or_default();
    Ok(())
}
