//! `server stop`: the server ends, also for those who use it; the plan says whether anybody does.

use crate::failure::Failure;
use crate::postgres::embedded::{Embedded, State};
use crate::progress::Progress;

/// What a stop would meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopPlan {
    /// What the server is doing.
    pub state: State,
    /// Whether other processes use it: their connections are closed, open work is rolled back.
    pub in_use: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStopped {
    /// Whether it ran before.
    pub ran_before: bool,
}

/// Looks at what a stop would meet.
///
/// # Errors
/// Where the server's files cannot be read.
pub async fn prepare(embedded: &Embedded, progress: &Progress) -> Result<StopPlan, Failure> {
    super::may_look(embedded)?;
    let state = embedded.observe().await?.state;
    Ok(StopPlan { state, in_use: embedded.is_in_use(progress).await? })
}

/// Stops the server.
///
/// # Errors
/// A refusal where somebody has begun to use it since the plan was made; else where it does not
/// stop in time.
pub async fn stop(
    embedded: &Embedded,
    plan: StopPlan,
    progress: &Progress,
) -> Result<ServerStopped, Failure> {
    if !plan.in_use && embedded.is_in_use(progress).await? {
        let refused = Failure::refused("somebody has begun to use the server in the meantime");
        return Err(refused.hint("run `tenantdesk server stop` again"));
    }
    Ok(ServerStopped { ran_before: embedded.stop(progress).await? })
}
