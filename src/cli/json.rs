//! The JSON contract: one document for each command, with a version, a request id and stable names.
//!
//! The verbs' reports are not serialised as they are: each verb file has a twin here or beside
//! it, because every name in it is a promise to scripts.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::failure::Failure;
use crate::format;
use crate::identity::RequestId;
use crate::text::json_line;

/// The version of all documents.
const VERSION: u8 = 1;

/// The largest integer that every JSON reader keeps exactly.
const EXACT: u64 = 1 << 53;

/// The frame of every document.
#[derive(Serialize)]
struct Envelope<'d, T> {
    v: u8,
    request_id: RequestId,
    #[serde(flatten)]
    document: &'d T,
}

/// The frame of every error.
#[derive(Serialize)]
struct ErrorDocument<'f> {
    v: u8,
    request_id: RequestId,
    error: ErrorBody<'f>,
}

#[derive(Serialize)]
struct ErrorBody<'f> {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<&'f str>,
    hints: Vec<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlstate: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<u64>,
}

/// A document of a command as one line.
///
/// # Errors
/// Where `document` has keys that are no strings; its fields then were not thought through.
pub fn document<T: Serialize>(request: RequestId, document: &T) -> serde_json::Result<String> {
    let envelope = Envelope { v: VERSION, request_id: request, document };
    serde_json::to_string(&envelope).map(|text| json_line(&text))
}

/// A failure as one line.
#[must_use]
pub fn error(request: RequestId, failure: &Failure) -> String {
    let body = ErrorBody {
        kind: failure.kind.as_str(),
        message: failure.message.clone(),
        causes: failure.causes.iter().map(String::as_str).collect(),
        hints: failure.hints.iter().map(String::as_str).collect(),
        sqlstate: failure.sql.as_ref().map(|sql| sql.state.as_str()),
        position: failure.sql.as_ref().and_then(|sql| sql.position),
        statement: failure.sql.as_ref().and_then(|sql| sql.statement),
    };
    let document = ErrorDocument { v: VERSION, request_id: request, error: body };
    json_line(&serde_json::to_string(&document).unwrap_or_default())
}

/// Writes a time as RFC 3339 in UTC; for `#[serde(serialize_with)]`.
///
/// # Errors
/// What the serializer says.
pub fn time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format::time(*at))
}

/// As [`time`], for a time that may be missing.
///
/// # Errors
/// What the serializer says.
pub fn time_or_null<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes an integer as a number, or as a string beyond 2^53; for `#[serde(serialize_with)]`.
///
/// # Errors
/// What the serializer says.
pub fn integer<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.unsigned_abs() <= EXACT {
        serializer.serialize_i64(*number)
    } else {
        serializer.serialize_str(&number.to_string())
    }
}

/// As [`integer`], for counts.
///
/// # Errors
/// What the serializer says.
pub fn count<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if *number <= EXACT {
        serializer.serialize_u64(*number)
    } else {
        serializer.serialize_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::failure::Kind;

    #[derive(Serialize)]
    struct Sample {
        name: String,
        #[serde(serialize_with = "integer")]
        rows: i64,
        #[serde(serialize_with = "count")]
        bytes: u64,
        #[serde(serialize_with = "time_or_null")]
        ended_at: Option<DateTime<Utc>>,
    }

    #[test]
    fn a_document_has_a_version_and_a_request_id_and_is_one_safe_line() {
        let sample = Sample {
            name: "a\nb\u{1b}\u{202e}".into(),
            rows: -(1 << 53) - 1,
            bytes: 1 << 53,
            ended_at: DateTime::from_timestamp(0, 5),
        };
        let request = RequestId::draw();
        let text = document(request, &sample).unwrap();
        assert!(!text.contains(['\n', '\u{1b}', '\u{202e}']));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["v"], 1);
        assert_eq!(value["request_id"], request.to_string());
        assert_eq!(value["name"], "a\nb\u{1b}\u{202e}");
        assert_eq!(value["rows"], "-9007199254740993");
        assert_eq!(value["bytes"], 9_007_199_254_740_992_u64);
        assert_eq!(value["ended_at"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn an_error_has_kind_message_and_hints() {
        let failure = Failure::new(Kind::Refused, "no").hint("do this");
        let request = RequestId::draw();
        let value: Value = serde_json::from_str(&error(request, &failure)).unwrap();
        let expected = serde_json::json!({
            "v": 1, "request_id": request.to_string(), "error": {"kind": "refused", "message": "no", "hints": ["do this"]}
        });
        assert_eq!(value, expected);
    }
}
