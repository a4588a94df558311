//! The echo of the terminal, off while a secret is typed.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The echo is off as long as this lives.
#[derive(Debug)]
pub(super) struct EchoOff(Option<Termios>);

impl EchoOff {
    /// Switches the echo off; `None` where standard input is no terminal or does not obey: then
    /// nobody may be asked for a secret.
    pub(super) fn begin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // The line break is shown, so that what comes next begins on a line of its own.
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).ok()?;
        Some(Self(Some(before)))
    }

    /// Nothing to switch: for input that is no terminal, in tests.
    #[cfg(test)]
    pub(super) const fn none() -> Self {
        Self(None)
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone needs no echo.
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
