//! `impersonate`: statements inside one tenant, from the command line. Without statements the
//! console opens at the session, which is not decided here.

use std::io::Read as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::args::impersonation::Impersonate;
use super::desk::with_console;
use super::invocation::Invocation;
use super::json;
use super::output::Printer;
use super::record;
use super::table::{Column, Table};
use crate::failure::{Failure, Kind};
use crate::format;
use crate::identity::Mode;
use crate::impersonation::{
    Cut, Limits, Outcome, Script, ScriptReport, StartImpersonation, prepare, run_script,
    split_statements,
};
use crate::text::Untrusted;

/// The largest file of statements.
const MOST_BYTES: u64 = 16 << 20;

/// Whether the console is wanted: there is nothing to run.
pub(super) fn wants_console(args: &Impersonate) -> bool {
    args.statements.is_empty() && args.file.is_none() && args.record.is_none()
}

/// The request, as both skins make it.
pub(super) fn request(args: &Impersonate) -> StartImpersonation {
    StartImpersonation {
        tenant: args.tenant.clone(),
        member: args.member.clone(),
        mode: if args.write { Mode::Write } else { Mode::Read },
        reason: args.reason.clone(),
        ticket: args.ticket.clone(),
        duration: Some(args.span),
    }
}

/// Runs the statements of `-c` or `-f` in a session of their own and prints what they gave.
///
/// # Errors
/// Where the session does not open or a statement fails; what ran before is printed all the same.
pub(super) fn run(invocation: &mut Invocation, args: &Impersonate) -> Result<(), Failure> {
    if let Some(wanted) = &args.record {
        return record::run(invocation, args, wanted);
    }
    // Before anything is opened: whoever writes to standard input may take his time.
    let statements = match args.file.clone() {
        Some(file) => invocation.signals.leave_when_asked(move || from_file(&file))??,
        None => args.statements.clone(),
    };
    if statements.is_empty() {
        return Err(Failure::new(Kind::Usage, "there is no statement to run")
            .hint("give one with `-c`, or a file with `-f`"));
    }
    let usual = Limits::default();
    let rows = invocation.flags.limit.and_then(|limit| usize::try_from(limit).ok());
    let limits = Limits { rows: rows.unwrap_or(usual.rows), ..usual };
    if args.output.is_some() && statements.len() > 1 {
        return Err(Failure::new(Kind::Usage, "`-o` takes the result of one statement")
            .hint("run the statements one by one, each with a file of its own"));
    }
    let script = Script { statements, limits, output: args.output.clone() };
    let report = with_console(invocation, async |console, progress| {
        let plan = progress.unless_cancelled(prepare(console, request(args))).await?;
        run_script(console, plan, script, progress).await
    })?;
    if !report.statements.is_empty() || report.failure.is_none() {
        invocation.answer(&document(&report), |printer| print(printer, &report))?;
    }
    report.failure.map_or(Ok(()), Err)
}

/// The statements of a file; `-` is standard input.
fn from_file(file: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::refused(format!("`{}` cannot be read", file.display()))
            .caused_by(error.to_string())
    };
    let mut text = String::new();
    let input: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let read = input.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if read as u64 > MOST_BYTES {
        return Err(Failure::refused("a file of statements has at most 16 MiB"));
    }
    Ok(split_statements(&text))
}

/// The JSON of `impersonate -c`.
#[derive(Serialize)]
struct Document<'r> {
    session: SessionDocument<'r>,
    statements: Vec<StatementDocument<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<ExportedDocument<'r>>,
}

/// The file that was written.
#[derive(Serialize)]
struct ExportedDocument<'r> {
    path: &'r Path,
    rows: u64,
    bytes: u64,
}

#[derive(Serialize)]
pub(super) struct SessionDocument<'r> {
    id: i64,
    operator: &'r str,
    tenant: &'r str,
    member: Option<&'r str>,
    mode: &'static str,
    reason: &'r str,
    ticket: Option<&'r str>,
    #[serde(serialize_with = "json::time")]
    expires_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct StatementDocument<'r> {
    sql: &'r str,
    rows_affected: Option<u64>,
    columns: Vec<&'r Untrusted>,
    rows: &'r [Vec<Option<Untrusted>>],
    truncated: bool,
    truncated_by: Option<&'static str>,
    millis: i64,
}

fn document(report: &ScriptReport) -> Document<'_> {
    Document {
        session: session(report),
        exported: report.exported.as_ref().map(|exported| ExportedDocument {
            path: &exported.path,
            rows: exported.rows,
            bytes: exported.bytes,
        }),
        statements: report
            .statements
            .iter()
            .map(|(sql, outcome)| statement(sql, outcome))
            .collect(),
    }
}

/// The session in JSON.
pub(super) fn session(report: &ScriptReport) -> SessionDocument<'_> {
    SessionDocument {
        id: report.id,
        operator: &report.operator,
        tenant: &report.tenant,
        member: report.member.as_deref(),
        mode: report.mode,
        reason: &report.reason,
        ticket: report.ticket.as_deref(),
        expires_at: report.expires_at,
    }
}

fn statement<'r>(sql: &'r str, outcome: &'r Outcome) -> StatementDocument<'r> {
    StatementDocument {
        sql,
        rows_affected: outcome.rows_affected,
        columns: outcome.rows.columns.iter().map(|column| &column.name).collect(),
        rows: &outcome.rows.rows,
        truncated: outcome.rows.cut.is_some(),
        truncated_by: outcome.rows.cut.map(|cut| match cut {
            Cut::Rows => "rows",
            Cut::Bytes => "bytes",
        }),
        millis: outcome.took.num_milliseconds(),
    }
}

/// In which session it was, for those who want details.
pub(super) fn print_session(printer: &mut Printer, report: &ScriptReport) {
    let member = report.member.as_deref().unwrap_or("nobody");
    printer.detail(&format!(
        "session {} in {} as {member}, {}, ended",
        report.id, report.tenant, report.mode
    ));
}

/// One table for each statement; what was cut is said beside it.
fn print(printer: &mut Printer, report: &ScriptReport) {
    print_session(printer, report);
    let mut tables = 0;
    for (_, outcome) in &report.statements {
        let rows = &outcome.rows;
        // What went to a file is not printed as well.
        if !rows.columns.is_empty() && report.exported.is_none() {
            if tables > 0 {
                printer.line("");
            }
            tables += 1;
            let columns: Vec<Column> =
                rows.columns.iter().map(|column| Column::named(column.name.raw())).collect();
            let mut table = Table::new(columns);
            for row in &rows.rows {
                table.row(row.iter().map(|cell| cell.as_ref().map_or("NULL", Untrusted::raw)));
            }
            printer.table(&table);
        }
        let count = |number: usize| format::count(i64::try_from(number).unwrap_or(i64::MAX));
        let shown = || match rows.rows.len() {
            1 => "only 1 row is shown".to_owned(),
            many => format!("only {} rows are shown", count(many)),
        };
        match rows.cut {
            Some(Cut::Rows) => {
                printer.warning(&format!("{}; `--limit N` shows more", shown()));
            }
            Some(Cut::Bytes) => {
                printer.warning(&format!(
                    "{}: the result is larger than {}",
                    shown(),
                    format::bytes(Limits::default().bytes)
                ));
            }
            None if !rows.columns.is_empty() => {
                printer.status(&format!("rows: {}", count(rows.rows.len())));
            }
            None => {}
        }
        if let Some(affected) = outcome.rows_affected {
            printer.status(&format!(
                "rows changed: {}",
                format::count(i64::try_from(affected).unwrap_or(i64::MAX))
            ));
        }
    }
    if let Some(exported) = &report.exported {
        let (path, bytes) = (exported.path.display(), format::bytes(exported.bytes));
        printer.status(&format!("written: {path}, {bytes}; the ledger has the export"));
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::cli::Look;
    use crate::cli::output::tests::{PLAIN, captured};
    use crate::identity::RequestId;
    use crate::impersonation::{Column as ResultColumn, Rows, StatementKind};

    fn report(cut: Option<Cut>) -> ScriptReport {
        let column = |name: &str| ResultColumn { name: name.into(), type_name: None };
        let rows = Rows {
            columns: vec![column("Name"), column("n")],
            rows: vec![
                vec![Some("a\u{1b}[31m\nb".into()), None],
                vec![Some("東京".into()), Some(Untrusted::default())],
            ],
            cut,
            bytes: 12,
        };
        let outcome = |kind, rows, rows_affected| Outcome {
            kind,
            rows_affected,
            rows,
            took: TimeDelta::milliseconds(7),
        };
        ScriptReport {
            id: 4,
            operator: "ann".into(),
            tenant: "acme".into(),
            member: Some("bob@acme.test".into()),
            mode: "write",
            reason: "ticket 4711 asks".into(),
            ticket: None,
            expires_at: DateTime::from_timestamp(0, 0).unwrap_or_default(),
            statements: vec![
                ("select 1".into(), outcome(StatementKind::Read, rows, None)),
                ("update x".into(), outcome(StatementKind::Change, Rows::default(), Some(1_234))),
            ],
            exported: None,
            failure: None,
        }
    }

    #[test]
    fn json_has_the_shape_of_the_contract() {
        let (mut printer, out, _) = captured(Look { json: true, ..PLAIN });
        let report = report(Some(Cut::Rows));
        printer.answer(RequestId::draw(), &document(&report), |_| panic!("no text")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(value["session"]["expires_at"], "1970-01-01T00:00:00Z");
        assert_eq!(value["session"]["ticket"], serde_json::Value::Null);
        let statement = &value["statements"][0];
        assert_eq!(statement["columns"], serde_json::json!(["Name", "n"]));
        assert_eq!(statement["rows"], serde_json::json!([["a\u{1b}[31m\nb", null], ["東京", ""]]));
        assert_eq!(
            (&statement["truncated"], &statement["truncated_by"]),
            (&true.into(), &"rows".into())
        );
        assert_eq!(statement["rows_affected"], serde_json::Value::Null);
        assert_eq!(value["statements"][1]["rows_affected"], 1_234);
        assert_eq!(value["statements"][1]["truncated"], false);
    }

    #[test]
    fn result_sets_are_separated_by_an_empty_line() {
        let (mut printer, out, _) = captured(PLAIN);
        let mut twice = report(None);
        let again = twice.statements[0].clone();
        twice.statements.push(again);
        print(&mut printer, &twice);
        assert_eq!(out.text().matches("\n\nName").count(), 1, "{}", out.text());
    }

    #[test]
    fn people_see_tables_null_and_what_was_cut_and_no_escape_sequence() {
        let (mut printer, out, err) = captured(PLAIN);
        print(&mut printer, &report(Some(Cut::Rows)));
        assert_eq!(out.text(), "Name      n\na␛[31m␊b  NULL\n東京\n");
        assert_eq!(
            err.text(),
            "warning: only 2 rows are shown; `--limit N` shows more\nrows changed: 1,234\n"
        );
    }
}
