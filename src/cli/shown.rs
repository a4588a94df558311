//! Lists as far as `--limit` lets them through; what is cut is said, in text and in JSON.

use serde::Serialize;
use serde_json::{Value, json};

use super::invocation::Invocation;

/// The rows of a list that are shown.
pub(super) struct Shown<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// How many there are, where that is known.
    total: Option<usize>,
    /// Whether there are more.
    pub(super) truncated: bool,
}

impl<T> Shown<T> {
    /// The first `--limit` rows of a whole list.
    pub(super) fn first(invocation: &Invocation, mut rows: Vec<T>) -> Self {
        let total = rows.len();
        if let Some(limit) = invocation.flags.limit {
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Self { truncated: rows.len() < total, rows, total: Some(total) }
    }

    /// Rows of which the database gave no more than were asked for.
    pub(super) const fn page(rows: Vec<T>, truncated: bool) -> Self {
        Self { rows, total: None, truncated }
    }

    /// The JSON of the list, whose rows are these.
    pub(super) fn document(&self, name: &str, rows: &impl Serialize) -> Value {
        let mut document = json!({ name: rows, "truncated": self.truncated });
        if let Some(total) = self.total {
            document["total"] = total.into();
        }
        document
    }

    /// Says that the list is cut, where it is.
    pub(super) fn say_what_is_cut(&self, invocation: &mut Invocation, what: &str) {
        if !self.truncated {
            return;
        }
        let count = self.rows.len();
        let text = match self.total {
            Some(total) => format!("{count} of {total} {what}; `--limit N` shows more"),
            None => format!("the newest {count} {what}; `--limit N` shows more"),
        };
        invocation.printer.status(&text);
    }
}
