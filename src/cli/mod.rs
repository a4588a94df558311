//! The command line: arguments to a request, a request to a verb of the library, a report to text or JSON.
//!
//! A thin skin: it knows no SQL, no connection and no secret. `args/` is what can be typed,
//! [`Invocation`] is what every verb gets, one file for each noun does the rest.

pub mod args;
mod completions;
mod dispatch;
mod exit;
pub mod impersonate;
pub mod impersonation;
mod invocation;
pub mod json;
mod look;
mod man;
mod output;
mod parse;
mod paths;
mod progress_line;
mod prompt;
mod table;

pub use dispatch::run;
pub use exit::Exit;
pub use invocation::Invocation;
pub use look::{Look, Surroundings};
pub use output::Printer;
pub use parse::{command, parse};
pub use progress_line::ProgressLine;
pub use prompt::Asker;
pub use table::{Column, Table};
