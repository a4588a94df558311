//! One connection to the server: the only place that opens one, over a socket or with TLS.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::config::{ChannelBinding, SslMode as Wire};
use tokio_postgres::{CancelToken, Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls_improved::MakeRustlsConnect;

use super::endpoint::{Binding, Credential, Endpoint, Place, SslMode};
use super::error::ServerError;
use super::tls;
use super::unreachable::{Unreachable, Why};

/// An open connection. Dropping it closes it.
pub struct Link {
    client: Client,
    cancel: CancelToken,
    /// How the server was reached; a request to cancel goes the same way.
    way: Way,
    /// Reads from the socket; ends by itself when the client is dropped or the server goes.
    driver: JoinHandle<()>,
    /// Its other half goes with the driver.
    ended: watch::Receiver<()>,
}

/// Without TLS, or with it.
#[derive(Clone)]
enum Way {
    Plain,
    Tls(MakeRustlsConnect),
}

/// How long the other end may take to answer the first packet.
const REACH: Duration = Duration::from_secs(10);
/// How long all of it may take: a busy server lets one wait for the login.
const WHOLE: Duration = Duration::from_secs(30);
/// After so long without a word the other end is asked whether it is still there: routers forget
/// a silent connection after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// How often, and how many times, before the connection counts as lost.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 4;

/// Opens a connection.
///
/// # Errors
/// [`ServerError::Connect`] with why not, and what to do.
pub async fn connect(endpoint: &Endpoint, application_name: &str) -> Result<Link, ServerError> {
    let whole = endpoint.patience.unwrap_or(WHOLE);
    // On the heap: connecting is rare, and every caller would be larger by it.
    let tried = tokio::time::timeout(whole, Box::pin(open(endpoint, application_name)));
    let opened = tried.await.unwrap_or(Err(Why::Silent(whole)));
    opened.map_err(|why| {
        let endpoint = endpoint.clone();
        ServerError::Connect(Box::new(Unreachable { endpoint, why }))
    })
}

/// Whether the server asks for a password where none is known. Any other trouble is none of this
/// question's: whoever connects will meet it.
pub async fn asks_for_password(endpoint: &Endpoint) -> bool {
    match connect(endpoint, "tenantdesk").await {
        Err(ServerError::Connect(unreachable)) => {
            matches!(unreachable.why, Why::PasswordNeeded { .. })
        }
        _ => false,
    }
}

/// Tries the ways that the mode allows, as libpq: the second one only where the first failed for
/// what may be the want, or the presence, of TLS.
async fn open(endpoint: &Endpoint, application_name: &str) -> Result<Link, Why> {
    let addresses = match &endpoint.place {
        Place::Socket(_) => Vec::new(),
        Place::Host(host) => resolve(host, endpoint.port).await?,
    };
    let config = configure(endpoint, application_name);
    let (first, second) = match endpoint.tls.mode {
        _ if addresses.is_empty() => (Wire::Disable, None),
        SslMode::Disable => (Wire::Disable, None),
        SslMode::Allow => (Wire::Disable, Some(Wire::Require)),
        SslMode::Prefer => (Wire::Prefer, Some(Wire::Disable)),
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (Wire::Require, None),
    };
    let attempt = Attempt { endpoint, addresses: &addresses, config: &config };
    match (attempt.run(first).await, second) {
        (Err(why), Some(second)) if why.is_about_encryption() => {
            // What the first said is what counts: it is the way that was wanted.
            attempt.run(second).await.map_err(|_| why)
        }
        (result, _) => result,
    }
}

/// All addresses of a name, in the order of the system.
async fn resolve(host: &str, port: u16) -> Result<Vec<IpAddr>, Why> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| Why::NameUnknown(error.to_string()))?;
    let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() {
        return Err(Why::NameUnknown("it has no address".to_owned()));
    }
    Ok(addresses)
}

/// What is the same for each attempt. No settings travel with it: a pooler refuses them, and what
/// must hold is set by each transaction.
fn configure(endpoint: &Endpoint, application_name: &str) -> Config {
    let is_session = application_name.starts_with("tenantdesk/");
    let name = match &endpoint.application {
        Some(own) if !is_session => own,
        _ => application_name,
    };
    let mut config = Config::new();
    config
        .port(endpoint.port)
        .user(&endpoint.user)
        .dbname(&endpoint.database)
        .application_name(name)
        .channel_binding(match endpoint.tls.binding {
            Binding::Disable => ChannelBinding::Disable,
            Binding::Prefer => ChannelBinding::Prefer,
            Binding::Require => ChannelBinding::Require,
        })
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .connect_timeout(endpoint.patience.unwrap_or(REACH));
    config
}

/// One way to each address in turn.
struct Attempt<'a> {
    endpoint: &'a Endpoint,
    addresses: &'a [IpAddr],
    config: &'a Config,
}

impl Attempt<'_> {
    async fn run(&self, wire: Wire) -> Result<Link, Why> {
        let endpoint = self.endpoint;
        let way = if wire == Wire::Disable { Way::Plain } else { self.tls().await? };
        let credential = endpoint.credential();
        let mut config = self.config.clone();
        config.ssl_mode(wire);
        if let Credential::Known(password) = &credential {
            config.password(password.expose());
        }
        let host = match &endpoint.place {
            Place::Socket(dir) => {
                config.host_path::<&Path>(dir);
                return self.reach(&config, &way, &credential).await;
            }
            Place::Host(host) => host,
        };
        let mut last = Why::Refused;
        for address in self.addresses {
            let mut config = config.clone();
            config.host(host).hostaddr(*address);
            match self.reach(&config, &way, &credential).await {
                Err(why) if why.is_about_the_way() => last = why,
                result => return result,
            }
        }
        Err(last)
    }

    async fn tls(&self) -> Result<Way, Why> {
        let wish = self.endpoint.tls.clone();
        let made = tokio::task::spawn_blocking(move || tls::connector(&wish)).await;
        Ok(Way::Tls(made.map_err(|error| Why::Other(error.to_string()))??))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that may connect")]
    async fn reach(
        &self,
        config: &Config,
        way: &Way,
        credential: &Credential,
    ) -> Result<Link, Why> {
        let opened = match way {
            Way::Plain => config
                .connect(NoTls)
                .await
                .map(|(client, connection)| Link::new(client, connection, way)),
            Way::Tls(tls) => config
                .connect(tls.clone())
                .await
                .map(|(client, connection)| Link::new(client, connection, way)),
        };
        opened.map_err(|error| {
            let source = match credential {
                Credential::Known(password) => Some(&password.source),
                Credential::None | Credential::Unusable { .. } => None,
            };
            match (Why::of(&error, self.endpoint.tls.mode, source), credential) {
                (Why::PasswordNeeded { .. }, Credential::Unusable { file, why }) => {
                    Why::PasswordNeeded { unusable: Some((file.clone(), why.clone())) }
                }
                (why, _) => why,
            }
        })
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl Link {
    /// Has the connection read from a task of its own.
    fn new<T>(client: Client, connection: Connection<Socket, T>, way: &Way) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let cancel = client.cancel_token();
        let (open, ended) = watch::channel(());
        let driver = tokio::spawn(async move {
            // The client sees the same error on its next call; nothing is lost by not keeping it here.
            let _ended = connection.await;
            drop(open);
        });
        Self { client, cancel, way: way.clone(), driver, ended }
    }

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
        Canceller(Arc::new((self.cancel.clone(), self.way.clone())))
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
pub struct Canceller(Arc<(CancelToken, Way)>);

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canceller")
    }
}

impl Canceller {
    /// Asks the server to stop the statement; the statement itself then fails with SQLSTATE 57014.
    /// The request goes the way of the connection: what it carries is as good as a password.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn cancel(&self) -> Result<(), ServerError> {
        let (token, way) = &*self.0;
        let asked = match way {
            Way::Plain => token.cancel_query(NoTls).await,
            Way::Tls(tls) => token.cancel_query(tls.clone()).await,
        };
        asked.map_err(ServerError::from)
    }
}
