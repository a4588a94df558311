//! Watches over the expiry of sessions that this operator can see: at that moment the sweep ends
//! them and closes their connections, also those of somebody who would rather go on.
//!
//! It sleeps until the next expiry and not a moment more often; what opens or lists sessions
//! wakes it to look anew.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Shared, Site};
use crate::clock;
use crate::tenant::sessions;

/// After a look that failed.
const RETRY: Duration = Duration::from_secs(10);

/// Looks, sleeps, sweeps, until the console is gone.
///
/// Boxed, because the connection that it asks for is what spawned it.
pub(super) fn watch(shared: Weak<Shared>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(watching(shared))
}

async fn watching(shared: Weak<Shared>) {
    loop {
        let Some(site) = shared.upgrade().map(Site::on) else { return };
        let next = next_expiry(&site).await;
        let wake = Arc::clone(&site.shared.look_again);
        drop(site);
        match next {
            None => wake.notified().await,
            Some(wait) => {
                tokio::select! {
                    () = wake.notified() => continue,
                    () = tokio::time::sleep(wait) => {}
                }
                let Some(site) = shared.upgrade().map(Site::on) else { return };
                let Ok(console) = site.console().await else { continue };
                if let Err(error) = sessions::sweep(&console).await {
                    tracing::warn!(%error, "expired sessions could not be swept");
                }
            }
        }
    }
}

/// How long until the next session expires; none where none is live.
async fn next_expiry(site: &Site) -> Option<Duration> {
    let listed = match site.console().await {
        Ok(console) => sessions::list(&console).await.map_err(crate::failure::Failure::from),
        Err(failure) => Err(failure),
    };
    // A connection that was closed under us opens anew: look again soon.
    let Ok(listed) = listed else { return Some(RETRY) };
    let now = clock::now();
    let next = listed.iter().filter(|s| s.ended_at.is_none()).map(|s| s.expires_at).min()?;
    // One second of grace for two clocks; a clock that is far off only sweeps in vain.
    Some((next - now).to_std().unwrap_or_default() + Duration::from_secs(1))
}
