//! A secret that is typed unseen or piped in, and never an argument: those stand in the list of processes.

use std::io::{BufRead, BufReader};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret as _, SecretString};

use super::invocation::Invocation;
use crate::failure::{Failure, Kind};

/// Asks twice for a secret that is not shown.
///
/// # Errors
/// Where nobody can be asked, nothing is typed, or the two differ.
pub(super) fn typed_twice(
    invocation: &mut Invocation,
    label: &str,
) -> Result<SecretString, Failure> {
    let unseen = Unseen::begin();
    let once = invocation.asker.text(&mut invocation.printer, label, "--password")?;
    invocation.printer.status("");
    let again = invocation.asker.text(&mut invocation.printer, "Once more", "--password")?;
    invocation.printer.status("");
    drop(unseen);
    let (once, again) = (SecretString::from(once), SecretString::from(again));
    if once.expose_secret() == again.expose_secret() {
        return Ok(once);
    }
    Err(Failure::new(Kind::Usage, "the two differ; nothing was changed"))
}

/// The first line of standard input.
///
/// # Errors
/// Where it cannot be read or is empty.
pub(super) fn first_line(invocation: &Invocation) -> Result<SecretString, Failure> {
    let read = || {
        let mut line = String::new();
        BufReader::new(std::io::stdin()).read_line(&mut line).map(|_| line)
    };
    let line = invocation.signals.leave_when_asked(read)?.map_err(|error| {
        Failure::refused("standard input cannot be read").caused_by(error.to_string())
    })?;
    let line = line.trim_end_matches(['\n', '\r']);
    if line.is_empty() {
        return Err(Failure::new(Kind::Usage, "standard input holds no password"));
    }
    Ok(SecretString::from(line))
}

/// While it lives, the terminal shows nothing of what is typed.
struct Unseen(Option<Termios>);

impl Unseen {
    /// Without a terminal there is nothing to hide.
    fn begin() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut hidden) = before.clone() {
            hidden.local_modes -= LocalModes::ECHO;
            let _shown = tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden);
        }
        Self(before)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _shown = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
