//! `audit list --follow`: the events of the ledger as they come.
//!
//! Events of different chains become visible in another order than their times say, because each
//! is committed for itself. So every look goes back a while and passes over what was told.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::trail;
use crate::audit::{Event, EventFilter};
use crate::clock;
use crate::console::{Console, ConsoleError};

/// How far a look goes back behind the newest event. No chain is held longer than a few seconds.
const OVERLAP: TimeDelta = TimeDelta::seconds(15);
/// How far it goes back where no event is known: further than any two clocks are apart.
const WITHOUT_EVENTS: TimeDelta = TimeDelta::days(1);
/// How many events are read at once.
const PAGE: i32 = 1_000;

/// Follows the ledger.
#[derive(Debug)]
pub struct Follower {
    filter: EventFilter,
    newest: Option<DateTime<Utc>>,
    told: HashSet<(String, i64)>,
}

impl Follower {
    /// Begins with the newest events of the filter, as many as it says, oldest first.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub async fn begin(
        console: &Console,
        filter: EventFilter,
    ) -> Result<(Self, Vec<Event>), ConsoleError> {
        let mut events = trail::page(console, &filter).await?.events;
        events.reverse();
        let newest = events.last().map(|event| event.at);
        let mut follower = Self { filter, newest, told: HashSet::new() };
        // What is older than the first ones is no news, although the first look comes by it.
        follower.told = follower.look(console).await?.iter().map(key).collect();
        Ok((follower, events))
    }

    /// What came since, oldest first.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub async fn next(&mut self, console: &Console) -> Result<Vec<Event>, ConsoleError> {
        let seen = self.look(console).await?;
        let around: HashSet<(String, i64)> = seen.iter().map(key).collect();
        let mut events: Vec<Event> =
            seen.into_iter().filter(|event| !self.told.contains(&key(event))).collect();
        events.sort_by(|a, b| (a.at, &a.chain, a.seq).cmp(&(b.at, &b.chain, b.seq)));
        self.newest = self.newest.max(events.last().map(|event| event.at));
        // What no look comes by any more need not be remembered.
        self.told = around;
        Ok(events)
    }

    /// All events from a while before the newest one on.
    async fn look(&self, console: &Console) -> Result<Vec<Event>, ConsoleError> {
        let known = self.newest.map(|newest| newest - OVERLAP);
        let from = known.unwrap_or_else(|| clock::now() - WITHOUT_EVENTS);
        let since = Some(self.filter.since.map_or(from, |since| since.max(from)));
        let mut filter = EventFilter { since, before: None, limit: PAGE, ..self.filter.clone() };
        let mut found: Vec<Event> = Vec::new();
        loop {
            let page = trail::page(console, &filter).await?;
            let oldest = page.events.last().map(Event::place);
            found.extend(page.events);
            filter.before = oldest.filter(|_| page.truncated);
            if filter.before.is_none() {
                return Ok(found);
            }
        }
    }
}

/// What an event is known by.
fn key(event: &Event) -> (String, i64) {
    (event.chain.clone(), event.seq)
}
