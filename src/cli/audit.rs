//! `audit list|show|verify`: the ledger.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::args::audit::{Audit as Verb, List, Show, Verify};
use super::desk::{reading, with_printer};
use super::invocation::Invocation;
use super::shown::Shown;
use super::signals::interrupted;
use super::table::{Column, Table};
use super::tenant::handles;
use crate::audit::{Event, EventFilter};
use crate::console::Console;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::tenant::follow::Follower;
use crate::tenant::{directory, trail};
use crate::text::Untrusted;

/// How many events are listed where nothing else is said.
const LISTED: u64 = 100;
/// With how many a follower begins.
const FOLLOWED: u64 = 10;
/// How often a follower looks.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a verb of `audit`.
///
/// # Errors
/// What the verb says; a broken chain is the answer "no" (exit code 1).
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List(list) if list.follow => follow(invocation, list),
        Verb::List(list) => self::list(invocation, list),
        Verb::Show(show) => self::show(invocation, &show),
        Verb::Verify(which) => verify(invocation, &which),
    }
}

/// `audit list`.
fn list(invocation: &mut Invocation, list: List) -> Result<(), Failure> {
    let limit = invocation.flags.limit.unwrap_or(LISTED);
    let (page, handles) = reading(invocation, async |console, _| {
        let filter = filter(console, list, limit).await?;
        let page = trail::page(console, &filter).await?;
        // Who manages the installation has no directory: ids are shown then.
        Ok((page, handles(console).await.unwrap_or_default()))
    })?;
    let shown = Shown::page(page.events, page.truncated);
    invocation.answer(&shown.document("events", &shown.rows), |printer| {
        printer.table(&table(&shown.rows, &handles));
    })?;
    shown.say_what_is_cut(invocation, "events");
    Ok(())
}

/// The filter, with the tenant looked up.
async fn filter(console: &Console, list: List, limit: u64) -> Result<EventFilter, Failure> {
    let tenant = match &list.tenant {
        Some(text) => Some(directory::resolve(console, text).await?.id.to_string()),
        None => None,
    };
    Ok(EventFilter {
        tenant,
        operator: list.operator.map(|name| name.to_string()),
        action: list.action,
        since: list.since.map(|span| crate::clock::now() - span),
        before: None,
        limit: i32::try_from(limit).unwrap_or(i32::MAX),
    })
}

/// Events as a table; the last column is cut first, because it is the widest.
fn table(events: &[Event], handles: &HashMap<String, String>) -> Table {
    let mut table = Table::new([
        Column::right("SEQ"),
        Column::left("AT"),
        Column::left("ACTOR"),
        Column::left("ACTION"),
        Column::left("OBJECT"),
        Column::left("OUTCOME"),
        Column::left("TENANT"),
        Column::left("REASON OR STATEMENT"),
    ]);
    for event in events {
        let tenant = event.tenant.as_ref().map(|id| handles.get(id).unwrap_or(id));
        table.row([
            event.seq.to_string(),
            format::time(event.at),
            event.actor.screen(),
            event.action.clone(),
            event.object.screen(),
            event.outcome.screen(),
            tenant.cloned().unwrap_or_default(),
            event.gist().as_ref().map(Untrusted::screen).unwrap_or_default(),
        ]);
    }
    table
}

/// `audit list --follow`: until a signal comes, or nobody reads any more.
fn follow(invocation: &mut Invocation, list: List) -> Result<(), Failure> {
    let limit = invocation.flags.limit.unwrap_or(FOLLOWED);
    let followed = with_printer(invocation, async |invocation, console| {
        let opening = async {
            let filter = filter(console, list, limit).await?;
            let (follower, events) = Follower::begin(console, filter).await?;
            Ok((follower, events, handles(console).await.unwrap_or_default()))
        };
        let begun = invocation.watch(async |progress| progress.unless_cancelled(opening).await);
        let (mut follower, mut events, mut handles) = begun.await?;
        let mut heading = true;
        loop {
            let is_new =
                |event: &Event| event.tenant.as_ref().is_some_and(|id| !handles.contains_key(id));
            if events.iter().any(is_new) {
                handles = self::handles(console).await.unwrap_or_default();
            }
            tell(invocation, &events, &handles, std::mem::take(&mut heading))?;
            if invocation.printer.is_closed() || invocation.reader_left() {
                return Ok(());
            }
            let look = async {
                tokio::time::sleep(LOOK).await;
                Ok(follower.next(console).await?)
            };
            events =
                invocation.watch(async |progress| progress.unless_cancelled(look).await).await?;
        }
    });
    followed.map_err(|failure| match failure.kind {
        Kind::Interrupted => {
            let mut stopped = interrupted();
            stopped.hints.clear();
            stopped
        }
        _ => failure,
    })
}

/// Prints what came: a line each.
fn tell(
    invocation: &mut Invocation,
    events: &[Event],
    handles: &HashMap<String, String>,
    heading: bool,
) -> Result<(), Failure> {
    if invocation.flags.json {
        for event in events {
            invocation.answer(event, |_| ())?;
        }
    } else if heading {
        invocation.printer.table(&table(events, handles));
    } else {
        invocation.printer.rows(&table(events, handles));
    }
    invocation.printer.flush();
    Ok(())
}

/// `audit show`.
fn show(invocation: &mut Invocation, args: &Show) -> Result<(), Failure> {
    let (event, handle) = reading(invocation, async |console, _| {
        let tenant = match &args.tenant {
            Some(text) => Some(directory::resolve(console, text).await?),
            None => None,
        };
        let event = trail::show(console, tenant.as_ref().map(|t| &t.id), args.seq).await?;
        Ok((event, tenant.map(|tenant| tenant.handle())))
    })?;
    let event = event.ok_or_else(|| not_found(args.seq, handle.as_deref()))?;
    invocation.answer(&json!({ "event": event }), |printer| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let mut pairs = vec![
            ("chain", event.chain.clone()),
            ("seq", event.seq.to_string()),
            ("at", event.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            ("tenant", text(&handle)),
            ("actor", event.actor.screen()),
            ("action", event.action.clone()),
            ("object", event.object.screen()),
            ("outcome", event.outcome.screen()),
        ];
        let facts = event.facts();
        // The statement can have many lines and stands below.
        let others = facts.iter().filter(|fact| fact.label != "statement");
        pairs.extend(others.map(|fact| (fact.label.as_str(), fact.value.screen())));
        pairs.retain(|(_, value)| !value.is_empty());
        printer.pairs(pairs);
        if let Some(statement) = event.statement() {
            printer.text(&format!("statement\n{}", statement.raw()));
        }
    })
}

fn not_found(seq: i64, tenant: Option<&str>) -> Failure {
    let chain = tenant.map_or_else(
        || "the installation's chain".to_owned(),
        |tenant| format!("the chain of {tenant}"),
    );
    let hint = if tenant.is_some() {
        "`tenantdesk audit list --tenant TENANT` shows the events you may see"
    } else {
        "an event of a tenant is found with `--tenant TENANT`; `tenantdesk audit list` shows them"
    };
    Failure::refused(format!("event {seq} not found in {chain}")).hint(hint)
}

/// `audit verify`: the heads are worth noting, so they are shown whole.
fn verify(invocation: &mut Invocation, which: &Verify) -> Result<(), Failure> {
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
            Column::right("SIZE"),
            Column::left("OK"),
            Column::whole("HEAD"),
            Column::left("FAULT"),
        ]);
        for chain in &verified.chains {
            table.row([
                chain.tenant.as_deref().unwrap_or("installation"),
                &format::count(chain.size),
                if chain.ok { "yes" } else { "NO" },
                &chain.head,
                chain.fault.as_deref().unwrap_or_default(),
            ]);
        }
        printer.table(&table);
    })?;
    let broken = verified.chains.iter().filter(|chain| !chain.ok).count();
    if broken > 0 {
        return Err(Failure::new(
            Kind::Negative,
            match broken {
                1 => "1 chain of the ledger is broken".to_owned(),
                _ => format!("{broken} chains of the ledger are broken"),
            },
        ));
    }
    Ok(())
}
