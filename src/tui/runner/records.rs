//! Effects on sessions, the ledger and the server.

use std::collections::HashMap;

use super::Site;
use crate::audit::{Event, EventFilter, EventPlace};
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::progress::Progress;
use crate::server::{Embedded, status};
use crate::tenant::{directory, live, sessions, trail};
use crate::text::Untrusted;
use crate::tui::facts::{
    Activity, AuditFilter, AuditPage, ChainFacts, EventFacts, ServerFacts, SessionLine,
};

/// Events of one page of the ledger.
const PAGE: i32 = 200;
/// Sessions that live, of which it is asked what they do.
const MOST_LIVE: i32 = 1000;

impl Site {
    /// Sessions of a tenant, running ones on top.
    pub(super) async fn sessions(&self, tenant: &TenantId) -> Result<Vec<SessionLine>, Failure> {
        let mut listed = self.all_sessions().await?;
        listed.retain(|session| session.tenant.raw() == tenant.as_str());
        Ok(listed)
    }

    /// Sessions of all tenants, as far as the level shows them, running ones on top.
    pub(super) async fn all_sessions(&self) -> Result<Vec<SessionLine>, Failure> {
        let console = self.console().await?;
        sessions::sweep(&console).await?;
        let mut listed = sessions::list(&console).await?;
        self.shared.look_again.notify_one();
        listed.sort_by_key(|session| (session.ended_at.is_some(), -session.id));
        let living = live::list(&console, MOST_LIVE).await?;
        let mut activities: HashMap<i64, Activity> =
            living.into_iter().map(|one| (one.session.id, one.activity)).collect();
        Ok(listed
            .into_iter()
            .map(|session| SessionLine {
                id: session.id,
                activity: activities.remove(&session.id),
                tenant: Untrusted::new(session.tenant),
                operator: Untrusted::new(session.operator),
                member: session.member,
                purpose: Untrusted::new(session.purpose),
                mode: Untrusted::new(session.mode),
                reason: session.reason,
                opened_at: session.opened_at,
                expires_at: session.expires_at,
                ended_at: session.ended_at,
                end_reason: session.end_reason,
            })
            .collect())
    }

    /// Ends the session of another operator.
    pub(super) async fn end_other(&self, id: i64) -> Result<(), Failure> {
        let console = self.console().await?;
        sessions::end(&console, id, None).await?;
        Ok(())
    }

    /// A page of the ledger; the page after it begins behind its oldest event.
    pub(super) async fn audit(
        &self,
        filter: AuditFilter,
        older_than: Option<EventPlace>,
    ) -> Result<AuditPage, Failure> {
        let console = self.console().await?;
        let tenant = match &filter.tenant {
            Some(text) => Some(directory::resolve(&console, text).await?.id.to_string()),
            None => None,
        };
        let filter = EventFilter {
            tenant,
            operator: filter.operator,
            action: filter.action,
            since: filter.since,
            before: older_than,
            limit: PAGE,
        };
        let page = trail::page(&console, &filter).await?;
        let older = page.events.last().filter(|_| page.truncated).map(Event::place);
        let events = page
            .events
            .into_iter()
            .map(|event| EventFacts {
                recorded: event.facts().into_iter().map(|fact| (fact.label, fact.value)).collect(),
                intent: event.intent(),
                seq: event.seq,
                at: event.at,
                tenant: event.tenant.map(Untrusted::new),
                actor: event.actor,
                action: Untrusted::new(event.action),
                object: event.object,
                outcome: event.outcome,
                reason: event.reason.unwrap_or_default(),
            })
            .collect();
        Ok(AuditPage { events, older })
    }

    /// Recomputes all chains.
    pub(super) async fn verify_audit(
        &self,
        progress: &Progress,
    ) -> Result<Vec<ChainFacts>, Failure> {
        let console = self.console().await?;
        let verified = trail::verify(&console, None, progress).await?;
        Ok(verified
            .chains
            .into_iter()
            .map(|chain| ChainFacts {
                tenant: chain.tenant.map(Untrusted::new),
                size: chain.size,
                fault: chain.fault.map(Untrusted::new),
            })
            .collect())
    }

    /// The server as an operator sees it, and the state of the guard.
    pub(super) async fn server(&self) -> Result<ServerFacts, Failure> {
        let console = self.console().await?;
        let endpoint = console.endpoint();
        let mut facts = Vec::new();
        let mut tell =
            |label: &str, text: String| facts.push((label.to_owned(), Untrusted::new(text)));
        let on = |fsync: bool| if fsync { "on" } else { "OFF: a crash of the machine loses data" };
        if self.connected().await?.started.server.is_some() {
            let embedded = Embedded::new(&self.shared.paths);
            let seen = status::status(&embedded, &Progress::silent()).await?;
            tell("server", "embedded".to_owned());
            tell("state", seen.state.as_str().to_owned());
            tell("version", seen.version.unwrap_or_else(|| "?".to_owned()));
            tell("fsync", seen.fsync.map_or("?", on).to_owned());
            let stays =
                if seen.stays { "stays when nobody uses it" } else { "stops with its last user" };
            tell("lifetime", stays.to_owned());
            let tcp = if seen.tcp { "and on the loopback" } else { "on the socket only" };
            tell("port", format!("{}, {tcp}", seen.port));
            tell("socket_dir", seen.socket_dir.to_string_lossy().into_owned());
            tell("data_dir", seen.data_dir.to_string_lossy().into_owned());
            tell("home", seen.home.to_string_lossy().into_owned());
        } else {
            let running = status::running(endpoint).await?;
            tell("server", "another one, by its address".to_owned());
            tell("state", "running".to_owned());
            tell("version", running.version);
            tell("fsync", on(running.fsync).to_owned());
            tell("port", endpoint.port.to_string());
            match endpoint.host() {
                Some(host) => {
                    tell("host", host.to_owned());
                    tell("sslmode", endpoint.sslmode().to_owned());
                }
                None => tell("socket_dir", endpoint.place_text()),
            }
        }
        tell("database", endpoint.database.clone());
        tell("operator", console.operator().as_str().to_owned());
        Ok(ServerFacts { facts, faults: self.faults().await? })
    }
}
