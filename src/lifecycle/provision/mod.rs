//! `tenant create`: one transaction makes the rows that the map's template says, all inside the new
//! tenant's own session. All or nothing: a failure leaves no row behind, and its attempt in the
//! ledger.

mod create;
mod digest;
mod error;
mod plan;
mod values;

pub use create::{Admin, Created, create};
pub use error::CreateError;
pub use plan::{CreatePlan, CreateTenant, PlannedAdmin, begins_with_admin, prepare};
