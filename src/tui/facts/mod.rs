//! What the console shows, as plain facts: the only shape in which answers reach it.
//!
//! The runner of effects turns reports of operations into these; text that came from a database
//! or a file is [`crate::text::Untrusted`]. Nothing here knows a terminal or a database.

mod archive;
mod grid;
mod ledger;
mod lookup;
mod session;
mod table;
mod tenant;

pub use archive::{
    ArchiveFacts, ArchiveLine, ArchiveRelation, ExportFacts, RestoreFacts, RestoreMode,
    RestorePlanFacts, RestoreRelation, VerifyFacts,
};
pub use grid::{
    ColumnFacts, FilterOperator, GridFilter, KeySet, Order, PageAsk, PageFacts, PageFrom,
    RecordFacts, RecordField, RelationFacts, StatementFacts,
};
pub use ledger::{AuditFilter, AuditPage, ChainFacts, EventFacts, ServerFacts};
pub use lookup::TenantOrder;
pub use session::{EndReason, MemberFacts, OpenAsk, SessionFacts, SessionLine};
pub use table::{TenantLine, TenantTable};
pub use tenant::{
    Greeting, LimitState, MetricFacts, ProvisionAsk, TenantFacts, TenantState, UsageFacts,
    WelcomeFacts,
};
