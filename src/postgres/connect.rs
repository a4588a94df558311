//! One connection to the server: the only place that opens one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, Config, NoTls};

use super::endpoint::Endpoint;
use super::error::ServerError;
use crate::text::screen;

/// An open connection. Dropping it closes it.
pub struct Link {
    client: Client,
    cancel: CancelToken,
    /// Reads from the socket; ends by itself when the client is dropped or the server goes.
    driver: JoinHandle<()>,
    /// Its other half goes with the driver.
    ended: watch::Receiver<()>,
}

/// Settings that must not differ between sessions: what a text form of a value depends on.
/// `statement_timeout` and the like are set for each transaction.
const OPTIONS: &str = "-c DateStyle=ISO,YMD -c IntervalStyle=postgres -c TimeZone=UTC \
     -c extra_float_digits=1 -c bytea_output=hex -c lc_monetary=C -c idle_in_transaction_session_timeout=10min";

/// Opens a connection.
///
/// # Errors
/// [`ServerError::Connect`] with what the server or the system said.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may connect")]
pub async fn connect(endpoint: &Endpoint, application_name: &str) -> Result<Link, ServerError> {
    let mut config = Config::new();
    config
        .host_path(&endpoint.socket_dir)
        .port(endpoint.port)
        .user(&endpoint.user)
        .dbname(&endpoint.database)
        .application_name(application_name)
        .options(OPTIONS)
        .connect_timeout(Duration::from_secs(10));
    let (client, connection) = config.connect(NoTls).await.map_err(|error| {
        let said = error.as_db_error().map_or_else(
            || {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                cause.unwrap_or_else(|| error.to_string())
            },
            |db| db.message().to_owned(),
        );
        ServerError::Connect {
            endpoint: Box::new(endpoint.clone()),
            said: screen(&said),
            state: error.code().map(|code| code.code().to_owned()),
        }
    })?;
    let cancel = client.cancel_token();
    let (open, ended) = watch::channel(());
    let driver = tokio::spawn(async move {
        // The client sees the same error on its next call; nothing is lost by not keeping it here.
        let _ended = connection.await;
        drop(open);
    });
    Ok(Link { client, cancel, driver, ended })
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl Link {
    /// The driver's client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server has closed the connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.driver.is_finished()
    }

    /// A handle to wait for the end of the connection; it does not keep it open.
    #[must_use]
    pub fn hangup(&self) -> Hangup {
        Hangup(self.ended.clone())
    }

    /// A handle that can stop the running statement from elsewhere.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::new(self.cancel.clone()))
    }
}

/// Waits for the end of one connection, whoever closes it, from any task.
#[derive(Debug, Clone)]
pub struct Hangup(watch::Receiver<()>);

impl Hangup {
    /// Returns as soon as the connection is over.
    pub async fn wait(mut self) {
        // Nothing is ever sent: the only news is that the driver is gone.
        while self.0.changed().await.is_ok() {}
    }
}

/// Stops the running statement of one connection, from any task.
#[derive(Clone)]
pub struct Canceller(Arc<CancelToken>);

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canceller")
    }
}

impl Canceller {
    /// Asks the server to stop the statement; the statement itself then fails with SQLSTATE 57014.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn cancel(&self) -> Result<(), ServerError> {
        self.0.cancel_query(NoTls).await.map_err(ServerError::from)
    }
}
