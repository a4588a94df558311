//! The one gate to the database: who is connected, and the only ways to read and to write.
//!
//! Reading goes through READ ONLY transactions. What writes is either a call that the database
//! records by itself ([`crate::audit::Attested`]) or belongs to an [`Undertaking`], which begins by
//! writing its intent; so an unaudited write does not compile.

mod error;
mod gate;
mod undertaking;

pub use error::ConsoleError;
pub use gate::Console;
pub use undertaking::Undertaking;
