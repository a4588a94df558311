//! Wiring: from the embedded server to a [`Console`]. The first start makes the roles of the host,
//! the starter schema, the control schema with its guard, and the first operators; every later
//! start finds them and does nothing.
//!
//! One way from an address to a console, told in the order in which it is gone: hence the lines.

use secrecy::SecretString;

use crate::audit::Attested;
use crate::config::Paths;
use crate::console::{Console, ConsoleError};
use crate::failure::Failure;
use crate::identity::{Level, OperatorName};
use crate::isolation::discover::Decisions;
use crate::isolation::guard::{Consent, fingerprint, install_decided, sources};
use crate::isolation::map::{MapError, RelationMap};
use crate::isolation::relations::installed_map;
use crate::isolation::setup::SetupDesk;
use crate::postgres::embedded::{Embedded, EmbeddedServer};
use crate::postgres::endpoint::Credential;
use crate::postgres::{
    Endpoint, Ident, Isolation, Link, Preamble, Sql, Transaction, asks_for_password, connect,
};
use crate::progress::Progress;
use crate::server::role::{DATABASE, Role};
use crate::tenant::sessions;
use crate::usage::plans;

/// The superuser of the embedded server: makes roles and databases, fills in the demo, nothing else.
const SUPERUSER: &str = "embedded_superuser";

/// The starter schema, in order.
const STARTER: [&str; 5] = [
    include_str!("../assets/starter/1_tables.sql"),
    include_str!("../assets/starter/2_policies.sql"),
    include_str!("../assets/starter/3_functions.sql"),
    include_str!("../assets/starter/4_grants.sql"),
    include_str!("../assets/starter/5_countries.sql"),
];

/// Which database is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The embedded server, as the operating system's user.
    Embedded,
    /// The embedded server, as another of its logins.
    EmbeddedAs(String),
    /// Another server.
    Elsewhere(Box<Endpoint>),
}

impl Target {
    /// The target of an address. One on the embedded server's socket starts that server where it
    /// does not run. It must not hold a password; one that comes from elsewhere is handed in.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn of_address(
        url: &str,
        password: Option<SecretString>,
        paths: &Paths,
    ) -> Result<Self, Failure> {
        let target = Self::of_endpoint(Endpoint::parse(url)?, paths);
        Ok(match password {
            Some(password) => target.with_password(password),
            None => target,
        })
    }

    /// The target of an address that may hold a password, because it stands where others cannot
    /// read it.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn of_secret_address(url: &SecretString, paths: &Paths) -> Result<Self, Failure> {
        Ok(Self::of_endpoint(Endpoint::parse_secret(url)?, paths))
    }

    fn of_endpoint(endpoint: Endpoint, paths: &Paths) -> Self {
        if endpoint.socket_dir() == Some(&paths.socket_dir) && endpoint.database == DATABASE {
            return Self::EmbeddedAs(endpoint.user);
        }
        Self::Elsewhere(Box::new(endpoint))
    }

    /// Whose password would be asked for: that of a login on another server, where none is known.
    #[must_use]
    pub fn without_password(&self) -> Option<String> {
        let Self::Elsewhere(endpoint) = self else { return None };
        let known = matches!(endpoint.credential(), Credential::Known(_));
        (!known).then(|| format!("{} on {}", endpoint.user, endpoint.place_text()))
    }

    /// Whether its server asks for a password that is not known.
    pub async fn asks_for_password(&self) -> bool {
        let Self::Elsewhere(endpoint) = self else { return false };
        asks_for_password(endpoint).await
    }

    /// The same target with a password that somebody typed.
    #[must_use]
    pub fn with_password(self, password: SecretString) -> Self {
        match self {
            Self::Elsewhere(endpoint) => {
                Self::Elsewhere(Box::new(endpoint.with_password(password)))
            }
            other => other,
        }
    }
}

/// A console, and the use of the embedded server where it is on one. Call [`Started::finish`] at the end.
#[derive(Debug)]
pub struct Started {
    /// The gate.
    pub console: Console,
    /// The use of the embedded server; the last one out stops it.
    pub server: Option<EmbeddedServer>,
}

impl Started {
    /// The address for the demo fill: only an embedded server has one.
    ///
    /// # Errors
    /// Where the target is another server.
    pub fn superuser(&self) -> Result<Endpoint, Failure> {
        let server = self.server.as_ref().ok_or_else(not_embedded)?;
        Ok(server.endpoint(DATABASE, SUPERUSER))
    }

    /// Closes the connections and ends the use of the server.
    ///
    /// # Errors
    /// Where the server does not stop in time.
    pub async fn finish(self, progress: &Progress) -> Result<(), Failure> {
        let Self { console, server } = self;
        drop(console);
        if let Some(server) = server {
            server.release(progress).await?;
        }
        Ok(())
    }
}

/// The connection of setup: as the owner of the embedded server's database, else as the login of the
/// address. The second part is the use of the embedded server, to be released at the end.
///
/// # Errors
/// As [`start`].
pub async fn setup_desk(
    paths: &Paths,
    target: &Target,
    progress: &Progress,
) -> Result<(SetupDesk, Option<EmbeddedServer>), Failure> {
    let Target::Elsewhere(endpoint) = target else {
        let Started { console, server } = connect_to(paths, target, progress).await?;
        let endpoint = match target {
            Target::EmbeddedAs(login) => console.endpoint().for_user(login),
            _ => console.endpoint().for_user(Role::Owner.login()),
        };
        drop(console);
        return Ok((SetupDesk::connect(endpoint).await?, server));
    };
    Ok((SetupDesk::connect(endpoint.as_ref().clone()).await?, None))
}

/// The demo is for the embedded server alone.
#[must_use]
pub fn not_embedded() -> Failure {
    Failure::refused(
        "the demo fills the embedded server, and an address or a profile names another login or server",
    )
    .hint("`--profile embedded` means the embedded server, whatever else is set")
}

/// Connects to a target.
///
/// # Errors
/// As [`embedded`]; for another server why it cannot be reached or was never set up.
pub async fn start(
    paths: &Paths,
    target: &Target,
    progress: &Progress,
) -> Result<Started, Failure> {
    let started = connect_to(paths, target, progress).await?;
    // Whoever comes by ends what has expired; until there is a worker, this is how a session of
    // somebody who went away is closed.
    let sweep = async { Ok(sessions::sweep(&started.console).await?) };
    if let Err(failure) = progress.unless_cancelled(sweep).await {
        tracing::warn!("expired sessions could not be swept: {}", failure.logged());
    }
    Ok(started)
}

/// Connects, and nothing more.
async fn connect_to(
    paths: &Paths,
    target: &Target,
    progress: &Progress,
) -> Result<Started, Failure> {
    match target {
        Target::Embedded => embedded(paths, progress).await,
        Target::EmbeddedAs(login) => {
            let started = embedded(paths, progress).await?;
            let console = Console::connect(started.console.endpoint().for_user(login)).await;
            match console {
                Ok(console) => Ok(Started { console, ..started }),
                Err(error) => {
                    started.finish(progress).await?;
                    Err(error.into())
                }
            }
        }
        Target::Elsewhere(endpoint) => {
            let console = Console::connect(endpoint.as_ref().clone()).await?;
            Ok(Started { console, server: None })
        }
    }
}

/// Starts the embedded server if need be, prepares what is not there yet, and connects as the
/// operating system's user.
///
/// # Errors
/// Where there is no server to be had, it does not start, or the preparation fails.
pub async fn embedded(paths: &Paths, progress: &Progress) -> Result<Started, Failure> {
    let server = Embedded::attach(paths, progress).await?;
    match console_on(&server, progress).await {
        Ok(console) => Ok(Started { console, server: Some(server) }),
        Err(failure) => {
            // A server that nobody can use must not stay behind; why nobody can is what counts.
            if let Err(error) = server.release(progress).await {
                tracing::warn!(%error, "the server could not be stopped");
            }
            Err(failure)
        }
    }
}

/// Prepares what is missing and connects.
async fn console_on(server: &EmbeddedServer, progress: &Progress) -> Result<Console, Failure> {
    let login = operator_login(server.os_user());
    let endpoint = server.endpoint(DATABASE, login.as_str());
    if !is_prepared(&endpoint).await {
        let _alone = server.setup_lock(progress).await?;
        // Another process may have prepared it while we waited.
        if !is_prepared(&endpoint).await {
            progress.enter("preparing the database");
            prepare(server, &login, progress).await?;
        }
    }
    Ok(Console::connect(endpoint).await?)
}

/// The login of the operating system's user: his own name as far as a login can have it.
pub(crate) fn operator_login(os_user: &str) -> OperatorName {
    let mut name: String = os_user
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' { c } else { '_' })
        .take(50)
        .collect();
    let taken = [SUPERUSER, Role::Owner.login(), Role::App.login(), Role::Operator.login()];
    if name.parse::<OperatorName>().is_err() || taken.contains(&name.as_str()) {
        name = format!("admin_{name}");
    }
    OperatorName::from_database(name)
}

/// Whether this login finds everything as this program would make it.
///
/// What counts is the map that is installed: its owner may have added tables of his own to it.
async fn is_prepared(endpoint: &Endpoint) -> bool {
    let console = match Console::connect(endpoint.clone()).await {
        Ok(console) => console,
        // A login that was removed on purpose is not made again.
        Err(ConsoleError::NoOperator { .. }) => return true,
        Err(_) => return false,
    };
    let Ok(map) = installed_map(&console).await else { return false };
    let found = console.query(&Sql::new("select tenantdesk.setup_fingerprint()"), &[]).await;
    let found: Option<String> = found.ok().and_then(|rows| rows.first().and_then(|row| row.get(0)));
    found.is_some_and(|found| found == fingerprint(&map))
}

/// Makes what is missing. Each step looks first, so that a crash in between is mended by the next start.
async fn prepare(
    server: &EmbeddedServer,
    login: &OperatorName,
    progress: &Progress,
) -> Result<(), Failure> {
    let logins =
        [SUPERUSER, Role::Owner.login(), Role::App.login(), Role::Operator.login(), login.as_str()];
    server.allow_logins(&logins, progress).await?;
    host(&server.endpoint("postgres", SUPERUSER)).await?;
    close_host(&server.endpoint(DATABASE, SUPERUSER)).await?;
    let owner = server.endpoint(DATABASE, Role::Owner.login());
    let link = connect(&owner, "tenantdesk setup").await?;
    starter(&link).await?;
    let standing = SetupDesk::connect(owner.clone()).await?.standing().await?;
    // What its owner suspended stays so until he resumes it.
    if standing.suspended.is_none() {
        let starter = RelationMap::from_toml(include_str!("../assets/starter/map.toml"))?;
        let map = standing.map.unwrap_or(starter);
        // The starter's map is declared: a later setup finds a class for tables that were added only.
        let pinned = standing.decided.is_none().then(|| Decisions::from_map(&map));
        let pinned = pinned.map(serde_json::to_value).transpose();
        let pinned = pinned.map_err(|error| MapError::Syntax(error.to_string()))?;
        let consent = Consent { close_doors: true, enforce_limits: true, pin_public: false };
        install_decided(&link, &map, consent, pinned.as_ref()).await?;
    }
    let manager = Console::connect(owner).await?;
    plans::load(&manager).await?;
    for (name, level) in [(login.as_str(), Level::Admin), (Role::Operator.login(), Level::Support)]
    {
        // Only where nobody of that name was ever added: a removed operator stays removed.
        let look = Sql::new("select 1 from tenantdesk.operators where name = $1");
        if !exists(&link, &look, name).await? {
            first_operator(&manager, name, level).await?;
        }
    }
    Ok(())
}

/// Roles and the database, as a host gives them: an owner that is no superuser, an application
/// that owns nothing.
async fn host(endpoint: &Endpoint) -> Result<(), Failure> {
    let link = connect(endpoint, "tenantdesk setup").await?;
    for (role, rights) in [
        (Role::Owner.login(), Sql::new(" login createrole createdb")),
        (Role::App.login(), Sql::new(" login")),
    ] {
        if !exists(&link, &Sql::new("select 1 from pg_catalog.pg_roles where rolname = $1"), role)
            .await?
        {
            let create = Sql::new("create role ").ident(&Ident::new(role)).append(&rights);
            link.client()
                .batch_execute(create.as_str())
                .await
                .map_err(crate::postgres::ServerError::from)?;
        }
    }
    if !exists(
        &link,
        &Sql::new("select 1 from pg_catalog.pg_database where datname = $1"),
        DATABASE,
    )
    .await?
    {
        let create = Sql::new("create database ")
            .ident(&Ident::new(DATABASE))
            .text(" owner ")
            .ident(&Ident::new(Role::Owner.login()));
        link.client()
            .batch_execute(create.as_str())
            .await
            .map_err(crate::postgres::ServerError::from)?;
    }
    Ok(())
}

/// What only a superuser can close: large objects, advisory locks, other databases, and DROP OWNED,
/// by which a role would take the guard's policies with it.
async fn close_host(endpoint: &Endpoint) -> Result<(), Failure> {
    let link = connect(endpoint, "tenantdesk setup").await?;
    for script in [sources::REFUSE_DEFINITIONS, include_str!("startup/close_host.sql")] {
        let closed = link.client().batch_execute(script).await;
        closed.map_err(crate::postgres::ServerError::from)?;
    }
    Ok(())
}

/// Whether a look-up by name finds something.
async fn exists(link: &Link, look: &Sql, name: &str) -> Result<bool, Failure> {
    let preamble = Preamble { isolation: Isolation::ReadOnly, role: None, settings: &[] };
    let transaction = Transaction::begin(link, preamble).await?;
    let found = transaction.query_opt(look, &[&name]).await?.is_some();
    transaction.commit().await?;
    Ok(found)
}

/// The starter schema, in one transaction, unless it is there.
async fn starter(link: &Link) -> Result<(), Failure> {
    let look = Sql::new("select 1 from pg_catalog.pg_namespace where nspname = $1");
    if exists(link, &look, "app").await? {
        return Ok(());
    }
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: None, settings: &[] };
    let transaction = Transaction::begin(link, preamble).await?;
    for sql in STARTER {
        transaction.batch(&Sql::new(sql)).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// An operator of the embedded server.
async fn first_operator(manager: &Console, name: &str, level: Level) -> Result<(), Failure> {
    let verifier: Option<String> = None;
    manager
        .call(Attested::operator_add(
            &name,
            &level.as_str(),
            &verifier,
            &false,
            &manager.request().as_uuid(),
        ))
        .await
        .map(drop)
        .map_err(|error: ConsoleError| error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_an_operating_system_user_is_his_name_as_far_as_possible() {
        assert_eq!(operator_login("root").as_str(), "root");
        assert_eq!(operator_login("Ann.Smith").as_str(), "ann_smith");
        assert_eq!(operator_login("app_user").as_str(), "admin_app_user");
        assert_eq!(operator_login("1st").as_str(), "admin_1st");
    }
}
