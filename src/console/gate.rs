//! The gate itself: one control connection, shared by clones, and the transactions on it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::error::ConsoleError;
use super::undertaking::Undertaking;
use crate::audit::{Attested, Entry};
use crate::failure::Failure;
use crate::identity::{Level, OperatorName, RequestId};
use crate::postgres::{
    Endpoint, Ident, Isolation, Link, Meaning, Preamble, ServerError, Sql, Transaction, connect,
};

/// The group role of every operator: it may run our functions, and nothing else.
const GROUP: &str = "tenantdesk_operator";
/// The SQLSTATE of a lock that was not given within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How often it is looked for who holds what a call waits for.
const BETWEEN_TWO_LOOKS: Duration = Duration::from_millis(200);

/// The gate. Clones share one control connection.
#[derive(Debug, Clone)]
pub struct Console {
    shared: Arc<Shared>,
    request: RequestId,
}

/// What clones share.
#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    operator: OperatorName,
    level: Option<Level>,
    manager: bool,
    several_people: bool,
    /// The control connection; opened anew when the server has closed it. Held for one transaction at a time.
    link: Mutex<Option<Link>>,
}

impl Console {
    /// Connects and asks the database who this is.
    ///
    /// # Errors
    /// [`ConsoleError`]: no connection, no control schema, or a login without a level.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, ConsoleError> {
        let link = connect(&endpoint, "tenantdesk").await?;
        let row = match who(&link).await {
            Ok(row) => row,
            Err(error) => return Err(explain_refusal(error, &endpoint.user)),
        };
        let level = row.get::<_, Option<&str>>(1).and_then(|word| word.parse().ok());
        let manager: bool = row.get(3);
        if level.is_none() && !manager {
            return Err(ConsoleError::NoOperator { login: endpoint.user });
        }
        Ok(Self {
            shared: Arc::new(Shared {
                operator: OperatorName::from_database(row.get::<_, String>(0)),
                endpoint,
                level,
                manager,
                several_people: row.get(2),
                link: Mutex::new(Some(link)),
            }),
            request: RequestId::draw(),
        })
    }

    /// The same gate for another request.
    #[must_use]
    pub fn for_request(&self, request: RequestId) -> Self {
        Self { shared: Arc::clone(&self.shared), request }
    }

    /// Who is connected, as the database says.
    #[must_use]
    pub fn operator(&self) -> &OperatorName {
        &self.shared.operator
    }

    /// The level in this database; none for the login that manages the installation.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.shared.level
    }

    /// Whether this login owns the database and manages the installation.
    #[must_use]
    pub fn is_manager(&self) -> bool {
        self.shared.manager
    }

    /// Whether several people use this login, or it is an owner's: every record says so, and it never
    /// writes.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.several_people
    }

    /// The request that everything done through this gate belongs to.
    #[must_use]
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// Where the database is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Reads through a function of ours: a READ ONLY transaction of its own.
    ///
    /// # Errors
    /// What the server says.
    pub async fn query(
        &self,
        sql: &Sql,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ConsoleError> {
        let mut guard = self.link().await?;
        let link = guard.as_ref().ok_or(ServerError::Closed)?;
        let result = async {
            let transaction = begin(link, Isolation::ReadOnly, &[]).await?;
            let rows = transaction.query(sql, values).await?;
            transaction.commit().await?;
            Ok(rows)
        };
        let result = result.await;
        forget_if_gone(&mut guard, &result);
        Ok(result?)
    }

    /// Reads several things in one snapshot-consistent transaction, through `read`.
    ///
    /// # Errors
    /// What `read` gives, or what the server says of the transaction.
    pub async fn reading<T, F>(&self, read: F) -> Result<T, Failure>
    where
        F: AsyncFnOnce(&Transaction<'_>) -> Result<T, Failure>,
    {
        let guard = self.link().await?;
        let link = guard.as_ref().ok_or(ServerError::Closed)?;
        let transaction = begin(link, Isolation::Snapshot, &[]).await?;
        let value = read(&transaction).await?;
        transaction.commit().await?;
        Ok(value)
    }

    /// As [`Console::reading`], on a connection of its own: for what takes long, because records and
    /// ends of sessions would wait behind it on the shared one.
    ///
    /// # Errors
    /// What `read` gives, or what the server says.
    pub async fn reading_apart<T, F>(&self, read: F) -> Result<T, Failure>
    where
        F: AsyncFnOnce(&Transaction<'_>) -> Result<T, Failure>,
    {
        let link = connect(&self.shared.endpoint, "tenantdesk").await?;
        let transaction = begin(&link, Isolation::Snapshot, &[]).await?;
        let value = read(&transaction).await?;
        transaction.commit().await?;
        Ok(value)
    }

    /// Calls a function that records itself, in a transaction of its own.
    ///
    /// # Errors
    /// What the function says.
    pub async fn call(&self, call: Attested<'_>) -> Result<Vec<Row>, ConsoleError> {
        self.call_with(call, &[]).await
    }

    /// As [`Console::call`], with transaction-local settings (the token of a tenant session). Where
    /// an operator's idle transaction holds what the call needs, that one is ended and the call
    /// made once more: nobody keeps the others from their work by leaving a transaction open.
    ///
    /// # Errors
    /// What the function says.
    pub async fn call_with(
        &self,
        call: Attested<'_>,
        settings: &[(&str, &str)],
    ) -> Result<Vec<Row>, ConsoleError> {
        let mut guard = self.link().await?;
        let link = guard.as_ref().ok_or(ServerError::Closed)?;
        let role = Ident::new(GROUP);
        let preamble = Preamble { isolation: Isolation::ReadWrite, role: Some(&role), settings };
        let first = Transaction::whole(link, preamble.clone(), &call.sql, &call.values).await;
        let held = matches!(&first, Err(error) if error.state() == Some(LOCK_NOT_AVAILABLE));
        if !held {
            forget_if_gone(&mut guard, &first);
            return Ok(first?);
        }
        // On the heap: it is rare, and every call would be larger by it.
        let again = Box::pin(async {
            tokio::select! {
                result = Transaction::whole(link, preamble, &call.sql, &call.values) => result,
                never = keep_freeing(&self.shared.endpoint) => match never {},
            }
        });
        let again = again.await;
        forget_if_gone(&mut guard, &again);
        Ok(again?)
    }

    /// Begins an undertaking: its intent is in the ledger when this returns.
    ///
    /// # Errors
    /// Where the level does not allow the verb, or the ledger cannot be written: then nothing may
    /// be done.
    pub async fn begin(&self, entry: Entry) -> Result<Undertaking, ConsoleError> {
        let id = Uuid::now_v7();
        let tenant = entry.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        self.call(Attested::operation_begin(
            &id,
            &entry.verb.as_str(),
            &tenant,
            &entry.object,
            &entry.reason,
            &self.request.as_uuid(),
        ))
        .await?;
        Ok(Undertaking::begun(self.clone(), id, entry))
    }

    /// The control connection, opened anew where the server has closed it (a swept session closes
    /// the connections of its login).
    async fn link(&self) -> Result<MutexGuard<'_, Option<Link>>, ConsoleError> {
        let mut guard = self.shared.link.lock().await;
        if guard.as_ref().is_none_or(Link::is_closed) {
            *guard = Some(connect(&self.shared.endpoint, "tenantdesk").await?);
        }
        Ok(guard)
    }
}

/// Ends connections of operators that hold what a call waits for, again and again on a connection
/// of its own: while the call stands in the queue, whoever stands before it has to go.
async fn keep_freeing(endpoint: &Endpoint) -> Infallible {
    let Ok(link) = connect(endpoint, "tenantdesk").await else {
        return std::future::pending().await;
    };
    let role = Ident::new(GROUP);
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: Some(&role), settings: &[] };
    loop {
        let unblock = Attested::unblock();
        match Transaction::whole(&link, preamble.clone(), &unblock.sql, &[]).await {
            Ok(rows) => {
                let ended: i32 = rows.first().map_or(0, |row| row.get(0));
                if ended > 0 {
                    tracing::warn!(ended, "connections that held a chain of the ledger were ended");
                }
            }
            Err(_) => return std::future::pending().await,
        }
        tokio::time::sleep(BETWEEN_TWO_LOOKS).await;
    }
}

/// A connection that the server has ended is not used again, though the driver may take a moment
/// until it knows: the next try opens another.
fn forget_if_gone<T>(link: &mut Option<Link>, result: &Result<T, ServerError>) {
    if result.as_ref().is_err_and(|error| error.meaning() == Meaning::Gone) {
        *link = None;
    }
}

/// Begins a control transaction: always under the group role, never with the login's own rights.
async fn begin<'l>(
    link: &'l Link,
    isolation: Isolation,
    settings: &[(&str, &str)],
) -> Result<Transaction<'l>, ServerError> {
    let role = Ident::new(GROUP);
    Transaction::begin(link, Preamble { isolation, role: Some(&role), settings }).await
}

/// Asks the database who is connected.
async fn who(link: &Link) -> Result<Row, ServerError> {
    let transaction = begin(link, Isolation::ReadOnly, &[]).await?;
    let row = transaction
        .query_one(
            &Sql::new("select operator, level, shared, manager from tenantdesk.whoami()"),
            &[],
        )
        .await?;
    transaction.commit().await?;
    Ok(row)
}

/// What a refusal at the door means.
fn explain_refusal(error: ServerError, login: &str) -> ConsoleError {
    match error.state() {
        // No group role on this server, or no control schema in this database.
        Some("22023" | "42704" | "3F000" | "42883") => ConsoleError::NotSetUp,
        Some("42501") => ConsoleError::NoOperator { login: login.to_owned() },
        _ => ConsoleError::Server(error),
    }
}
