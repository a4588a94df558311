//! Arguments of `setup` and of the verbs about the relation map.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use crate::identity::Reason;
use crate::isolation::map::Class;

/// Arguments of `setup`.
#[derive(Debug, Clone, Default, Args)]
#[command(group = ArgGroup::new("what").args(["suspend", "resume", "remove", "except"]))]
pub struct Setup {
    /// Print the whole of the SQL, and change nothing
    #[arg(long, conflicts_with_all = ["suspend", "remove", "except"])]
    pub dry_run: bool,
    /// Take the guard off for a migration; no session opens until `--resume`
    #[arg(long)]
    pub suspend: bool,
    /// Put a suspended guard back, on the schema as it is now
    #[arg(long)]
    pub resume: bool,
    /// Take everything out of the database again; the ledger is written to a file first
    #[arg(long)]
    pub remove: bool,
    /// Leave an object open that setup reports, with `--reason`; more than once for several
    #[arg(long, value_name = "OBJECT", requires = "reason")]
    pub except: Vec<String>,
    /// The table that has a row for each tenant; an empty text: there is none
    #[arg(long, value_name = "TABLE")]
    pub tenant_root: Option<String>,
    /// The column that names the tenant in other tables; more than once for several spellings
    #[arg(long, value_name = "COLUMN")]
    pub tenant_key: Vec<String>,
    /// The setting that the application's policies read
    #[arg(long, value_name = "SETTING")]
    pub setting: Option<String>,
    /// The role that the application uses
    #[arg(long, value_name = "ROLE")]
    pub app_role: Option<String>,
    /// Take the relation map from a TOML file that was reviewed
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Leave what every login gets from PUBLIC as it is: the guard is then incomplete
    #[arg(long)]
    pub keep_public: bool,
    /// Where no event trigger can be made: a policy for every role on tables that are open to every role
    #[arg(long)]
    pub pin_public: bool,
    /// Enforce the limits of plans by triggers on the counted tables
    #[arg(long)]
    pub enforce_limits: bool,
    /// Why; for `--except`
    #[arg(long, value_name = "REASON")]
    pub reason: Option<Reason>,
    /// The name of the database; for `--remove`
    #[arg(long, value_name = "DATABASE", requires = "remove")]
    pub confirm: Option<String>,
}

/// Decisions as they are typed, at the end of the help.
const EXAMPLES: &str = "\
Examples:
  tenantdesk tables set public.notes keyed --key company_id
  tenantdesk tables set public.lines derived --path 'order_id>public.orders.id'
  tenantdesk tables set public.images derived --way 'owner_type=Post:owner_id>public.posts.id' --way 'owner_type=User:owner_id>public.members.id'
  tenantdesk tables set public.users linked --via public.memberships.user_id
  tenantdesk tables set public.sessions excluded --reason 'belong to people, not to one tenant'";

/// Verbs of `tables`.
#[derive(Debug, Clone, Subcommand)]
pub enum Tables {
    /// List the relations with their class, key and guard; before setup, what it would make of them
    List(List),
    /// Decide the class of a relation; the next setup guards it so
    #[command(after_help = EXAMPLES)]
    Set(Box<Set>),
    /// Say why a relation has its class, and which other ways were found
    Explain(Explain),
}

/// Arguments of `tables list`.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Print the whole relation map as TOML, for review and for `setup --map`
    #[arg(long)]
    pub toml: bool,
}

/// Arguments of `tables explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The relation, with its schema where the name alone is not unique
    pub table: String,
}

/// The classes that can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassChoice {
    /// A column names the tenant
    Keyed,
    /// The tenant is known through a parent
    Derived,
    /// A shared parent, such as users
    Linked,
    /// The same for all tenants
    Global,
    /// Left out, with a reason
    Excluded,
    /// What discovery finds
    Auto,
}

impl ClassChoice {
    /// The class, or none where discovery decides.
    #[must_use]
    pub const fn class(self) -> Option<Class> {
        match self {
            Self::Keyed => Some(Class::Keyed),
            Self::Derived => Some(Class::Derived),
            Self::Linked => Some(Class::Linked),
            Self::Global => Some(Class::Global),
            Self::Excluded => Some(Class::Excluded),
            Self::Auto => None,
        }
    }
}

/// Arguments of `tables set`.
#[derive(Debug, Clone, Args)]
pub struct Set {
    /// The relation, with its schema where the name alone is not unique
    pub table: String,
    /// Its class
    pub class: ClassChoice,
    /// Keyed: the column that names the tenant
    #[arg(long, value_name = "COLUMN", required_if_eq("class", "keyed"))]
    pub key: Option<String>,
    /// Keyed: rows without a key are everybody's, and may be read
    #[arg(long, requires = "key")]
    pub shared: bool,
    /// Derived: the way to a keyed table
    #[arg(long, value_name = "COLUMN>TABLE.COLUMN[/..]")]
    pub path: Option<String>,
    /// Derived: one way for each word of a polymorphic pair
    #[arg(long, value_name = "COLUMN=WORD:PATH", conflicts_with = "path")]
    pub way: Vec<String>,
    /// Linked: the column that links its rows to tenants
    #[arg(long, value_name = "TABLE.COLUMN", required_if_eq("class", "linked"))]
    pub via: Option<String>,
    /// Excluded: why
    #[arg(long, value_name = "REASON", required_if_eq("class", "excluded"))]
    pub reason: Option<String>,
}
