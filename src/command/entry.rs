//! What one row of the registry says.

use crate::identity::Level;

use super::availability::Need;
use super::key::{Key, sequence};

/// One command, known to both skins by the same word.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// The id that code matches on.
    pub id: CommandId,
    /// What is typed after `tenantdesk`, and after `:` in the console.
    pub words: &'static str,
    /// What it does, as a short order without a final period.
    pub title: &'static str,
    /// Where help and documents list it.
    pub group: Group,
    /// Default keys of the console, as [`sequence`] reads them.
    pub default_keys: &'static [&'static str],
    /// The screens on which the keys work; empty for commands without a place in the console.
    pub scopes: &'static [Scope],
    /// How a person is asked before it runs.
    pub risk: Risk,
    /// The least level; `None` where no database login is needed.
    pub level: Option<Level>,
    /// Whether the login that manages the installation may run it, whatever its level.
    pub for_manager: bool,
    /// What it needs besides.
    pub needs: &'static [Need],
    /// Whether the command line has it as a verb.
    pub verb: bool,
}

impl Command {
    /// Who may run it and how it asks, for help and documents.
    #[must_use]
    pub fn level_and_risk(&self) -> String {
        let who = self.level.map_or_else(|| "anybody".to_owned(), |level| level.to_string());
        format!("Level: {who}; {}", self.risk.in_words())
    }

    /// The default keys, each a sequence (mostly of one). What is no key is left out; a test holds
    /// that there is none.
    pub fn keys(&self) -> impl Iterator<Item = Vec<Key>> + use<> {
        self.default_keys.iter().filter_map(|keys| sequence(keys).ok())
    }

    /// Whether the console has it at all.
    #[must_use]
    pub const fn in_console(&self) -> bool {
        !self.scopes.is_empty()
    }
}

/// How a person is asked before a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Risk {
    /// Not at all.
    None,
    /// Yes or no, with No focused; `--yes` on the command line.
    Confirm,
    /// As [`Risk::Confirm`], but only then: the words say when.
    ConfirmWhen(&'static str),
    /// The tenant's slug is typed; `--confirm SLUG` on the command line, which `--yes` never replaces.
    TypeSlug,
}

impl Risk {
    /// How help and documents say it.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::None => "does not ask".to_owned(),
            Self::Confirm => "asks yes or no".to_owned(),
            Self::ConfirmWhen(when) => format!("asks yes or no {when}"),
            Self::TypeSlug => "asks for the slug and the reason".to_owned(),
        }
    }
}

/// Where help and documents list a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Tenants and their members.
    Tenants,
    /// Acting as a member.
    Impersonation,
    /// Plans, limits, usage.
    Usage,
    /// Export and restore.
    Archives,
    /// The ledger.
    Audit,
    /// Operators and the relation map.
    Installation,
    /// The embedded server and the demo.
    Server,
    /// Databases that have a name, and the configuration.
    Profiles,
    /// The program itself.
    Program,
    /// Moving about in the console.
    Console,
}

impl Group {
    /// All groups in the order of help and documents.
    pub const ALL: [Self; 10] = [
        Self::Tenants,
        Self::Impersonation,
        Self::Usage,
        Self::Archives,
        Self::Audit,
        Self::Installation,
        Self::Server,
        Self::Profiles,
        Self::Program,
        Self::Console,
    ];

    /// The heading.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "Tenants",
            Self::Impersonation => "Impersonation",
            Self::Usage => "Usage and plans",
            Self::Archives => "Archives",
            Self::Audit => "Audit",
            Self::Installation => "Installation",
            Self::Server => "Server",
            Self::Profiles => "Profiles and configuration",
            Self::Program => "Program",
            Self::Console => "Console",
        }
    }
}

/// A place of the console where keys mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// On every screen, where the screen itself does not use the key.
    Everywhere,
    /// The list of tenants.
    Tenants,
    /// One tenant.
    Tenant,
    /// Inside an impersonation.
    Impersonation,
    /// The tenant sessions of everybody.
    Sessions,
    /// Usage of all tenants.
    Usage,
    /// Archives and restore.
    Archives,
    /// The plan of a restore.
    Restore,
    /// The ledger.
    Audit,
    /// The server.
    Server,
}

impl Scope {
    /// All scopes in the order of documents.
    pub const ALL: [Self; 10] = [
        Self::Everywhere,
        Self::Tenants,
        Self::Tenant,
        Self::Impersonation,
        Self::Sessions,
        Self::Usage,
        Self::Archives,
        Self::Restore,
        Self::Audit,
        Self::Server,
    ];

    /// The heading.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Tenants => "Tenants",
            Self::Tenant => "One tenant",
            Self::Impersonation => "Impersonation",
            Self::Sessions => "Sessions",
            Self::Usage => "Usage",
            Self::Archives => "Archives",
            Self::Restore => "Restore",
            Self::Audit => "Audit",
            Self::Server => "Server",
        }
    }
}

macro_rules! command_ids {
    ($($name:ident),* $(,)?) => {
        /// The id of a command; one variant for each row of the table, in the same order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the table of commands has a title for each")]
        pub enum CommandId { $($name),* }

        impl CommandId {
            /// All ids in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

command_ids! {
    // Tenants
    TenantList, TenantFind, TenantShow, TenantCreate, MemberList,
    // Impersonation
    Impersonate, ImpersonationList, ImpersonationShow, ImpersonationEnd, SessionEnd,
    Browse, Sql, SqlRun, Record, NextPage, PreviousPage, CountRows,
    Follow, Links, ViewValue, Mark, CopyRows, CopyRowsJson, ResultExport, History,
    // Usage
    Usage, PlanList, PlanShow, LimitOverride,
    // Archives
    Export, ArchiveList, ArchiveInspect, ArchiveVerify, Restore, RestoreApply,
    // Audit
    AuditList, AuditShow, AuditVerify,
    // Installation
    Setup, TablesList, TablesSet, TablesExplain, OperatorList, OperatorAdd, OperatorPassword, OperatorRemove,
    OperatorLevel,
    // Server
    Demo, ServerStart, ServerStop, ServerStatus, ServerUrl, ServerPsql, ServerLogs,
    // Profiles
    Profile, ProfileList, ProfileAdd, ProfileTest, ProfileRemove, ConfigShow, ConfigValidate,
    // Program
    Doctor, Paths, Completions, Man,
    // Console
    Palette, Help, Back, Quit, Cancel, Refresh, Filter, Sort, SortReverse, Messages, Redraw, Suspend, Open, Up, Down, Left, Right,
    PageUp, PageDown, First, Last, NextPane, PreviousPane, Copy,
}
