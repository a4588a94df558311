//! The chain's arithmetic, without a database: one event after another, each hash over the one
//! before. The same bytes are built by `tenantdesk.event_hash` in migrations/0001.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The head of a chain, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// `installation` or `tenant:<id>`.
    pub chain: String,
    /// The server and database in which the chain began.
    pub system: String,
    /// The number of the last event.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// What salts the digests of details.
    pub key: Vec<u8>,
}

/// One event, raw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub seq: i64,
    /// The chain's epoch.
    pub epoch: i32,
    /// The time in the server's binary form.
    pub at: Vec<u8>,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it went.
    pub outcome: String,
    /// Who vouches.
    pub attested: String,
    /// The tenant session.
    pub session: Option<i64>,
    /// The request.
    pub request: Option<Uuid>,
    /// The digest of the detail.
    pub detail: Option<Vec<u8>>,
    /// The hash of the event before.
    pub prev: Vec<u8>,
    /// Its own hash.
    pub hash: Vec<u8>,
    /// The detail itself, where it still exists.
    pub body: Option<String>,
}

/// How a chain is broken at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// A number is missing or out of order.
    Gap,
    /// It does not continue the event before.
    Link,
    /// Its fields are not the ones that were hashed.
    Content,
    /// Its detail is not the one that was hashed.
    Detail,
    /// The chain ends before its head says so.
    Tail,
    /// The time goes back.
    Clock,
}

impl Break {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "an event is missing or out of order",
            Self::Link => "it does not continue the event before",
            Self::Content => "its fields were changed",
            Self::Detail => "its detail was changed",
            Self::Tail => "the chain is shorter than its head",
            Self::Clock => "its time is before the event before",
        }
    }
}

/// Checks one event against the one before.
///
/// # Errors
/// The kind of [`Break`].
pub fn check_link(head: &ChainHead, before: Option<&Link>, event: &Link) -> Result<(), Break> {
    let expected = before.map_or(1, |link| link.seq + 1);
    if event.seq != expected {
        return Err(Break::Gap);
    }
    if event.prev != before.map_or(&[][..], |link| &link.hash[..]) {
        return Err(Break::Link);
    }
    if event.hash != hash(head, event) {
        return Err(Break::Content);
    }
    // Erased details leave their digest: a missing body is no break, a different one is.
    if let Some(body) = &event.body
        && event.detail.as_deref() != Some(&detail_digest(&head.key, body)[..])
    {
        return Err(Break::Detail);
    }
    // The binary form is big-endian two's complement: compare as numbers.
    if let Some(before) = before
        && number(&event.at) < number(&before.at)
    {
        return Err(Break::Clock);
    }
    Ok(())
}

/// The hash of an event.
fn hash(head: &ChainHead, event: &Link) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(b"tenantdesk.ledger.1");
    field(&mut hasher, Some(&head.system));
    field(&mut hasher, Some(&head.chain));
    hasher.update(event.epoch.to_be_bytes());
    hasher.update(event.seq.to_be_bytes());
    hasher.update(&event.at);
    for text in [&event.actor, &event.action, &event.object, &event.outcome, &event.attested] {
        field(&mut hasher, Some(text));
    }
    field(&mut hasher, event.session.map(|id| id.to_string()).as_deref());
    field(&mut hasher, event.request.map(|id| id.to_string()).as_deref());
    field(&mut hasher, event.detail.as_ref().map(hex::encode).as_deref());
    field(&mut hasher, Some(&hex::encode(&event.prev)));
    hasher.finalize().to_vec()
}

/// Length and bytes; no value is a length that no text has.
fn field(hasher: &mut Sha256, value: Option<&str>) {
    match value {
        None => hasher.update([0xff; 4]),
        Some(text) => {
            hasher.update(u32::try_from(text.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
            hasher.update(text.as_bytes());
        }
    }
}

/// The digest of a detail under the chain's key.
fn detail_digest(key: &[u8], body: &str) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(b"tenantdesk.detail.1");
    hasher.update(key);
    hasher.update(body.as_bytes());
    hasher.finalize().to_vec()
}

/// The server's binary time as a number.
fn number(bytes: &[u8]) -> i64 {
    bytes.try_into().map(i64::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of three events, hashed as it should be.
    fn chain() -> (ChainHead, Vec<Link>) {
        let head = ChainHead {
            chain: "installation".into(),
            system: "1/2".into(),
            seq: 3,
            hash: Vec::new(),
            key: vec![7; 32],
        };
        let mut links: Vec<Link> = Vec::new();
        for seq in 1..=3_i64 {
            let body = format!("{{\"reason\":\"{seq}\"}}");
            let mut link = Link {
                seq,
                epoch: 1,
                at: (seq * 1000).to_be_bytes().to_vec(),
                actor: "ann".into(),
                action: "export".into(),
                object: "acme".into(),
                outcome: "ok".into(),
                attested: "database".into(),
                session: Some(seq),
                request: None,
                detail: Some(detail_digest(&head.key, &body)),
                prev: links.last().map(|l| l.hash.clone()).unwrap_or_default(),
                hash: Vec::new(),
                body: Some(body),
            };
            link.hash = hash(&head, &link);
            links.push(link);
        }
        (head, links)
    }

    /// Checks a whole chain and gives the first break.
    fn first_break(head: &ChainHead, links: &[Link]) -> Option<Break> {
        let mut before = None;
        for link in links {
            if let Err(kind) = check_link(head, before, link) {
                return Some(kind);
            }
            before = Some(link);
        }
        None
    }

    #[test]
    fn every_single_change_of_a_chain_is_found() {
        let (head, links) = chain();
        assert_eq!(first_break(&head, &links), None);
        let changed = |change: fn(&mut Vec<Link>)| {
            let mut copy = links.clone();
            change(&mut copy);
            first_break(&head, &copy)
        };
        assert_eq!(changed(|l| l[1].actor = "bob".into()), Some(Break::Content));
        assert_eq!(changed(|l| l[1].session = None), Some(Break::Content));
        assert_eq!(changed(|l| l[1].body = Some("{}".into())), Some(Break::Detail));
        assert_eq!(changed(|l| l[1].body = None), None);
        assert_eq!(changed(|l| drop(l.remove(1))), Some(Break::Gap));
        assert_eq!(changed(|l| l.swap(0, 1)), Some(Break::Gap));
        assert_eq!(changed(|l| l[2].prev = vec![0; 32]), Some(Break::Link));
    }

    #[test]
    fn a_field_cannot_be_moved_into_its_neighbour() {
        let (head, links) = chain();
        let mut moved = links[0].clone();
        moved.actor = "an".into();
        moved.action = "nexport".into();
        assert_ne!(hash(&head, &moved), links[0].hash);
    }
}
