//! Arguments of the verbs about impersonation.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, Subcommand};

use crate::format::parse_duration;
use crate::identity::Reason;
use crate::impersonation::{ResultFormat, WantedRecord};

/// Arguments of `impersonate`.
///
/// Without `-c` or `-f` the console opens at the session.
#[derive(Debug, Clone, Args)]
pub struct Impersonate {
    /// A slug, an id, or a text that matches one tenant
    pub tenant: String,
    /// The active member to act as: e-mail address or id
    #[arg(long = "as", value_name = "MEMBER")]
    pub member: Option<String>,
    /// Why, in at least 10 characters; the tenant can read it
    #[arg(long, value_name = "TEXT")]
    pub reason: Reason,
    /// Where the reason can be looked up
    #[arg(long)]
    pub ticket: Option<String>,
    /// Allow writing; a session is never upgraded later
    #[arg(long)]
    pub write: bool,
    /// For how long, as in 90s, 15m or 1h
    #[arg(long = "for", value_name = "SPAN", default_value = "15m", value_parser = parse_duration)]
    pub span: TimeDelta,
    /// A statement to run; may be repeated
    #[arg(short = 'c', long = "sql", value_name = "SQL", conflicts_with = "file")]
    pub statements: Vec<String>,
    /// A file of statements to run; `-` is standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// A record to show, with its parents and how many children it has, as in shop.orders:7; the values
    /// of a key of several columns are separated by commas, or are a JSON array; the tenant's own need not be said
    #[arg(long, value_name = "TABLE:KEY", conflicts_with_all = ["statements", "file"], value_parser = parse_record)]
    pub record: Option<WantedRecord>,
    /// Write the result of the statement to a new file that ends with .csv or .json; recorded as an export
    #[arg(short = 'o', long, value_name = "FILE", conflicts_with_all = ["file", "record"], requires = "statements", value_parser = parse_output)]
    pub output: Option<PathBuf>,
}

/// Where a result can go.
fn parse_output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    ResultFormat::of(&path).map(|_| path)
}

/// Reads `TABLE:KEY`; a point or a colon of a quoted name is part of the name.
fn parse_record(text: &str) -> Result<WantedRecord, String> {
    let mut quoted = false;
    let colon = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    let (relation, key) = colon
        .map(|(at, _)| (&text[..at], &text[at + 1..]))
        .filter(|(relation, key)| !relation.is_empty() && !key.is_empty())
        .ok_or("it is written TABLE:KEY, as in shop.orders:7")?;
    let key = if key.starts_with('[') {
        let values: Vec<serde_json::Value> =
            serde_json::from_str(key).map_err(|error| format!("the key is no JSON: {error}"))?;
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        values.into_iter().map(text).collect()
    } else {
        key.split(',').map(str::to_owned).collect()
    };
    Ok(WantedRecord { relation: relation.to_owned(), key })
}

/// Verbs of `impersonation`.
#[derive(Debug, Clone, Subcommand)]
pub enum Impersonation {
    /// List the sessions that live, or all
    List(List),
    /// Show one session
    Show(Session),
    /// End a session; your own live one where ID is missing
    End(End),
}

/// Arguments of `impersonation list`.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Also those that ended
    #[arg(long)]
    pub all: bool,
}

/// The session that is meant.
#[derive(Debug, Clone, Args)]
pub struct Session {
    /// The number of the session
    pub id: i64,
}

/// Arguments of `impersonation end`.
#[derive(Debug, Clone, Args)]
pub struct End {
    /// The number of the session
    pub id: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_relation_and_the_values_of_its_key() {
        let read = |text: &str| parse_record(text).map(|wanted| (wanted.relation, wanted.key));
        let is = |relation: &str, key: &[&str]| {
            Ok((relation.to_owned(), key.iter().map(|value| (*value).to_owned()).collect()))
        };
        assert_eq!(read("shop.orders:7"), is("shop.orders", &["7"]));
        assert_eq!(read("\"a:b\".c:x,y"), is("\"a:b\".c", &["x", "y"]));
        assert_eq!(read("t:[\"a,b\", 7]"), is("t", &["a,b", "7"]));
        assert_eq!(read("t:2026-01-01 10:00"), is("t", &["2026-01-01 10:00"]));
        assert!(read("shop.orders").is_err() && read("t:").is_err() && read("t:[1").is_err());
    }
}
