//! `audit list|show|verify`: reading the ledger through the gate.

use crate::audit::{
    ChainHead, Event, EventFilter, Verified, chain_of, decode_events, event_query, events_query,
    verify_chain,
};
use crate::console::{Console, ConsoleError};
use crate::failure::Failure;
use crate::identity::TenantId;
use crate::postgres::Sql;
use crate::progress::Progress;

/// Events, newest first, as far as the reader's level shows them.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console, filter: &EventFilter) -> Result<Vec<Event>, ConsoleError> {
    let before = filter.before.as_ref();
    let rows = console
        .query(
            &events_query(),
            &[
                &filter.tenant,
                &filter.operator,
                &filter.action,
                &filter.since,
                &before.map(|place| place.at),
                &filter.limit,
                &before.map(|place| place.chain.as_str()),
                &before.map(|place| place.seq),
            ],
        )
        .await?;
    Ok(decode_events(&rows))
}

/// Events, newest first, as many as were asked for.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Whether there are more.
    pub truncated: bool,
}

/// The most events that the database gives at once, but one.
const MOST: i32 = 99_999;

/// As [`list`], and whether there are more than `filter` asks for.
///
/// # Errors
/// [`ConsoleError`].
pub async fn page(console: &Console, filter: &EventFilter) -> Result<EventPage, ConsoleError> {
    let limit = filter.limit.clamp(0, MOST);
    let mut events = list(console, &EventFilter { limit: limit + 1, ..filter.clone() }).await?;
    let wanted = usize::try_from(limit).unwrap_or_default();
    let truncated = events.len() > wanted;
    events.truncate(wanted);
    Ok(EventPage { events, truncated })
}

/// One event of a tenant's chain, or of the installation's; none where there is no such event or
/// it is not one's to see.
///
/// # Errors
/// [`ConsoleError`].
pub async fn show(
    console: &Console,
    tenant: Option<&TenantId>,
    seq: i64,
) -> Result<Option<Event>, ConsoleError> {
    let rows = console.query(&event_query(), &[&chain_of(tenant), &seq]).await?;
    Ok(decode_events(&rows).into_iter().next())
}

/// Verifies the chain of one tenant, or all chains, in one snapshot.
///
/// # Errors
/// Level approver is needed; a broken chain is a verdict, no error.
pub async fn verify(
    console: &Console,
    tenant: Option<&TenantId>,
    progress: &Progress,
) -> Result<Verified, Failure> {
    console
        .reading_apart(async |transaction| {
            let heads = transaction
                .query(&Sql::new("select chain, system, seq, hash, key, own_system from tenantdesk.ledger_chains()"), &[])
                .await?;
            let wanted = tenant.map(|id| chain_of(Some(id)));
            let mut chains = Vec::new();
            progress.plan("chains", Some(heads.len() as u64));
            for (done, row) in heads.iter().enumerate() {
                let head = ChainHead {
                    chain: row.get(0),
                    system: row.get(1),
                    seq: row.get(2),
                    hash: row.get(3),
                    key: row.get(4),
                };
                if wanted.as_ref().is_none_or(|wanted| *wanted == head.chain) {
                    let own: &str = row.get(5);
                    chains.push(verify_chain(transaction, &head, own, progress).await?);
                }
                progress.advance(done as u64 + 1);
            }
            Ok(Verified { chains })
        })
        .await
}
