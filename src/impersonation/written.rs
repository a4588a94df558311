//! Statements that write: under the role of their kind, with RETURNING in text form.
//!
//! `COPY (.. RETURNING ..) TO STDOUT` gives the text form of every type for statements that no
//! cursor takes. Every row is read to its end, so that the count is true and the tripwire has seen it
//! before anything is committed.

use std::pin::pin;

use bytes::BytesMut;
use futures_util::TryStreamExt as _;

use super::fetch::{Collector, Stop, shifted};
use crate::postgres::{ServerError, Sql, Transaction};

/// What stands before the statement.
const COPY: &str = "copy (";

/// Runs a statement without RETURNING; gives the rows it changed.
pub(super) async fn execute(transaction: &Transaction<'_>, text: &str) -> Result<u64, Stop> {
    let sql = Sql::danger_operator_text(text);
    Ok(transaction.client().execute_typed(sql.as_str(), &[]).await?)
}

/// Runs a statement with RETURNING; the collector has the rows.
pub(super) async fn returning(
    transaction: &Transaction<'_>,
    text: &str,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let sql = Sql::new(COPY)
        .append(&Sql::danger_operator_text(text))
        // On a line of its own, whatever the statement ends with.
        .text("\n) to stdout with (header)");
    let shift = |error| shifted(error, COPY);
    let mut stream = pin!(transaction.copy_out(&sql).await.map_err(shift)?);
    let mut pending = BytesMut::new();
    let mut headed = false;
    while let Some(chunk) = stream.try_next().await.map_err(|error| shift(error.into()))? {
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line = pending.split_to(end + 1);
            let cells = cells(&line[..end])?;
            if headed {
                collector.row(cells)?;
            } else {
                headed = true;
                collector.columns(cells.into_iter().map(Option::unwrap_or_default));
            }
        }
    }
    Ok(())
}

/// The cells of one line of COPY's text format.
fn cells(line: &[u8]) -> Result<Vec<Option<String>>, Stop> {
    let text = std::str::from_utf8(line)
        .map_err(|_| ServerError::Answer("a row is not UTF-8".to_owned()))?;
    Ok(text.split('\t').map(cell).collect())
}

/// One cell: `\N` is NULL, other backslashes stand for a control character.
fn cell(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        plain.push(match chars.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(other) => other,
            None => '\\',
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_copy_are_read_as_they_were_meant() {
        let line = b"a\\tb\t\\N\t\t\\\\N\tx\\ny\\r\\b\\f\\v\\\\";
        let expected = ["a\tb", "", "", "\\N", "x\ny\r\u{8}\u{c}\u{b}\\"];
        let read = cells(line).unwrap();
        assert_eq!(read[1], None);
        for index in [0, 2, 3, 4] {
            assert_eq!(read[index].as_deref(), Some(expected[index]));
        }
        assert!(cells(b"\xff").is_err());
    }
}
