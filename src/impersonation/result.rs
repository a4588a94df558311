//! Rows that are on screen go to a file: as CSV or as JSON, never over a file that is there, for
//! nobody but the operator to read (0600), and told to the ledger before a byte is written.
//!
//! What is written is what was shown, not asked for anew: the record says with which statement, how
//! many rows and how many bytes, never a value.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::ImpersonationError;
use super::page::{PageAsk, page_query};
use super::shape::Shape;
use super::statement::Impersonation;
use crate::audit::Attested;
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::text::{Untrusted, json_line};

/// What a result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultFormat {
    /// A line for each row; a cell that a spreadsheet would take for a formula begins with `'`.
    Csv,
    /// Columns, rows, and whether rows are missing.
    Json,
}

impl ResultFormat {
    /// The word of the ledger, and the ending of the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// What the ending of a file asks for.
    ///
    /// # Errors
    /// A sentence, where it is neither.
    pub fn of(path: &Path) -> Result<Self, String> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err("the name of the file ends with .csv or .json".to_owned()),
        }
    }
}

/// What the rows came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultOf {
    /// A page of the browser.
    Page(PageAsk),
    /// A statement as it was typed.
    Statement(String),
}

/// A result that goes to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultExport {
    /// What the rows came from.
    pub of: ResultOf,
    /// The names of the columns.
    pub columns: Vec<Untrusted>,
    /// The rows; none is NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Whether there are more rows, or longer values, than these.
    pub truncated: bool,
    /// Where to; its ending is the format.
    pub path: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Where to.
    pub path: PathBuf,
    /// How many rows.
    pub rows: u64,
    /// How many bytes the file has.
    pub bytes: u64,
    /// [`ResultExport::truncated`]
    pub truncated: bool,
}

impl Impersonation {
    /// Records the export, writes the file, records the outcome.
    ///
    /// # Errors
    /// Where the file is there already, cannot be written, or the record cannot be.
    pub async fn export_result(
        &self,
        export: ResultExport,
        request: Option<RequestId>,
    ) -> Result<Exported, Failure> {
        let format =
            ResultFormat::of(&export.path).map_err(|why| Failure::new(Kind::Usage, why))?;
        // Before anything is recorded: a slip is no export.
        expect_new(&export.path)?;
        let shape = self.shape_of(&export.of, request).await?;
        let _turn = self.turn.lock().await;
        let rows = export.rows.len() as u64;
        let count = i64::try_from(rows).unwrap_or(i64::MAX);
        let request = request.unwrap_or_else(|| self.session.console().request()).as_uuid();
        let word = format.as_str();
        let intent = Attested::result_intent(&shape.text, &word, &count, &request);
        let recorded = match self.session.record(intent).await {
            Ok(recorded) => recorded,
            Err(error) => return Err(self.not_recorded(error).await.into()),
        };
        let intent: i64 = recorded.first().map_or(0, |row| row.get(0));
        let (path, truncated) = (export.path.clone(), export.truncated);
        let written = tokio::task::spawn_blocking(move || write(&export, format)).await;
        let written = written.unwrap_or_else(|_| {
            Err(Failure::new(Kind::Internal, "a fault of this program stopped the export"))
        });
        let outcome = if written.is_ok() { "ok" } else { "failed" };
        let (told, bytes) = match &written {
            Ok(bytes) => (count, i64::try_from(*bytes).unwrap_or(i64::MAX)),
            Err(_) => (0, 0),
        };
        let outcome = Attested::result_outcome(&intent, &outcome, &told, &bytes);
        if let Err(error) = self.session.record(outcome).await {
            tracing::error!(session = self.id(), intent, %error, "the outcome of an export could not be recorded");
        }
        written.map(|bytes| Exported { path, rows, bytes, truncated })
    }

    /// What the ledger keeps of the question.
    async fn shape_of(
        &self,
        of: &ResultOf,
        request: Option<RequestId>,
    ) -> Result<Shape, ImpersonationError> {
        match of {
            ResultOf::Statement(sql) => Ok(Shape::of(sql)),
            ResultOf::Page(ask) => {
                let relation = self.relation(&ask.relation, request).await?;
                Ok(Shape::of(page_query(relation, ask)?.sql.as_str()))
            }
        }
    }
}

/// Refuses a file that is there, whatever it is.
pub(super) fn expect_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(there_already(path)) } else { Ok(()) }
}

fn there_already(path: &Path) -> Failure {
    Failure::refused(format!("`{}` is there already", path.display()))
        .hint("nothing is written over: name another file")
}

/// Writes a new file; one that could not be written whole is removed again.
fn write(export: &ResultExport, format: ResultFormat) -> Result<u64, Failure> {
    let path = &export.path;
    let opened = File::options().write(true).create_new(true).mode(0o600).open(path);
    let file = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there_already(path),
        _ => cannot(path, &error),
    })?;
    let put = || -> std::io::Result<u64> {
        let mut out = BufWriter::new(&file);
        match format {
            ResultFormat::Csv => csv(export, &mut out)?,
            ResultFormat::Json => json(export, &mut out)?,
        }
        out.flush()?;
        drop(out);
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    put().map_err(|error| {
        let _gone_already = std::fs::remove_file(path);
        cannot(path, &error)
    })
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format!("`{}` cannot be written", path.display())).caused_by(error.to_string())
}

/// A line for each row, the names first. NULL is nothing, an empty text is `""`.
fn csv(export: &ResultExport, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let names: Vec<String> = export.columns.iter().map(Untrusted::csv).collect();
    writeln!(out, "{}", names.join(","))?;
    for row in &export.rows {
        let cells: Vec<String> =
            row.iter().map(|cell| cell.as_ref().map_or_else(String::new, Untrusted::csv)).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// `{"columns": [..], "rows": [[..]], "truncated": bool}`, values as text or null.
fn json(export: &ResultExport, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let document = json!({
        "columns": export.columns, "rows": export.rows, "truncated": export.truncated,
    });
    writeln!(out, "{}", json_line(&document.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export() -> ResultExport {
        ResultExport {
            of: ResultOf::Statement("select 1".into()),
            columns: vec!["id".into(), "=na\"me".into()],
            rows: vec![
                vec![Some("1".into()), Some("=cmd|' /C calc'!A0".into())],
                vec![None, Some("".into())],
                vec![Some("-2".into()), Some("a\nb,\u{202e}c".into())],
            ],
            truncated: true,
            path: PathBuf::from("x.csv"),
        }
    }

    #[test]
    fn formulas_are_no_formulas_and_null_is_told_from_an_empty_text() {
        let mut out = Vec::new();
        csv(&export(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "\"id\",\"'=na\"\"me\"\n\"1\",\"'=cmd|' /C calc'!A0\"\n,\"\"\n\"'-2\",\"a\nb,\u{202e}c\"\n"
        );
    }

    #[test]
    fn json_says_what_is_missing_and_holds_no_hidden_sign() {
        let mut out = Vec::new();
        json(&export(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains('\u{202e}'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rows"][1], json!([null, ""]));
        assert_eq!(value["rows"][2][1], "a\nb,\u{202e}c");
        assert_eq!(value["truncated"], true);
    }

    #[test]
    fn the_ending_of_the_name_is_the_format() {
        assert_eq!(ResultFormat::of(Path::new("/a/b.CSV")), Ok(ResultFormat::Csv));
        assert_eq!(ResultFormat::of(Path::new("b.json")), Ok(ResultFormat::Json));
        assert!(ResultFormat::of(Path::new("b.txt")).is_err());
        assert!(ResultFormat::of(Path::new("csv")).is_err());
    }
}
