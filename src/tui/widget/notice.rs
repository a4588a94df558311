//! Short messages: at most three on screen, all of them in the log of messages.

use chrono::{DateTime, TimeDelta, Utc};

use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::tui::theme::Role;

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Note,
    Warning,
    Fault,
}

impl Weight {
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Note => Role::Good,
            Self::Warning => Role::Warn,
            Self::Fault => Role::Bad,
        }
    }

    /// The word beside the colour.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "error",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Note => 4,
            Self::Warning => 10,
            Self::Fault => 20,
        }
    }
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) weight: Weight,
    pub(crate) text: String,
    pub(crate) at: DateTime<Utc>,
    /// Under which id a failure is found in log and ledger.
    pub(crate) request: Option<RequestId>,
    until: DateTime<Utc>,
}

/// The messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: Vec<Notice>,
    log: Vec<Notice>,
}

const SHOWN: usize = 3;
const LOGGED: usize = 200;

impl Notices {
    /// Shows and logs a message; one that is shown already is only shown longer.
    pub(crate) fn push(&mut self, weight: Weight, text: impl Into<String>, now: DateTime<Utc>) {
        let notice = self.record(weight, text, now);
        self.show(notice);
    }

    /// Shows a message that is logged already.
    pub(crate) fn show(&mut self, notice: Notice) {
        self.shown.retain(|shown| shown.text != notice.text);
        if self.shown.len() == SHOWN {
            self.shown.remove(0);
        }
        self.shown.push(notice);
    }

    /// Only logs a message, for what is shown in another way.
    pub(crate) fn record(
        &mut self,
        weight: Weight,
        text: impl Into<String>,
        now: DateTime<Utc>,
    ) -> Notice {
        let until = now + TimeDelta::seconds(weight.seconds());
        let notice = Notice { weight, text: text.into(), at: now, request: None, until };
        self.log(notice.clone());
        notice
    }

    /// Logs a failure, which has its request id there whether or not it is shown elsewhere.
    pub(crate) fn record_failure(&mut self, failure: &Failure, now: DateTime<Utc>) -> Notice {
        let until = now + TimeDelta::seconds(Weight::Fault.seconds());
        let (weight, text) = (Weight::Fault, failure_text(failure));
        let notice = Notice { weight, text, at: now, request: failure.request, until };
        self.log(notice.clone());
        notice
    }

    fn log(&mut self, notice: Notice) {
        if self.log.len() == LOGGED {
            self.log.remove(0);
        }
        self.log.push(notice);
    }

    /// Those on screen.
    pub(crate) fn shown(&self) -> &[Notice] {
        &self.shown
    }

    /// All that are remembered.
    pub(crate) fn logged(&self) -> &[Notice] {
        &self.log
    }

    /// Takes from the screen what has been there long enough.
    pub(crate) fn sweep(&mut self, now: DateTime<Utc>) {
        self.shown.retain(|notice| notice.until > now);
    }

    /// Takes everything from the screen; whether there was something.
    pub(crate) fn dismiss(&mut self) -> bool {
        !std::mem::take(&mut self.shown).is_empty()
    }

    /// When the next one leaves the screen.
    pub(crate) fn next_end(&self) -> Option<DateTime<Utc>> {
        self.shown.iter().map(|notice| notice.until).min()
    }
}

/// A failure as several lines: message, causes, hints.
pub(crate) fn failure_text(failure: &Failure) -> String {
    let mut lines = vec![failure.message.clone()];
    lines.extend(failure.causes.iter().map(|cause| format!("cause: {cause}")));
    lines.extend(failure.hints.iter().map(|hint| format!("hint: {hint}")));
    lines.extend(request(failure).map(|request| format!("request {request}")));
    lines.join("\n")
}

/// The request that a person would look up: not where the answer says all there is to know, as in
/// a form that was filled in wrongly.
fn request(failure: &Failure) -> Option<RequestId> {
    let told = matches!(failure.kind, Kind::Refused | Kind::Usage | Kind::Interrupted);
    failure.request.filter(|_| !told)
}
