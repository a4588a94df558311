//! `server psql`: PostgreSQL's own client on the embedded database.
//!
//! It runs as a child, not in our place: an `exec` would drop the lock that keeps the server
//! running while the client is open.

use std::ffi::OsString;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::failure::{Failure, Kind};
use crate::postgres::embedded::{Embedded, EmbeddedServer};
use crate::progress::Progress;
use crate::server::role::{DATABASE, Role};

/// Asks for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPsql {
    /// As whom.
    pub role: Role,
    /// Arguments for the client, as the user gave them.
    pub arguments: Vec<OsString>,
}

/// The client, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsqlPlan {
    /// The program.
    pub program: PathBuf,
    /// All its arguments.
    pub arguments: Vec<OsString>,
}

/// Finds the client and makes its arguments. The caller holds `server` until the client ended.
///
/// # Errors
/// Where no server programs are found.
pub async fn prepare(
    embedded: &Embedded,
    server: &EmbeddedServer,
    request: OpenPsql,
    progress: &Progress,
) -> Result<PsqlPlan, Failure> {
    let program = embedded.client_program(progress).await?;
    let address = server.endpoint(DATABASE, request.role.login()).url();
    let mut arguments = vec!["--dbname".into(), address.into()];
    arguments.extend(request.arguments);
    Ok(PsqlPlan { program, arguments })
}

/// Runs the client on this terminal and gives its exit code. Once `terminated` is ready, the client
/// is ended and waited for: it sets the terminal right.
///
/// # Errors
/// Where it cannot be run.
pub async fn run(plan: &PsqlPlan, terminated: impl Future<Output = ()>) -> Result<i32, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Refused, format!("could not run `{}`", plan.program.display()))
            .caused_by(error.to_string())
            .hint("install PostgreSQL's client, `psql`")
    };
    let mut child = Command::new(&plan.program).args(&plan.arguments).spawn().map_err(failed)?;
    let mut terminated = std::pin::pin!(terminated);
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map(exit_code).map_err(failed),
            // Ctrl-C cancels a statement in the client; it does not end this program.
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(failed)?,
            () = &mut terminated => break,
        }
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // One that ended at this very moment needs no signal.
        let _gone = kill_process(pid, Signal::TERM);
    }
    child.wait().await.map(exit_code).map_err(failed)
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
