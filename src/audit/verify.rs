//! Verifies chains as the database serves them: pages of raw events, constant memory.

use serde::Serialize;

use super::chain::{Break, ChainHead, Link, check_link};
use crate::failure::Failure;
use crate::format;
use crate::postgres::{Sql, Transaction};
use crate::progress::Progress;

/// How many events are fetched at once.
const PAGE: i32 = 5_000;

/// The verdict on one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainVerdict {
    /// The tenant's id, or none for the installation.
    pub tenant: Option<String>,
    /// How many events it has.
    pub size: i64,
    /// The hash of the last.
    pub head: String,
    /// Whether it is whole.
    pub ok: bool,
    /// The first event that is not right, and why.
    pub fault: Option<String>,
}

/// The verdict on all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// One for each chain.
    pub chains: Vec<ChainVerdict>,
}

impl Verified {
    /// Whether every chain is whole.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.chains.iter().all(|chain| chain.ok)
    }
}

/// Verifies one chain inside the caller's transaction.
///
/// # Errors
/// Where the server refuses, or the work was cancelled; a broken chain is a verdict, no error.
pub async fn verify_chain(
    transaction: &Transaction<'_>,
    head: &ChainHead,
    own_system: &str,
    progress: &Progress,
) -> Result<ChainVerdict, Failure> {
    let mut before: Option<Link> = None;
    let mut fault = (head.system != own_system).then(|| {
        format!(
            "it began in another database ({}): this one is a copy or was restored",
            head.system
        )
    });
    'pages: while fault.is_none() {
        progress.checkpoint()?;
        let after = before.as_ref().map_or(0, |link| link.seq);
        let page = transaction
            .query(
                &Sql::new("select * from tenantdesk.ledger_rows($1, $2, $3)"),
                &[&head.chain, &after, &PAGE],
            )
            .await?;
        for row in &page {
            let event = Link {
                seq: row.get("seq"),
                epoch: row.get("epoch"),
                at: row.get("at"),
                actor: row.get("actor"),
                action: row.get("action"),
                object: row.get("object"),
                outcome: row.get("outcome"),
                attested: row.get("attested"),
                session: row.get("session"),
                request: row.get("request"),
                detail: row.get("detail"),
                prev: row.get("prev"),
                hash: row.get("hash"),
                body: row.get("body"),
            };
            if let Err(kind) = check_link(head, before.as_ref(), &event) {
                fault = Some(describe(event.seq, kind));
                break 'pages;
            }
            before = Some(event);
        }
        if page.is_empty() {
            let end = before.as_ref().map_or((0, &[][..]), |link| (link.seq, &link.hash[..]));
            // Head and events are of one snapshot, so nobody's writing explains a difference.
            if end.0 != head.seq || end.1 != &head.hash[..] {
                fault = Some(describe(end.0.min(head.seq) + 1, Break::Tail));
            }
            break;
        }
    }
    Ok(ChainVerdict {
        tenant: head.chain.strip_prefix("tenant:").map(str::to_owned),
        size: head.seq,
        head: format::digest(&head.hash),
        ok: fault.is_none(),
        fault,
    })
}

/// `event 17: its fields were changed`.
fn describe(seq: i64, kind: Break) -> String {
    format!("event {seq}: {}", kind.as_str())
}
