//! How output looks: decided once, from flags and from what the process was started in.

use std::io::{self, IsTerminal as _};

use super::args::{ColorChoice, GlobalFlags};
use crate::config::env;

/// What the process was started in, as far as output depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// TERM is `dumb`.
    pub dumb: bool,
    /// Standard output is a terminal.
    pub out_terminal: bool,
    /// Standard error is a terminal.
    pub err_terminal: bool,
    /// Standard input is a terminal.
    pub in_terminal: bool,
    /// Columns of the terminal.
    pub width: Option<usize>,
}

impl Surroundings {
    /// Looks around.
    #[must_use]
    pub fn look() -> Self {
        let out = io::stdout();
        let columns = rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        Self {
            no_color: env::NO_COLOR.read().is_some(),
            dumb: env::TERM.read().is_some_and(|term| term == "dumb"),
            out_terminal: out.is_terminal(),
            err_terminal: io::stderr().is_terminal(),
            in_terminal: io::stdin().is_terminal(),
            width: columns.filter(|columns| *columns > 0 && out.is_terminal()),
        }
    }
}

impl Surroundings {
    /// Whether a console can be opened: both ends are a terminal and nobody asked for JSON.
    #[must_use]
    pub fn can_show_a_console(&self, flags: &GlobalFlags) -> bool {
        self.in_terminal && self.out_terminal && !flags.json
    }
}

/// How output looks, decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// One JSON document instead of text; no narration.
    pub json: bool,
    /// No narration but warnings and errors.
    pub quiet: bool,
    /// More narration.
    pub verbose: bool,
    /// ASCII only in what we draw.
    pub ascii: bool,
    /// Colours on standard output.
    pub out_color: bool,
    /// Colours on standard error.
    pub err_color: bool,
    /// Columns to which tables are cut; `None` where standard output is no terminal.
    pub width: Option<usize>,
}

impl Look {
    /// Decides from flags and surroundings. `--color always` beats `NO_COLOR`, which beats `auto`.
    #[must_use]
    pub fn decide(flags: &GlobalFlags, around: &Surroundings) -> Self {
        let colored = |terminal: bool| match flags.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !around.no_color && !around.dumb,
        };
        Self {
            json: flags.json,
            quiet: flags.quiet,
            verbose: flags.verbose,
            ascii: flags.ascii,
            out_color: colored(around.out_terminal),
            err_color: colored(around.err_terminal),
            width: around.width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_flag_then_no_color_then_terminal() {
        let terminal =
            Surroundings { out_terminal: true, err_terminal: true, ..Surroundings::default() };
        let decide = |color, around: Surroundings| {
            Look::decide(&GlobalFlags { color, ..GlobalFlags::default() }, &around).out_color
        };
        assert!(decide(ColorChoice::Auto, terminal));
        assert!(!decide(ColorChoice::Auto, Surroundings::default()));
        assert!(!decide(ColorChoice::Auto, Surroundings { no_color: true, ..terminal }));
        assert!(!decide(ColorChoice::Auto, Surroundings { dumb: true, ..terminal }));
        assert!(decide(ColorChoice::Always, Surroundings { no_color: true, ..terminal }));
        assert!(!decide(ColorChoice::Never, terminal));
    }
}
