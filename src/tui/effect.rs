//! What the pure core asks of the outside, and what comes back: two closed enums and one trait.
//!
//! The core never awaits. It issues a [`Request`]; the runner carries it out and answers with the
//! same number, so that answers to questions nobody asks any more can be dropped.

use std::future::Future;
use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use super::app::Message;
use super::facts::{
    AddedFacts, ArchiveFacts, ArchiveLine, AuditFilter, AuditPage, ChainFacts, EndReason,
    ExportAsk, ExportFacts, Greeting, KeySet, Links, MapFacts, MemberFacts, OpenAsk, OperatorAsk,
    OperatorFacts, OverrideAsk, PageAsk, PageFacts, PlaceFacts, PlanFacts, ProfileFacts,
    ProvisionAsk, RecordFacts, RelationFacts, RestoreFacts, RestoreMode, RestorePlanFacts,
    ResultFacts, ServerFacts, SessionFacts, SessionLine, StatementFacts, SwitchAsk, TenantFacts,
    TenantTable, UsageFacts, VerifyFacts, WelcomeFacts,
};
use crate::audit::EventPlace;
use crate::failure::Failure;
use crate::identity::{Level, OperatorName, Reason, TenantId};
use crate::progress;

/// The number of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestNo(pub u64);

/// One effect to carry out.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its number; the answer carries it.
    pub no: RequestNo,
    /// What to do.
    pub effect: Effect,
}

/// Everything the core can ask for. The answer expected stands behind the arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Who are we, and where? -> [`Answer::Greeting`]
    Greet,
    /// The directory -> [`Answer::Tenants`]
    ListTenants,
    /// Tenants by name, slug, id fragment, domain or member's e-mail -> [`Answer::Found`]
    FindTenants(String),
    /// One tenant -> [`Answer::Tenant`]
    ShowTenant(TenantId),
    /// Its members -> [`Answer::Members`]
    ListMembers(TenantId),
    /// Usage of one tenant -> [`Answer::TenantUsage`]
    ShowUsage(TenantId),
    /// Its sessions, newest first, running ones on top -> [`Answer::Sessions`]
    ListSessions(TenantId),
    /// Usage of all tenants -> [`Answer::Usage`]
    ListUsage,
    /// Plans with their limits -> [`Answer::Plans`]
    ListPlans,
    /// One plan -> [`Answer::Plan`]
    ShowPlan(String),
    /// Sets another limit for one tenant, until a date -> [`Answer::LimitSet`]
    OverrideLimit(OverrideAsk),
    /// The relation map -> [`Answer::Map`]
    ListTables,
    /// The operators -> [`Answer::Operators`]
    ListOperators,
    /// Adds an operator -> [`Answer::OperatorAdded`]
    AddOperator(OperatorAsk),
    /// Gives an operator another level -> [`Answer::LevelSet`]
    SetLevel {
        /// Whom.
        name: OperatorName,
        /// Which.
        level: Level,
    },
    /// Removes an operator -> [`Answer::OperatorRemoved`]
    RemoveOperator(OperatorName),
    /// The sessions of all tenants -> [`Answer::AllSessions`]
    ListAllSessions,
    /// Makes a tenant -> [`Answer::Provisioned`]
    Provision(ProvisionAsk),
    /// Starts an impersonation; the runner holds its connection -> [`Answer::SessionOpened`]
    OpenSession(OpenAsk),
    /// Ends the session the runner holds and closes its connection -> [`Answer::SessionEnded`]
    EndSession {
        /// Which.
        session: i64,
        /// Why.
        why: EndReason,
    },
    /// Ends the session of another operator -> [`Answer::OtherEnded`]
    EndOther(i64),
    /// Relations of the session's tenant -> [`Answer::Relations`]
    ListRelations {
        /// In which session.
        session: i64,
    },
    /// A page of rows -> [`Answer::Page`]
    FetchPage {
        /// In which session.
        session: i64,
        /// Which page.
        ask: PageAsk,
    },
    /// One record in full, by a key of its page -> [`Answer::Record`]
    ShowRecord {
        /// In which session.
        session: i64,
        /// Of which relation, by the name it was listed under.
        relation: String,
        /// One of [`PageFacts::keys`].
        key: KeySet,
    },
    /// Where one can go from a row -> [`Answer::Links`]
    ShowLinks {
        /// In which session.
        session: i64,
        /// Of which relation.
        relation: String,
        /// The values that are wholly here, by the names of their columns.
        row: Vec<(String, Option<String>)>,
        /// Whether children are counted.
        counted: bool,
    },
    /// Writes the rows on screen to a file -> [`Answer::ResultExported`]
    ExportResult {
        /// In which session.
        session: i64,
        /// What.
        ask: ExportAsk,
    },
    /// The exact number of rows, filter included -> [`Answer::Counted`]
    CountRows {
        /// In which session.
        session: i64,
        /// Of which page; `from` and `limit` do not matter.
        ask: PageAsk,
    },
    /// One statement as typed -> [`Answer::Statement`]
    RunSql {
        /// In which session.
        session: i64,
        /// The text.
        sql: String,
    },
    /// Shapes of what was run in earlier sessions, the oldest first -> [`Answer::History`]
    ListHistory,
    /// Archives in the default directory, newest first -> [`Answer::Archives`]
    ListArchives,
    /// What one says of itself, unverified -> [`Answer::Archive`]
    InspectArchive(PathBuf),
    /// Verifies one; tells progress -> [`Answer::Verified`]
    VerifyArchive(PathBuf),
    /// Exports a tenant to the default directory; tells progress -> [`Answer::Exported`]
    Export(TenantId),
    /// Plans a restore; the runner keeps the plan; tells progress -> [`Answer::RestorePlan`]
    PlanRestore {
        /// From which archive.
        archive: PathBuf,
        /// What is done with rows that are there.
        mode: RestoreMode,
    },
    /// Carries a plan out; tells progress -> [`Answer::Restored`]
    Restore {
        /// [`RestorePlanFacts::number`]
        plan: u64,
        /// What was typed.
        confirm: String,
        /// Why.
        reason: Reason,
    },
    /// Asks a running request to stop: the server's cancel for a statement, the checkpoint for an
    /// operation. The stopped request answers with a failure. -> [`Answer::Done`]
    Cancel(RequestNo),
    /// Events -> [`Answer::Audit`]
    ListAudit {
        /// Which.
        filter: AuditFilter,
        /// [`AuditPage::older`] of the page before.
        older_than: Option<EventPlace>,
    },
    /// Recomputes the chains; tells progress -> [`Answer::AuditVerified`]
    VerifyAudit,
    /// The server -> [`Answer::Server`]
    ShowServer,
    /// The databases one can go to, the embedded server first -> [`Answer::Profiles`]
    ListProfiles,
    /// Connects to another database; what was open at the old one is ended once that is done;
    /// tells progress -> [`Answer::Switched`]
    Switch(SwitchAsk),
    /// Puts plain text on the clipboard; the loop does it.
    Copy(String),
    /// Draws everything anew; the loop does it.
    Redraw,
    /// Back to the shell until the job is continued; the loop does it.
    Suspend,
    /// The console is over; the loop does it.
    Quit,
}

impl Effect {
    /// Its name in the log, without what it holds.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Greet => "greet",
            Self::ListTenants => "list tenants",
            Self::FindTenants(_) => "find tenants",
            Self::ShowTenant(_) => "show tenant",
            Self::ListMembers(_) => "list members",
            Self::ShowUsage(_) => "show usage",
            Self::ListSessions(_) => "list sessions",
            Self::ListUsage => "list usage",
            Self::ListPlans => "list plans",
            Self::ShowPlan(_) => "show plan",
            Self::OverrideLimit(_) => "override limit",
            Self::ListTables => "list tables",
            Self::ListOperators => "list operators",
            Self::AddOperator(_) => "add operator",
            Self::SetLevel { .. } => "set level",
            Self::RemoveOperator(_) => "remove operator",
            Self::ListAllSessions => "list all sessions",
            Self::Provision(_) => "provision",
            Self::OpenSession(_) => "open session",
            Self::EndSession { .. } => "end session",
            Self::EndOther(_) => "end another's session",
            Self::ListRelations { .. } => "list relations",
            Self::FetchPage { .. } => "fetch page",
            Self::ShowRecord { .. } => "show record",
            Self::ShowLinks { .. } => "show links",
            Self::ExportResult { .. } => "export result",
            Self::CountRows { .. } => "count rows",
            Self::RunSql { .. } => "run statement",
            Self::ListHistory => "list history",
            Self::ListArchives => "list archives",
            Self::InspectArchive(_) => "inspect archive",
            Self::VerifyArchive(_) => "verify archive",
            Self::Export(_) => "export",
            Self::PlanRestore { .. } => "plan restore",
            Self::Restore { .. } => "restore",
            Self::Cancel(_) => "cancel",
            Self::ListAudit { .. } => "list audit",
            Self::VerifyAudit => "verify audit",
            Self::ShowServer => "show server",
            Self::ListProfiles => "list profiles",
            Self::Switch(_) => "switch",
            Self::Copy(_) => "copy",
            Self::Redraw => "redraw",
            Self::Suspend => "suspend",
            Self::Quit => "quit",
        }
    }

    /// Whether it reads or changes rows of a tenant.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        matches!(
            self,
            Self::ListRelations { .. }
                | Self::FetchPage { .. }
                | Self::ShowRecord { .. }
                | Self::ShowLinks { .. }
                | Self::ExportResult { .. }
                | Self::CountRows { .. }
                | Self::RunSql { .. }
        )
    }
}

/// What came back.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each stands behind the arrow of the effect it answers")]
pub enum Answer {
    Greeting(Greeting),
    Tenants(TenantTable),
    Found(Vec<TenantFacts>),
    Tenant(TenantFacts),
    Members(Vec<MemberFacts>),
    TenantUsage(UsageFacts),
    Sessions(Vec<SessionLine>),
    Usage(Vec<UsageFacts>),
    Plans(Vec<PlanFacts>),
    Plan(PlanFacts),
    LimitSet(OverrideAsk),
    Map(MapFacts),
    Operators(Vec<OperatorFacts>),
    OperatorAdded(AddedFacts),
    LevelSet(OperatorName, Level),
    OperatorRemoved { name: OperatorName, kept: bool },
    AllSessions(Vec<SessionLine>),
    Provisioned(WelcomeFacts),
    SessionOpened(SessionFacts),
    SessionEnded,
    OtherEnded,
    Relations(Vec<RelationFacts>),
    Page(PageFacts),
    Record(RecordFacts),
    Links(Links),
    ResultExported(ResultFacts),
    Counted(i64),
    History(Vec<String>),
    Statement(StatementFacts),
    Archives(Vec<ArchiveLine>),
    Archive(ArchiveFacts),
    Verified(VerifyFacts),
    Exported(ExportFacts),
    RestorePlan(RestorePlanFacts),
    Restored(RestoreFacts),
    Audit(AuditPage),
    AuditVerified(Vec<ChainFacts>),
    Server(ServerFacts),
    Profiles(Vec<ProfileFacts>),
    Switched(PlaceFacts),
    Done,
}

/// Where a runner tells what happens before the answer, or without any question.
#[derive(Debug, Clone)]
pub struct Tell(UnboundedSender<Message>);

impl Tell {
    /// Messages go to the loop that listens at the other end.
    #[must_use]
    pub const fn new(sender: UnboundedSender<Message>) -> Self {
        Self(sender)
    }

    /// Sends one message; a console that is gone must not stop the work.
    pub fn send(&self, message: Message) {
        let _gone = self.0.send(message);
    }

    /// A progress handle for a verb, whose events arrive as [`Message::Progress`].
    #[must_use]
    pub fn progress(&self, no: RequestNo) -> progress::Progress {
        let (handle, mut events) = progress::Progress::channel();
        let tell = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                tell.send(Message::Progress { no, event });
            }
        });
        handle
    }
}

/// Carries effects out. Each call runs on a task of its own, so none may wait for another's answer
/// (statements of one session queue inside the runner).
pub trait Effects: Clone + Send + Sync + 'static {
    /// Carries one effect out.
    fn run(
        &self,
        request: Request,
        tell: Tell,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send;
}
