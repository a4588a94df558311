//! How a command ended, as the exit code that scripts rely on.

use std::process::ExitCode;

use crate::failure::Kind;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done; also when the reader of standard output went away.
    Done,
    /// It was not, or only a part was.
    Failed(Kind),
    /// As the program that it ran for the user, `psql`.
    Child(u8),
    /// The system asked the program to end (SIGTERM, SIGHUP).
    Terminated,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed(kind) => kind.code(),
            Self::Child(code) => code,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        assert_eq!(Exit::Done.code(), 0);
        assert_eq!(Exit::Failed(Kind::Negative).code(), 1);
        assert_eq!(Exit::Failed(Kind::Usage).code(), 2);
        assert_eq!(Exit::Failed(Kind::Refused).code(), 3);
        assert_eq!(Exit::Failed(Kind::Server).code(), 4);
        assert_eq!(Exit::Failed(Kind::Internal).code(), 5);
        assert_eq!(Exit::Failed(Kind::Interrupted).code(), 130);
        assert_eq!(Exit::Terminated.code(), 143);
    }
}
