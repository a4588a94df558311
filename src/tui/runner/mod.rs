//! Carries the console's effects out, with the verbs of the library.
//!
//! [`Runner`] is what the loop has; it knows at which database the console is and goes to others.
//! A [`Site`] is all that is done at one of them. Its connection opens with the first effect, so the
//! first frame never waits for it. What runs long is kept by its request number, so that it can be
//! cancelled.

mod archives;
mod directory;
mod expiry;
mod hangup;
mod impersonation;
mod installation;
mod records;
mod switch;
mod usage;

pub use switch::Runner;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, OnceCell, SetOnce};
use tracing::Instrument as _;

use super::effect::{Answer, Effect, Request, RequestNo, Tell};
use crate::config::Paths;
use crate::console::Console;
use crate::failure::Failure;
use crate::identity::RequestId;
use crate::impersonation::{Impersonation, StatementCanceller};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::installed_map;
use crate::profile::Destination;
use crate::progress::Progress;
use crate::startup::{self, Started};
use crate::tenant::sessions;

/// How long the end of the console waits for effects that still run.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is done at one database. Clones share everything.
#[derive(Debug, Clone)]
struct Site {
    shared: Arc<Shared>,
    /// What is done with this one belongs to this request, in the ledger and in the log.
    request: RequestId,
}

/// What clones share.
#[derive(Debug)]
struct Shared {
    paths: Paths,
    destination: Destination,
    /// Made by the first effect that needs it; taken out when the console ends.
    started: OnceCell<Connected>,
    /// Where the console listens; known with the first effect.
    tell: Arc<SetOnce<Tell>>,
    /// Wakes the watch over expiry: something about sessions changed.
    look_again: Arc<Notify>,
    /// Long operations that can be cancelled, by request.
    running: Mutex<HashMap<RequestNo, Progress>>,
    /// Statements that can be cancelled, by request.
    statements: Mutex<HashMap<RequestNo, StatementCanceller>>,
    /// Impersonations by number; ended when the console ends, never restored.
    sessions: Mutex<HashMap<i64, Arc<Impersonation>>>,
    /// Held while a restore is planned: one that was replaced gives its locks up first.
    planning: Mutex<()>,
    /// The plan of a restore that was shown last, with its number.
    shown: Mutex<Option<(u64, archives::Shown)>>,
}

/// The database, connected.
#[derive(Debug)]
struct Connected {
    started: Started,
    map: RelationMap,
}

impl Site {
    /// For a database; nothing is connected yet.
    fn new(paths: Paths, destination: Destination) -> Self {
        let shared = Shared {
            paths,
            destination,
            started: OnceCell::new(),
            tell: Arc::default(),
            look_again: Arc::default(),
            running: Mutex::default(),
            statements: Mutex::default(),
            sessions: Mutex::default(),
            planning: Mutex::default(),
            shown: Mutex::default(),
        };
        Self::on(Arc::new(shared))
    }

    /// The same site for another request.
    fn on(shared: Arc<Shared>) -> Self {
        Self { shared, request: RequestId::draw() }
    }

    /// Ends the sessions from outside of their connections.
    async fn end_all(&self) {
        let open: Vec<i64> = self.shared.sessions.lock().await.keys().copied().collect();
        for session in open {
            let ended = async {
                let console = self.console().await?;
                Ok::<_, Failure>(sessions::end(&console, session, Some("quit")).await?)
            };
            if let Err(failure) = ended.await {
                tracing::warn!(session, "it could not be ended: {}", failure.logged());
            }
        }
    }

    /// Ends what is open and the use of the embedded server.
    ///
    /// # Errors
    /// Where the server does not stop in time.
    async fn finish(self, patience: Duration) -> Result<(), Failure> {
        let mut shared = self.shared;
        // Effects that still run hold the connection for a moment.
        let deadline = tokio::time::Instant::now() + patience;
        let shared = loop {
            match Arc::try_unwrap(shared) {
                Ok(alone) => break alone,
                Err(held) => shared = held,
            }
            if tokio::time::Instant::now() > deadline {
                // The use of the server ends with the process; the next command stops the server.
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        for (_, session) in shared.sessions.into_inner() {
            if let Some(session) = Arc::into_inner(session)
                && let Err(error) = session.end("quit").await
            {
                tracing::warn!(%error, "a session could not be ended");
            }
        }
        match shared.started.into_inner() {
            Some(connected) => connected.started.finish(&Progress::silent()).await,
            None => Ok(()),
        }
    }

    /// The connection; made once, also when several effects ask at the same time.
    async fn connected(&self) -> Result<&Connected, Failure> {
        let Shared { paths, destination, started, .. } = &*self.shared;
        started
            .get_or_try_init(async || {
                let started =
                    startup::start(paths, &destination.target, &Progress::silent()).await?;
                let map = installed_map(&started.console).await?;
                tokio::spawn(expiry::watch(Arc::downgrade(&self.shared)));
                Ok(Connected { started, map })
            })
            .await
    }

    /// The gate, under the id of this request.
    async fn console(&self) -> Result<Console, Failure> {
        let connected = self.connected().await?;
        Ok(connected.started.console.for_request(self.request))
    }

    /// A progress handle that can be cancelled by its request number while `work` runs.
    async fn long<T>(
        &self,
        request: RequestNo,
        tell: &Tell,
        work: impl AsyncFnOnce(&Progress) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let progress = tell.progress(request);
        self.shared.running.lock().await.insert(request, progress.clone());
        let result = work(&progress).await;
        self.shared.running.lock().await.remove(&request);
        result
    }
}

impl Site {
    /// Carries one effect out, as a request of its own.
    async fn run(&self, request: Request, tell: Tell) -> Result<Answer, Failure> {
        let _known_already = self.shared.tell.set(tell.clone());
        let site = Self::on(Arc::clone(&self.shared));
        let (id, what) = (site.request, request.effect.as_str());
        let span = tracing::info_span!("effect", request_id = %id, what);
        let answer = Box::pin(site.answer(request, tell));
        answer.instrument(span).await.map_err(|failure| failure.of_request(id))
    }

    /// Carries one effect out and logs why it could not.
    async fn answer(&self, request: Request, tell: Tell) -> Result<Answer, Failure> {
        let inside = request.effect.is_inside();
        let result = Box::pin(self.carry_out(request, tell)).await;
        if let Err(failure) = &result {
            // What fails inside a tenant may name values of its rows: the log has the kind only.
            let message = if inside { "failed inside a tenant session" } else { failure.logged() };
            tracing::warn!(kind = failure.kind.as_str(), "{message}");
        }
        result
    }

    async fn carry_out(&self, request: Request, tell: Tell) -> Result<Answer, Failure> {
        let Request { no, effect } = request;
        match effect {
            Effect::Greet => self.greet().await.map(Answer::Greeting),
            Effect::ListTenants => self.tenants().await.map(Answer::Tenants),
            Effect::FindTenants(text) => self.find(&text).await.map(Answer::Found),
            Effect::ShowTenant(id) => self.tenant(&id).await.map(Answer::Tenant),
            Effect::ListMembers(id) => self.members(&id).await.map(Answer::Members),
            Effect::ListSessions(id) => self.sessions(&id).await.map(Answer::Sessions),
            Effect::ListUsage => self.usage().await.map(Answer::Usage),
            Effect::ShowUsage(id) => self.tenant_usage(&id).await.map(Answer::TenantUsage),
            Effect::ListPlans => self.plans().await.map(Answer::Plans),
            Effect::ShowPlan(name) => self.plan(&name).await.map(Answer::Plan),
            Effect::OverrideLimit(ask) => self.override_limit(ask).await.map(Answer::LimitSet),
            Effect::ListTables => self.tables().await.map(Answer::Map),
            Effect::ListOperators => self.operators().await.map(Answer::Operators),
            Effect::AddOperator(_) | Effect::SetLevel { .. } | Effect::RemoveOperator(_) => {
                self.change_operator(effect).await
            }
            Effect::ListAllSessions => self.all_sessions().await.map(Answer::AllSessions),
            Effect::EndOther(id) => self.end_other(id).await.map(|()| Answer::OtherEnded),
            Effect::ListAudit { filter, older_than } => {
                self.audit(filter, older_than).await.map(Answer::Audit)
            }
            Effect::ShowServer => self.server().await.map(Answer::Server),
            Effect::InspectArchive(path) => self.archive(path).await.map(Answer::Archive),
            Effect::ListHistory => self.history().await.map(Answer::History),
            Effect::ListArchives => self.archives().await.map(Answer::Archives),
            Effect::Cancel(other) => self.cancel(other).await.map(|()| Answer::Done),
            // The loop's own, and those of the runner.
            Effect::Copy(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit
            | Effect::ListProfiles
            | Effect::Switch(_) => Ok(Answer::Done),
            Effect::OpenSession(_)
            | Effect::EndSession { .. }
            | Effect::ListRelations { .. }
            | Effect::FetchPage { .. }
            | Effect::ShowRecord { .. }
            | Effect::ShowLinks { .. }
            | Effect::ExportResult { .. }
            | Effect::CountRows { .. }
            | Effect::RunSql { .. } => Box::pin(self.impersonate(no, effect)).await,
            Effect::Provision(_)
            | Effect::VerifyAudit
            | Effect::VerifyArchive(_)
            | Effect::Export(_)
            | Effect::PlanRestore { .. }
            | Effect::Restore { .. } => {
                let work = async |progress: &Progress| {
                    // The future of a restore is large; it would weigh on every other effect.
                    Box::pin(self.operate(no, effect, progress)).await
                };
                self.long(no, &tell, work).await
            }
        }
    }

    /// The effects that change an operator; any other does nothing.
    async fn change_operator(&self, effect: Effect) -> Result<Answer, Failure> {
        match effect {
            Effect::AddOperator(ask) => {
                Box::pin(self.add_operator(ask)).await.map(Answer::OperatorAdded)
            }
            Effect::SetLevel { name, level } => {
                self.set_level(&name, level).await.map(|()| Answer::LevelSet(name, level))
            }
            Effect::RemoveOperator(name) => Box::pin(self.remove_operator(&name))
                .await
                .map(|kept| Answer::OperatorRemoved { name, kept }),
            _ => Ok(Answer::Done),
        }
    }

    /// The effects inside one tenant session; any other does nothing.
    async fn impersonate(&self, no: RequestNo, effect: Effect) -> Result<Answer, Failure> {
        match effect {
            Effect::OpenSession(ask) => self.open_session(ask).await.map(Answer::SessionOpened),
            Effect::EndSession { session, why } => {
                self.end_session(session, why).await.map(|()| Answer::SessionEnded)
            }
            Effect::ListRelations { session } => {
                self.relations(session).await.map(Answer::Relations)
            }
            Effect::FetchPage { session, ask } => {
                self.page(no, session, ask).await.map(Answer::Page)
            }
            Effect::ShowRecord { session, relation, key } => {
                self.record(no, session, relation, key).await.map(Answer::Record)
            }
            Effect::ShowLinks { session, relation, row, counted } => {
                self.links(no, session, (relation, row), counted).await.map(Answer::Links)
            }
            Effect::ExportResult { session, ask } => {
                self.export_result(session, ask).await.map(Answer::ResultExported)
            }
            Effect::CountRows { session, ask } => {
                self.count(no, session, ask).await.map(Answer::Counted)
            }
            Effect::RunSql { session, sql } => {
                self.statement(no, session, sql).await.map(Answer::Statement)
            }
            _ => Ok(Answer::Done),
        }
    }

    /// The effects that take long, tell how far they are and can be cancelled; any other does nothing.
    async fn operate(
        &self,
        no: RequestNo,
        effect: Effect,
        progress: &Progress,
    ) -> Result<Answer, Failure> {
        match effect {
            Effect::Provision(ask) => self.provision(ask, progress).await.map(Answer::Provisioned),
            Effect::VerifyAudit => self.verify_audit(progress).await.map(Answer::AuditVerified),
            Effect::VerifyArchive(path) => {
                self.verify_archive(path, progress).await.map(Answer::Verified)
            }
            Effect::Export(id) => self.export(&id, progress).await.map(Answer::Exported),
            Effect::PlanRestore { archive, mode } => {
                self.plan_restore(no.0, archive, mode, progress).await.map(Answer::RestorePlan)
            }
            Effect::Restore { plan, confirm, reason } => {
                self.restore(plan, &confirm, reason, progress).await.map(Answer::Restored)
            }
            _ => Ok(Answer::Done),
        }
    }
}
