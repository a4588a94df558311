//! The embedded server as the rest of the program sees it: attach, use, release.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::account::{self, ServerAccount};
use super::error::EmbeddedError;
use super::locks::{Transition, Usage, exclusively};
use super::programs::Search;
use super::start::Launch;
use super::state::{Observation, State, observe};
use super::{ident, initialise, postmaster, start, stop};
use crate::config::Paths;
use crate::postgres::endpoint::Endpoint;
use crate::progress::Progress;

/// The embedded server of one home, whether it runs or not.
#[derive(Debug, Clone)]
pub struct Embedded {
    paths: Paths,
    search: Search,
}

/// What `server start` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOptions {
    /// Whether to listen on the loopback as well, for applications that cannot use a socket.
    pub tcp: bool,
}

/// One process's use of the running server. Dropping it without [`EmbeddedServer::release`]
/// gives up the use and leaves the server to whoever comes next.
#[derive(Debug)]
pub struct EmbeddedServer {
    embedded: Embedded,
    account: Option<ServerAccount>,
    os_user: String,
    seen: Observation,
    usage: Usage,
}

/// Held while one process makes roles, databases and schemas; others wait.
#[derive(Debug)]
pub struct SetupLock {
    _file: File,
}

impl Embedded {
    /// The server of these paths; programs are looked for where the environment says.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self::with_search(paths, Search::from_environment(paths))
    }

    /// The server of these paths, with its programs looked for in given places.
    #[must_use]
    pub fn with_search(paths: &Paths, search: Search) -> Self {
        Self { paths: paths.clone(), search }
    }

    /// Uses the server of these paths; makes and starts it where it does not run.
    ///
    /// # Errors
    /// [`EmbeddedError`]: no programs, data of another version, no start, and so on.
    pub async fn attach(
        paths: &Paths,
        progress: &Progress,
    ) -> Result<EmbeddedServer, EmbeddedError> {
        Self::new(paths).join(progress).await
    }

    /// As [`Embedded::attach`].
    ///
    /// # Errors
    /// As [`Embedded::attach`].
    pub async fn join(&self, progress: &Progress) -> Result<EmbeddedServer, EmbeddedError> {
        let account = self.prepare()?;
        let transition = Transition::take(&self.paths, progress).await?;
        self.join_holding(&transition, account, progress).await
    }

    /// Starts the server, or finds it running, and lets it stay until [`Embedded::stop`].
    ///
    /// # Errors
    /// As [`Embedded::attach`]; [`EmbeddedError::InUse`] where opening TCP would need a restart
    /// under somebody's feet.
    pub async fn start(
        &self,
        options: StartOptions,
        progress: &Progress,
    ) -> Result<Observation, EmbeddedError> {
        let account = self.prepare()?;
        let transition = Transition::take(&self.paths, progress).await?;
        let running = observe(&self.paths, account.as_ref()).await?;
        let mut tcp = running.tcp.then_some(running.port);
        if options.tcp && tcp.is_none() {
            if let Some(pid) = running.pid {
                if Usage::is_held(&self.paths, &transition)? {
                    return Err(EmbeddedError::InUse);
                }
                stop::stop(&self.paths.data_dir, pid, progress).await?;
            }
            tcp = Some(free_port(&self.paths)?);
        }
        self.mark(tcp)?;
        match self.join_holding(&transition, account, progress).await {
            Ok(server) => Ok(server.seen),
            Err(error) => {
                // A server that did not start is not to stay.
                self.unmark()?;
                Err(error)
            }
        }
    }

    /// Stops the server, also for those who use it; says whether it ran.
    ///
    /// # Errors
    /// Where it does not stop in time.
    pub async fn stop(&self, progress: &Progress) -> Result<bool, EmbeddedError> {
        if !self.paths.locks_dir.exists() {
            return Ok(false);
        }
        let account = self.prepare()?;
        let _transition = Transition::take(&self.paths, progress).await?;
        self.unmark()?;
        self.stop_holding(account.as_ref(), progress).await
    }

    /// Looks at the server without changing anything.
    ///
    /// # Errors
    /// Where its files cannot be read.
    pub async fn observe(&self) -> Result<Observation, EmbeddedError> {
        let account = ServerAccount::choose(&self.paths.data_dir)?;
        observe(&self.paths, account.as_ref()).await
    }

    /// Whether any process uses the server now, this one included.
    ///
    /// # Errors
    /// Where the lock files cannot be used.
    pub async fn is_in_use(&self, progress: &Progress) -> Result<bool, EmbeddedError> {
        if !self.paths.locks_dir.exists() {
            return Ok(false);
        }
        let transition = Transition::take(&self.paths, progress).await?;
        Usage::is_held(&self.paths, &transition)
    }

    /// Whether the server was asked to stay when nobody uses it.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.marker().exists()
    }

    /// The major version of the data; `None` where there is none yet.
    ///
    /// # Errors
    /// Where the directory holds something else.
    pub fn data_version(&self) -> Result<Option<u32>, EmbeddedError> {
        initialise::data_version(&self.paths.data_dir)
    }

    /// The `psql` that belongs to the server, else the one on the PATH.
    ///
    /// # Errors
    /// Where no server programs are found.
    pub async fn client_program(&self, progress: &Progress) -> Result<PathBuf, EmbeddedError> {
        let data = self.data_version()?;
        let data = data.map(|major| (major, self.paths.data_dir.as_path()));
        let own = self.search.find(data, progress).await?.bin_dir.join("psql");
        Ok(if own.exists() { own } else { PathBuf::from("psql") })
    }

    /// The places this server lies in.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    fn prepare(&self) -> Result<Option<ServerAccount>, EmbeddedError> {
        let account = ServerAccount::choose(&self.paths.data_dir)?;
        initialise::home(&self.paths, account.as_ref())?;
        Ok(account)
    }

    async fn join_holding(
        &self,
        transition: &Transition,
        account: Option<ServerAccount>,
        progress: &Progress,
    ) -> Result<EmbeddedServer, EmbeddedError> {
        let os_user = account::os_user().await?;
        let usage = Usage::share(&self.paths, transition)?;
        let seen = self.ensure_running(account.as_ref(), &os_user, progress).await?;
        let server = EmbeddedServer { embedded: self.clone(), account, os_user, seen, usage };
        // The user may have been renamed since the data was made.
        server.allow_logins(&[super::SUPERUSER], progress).await?;
        Ok(server)
    }

    async fn ensure_running(
        &self,
        account: Option<&ServerAccount>,
        os_user: &str,
        progress: &Progress,
    ) -> Result<Observation, EmbeddedError> {
        let paths = &self.paths;
        let begun = Instant::now();
        loop {
            let seen = observe(paths, account).await?;
            match seen.state {
                State::Running => return Ok(seen),
                State::Starting | State::Stopping if begun.elapsed() < start::PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                State::Starting | State::Stopping => {
                    return Err(EmbeddedError::Locked(start::PATIENCE.as_secs()));
                }
                // It lives and cannot be reached, so it is of no use to anybody.
                State::Unreachable => {
                    if let Some(pid) = seen.pid {
                        stop::stop(&paths.data_dir, pid, progress).await?;
                    }
                }
                State::Absent | State::Stopped => {
                    let major = initialise::data_version(&paths.data_dir)?;
                    let data = major.map(|major| (major, paths.data_dir.as_path()));
                    let programs = self.search.find(data, progress).await?;
                    if major.is_none() {
                        initialise::data_dir(paths, &programs, account, os_user, progress).await?;
                    }
                    let tcp = self.marked_port();
                    Launch { paths, programs: &programs, account, tcp }.run(progress).await?;
                }
            }
            if progress.is_cancelled() {
                return Err(EmbeddedError::Cancelled);
            }
        }
    }

    async fn stop_holding(
        &self,
        account: Option<&ServerAccount>,
        progress: &Progress,
    ) -> Result<bool, EmbeddedError> {
        match observe(&self.paths, account).await?.pid {
            None => Ok(false),
            Some(pid) => {
                stop::stop(&self.paths.data_dir, pid, progress).await?;
                // The short form of the directory lies among other people's files; if it is not
                // empty, it is not only ours and stays.
                if !self.paths.socket_dir.starts_with(&self.paths.home) {
                    let _stays = std::fs::remove_dir(&self.paths.socket_dir);
                }
                Ok(true)
            }
        }
    }

    /// The mark of a server that stays; its text is the TCP port, if one is open.
    fn marker(&self) -> PathBuf {
        self.paths.locks_dir.join("stay")
    }

    fn mark(&self, tcp: Option<u16>) -> Result<(), EmbeddedError> {
        let path = self.marker();
        let text = tcp.map_or_else(String::new, |port| port.to_string());
        std::fs::write(&path, text).map_err(EmbeddedError::io("write", &path))
    }

    fn unmark(&self) -> Result<(), EmbeddedError> {
        let path = self.marker();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(EmbeddedError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    fn marked_port(&self) -> Option<u16> {
        std::fs::read_to_string(self.marker()).ok()?.trim().parse().ok()
    }
}

impl EmbeddedServer {
    /// The address of a database for a login that [`EmbeddedServer::allow_logins`] let in.
    #[must_use]
    pub fn endpoint(&self, database: &str, role: &str) -> Endpoint {
        Endpoint::socket(&self.seen.socket_dir, self.seen.port, database, role)
    }

    /// The operating system's user who runs this program, and whom `peer` lets in.
    #[must_use]
    pub fn os_user(&self) -> &str {
        &self.os_user
    }

    /// What was seen of the server when it was attached to.
    #[must_use]
    pub fn observation(&self) -> &Observation {
        &self.seen
    }

    /// Lets the user log in as these roles; a connection opened afterwards finds the door open.
    ///
    /// # Errors
    /// [`EmbeddedError::NoLoginName`] for a name that means more than itself; else where the
    /// map cannot be written.
    pub async fn allow_logins(
        &self,
        roles: &[&str],
        progress: &Progress,
    ) -> Result<(), EmbeddedError> {
        let add = |logins: &mut std::collections::BTreeSet<String>| {
            logins.extend(roles.iter().map(|&role| role.to_owned()));
        };
        self.change_logins(add, progress).await
    }

    /// Takes the way in to these roles away again.
    ///
    /// # Errors
    /// Where the map cannot be written.
    pub async fn forbid_logins(
        &self,
        roles: &[&str],
        progress: &Progress,
    ) -> Result<(), EmbeddedError> {
        self.change_logins(
            |logins| logins.retain(|login| !roles.contains(&login.as_str())),
            progress,
        )
        .await
    }

    /// Waits until no other process sets the server up; hold the answer while doing so.
    ///
    /// # Errors
    /// [`EmbeddedError::Locked`] where another takes too long.
    pub async fn setup_lock(&self, progress: &Progress) -> Result<SetupLock, EmbeddedError> {
        let file = exclusively(&self.embedded.paths.locks_dir.join("setup"), progress).await?;
        Ok(SetupLock { _file: file })
    }

    /// Ends this use; the last one out stops the server, unless it was asked to stay. Says
    /// whether it was stopped.
    ///
    /// # Errors
    /// Where the server does not stop in time.
    pub async fn release(self, progress: &Progress) -> Result<bool, EmbeddedError> {
        let transition = Transition::take(&self.embedded.paths, progress).await?;
        let last = self.usage.give_up(&transition);
        if !last || self.embedded.stays() {
            return Ok(false);
        }
        self.embedded.stop_holding(self.account.as_ref(), progress).await
    }

    /// The server reads its map in before it takes the next connection: the signal is handled in
    /// the same loop, and waits there before anything that arrives after it was sent.
    async fn change_logins(
        &self,
        edit: impl FnOnce(&mut std::collections::BTreeSet<String>),
        progress: &Progress,
    ) -> Result<(), EmbeddedError> {
        let paths = &self.embedded.paths;
        let _alone = exclusively(&paths.locks_dir.join("logins"), progress).await?;
        if ident::change(&paths.data_dir, &self.os_user, self.account.as_ref(), edit)? {
            let seen = observe(paths, self.account.as_ref()).await?;
            if let Some(pid) = seen.pid {
                postmaster::signal(pid, Signal::HUP);
            }
        }
        Ok(())
    }
}

/// PostgreSQL's own port where it is free, else any.
fn free_port(paths: &Paths) -> Result<u16, EmbeddedError> {
    let loopback = |port| TcpListener::bind(("127.0.0.1", port));
    let listener = loopback(super::PORT)
        .or_else(|_taken| loopback(0))
        .map_err(EmbeddedError::io("find a free port for", &paths.data_dir))?;
    let address = listener.local_addr();
    Ok(address.map_err(EmbeddedError::io("find a free port for", &paths.data_dir))?.port())
}
