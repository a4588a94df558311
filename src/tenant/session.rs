//! An open tenant session: a dedicated connection, a random token, and transactions that present
//! it. The token never leaves this file but as a parameter; the database holds its SHA-256 only.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::claims::{self, Actors};
pub use super::session_role::SessionRole;
use crate::audit::Attested;
use crate::console::{Console, ConsoleError, Undertaking};
use crate::failure::{Explain, Kind};
use crate::identity::{Mode, Purpose, Reason, TenantId};
use crate::isolation::map::RelationMap;
use crate::postgres::{
    Canceller, Hangup, Ident, Isolation, Link, Preamble, ServerError, Sql, Transaction, connect,
};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Row;

/// Why a session did not open.
#[derive(Debug, Error)]
pub enum SessionError {
    /// What the database says.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// The operator has a live impersonation already.
    #[error("you are impersonating already, and only one at a time is allowed")]
    AlreadyOpen,
    /// No randomness.
    #[error("the system gave no random bytes: {0}")]
    NoRandomness(String),
}

impl Explain for SessionError {
    fn kind(&self) -> Kind {
        match self {
            Self::Console(error) => error.kind(),
            Self::AlreadyOpen => Kind::Refused,
            Self::NoRandomness(_) => Kind::Internal,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.hints(),
            Self::AlreadyOpen => {
                vec!["`tenantdesk impersonation list` shows it, `tenantdesk impersonation end ID` ends it".to_owned()]
            }
            Self::NoRandomness(_) => Vec::new(),
        }
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Console(error) => error.logged(),
            Self::AlreadyOpen | Self::NoRandomness(_) => None,
        }
    }
}

/// What a session is asked for.
#[derive(Debug, Clone)]
pub struct OpenSession {
    purpose: Purpose,
    mode: Mode,
    tenant: TenantId,
    member: Option<String>,
    reason: Reason,
    ticket: Option<String>,
    duration: TimeDelta,
}

impl OpenSession {
    /// To act as a member. The statement record is the audit of what follows.
    #[must_use]
    pub fn impersonate(
        tenant: TenantId,
        member: Option<String>,
        mode: Mode,
        reason: Reason,
        ticket: Option<String>,
        duration: TimeDelta,
    ) -> Self {
        Self { purpose: Purpose::Impersonate, mode, tenant, member, reason, ticket, duration }
    }

    /// For an undertaking, whose intent is recorded already.
    #[must_use]
    pub fn work(
        undertaking: &Undertaking,
        purpose: Purpose,
        tenant: TenantId,
        reason: Reason,
        duration: TimeDelta,
    ) -> Self {
        let _recorded = undertaking.id();
        let mode = if purpose == Purpose::Export { Mode::Read } else { Mode::Write };
        Self { purpose, mode, tenant, member: None, reason, ticket: None, duration }
    }
}

/// An open session. [`TenantSession::end`] ends it; dropped without, it ends by expiry and sweep.
#[derive(Debug)]
pub struct TenantSession {
    console: Console,
    /// When the opening was asked for, by this machine's own clock.
    opened_here: Instant,
    link: Link,
    token: SecretString,
    /// Its number.
    pub id: i64,
    /// The tenant.
    pub tenant: TenantId,
    /// Read or write.
    pub mode: Mode,
    /// When it opened, by the database's clock.
    pub opened_at: DateTime<Utc>,
    /// When it ends at the latest, by the database's clock.
    pub expires_at: DateTime<Utc>,
    /// The member's e-mail address.
    pub member_email: Option<String>,
    /// The member's role.
    pub member_role: Option<String>,
    search_path: Vec<String>,
    /// What the application's policies are told, the same in each transaction.
    told: Vec<(String, String)>,
}

/// Opens a session: the record is committed before this returns, and the connection is its own.
///
/// # Errors
/// [`SessionError`]; nothing is open then.
pub async fn open(
    console: &Console,
    map: &RelationMap,
    ask: OpenSession,
) -> Result<TenantSession, SessionError> {
    let opened_here = Instant::now();
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| SessionError::NoRandomness(e.to_string()))?;
    let token = SecretString::from(hex::encode(bytes));
    let digest = Sha256::digest(token.expose_secret()).to_vec();
    let row = record_opening(console, &ask, &digest).await?;
    let id: i64 = row.get(0);
    // The name is how an end at expiry tells this session's connection from another's.
    let link = match connect(console.endpoint(), &format!("tenantdesk/{id}")).await {
        Ok(link) => link,
        Err(error) => {
            // Nobody will use it: it must not stand in the way of the next one.
            if let Err(later) = console.call(Attested::end_session(&id, &Some("done"))).await {
                tracing::warn!(session = id, error = %later, "the session could not be ended");
            }
            return Err(ConsoleError::from(error).into());
        }
    };
    let member_email: Option<String> = row.get(3);
    let member_role: Option<String> = row.get(4);
    let told = claims::told(
        map,
        &Actors {
            operator: console.operator().as_str(),
            session: id,
            tenant: ask.tenant.as_str(),
            member: ask.member.as_deref(),
            role: member_role.as_deref(),
            email: member_email.as_deref(),
        },
    );
    Ok(TenantSession {
        console: console.clone(),
        link,
        token,
        id,
        tenant: ask.tenant,
        mode: ask.mode,
        opened_at: row.get(1),
        expires_at: row.get(2),
        member_email,
        member_role,
        opened_here,
        search_path: map.search_path.clone(),
        told,
    })
}

/// The database decides, and records the opening in the same transaction.
async fn record_opening(
    console: &Console,
    ask: &OpenSession,
    digest: &Vec<u8>,
) -> Result<Row, SessionError> {
    #[expect(clippy::cast_precision_loss, reason = "at most eight hours of seconds")]
    let seconds = ask.duration.num_seconds() as f64;
    let opened = console
        .call(Attested::open_session(
            digest,
            &ask.tenant.as_str(),
            &ask.purpose.as_str(),
            &ask.mode.as_str(),
            &ask.reason.as_str(),
            &ask.ticket,
            &ask.member,
            &seconds,
            &console.request().as_uuid(),
        ))
        .await
        .map_err(already_open)?;
    let none = || ConsoleError::Server(ServerError::Answer("no session".to_owned()));
    opened.into_iter().next().ok_or_else(none).map_err(Into::into)
}

/// One live impersonation per operator is a unique index.
fn already_open(error: ConsoleError) -> SessionError {
    match &error {
        ConsoleError::Server(server)
            if server.constraint() == Some("tenant_sessions_one_live_impersonation") =>
        {
            SessionError::AlreadyOpen
        }
        _ => SessionError::Console(error),
    }
}

impl TenantSession {
    /// Begins a transaction that presents the token, on this session's connection.
    ///
    /// # Errors
    /// What the server says; a session that ended gives "permission denied to set role".
    pub async fn transaction(
        &self,
        role: SessionRole,
        isolation: Isolation,
    ) -> Result<Transaction<'_>, ServerError> {
        self.transaction_on(&self.link, role, isolation).await
    }

    /// As [`TenantSession::transaction`], on another connection of the same session.
    ///
    /// # Errors
    /// What the server says.
    pub async fn transaction_on<'l>(
        &self,
        link: &'l Link,
        role: SessionRole,
        isolation: Isolation,
    ) -> Result<Transaction<'l>, ServerError> {
        let path = self.search_path_for(role);
        let millis = self.left().as_millis().max(1).to_string();
        let mut settings = vec![
            ("tenantdesk.session", self.token.expose_secret()),
            ("search_path", path.as_str()),
            ("row_security", "on"),
            ("statement_timeout", millis.as_str()),
        ];
        settings.extend(self.told.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let role = Ident::new(role.as_str());
        Transaction::begin(link, Preamble { isolation, role: Some(&role), settings: &settings })
            .await
    }

    /// Changes to another role of the session within a transaction.
    ///
    /// # Errors
    /// What the server says.
    pub async fn become_role(
        &self,
        transaction: &Transaction<'_>,
        role: SessionRole,
    ) -> Result<(), ServerError> {
        let path = self.search_path_for(role);
        transaction
            .batch(
                &Sql::new("set local role ")
                    .ident(&Ident::new(role.as_str()))
                    .text("; set local search_path = ")
                    .append(&Sql::danger_declared_text(path)),
            )
            .await
    }

    /// Opens another connection of the same session, under its name.
    ///
    /// # Errors
    /// What the server says.
    pub async fn connection(&self) -> Result<Link, ServerError> {
        connect(self.console.endpoint(), &format!("tenantdesk/{}", self.id)).await
    }

    /// Records through the control connection, presenting the token.
    ///
    /// # Errors
    /// What the server says.
    pub async fn record(
        &self,
        call: Attested<'_>,
    ) -> Result<Vec<tokio_postgres::Row>, ConsoleError> {
        self.console.call_with(call, &[("tenantdesk.session", self.token.expose_secret())]).await
    }

    /// How long it lasts at most from now on: counted from its opening, because the clocks of the
    /// two machines need not agree.
    #[must_use]
    pub fn left(&self) -> Duration {
        let whole = (self.expires_at - self.opened_at).to_std().unwrap_or_default();
        whole.saturating_sub(self.opened_here.elapsed())
    }

    /// The gate it was opened through.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// A handle that stops the running statement.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.link.canceller()
    }

    /// A handle to wait for the end of the connection (an end from elsewhere closes it).
    #[must_use]
    pub fn hangup(&self) -> Hangup {
        self.link.hangup()
    }

    /// Whether the server has closed the connection (an end from elsewhere does).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// Ends the session: the end is committed, the rights are gone, the connection is closed.
    ///
    /// # Errors
    /// What the server says; the sweep ends it at expiry then.
    pub async fn end(self, why: &str) -> Result<(), ConsoleError> {
        let Self { console, link, id, .. } = self;
        drop(link);
        console.call(Attested::end_session(&id, &Some(why))).await?;
        console.call(Attested::terminate(&id)).await.map(drop)
    }

    /// The search path of a role, as SQL needs it.
    fn search_path_for(&self, role: SessionRole) -> String {
        role.view_schemas()
            .iter()
            .map(|schema| Ident::new(*schema).to_string())
            .chain(self.search_path.iter().map(|schema| Ident::new(schema).to_string()))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
