//! The command line: arguments to a request, a request to a verb of the library, a report to text or JSON.
//!
//! A thin skin: it knows no SQL, no connection and no secret. `args/` is what can be typed,
//! [`Invocation`] is what every verb gets, one file for each noun does the rest.

mod archive;
pub mod args;
mod audit;
mod completions;
mod config;
mod demo;
mod desk;
mod dispatch;
mod doctor;
mod echo;
mod exit;
mod export;
mod findings;
mod impersonate;
mod impersonation;
mod invocation;
pub mod json;
mod live;
mod look;
mod man;
mod open_console;
mod operator;
mod output;
mod parse;
mod paths;
mod profile;
mod progress_line;
mod prompt;
mod record;
mod restore;
mod server;
mod setup;
mod shown;
mod signals;
mod table;
mod tables;
mod target;
mod tenant;
mod usage;

pub use dispatch::{Ended, run};
pub use exit::Exit;
pub use invocation::Invocation;
pub use look::{Look, Surroundings};
pub use open_console::ConsoleRequest;
pub use output::Printer;
pub use parse::{command, parse};
pub use progress_line::ProgressLine;
pub use prompt::Asker;
pub use table::{Column, Table};
