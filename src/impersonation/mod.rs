//! Impersonation: an operator acts as a member of one tenant, for a reason, until a time.
//!
//! The boundary is the guard in the database. What is here keeps the record (each statement before
//! it runs and after), gives every value in its text form, caps what comes back, and watches
//! the rows once more ([`Tripwire`]). [`prepare`] and [`open`] begin, [`Impersonation`] is the
//! running one, [`run_script`] is the whole of it for a command line.

mod browse;
mod end;
mod error;
mod fetch;
mod grid;
mod history;
mod keyset;
mod kind;
mod lexeme;
mod links;
mod page;
mod record;
mod reference;
mod refused_functions;
mod result;
mod script;
mod shape;
mod show;
mod start;
mod statement;
mod told;
mod tripwire;
mod written;

pub use end::{Ending, Lost, how_it_ended};
pub use error::ImpersonationError;
pub use fetch::{Column, Cut, Limits, Rows};
pub use grid::{BrowsedColumn, BrowsedRelation, RowKey};
pub use history::History;
pub use keyset::KeySet;
pub use kind::{Refusal, StatementKind};
pub use lexeme::split_statements;
pub use links::{Counted, Link, Links, MOST_COUNTED, RowValues, row_values};
pub use page::{Filter, FilterOperator, From, Order, Page, PageAsk, RecordField};
pub use reference::{Match, Reference};
pub use result::{Exported, ResultExport, ResultFormat, ResultOf};
pub use script::{Script, ScriptReport, run_script};
pub use shape::Shape;
pub use show::{RecordReport, WantedRecord, run_record};
pub use start::{StartError, StartImpersonation, StartPlan, open, prepare};
pub use statement::{Ask, Impersonation, Outcome, StatementCanceller};
pub use told::{ToldStatement, told_statements};
pub use tripwire::{Leak, Tripwire};
