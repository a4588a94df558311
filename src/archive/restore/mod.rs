//! `restore`: one tenant from an archive back into the tenant it came from.
//!
//! Request, [`prepare()`] (reads and plans), [`preview`] (what would change, row by row, rolled
//! back), [`restore`]: one transaction that stages, changes, compares with the archive and commits
//! or leaves nothing behind.

mod apply;
mod compare;
mod error;
mod fit;
mod footprint;
mod prepare;
mod run;
mod stage;

pub use error::RestoreError;
pub use fit::fit;
pub use prepare::{Difference, Preview, Restore, RestoreMode, RestorePlan, left_alone, prepare};
pub use run::{Restored, preview, restore, restore_telling};
