//! The thin binary: look around, parse, run, and open the console where that is wanted.

use std::process::ExitCode;

use tenantdesk::cli::args::ColorChoice;
use tenantdesk::cli::{self, ConsoleRequest, Ended, Surroundings};
use tenantdesk::failure::Kind;
use tenantdesk::tui;

fn main() -> ExitCode {
    let around = Surroundings::look();
    let ended = match cli::parse(std::env::args_os(), &around) {
        Ok(command_line) => cli::run(command_line, around),
        Err(exit) => Ended::Exit(exit),
    };
    match ended {
        Ended::Exit(exit) => exit.into(),
        Ended::Console(request) => console(*request).into(),
    }
}

/// Opens the console; what goes wrong is told as any command tells it.
fn console(request: ConsoleRequest) -> cli::Exit {
    let ConsoleRequest { paths, destination, colourless, ascii, impersonate, invocation } = request;
    let colours = match invocation.flags.color {
        _ if colourless => tui::Colours::Never,
        ColorChoice::Always => tui::Colours::Always,
        ColorChoice::Auto | ColorChoice::Never => tui::Colours::Configured,
    };
    let look = tui::Look { colours, ascii };
    let left = tui::open(paths, destination, look, impersonate);
    let by_signal = match left {
        Ok(tui::Left::Terminated) => Some(cli::Exit::Terminated),
        Ok(tui::Left::Interrupted) => Some(cli::Exit::Failed(Kind::Interrupted)),
        Ok(tui::Left::ByPerson) | Err(_) => None,
    };
    let exit = invocation.conclude(left.map(|_| ()));
    by_signal.filter(|_| exit == cli::Exit::Done).unwrap_or(exit)
}
