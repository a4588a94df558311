//! The thin binary: look around, parse, run, exit code.

use std::process::ExitCode;

use tenantdesk::cli::{self, Surroundings};

fn main() -> ExitCode {
    let around = Surroundings::look();
    match cli::parse(std::env::args_os(), &around) {
        Ok(command_line) => cli::run(command_line, around).into(),
        Err(exit) => exit.into(),
    }
}
