//! A whole impersonation for a command line: open, run statements in order, end.
//!
//! Each statement is a transaction of its own, in write mode committed before the next one runs.
//! The first that fails stops the rest; what ran before it stays, and the report says so.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ImpersonationError;
use super::fetch::Limits;
use super::result::{self, Exported, ResultExport, ResultOf};
use super::start::{StartPlan, open};
use super::statement::{Ask, Impersonation, Outcome, StatementCanceller};
use crate::console::Console;
use crate::failure::Failure;
use crate::progress::Progress;

/// How often a running statement looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// Statements to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// In order; each is one statement.
    pub statements: Vec<String>,
    /// What each may cost.
    pub limits: Limits,
    /// A file for the rows of the last one.
    pub output: Option<PathBuf>,
}

/// What a script did.
#[derive(Debug)]
pub struct ScriptReport {
    /// The session's number.
    pub id: i64,
    /// Whose it was.
    pub operator: String,
    /// The tenant's slug, or its id where the target has none.
    pub tenant: String,
    /// The member's e-mail address.
    pub member: Option<String>,
    /// `read` or `write`.
    pub mode: &'static str,
    /// Why.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// Until when it would have lasted.
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// What ran, with what it gave.
    pub statements: Vec<(String, Outcome)>,
    /// The file that was written.
    pub exported: Option<Exported>,
    /// Why the next one did not, if one failed.
    pub failure: Option<Failure>,
}

/// Opens the session, runs the script and ends the session.
///
/// # Errors
/// Where the session does not open. A statement that fails is part of the report.
pub async fn run_script(
    console: &Console,
    plan: StartPlan,
    script: Script,
    progress: &Progress,
) -> Result<ScriptReport, Failure> {
    progress.checkpoint()?;
    // A slip is said before anything is opened or run.
    if let Some(path) = &script.output {
        result::expect_new(path)?;
    }
    progress.enter("opening the session");
    let impersonation = open(console, plan).await?;
    let mut report = report(&impersonation);
    progress.plan("statements", Some(script.statements.len() as u64));
    let count = script.statements.len();
    for (done, sql) in (1_u64..).zip(script.statements) {
        let result = match progress.checkpoint() {
            Ok(()) => one(&impersonation, sql.clone(), script.limits, progress).await,
            Err(failure) if done == 1 => Err(failure.hint("no statement ran")),
            Err(failure) => Err(failure.hint("what the statements before did is committed")),
        };
        match result {
            Ok(outcome) => report.statements.push((sql, outcome)),
            Err(failure) => {
                report.failure = Some(numbered(failure, done, count));
                break;
            }
        }
        progress.advance(done);
    }
    if let (None, Some(path)) = (&report.failure, script.output) {
        match export(&impersonation, &report, path).await {
            Ok(exported) => report.exported = exported,
            Err(failure) => report.failure = Some(failure),
        }
    }
    if let Err(error) = impersonation.end("operator").await {
        progress.warn(format!("the session could not be ended and ends at its expiry: {error}"));
    }
    Ok(report)
}

/// Writes the rows of the last statement to a file, while the session lives.
async fn export(
    impersonation: &Impersonation,
    report: &ScriptReport,
    path: PathBuf,
) -> Result<Option<Exported>, Failure> {
    let Some((sql, outcome)) = report.statements.last() else { return Ok(None) };
    let export = ResultExport {
        of: ResultOf::Statement(sql.clone()),
        columns: outcome.rows.columns.iter().map(|column| column.name.clone()).collect(),
        rows: outcome.rows.rows.clone(),
        truncated: outcome.rows.cut.is_some(),
        path,
    };
    impersonation.export_result(export, None).await.map(Some)
}

/// Says which statement it was, where the server refused one.
fn numbered(mut failure: Failure, number: u64, count: usize) -> Failure {
    let Some(sql) = &mut failure.sql else { return failure };
    sql.statement = Some(number);
    let hint = format!("statement {number} of {count} failed with SQLSTATE {}", sql.state);
    failure.hint(hint)
}

/// Runs one statement; stops it on the server when the work is cancelled.
async fn one(
    impersonation: &Impersonation,
    sql: String,
    limits: Limits,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let ask = Ask { limits, ..Ask::new(sql) };
    let watch = cancel_when_asked(impersonation.canceller(), progress);
    tokio::select! {
        biased;
        result = impersonation.run(&ask) => result.map_err(|error: ImpersonationError| error.into()),
        failure = watch => Err(failure),
    }
}

/// Asks the server again and again until the statement has stopped: a cancel that arrives between
/// two statements is lost. Never ends by itself, because the statement's own error is the answer.
async fn cancel_when_asked(canceller: StatementCanceller, progress: &Progress) -> Failure {
    loop {
        tokio::time::sleep(LOOK).await;
        if progress.is_cancelled()
            && let Err(error) = canceller.cancel().await
        {
            return error.into();
        }
    }
}

pub(super) fn report(impersonation: &Impersonation) -> ScriptReport {
    ScriptReport {
        id: impersonation.id(),
        operator: impersonation.operator().to_string(),
        tenant: impersonation.tenant.handle(),
        member: impersonation.member.as_ref().map(|member| member.email.raw().to_owned()),
        mode: impersonation.mode().as_str(),
        reason: impersonation.reason.to_string(),
        ticket: impersonation.ticket.clone(),
        expires_at: impersonation.expires_at(),
        statements: Vec::new(),
        exported: None,
        failure: None,
    }
}
