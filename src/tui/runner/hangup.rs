//! Notices that an impersonation is over although nobody here ended it: another operator did, its
//! time ran out, the tripwire stopped it, or the server went away.
//!
//! The end closes the connection of the session, so that is what is waited for; nothing is asked
//! again and again. An answer that fails because of the end tells it as well, whichever is first.

use std::sync::{Arc, Weak};

use super::{Shared, Site};
use crate::impersonation::{Impersonation, ImpersonationError, Lost};
use crate::tenant::sessions;
use crate::text::Untrusted;
use crate::tui::app::Message;
use crate::tui::effect::Tell;

impl Site {
    /// Watches a session from now on.
    pub(super) fn watch(&self, session: &Impersonation) {
        let (id, hangup) = (session.id(), session.hangup());
        let (shared, tell) = (Arc::downgrade(&self.shared), Arc::clone(&self.shared.tell));
        tokio::spawn(async move {
            hangup.wait().await;
            over(shared, id, tell.wait().await).await;
        });
    }

    /// Tells the end that an error speaks of; the session is of no use any more.
    pub(super) async fn notice(&self, id: i64, error: &ImpersonationError) {
        if let Some(lost) = error.lost() {
            self.tell_lost(id, &lost.to_string());
            let _gone = self.shared.sessions.lock().await.remove(&id);
        }
    }

    /// Tells that a session is over; the console takes it once, and only for the one on screen.
    pub(super) fn tell_lost(&self, session: i64, why: &str) {
        if let Some(tell) = self.shared.tell.get() {
            tell.send(Message::SessionLost { session, why: Untrusted::from(why) });
        }
    }
}

/// The connection is gone: says why, unless the end was our own.
async fn over(shared: Weak<Shared>, id: i64, tell: &Tell) {
    let Some(site) = shared.upgrade().map(Site::on) else { return };
    let held = site.shared.sessions.lock().await.get(&id).cloned();
    let Some(session) = held else { return };
    let lost = session.lost().await;
    let why = Untrusted::new(lost.to_string());
    tell.send(Message::SessionLost { session: id, why });
    let _gone = site.shared.sessions.lock().await.remove(&id);
    drop(session);
    if lost == Lost::Connection {
        // The database may still hold it for live: nobody could use it, and it must not stand in
        // the way of the next one. A server that is gone ends it by itself.
        let Ok(console) = site.console().await else { return };
        if let Err(error) = sessions::end(&console, id, Some("connection lost")).await {
            tracing::warn!(session = id, %error, "a lost session could not be ended");
        }
    }
}
