//! What the console shows, as plain facts: the only shape in which answers reach it.
//!
//! The runner of effects turns reports of operations into these; text that came from a database
//! or a file is [`crate::text::Untrusted`]. Nothing here knows a terminal or a database.

mod archive;
mod grid;
mod installation;
mod ledger;
mod lookup;
mod profile;
mod session;
mod table;
mod tenant;

pub use crate::archive::restore::RestoreMode;
pub use crate::impersonation::{
    Counted, Exported as ResultFacts, Filter as GridFilter, FilterOperator, Link, Links, Match,
    Order, Reference, ResultFormat,
};
pub use crate::tenant::live::{Activity, Backend, LastStatement};
pub use crate::usage::LimitState;
pub use archive::{
    ArchiveFacts, ArchiveLine, ArchiveRelation, ExportFacts, RestoreFacts, RestorePlanFacts,
    RestoreRelation, VerifyFacts,
};
pub use grid::{
    ColumnFacts, ExportAsk, ExportOf, KeySet, PageAsk, PageFacts, PageFrom, RecordFacts,
    RecordField, RelationFacts, StatementFacts,
};
pub use installation::{AddedFacts, MapFacts, MappedRelation, OperatorAsk, OperatorFacts};
pub use ledger::{AuditFilter, AuditPage, ChainFacts, EventFacts, ServerFacts};
pub use lookup::TenantOrder;
pub use profile::{PlaceFacts, ProfileFacts, SwitchAsk, Typed};
pub use session::{EndReason, MemberFacts, OpenAsk, SessionFacts, SessionLine};
pub use table::{TenantLine, TenantTable};
pub use tenant::{
    Greeting, LimitFacts, MetricFacts, OverrideAsk, PlanFacts, ProvisionAsk, TenantFacts,
    TenantState, UsageFacts, WelcomeFacts,
};
