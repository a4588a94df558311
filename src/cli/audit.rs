//! `audit list|verify`: the ledger.

use serde_json::json;

use super::args::audit::{Audit as Verb, List};
use super::desk::reading;
use super::invocation::Invocation;
use super::table::{Column, Table};
use crate::audit::EventFilter;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::tenant::directory;
use crate::tenant::trail;
use crate::text::Untrusted;

/// Runs a verb of `audit`.
///
/// # Errors
/// What the verb says; a broken chain is the answer "no" (exit code 1).
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List(list) => self::list(invocation, list),
        Verb::Verify(which) => {
            let verified = reading(invocation, async |console, progress| {
                let tenant = match &which.tenant {
                    Some(text) => Some(directory::resolve(console, text).await?.id),
                    None => None,
                };
                trail::verify(console, tenant.as_ref(), progress).await
            })?;
            invocation.answer(&verified, |printer| {
                let mut table = Table::new([
                    Column::left("CHAIN"),
                    Column::right("EVENTS"),
                    Column::left("OK"),
                    Column::left("FAULT"),
                ]);
                for chain in &verified.chains {
                    table.row([
                        chain.tenant.as_deref().unwrap_or("installation"),
                        &format::count(chain.size),
                        if chain.ok { "yes" } else { "NO" },
                        chain.fault.as_deref().unwrap_or_default(),
                    ]);
                }
                printer.table(&table);
            })?;
            let broken = verified.chains.iter().filter(|chain| !chain.ok).count();
            if broken > 0 {
                return Err(Failure::new(
                    Kind::Negative,
                    format!("{broken} chains of the ledger are broken"),
                ));
            }
            Ok(())
        }
    }
}

/// `audit list`.
fn list(invocation: &mut Invocation, list: List) -> Result<(), Failure> {
    let limit = invocation.flags.limit.unwrap_or(100);
    let events = reading(invocation, async |console, _| {
        let tenant = match &list.tenant {
            Some(text) => Some(directory::resolve(console, text).await?.id.to_string()),
            None => None,
        };
        let filter = EventFilter {
            tenant,
            operator: list.operator.map(|name| name.to_string()),
            action: list.action,
            since: list.since.map(|span| crate::clock::now() - span),
            before: None,
            limit: i32::try_from(limit).unwrap_or(i32::MAX),
        };
        Ok(trail::list(console, &filter).await?)
    })?;
    invocation.answer(&json!({ "events": events }), |printer| {
        let mut table = Table::new(
            ["AT", "ACTOR", "ACTION", "OBJECT", "OUTCOME", "TENANT", "REASON"].map(Column::left),
        );
        for event in &events {
            table.row([
                format::time(event.at),
                event.actor.screen(),
                event.action.clone(),
                event.object.screen(),
                event.outcome.screen(),
                event.tenant.clone().unwrap_or_default(),
                event.reason.as_ref().map(Untrusted::screen).unwrap_or_default(),
            ]);
        }
        printer.table(&table);
    })?;
    if u64::try_from(events.len()).is_ok_and(|count| count == limit) {
        invocation.printer.status(&format!("the newest {limit} events; more with --limit"));
    }
    Ok(())
}
