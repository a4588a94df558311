//! `impersonate`: statements inside one tenant, from the command line. Without statements the
//! console opens at the session, which is not decided here.

use std::io::Read as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::args::impersonation::Impersonate;
use super::invocation::Invocation;
use super::json;
use super::output::Printer;
use super::table::{Column, Table};
use crate::console::Console;
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
#[must_use]
pub fn wants_console(args: &Impersonate) -> bool {
    args.statements.is_empty() && args.file.is_none()
}

/// The request, as both skins make it.
#[must_use]
pub fn request(args: &Impersonate) -> StartImpersonation {
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
pub async fn run(
    invocation: &mut Invocation,
    console: &Console,
    args: Impersonate,
) -> Result<(), Failure> {
    let statements = match &args.file {
        Some(file) => from_file(file)?,
        None => args.statements.clone(),
    };
    if statements.is_empty() {
        return Err(Failure::new(Kind::Usage, "there is no statement to run")
            .hint("give one with `-c`, or a file with `-f`"));
    }
    let usual = Limits::default();
    let rows = invocation.flags.limit.and_then(|limit| usize::try_from(limit).ok());
    let limits = Limits { rows: rows.unwrap_or(usual.rows), ..usual };
    let plan = prepare(console, request(&args)).await?;
    let script = Script { statements, limits };
    let report = invocation
        .watch(async |progress| run_script(console, plan, script, &progress).await)
        .await?;
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
}

#[derive(Serialize)]
struct SessionDocument<'r> {
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
        session: SessionDocument {
            id: report.id,
            operator: &report.operator,
            tenant: &report.tenant,
            member: report.member.as_deref(),
            mode: report.mode,
            reason: &report.reason,
            ticket: report.ticket.as_deref(),
            expires_at: report.expires_at,
        },
        statements: report
            .statements
            .iter()
            .map(|(sql, outcome)| statement(sql, outcome))
            .collect(),
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

/// One table for each statement; what was cut is said beside it.
fn print(printer: &mut Printer, report: &ScriptReport) {
    let member = report.member.as_deref().unwrap_or("nobody");
    printer.detail(&format!(
        "session {} in {} as {member}, {}, ended",
        report.id, report.tenant, report.mode
    ));
    for (_, outcome) in &report.statements {
        let rows = &outcome.rows;
        if !rows.columns.is_empty() {
            let columns: Vec<Column> =
                rows.columns.iter().map(|column| Column::named(column.name.raw())).collect();
            let mut table = Table::new(columns);
            for row in &rows.rows {
                table.row(row.iter().map(|cell| cell.as_ref().map_or("NULL", Untrusted::raw)));
            }
            printer.table(&table);
        }
        let count = |number: usize| format::count(i64::try_from(number).unwrap_or(i64::MAX));
        match rows.cut {
            Some(Cut::Rows) => {
                printer.warning(&format!(
                    "only the first {} rows are shown; `--limit N` shows more",
                    count(rows.rows.len())
                ));
            }
            Some(Cut::Bytes) => {
                printer.warning(&format!(
                    "only {} rows are shown: the result is larger than {}",
                    count(rows.rows.len()),
                    format::bytes(Limits::default().bytes)
                ));
            }
            None if !rows.columns.is_empty() => {
                printer.status(&format!("rows: {}", count(rows.rows.len())))
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
}
