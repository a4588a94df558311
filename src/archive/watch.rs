//! Cancelling work whose statement is in flight: the server is asked to stop it.

use std::time::Duration;

use crate::failure::Failure;
use crate::postgres::Canceller;
use crate::progress::Progress;

/// How long a person waits at most before a cancel has an effect.
const TICK: Duration = Duration::from_millis(100);

/// Runs work to its end; once `progress` is cancelled the running statement is stopped, and an
/// error that this caused is told as the cancel that it is.
pub(super) async fn until_cancelled<T>(
    progress: &Progress,
    canceller: &Canceller,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            result = &mut work => {
                return match result {
                    // An export and a restore are one transaction, which is rolled back.
                    Err(_) if progress.is_cancelled() => progress
                        .checkpoint()
                        .map_err(|cancelled| cancelled.hint("nothing was changed"))
                        .and(result),
                    other => other,
                };
            }
            _ = ticks.tick() => {
                if progress.is_cancelled() {
                    // A statement that ended by itself meanwhile needs no cancel.
                    let _ended_already = canceller.cancel().await;
                }
            }
        }
    }
}
