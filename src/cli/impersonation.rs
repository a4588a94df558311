//! `impersonation list|show|end`: tenant sessions as seen from elsewhere.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::args::impersonation::{End, Impersonation, List};
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::json;
use super::live::{ActivityDocument, StatementDocument, statements_table};
use super::shown::Shown;
use super::table::{Column, Table};
use super::tenant::handles;
use crate::clock;
use crate::console::Console;
use crate::failure::Failure;
use crate::format;
use crate::impersonation::told_statements;
use crate::tenant::live::{self, Activity};
use crate::tenant::sessions::{self, Session, Which};
use crate::text::Untrusted;

/// How many sessions are listed where nothing else is said.
const MOST_LISTED: u64 = 1000;

/// Runs a verb of `impersonation`.
///
/// # Errors
/// What the database says; a session that is not there or not one's to see is "not found".
pub(super) fn run(invocation: &mut Invocation, verb: &Impersonation) -> Result<(), Failure> {
    match verb {
        Impersonation::List(args) => list(invocation, args),
        Impersonation::Show(args) => show(invocation, args.id),
        Impersonation::End(args) => end(invocation, args),
    }
}

/// One session in JSON.
#[derive(Serialize)]
struct SessionDocument<'s> {
    id: i64,
    operator: &'s str,
    /// The slug where the target has one, else the id.
    tenant: &'s str,
    tenant_id: &'s str,
    purpose: &'s str,
    mode: &'s str,
    reason: &'s Untrusted,
    ticket: Option<&'s Untrusted>,
    member: Option<&'s Untrusted>,
    role: Option<&'s Untrusted>,
    live: bool,
    #[serde(serialize_with = "json::time")]
    opened_at: DateTime<Utc>,
    #[serde(serialize_with = "json::time")]
    expires_at: DateTime<Utc>,
    #[serde(serialize_with = "json::time_or_null")]
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<&'s str>,
    end_reason: Option<&'s Untrusted>,
    /// What is done in it; null where it does not live.
    activity: Option<ActivityDocument<'s>>,
}

/// What is done in the sessions that live, by their number.
type Activities = HashMap<i64, Activity>;

/// The handles of tenants, by id.
type Handles = HashMap<String, String>;

fn document<'s>(
    session: &'s Session,
    handles: &'s Handles,
    activity: Option<&'s Activity>,
    now: DateTime<Utc>,
) -> SessionDocument<'s> {
    SessionDocument {
        id: session.id,
        operator: &session.operator,
        tenant: handles.get(&session.tenant).unwrap_or(&session.tenant),
        tenant_id: &session.tenant,
        purpose: &session.purpose,
        mode: &session.mode,
        reason: &session.reason,
        ticket: session.ticket.as_ref(),
        member: session.member.as_ref(),
        role: session.role.as_ref(),
        live: session.is_live(now),
        opened_at: session.opened_at,
        expires_at: session.expires_at,
        ended_at: session.ended_at,
        ended_by: session.ended_by.as_deref(),
        end_reason: session.end_reason.as_ref(),
        activity: activity.map(ActivityDocument::of),
    }
}

fn list(invocation: &mut Invocation, args: &List) -> Result<(), Failure> {
    let limit = invocation.flags.limit.unwrap_or(MOST_LISTED);
    let which = if args.all { Which::All } else { Which::Live };
    let (page, activities, handles) = reading(invocation, async |console, _| {
        let page = sessions::page(console, which, limit).await?;
        let live = live::list(console, i32::try_from(limit).unwrap_or(i32::MAX)).await?;
        let activities = live.into_iter().map(|one| (one.session.id, one.activity)).collect();
        let activities: Activities = activities;
        Ok((page, activities, handles(console).await?))
    })?;
    let now = clock::now();
    let found = Shown::page(page.sessions, page.truncated);
    let one = |session| document(session, &handles, activities.get(&session.id), now);
    let documents: Vec<SessionDocument<'_>> = found.rows.iter().map(one).collect();
    invocation.answer(&found.document("sessions", &documents), |printer| {
        if documents.is_empty() {
            printer.status(if args.all { "no sessions" } else { "no session is live" });
            return;
        }
        let mut table = Table::new([
            Column::right("id"),
            Column::left("operator"),
            Column::left("tenant"),
            Column::left("as"),
            Column::left("purpose"),
            Column::left("mode"),
            Column::left("state"),
            Column::right("statements"),
            Column::right("rows"),
            Column::left("now"),
            Column::left("reason"),
        ]);
        for d in &documents {
            let member = d.member.map_or("", Untrusted::raw);
            let id = d.id.to_string();
            let state = state(d, now);
            let [statements, rows, does] =
                d.activity.as_ref().map_or_else(Default::default, |a| a.cells(now));
            let (reason, mode) = (d.reason.raw(), d.mode);
            let row = [
                &id,
                d.operator,
                d.tenant,
                member,
                d.purpose,
                mode,
                &state,
                &statements,
                &rows,
                &does,
                reason,
            ];
            table.row(row);
        }
        printer.table(&table);
    })?;
    found.say_what_is_cut(invocation, "sessions");
    Ok(())
}

/// `14m 03s left`, or how it ended.
fn state(session: &SessionDocument<'_>, now: DateTime<Utc>) -> String {
    if session.live {
        return format!("{} left", format::duration(session.expires_at - now));
    }
    session.end_reason.map_or_else(|| "expired".to_owned(), Untrusted::screen)
}

fn show(invocation: &mut Invocation, id: i64) -> Result<(), Failure> {
    let most = invocation.flags.limit.unwrap_or(MOST_LISTED);
    let most = i32::try_from(most.saturating_mul(2).saturating_add(8)).unwrap_or(i32::MAX);
    let (session, activity, events, handles) = reading(invocation, async |console, _| {
        let session = sessions::find(console, id).await?.ok_or_else(|| not_found(id))?;
        let activity = live::activity(console, id).await?;
        let events = live::events(console, id, 0, most).await?;
        Ok((session, activity, events, handles(console).await?))
    })?;
    let now = clock::now();
    let d = document(&session, &handles, activity.as_ref(), now);
    let found = Shown::first(invocation, told_statements(&events));
    let documents: Vec<_> = found.rows.iter().map(StatementDocument::of).collect();
    let mut answer = found.document("statements", &documents);
    answer["session"] = serde_json::to_value(&d).unwrap_or_default();
    invocation.answer(&answer, |printer| {
        printer.pairs(pairs(&d, now));
        if found.rows.is_empty() {
            return;
        }
        printer.line("");
        printer.table(&statements_table(&found.rows));
    })?;
    found.say_what_is_cut(invocation, "statements");
    Ok(())
}

/// One session, line by line.
fn pairs(d: &SessionDocument<'_>, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("id", d.id.to_string()),
        ("operator", d.operator.to_owned()),
        ("tenant", d.tenant.to_owned()),
        ("purpose", d.purpose.to_owned()),
        ("mode", d.mode.to_owned()),
        ("reason", d.reason.raw().to_owned()),
        ("opened", format::time(d.opened_at)),
        ("until", format::time(d.expires_at)),
        ("state", state(d, now)),
    ];
    let text = |value: Option<&Untrusted>| value.map(|v| v.raw().to_owned());
    pairs.extend(text(d.ticket).map(|ticket| ("ticket", ticket)));
    pairs.extend(text(d.member).map(|member| ("as", member)));
    pairs.extend(text(d.role).map(|role| ("role", role)));
    pairs.extend(d.ended_at.map(|at| ("ended", format::time(at))));
    pairs.extend(d.ended_by.map(|by| ("ended by", by.to_owned())));
    pairs.extend(d.activity.as_ref().map(|a| a.pairs(now)).into_iter().flatten());
    pairs
}

fn end(invocation: &mut Invocation, args: &End) -> Result<(), Failure> {
    let (id, ended) = with_console(invocation, async |console, _| {
        let id = match args.id {
            Some(id) => id,
            None => own_live(console).await?,
        };
        Ok((id, sessions::end(console, id, None).await?))
    })?;
    invocation.answer(&serde_json::json!({ "session": { "id": id }, "ended": ended }), |printer| {
        printer.status(&if ended {
            format!("session {id} is ended")
        } else {
            format!("session {id} had ended before")
        });
    })
}

/// The operator's own live impersonation.
async fn own_live(console: &Console) -> Result<i64, Failure> {
    let found = sessions::own_impersonation(console).await?;
    found.map(|session| session.id).ok_or_else(|| {
        Failure::refused("you have no live impersonation")
            .hint("`tenantdesk impersonation list` shows the sessions you may see")
    })
}

fn not_found(id: i64) -> Failure {
    Failure::refused(format!("session {id} not found"))
        .hint("`tenantdesk impersonation list --all` shows the sessions you may see")
}
