//! The ledger: what is recorded before and after each write, how it is read, and how the chain is
//! verified. The database writes the actor and the hash; nothing here can name another.

mod chain;
mod entry;
mod events;
mod verify;

pub use chain::{Break, ChainHead, Link, check_link};
pub use entry::{Attested, Entry, Verb};
pub use events::{
    Event, EventFact, EventFilter, EventPlace, EventRow, chain_of, decode_events, event_query,
    events_query,
};
pub use verify::{ChainVerdict, Verified, verify_chain};
