//! What a check says: a verdict, what was seen, why it matters, and what to do about it.

use serde::Serialize;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something to know, or to mend when there is time.
    Warn,
    /// Something that keeps a promise from holding.
    Fail,
    /// It could not be looked at.
    NotRun,
}

impl Verdict {
    /// The words on a screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotRun => "not run",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, which scripts may rely on.
    pub name: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// What was seen, or why nothing was; safe for a screen.
    pub seen: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// A check whose verdict is not known yet: its name, and why it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) why: &'static str,
}

impl Question {
    fn answer(self, verdict: Verdict, seen: impl Into<String>, fix: impl Into<String>) -> Check {
        let Self { name, why } = self;
        Check { name, verdict, seen: seen.into(), why, fix: fix.into() }
    }

    pub(super) fn ok(self, seen: impl Into<String>) -> Check {
        self.answer(Verdict::Ok, seen, "")
    }

    pub(super) fn warn(self, seen: impl Into<String>, fix: impl Into<String>) -> Check {
        self.answer(Verdict::Warn, seen, fix)
    }

    pub(super) fn fail(self, seen: impl Into<String>, fix: impl Into<String>) -> Check {
        self.answer(Verdict::Fail, seen, fix)
    }

    pub(super) fn not_run(self, because: impl Into<String>) -> Check {
        self.answer(Verdict::NotRun, because, "")
    }
}
