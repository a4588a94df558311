//! What is wrong with the configuration file: every fault, each with its line, as a chain of causes.

use std::error::Error;
use std::fmt;

/// One thing that is wrong. The next one hangs on it like a cause, so that all of them are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is allowed there.
    pub what: String,
    next: Option<Box<Self>>,
}

impl Fault {
    /// Hangs faults on each other, in the order of the file.
    pub(super) fn chain(mut faults: Vec<(usize, String)>) -> Option<Self> {
        faults.sort_by_key(|(line, _)| *line);
        faults
            .into_iter()
            .rev()
            .fold(None, |next, (line, what)| Some(Self { line, what, next: next.map(Box::new) }))
    }

    /// This one and all that hang on it.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |fault| fault.next.as_deref())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as &(dyn Error + 'static))
    }
}
