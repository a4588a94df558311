//! The ledger: events, newest first, filtered by the database; and what verification says.

use std::collections::HashMap;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::audit::EventPlace;
use crate::command::CommandId;
use crate::format::{counted, parse_duration};
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{AuditFilter, AuditPage, ChainFacts, EventFacts};
use crate::tui::operation;
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pane::pane;
use crate::tui::widget::window::{Column, Cursor, Table, plain};

/// The list of events.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    events: Option<Vec<EventFacts>>,
    older: Option<EventPlace>,
    /// Whether the page that is awaited goes below what is there.
    appending: bool,
    cursor: Cursor,
    /// The filter as typed.
    pub(crate) text: String,
    filter: AuditFilter,
    /// Slugs of the tenants whose chains are listed, by id: the ledger knows ids only.
    slugs: HashMap<String, String>,
}

/// Asks for the newest events.
pub(crate) fn load(state: &mut State) {
    state.audit.appending = false;
    let filter = state.audit.filter.clone();
    state.ask(Slot::Audit, Effect::ListAudit { filter, older_than: None });
}

/// Events are there.
pub(crate) fn listed(state: &mut State, page: AuditPage) {
    let ids = page.events.iter().filter_map(|event| Some(event.tenant.as_ref()?.raw()));
    let slugs = state.tenants.slugs(&ids.collect());
    let own = &mut state.audit;
    own.slugs.extend(slugs);
    own.older = page.older;
    match &mut own.events {
        Some(events) if own.appending => events.extend(page.events),
        events => {
            *events = Some(page.events);
            own.cursor.first();
        }
    }
}

impl Audit {
    /// The slug of the event's tenant where it is known, else its id.
    fn handle<'e>(&'e self, event: &'e EventFacts) -> Option<&'e str> {
        let id = event.tenant.as_ref()?.raw();
        Some(self.slugs.get(id).map_or(id, String::as_str))
    }

    pub(crate) fn has_older(&self) -> bool {
        self.older.is_some()
    }

    pub(crate) fn has_row(&self) -> bool {
        self.events.as_ref().is_some_and(|events| !events.is_empty())
    }
}

/// The filter is another one now; what cannot be read is said and changes nothing.
pub(crate) fn filter(state: &mut State, text: &str) {
    match read(text, state.now) {
        Ok(filter) => {
            text.clone_into(&mut state.audit.text);
            state.audit.filter = filter;
            load(state);
        }
        Err(fault) => state.note(Weight::Warning, fault),
    }
}

/// `tenant:acme operator:jo action:impersonate since:2d`; a word alone is a tenant.
fn read(text: &str, now: chrono::DateTime<chrono::Utc>) -> Result<AuditFilter, String> {
    let mut filter = AuditFilter::default();
    for word in text.split_whitespace() {
        let (key, value) = word.split_once(':').unwrap_or(("tenant", word));
        let value = value.to_owned();
        match key {
            "tenant" => filter.tenant = Some(value),
            "operator" => filter.operator = Some(value),
            "action" => filter.action = Some(value),
            "since" => {
                let span = parse_duration(&value).map_err(|fault| fault.to_string())?;
                filter.since = Some(now - span);
            }
            _ => return Err(format!("`{key}:` is none of tenant: operator: action: since:")),
        }
    }
    Ok(filter)
}

/// Esc takes the filter away.
pub(crate) fn step_back(state: &mut State) -> bool {
    let filtered = !state.audit.text.is_empty();
    if filtered {
        filter(state, "");
    }
    filtered
}

/// Commands of the list.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let own = &mut state.audit;
    let len = own.events.as_ref().map_or(0, Vec::len);
    if super::travel(&mut own.cursor, len, id) {
        return;
    }
    match id {
        CommandId::NextPage => match own.older.clone() {
            Some(older) if !state.requests.is_open(Slot::Audit) => {
                own.appending = true;
                let filter = own.filter.clone();
                state.ask(Slot::Audit, Effect::ListAudit { filter, older_than: Some(older) });
            }
            _ => {}
        },
        CommandId::Open => {
            let event = own.events.as_ref().and_then(|events| events.get(own.cursor.selected));
            if let Some(event) = event {
                let copies = state.keymap.name(CommandId::Copy);
                let mut card = Card::new(format!("event {}", event.seq), entries(own, event));
                card.foot = format!("tab next value   {copies} copies it   esc close");
                card.pick(0);
                state.overlays.push(Overlay::Card(card));
            }
        }
        CommandId::AuditVerify => {
            operation::begin(state, Slot::VerifyAudit, "verifying the ledger", Effect::VerifyAudit);
        }
        _ => {}
    }
}

/// How the shape of a statement is labelled among what was recorded.
const STATEMENT: &str = "statement";

impl Audit {
    /// The shape of the statement that an event is about: the intent says it, and the outcome
    /// says only whose outcome it is.
    fn statement<'e>(&'e self, event: &'e EventFacts) -> Option<&'e str> {
        let of =
            |event: &'e EventFacts| event.recorded.iter().find(|(label, _)| label == STATEMENT);
        let intent = || {
            let wanted = event.intent?;
            let mut others = self.events.iter().flatten();
            of(others.find(|other| other.seq == wanted && other.tenant == event.tenant)?)
        };
        of(event).or_else(intent).map(|(_, text)| text.raw())
    }
}

fn entries(own: &Audit, event: &EventFacts) -> Vec<Entry> {
    let chain = event.tenant.as_ref().map_or("installation", |tenant| tenant.raw());
    let mut entries = vec![
        Entry::value("tenant", Some(own.handle(event).unwrap_or("-"))),
        Entry::value("at", Some(&crate::format::time(event.at))),
        Entry::value("actor", Some(event.actor.raw())),
        Entry::value("action", Some(event.action.raw())),
        Entry::value("object", Some(event.object.raw())),
        Entry::value("outcome", Some(event.outcome.raw())).role(Role::Title),
    ];
    // An outcome says how it went, its intent what it was.
    if event.intent.is_some() {
        entries.extend(own.statement(event).map(|text| Entry::value(STATEMENT, Some(text))));
    }
    let recorded = event.recorded.iter();
    let recorded = recorded.map(|(label, text)| Entry::value(label.clone(), Some(text.raw())));
    entries.extend(recorded);
    entries.push(Entry::new("chain", format!("{chain}, number {}", event.seq)).role(Role::Dim));
    entries
}

/// The chains are verified.
pub(crate) fn verified(state: &mut State, mut chains: Vec<ChainFacts>) {
    let broken = chains.iter().filter(|chain| chain.fault.is_some()).count();
    if broken == 0 {
        let events: i64 = chains.iter().map(|chain| chain.size).sum();
        let chains = counted(i64::try_from(chains.len()).unwrap_or(i64::MAX), "chain");
        let events = counted(events, "event");
        return state.note(Weight::Note, format!("the ledger is whole: {chains}, {events}"));
    }
    chains.sort_by_key(|chain| chain.fault.is_none());
    let ids = chains.iter().filter_map(|chain| Some(chain.tenant.as_ref()?.raw()));
    let slugs = state.tenants.slugs(&ids.collect());
    let entries = chains.iter().map(|chain| {
        let id = chain.tenant.as_ref().map_or("installation", |tenant| tenant.raw());
        let name = slugs.get(id).map_or(id, String::as_str);
        match &chain.fault {
            Some(fault) => Entry::new(name, fault.raw()).role(Role::Bad),
            None => Entry::new(name, format!("{}, whole", counted(chain.size, "event"))),
        }
    });
    let title = format!("the ledger is broken: {broken} of {} chains", chains.len());
    state.overlays.push(Overlay::Card(Card::new(title, entries.collect())));
}

/// Draws the list.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (own, look) = (&state.audit, state.look);
    let events = own.events.as_deref().unwrap_or_default();
    let more = if own.older.is_some() { "+" } else { "" };
    let mut title = format!("audit {}{more}", own.cursor.position(events.len()));
    if !own.text.is_empty() {
        title = format!("{title}, filtered: {}", own.text);
    }
    if state.requests.is_open(Slot::Audit) {
        title += ", reading";
    }
    let inner = pane(frame, area, &title, true, look);
    // The outcome must be seen on a narrow screen as well.
    let narrow = inner.width < 70;
    let (at, actor, tenant) = if narrow { (14, 8, 8) } else { (19, 10, 12) };
    let format = if narrow { "%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    let columns = [
        Column::new("at", at),
        Column::new("actor", actor),
        Column::new("tenant", tenant),
        Column::new("action", 14).grows(),
        Column::new("outcome", 9),
        Column::new("reason or statement", 20).from(90).grows(),
    ];
    let cell = |row: usize, column: usize| {
        let event = &events[row];
        match column {
            0 => plain(event.at.format(format).to_string()),
            1 => plain(event.actor.raw().to_owned()),
            2 => match own.handle(event) {
                Some(tenant) => plain(tenant.to_owned()),
                None => ("-".into(), Role::Dim),
            },
            3 => plain(event.action.raw().to_owned()),
            4 => plain(event.outcome.raw().to_owned()),
            _ if !event.reason.raw().is_empty() => {
                (event.reason.raw().to_owned().into(), Role::Dim)
            }
            _ => (own.statement(event).unwrap_or_default().to_owned().into(), Role::Dim),
        }
    };
    let empty =
        if own.events.is_some() { "no event passes the filter" } else { "reading the ledger" };
    let (len, cursor) = (events.len(), &own.cursor);
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        inner,
        look,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_word_by_word() {
        let now = chrono::DateTime::from_timestamp(1_000_000, 0).unwrap();
        let filter = read("acme operator:jo since:1d", now).unwrap();
        assert_eq!(filter.tenant.as_deref(), Some("acme"));
        assert_eq!(filter.operator.as_deref(), Some("jo"));
        assert_eq!(filter.since.unwrap().timestamp(), 1_000_000 - 86400);
        assert!(read("who:jo", now).is_err() && read("since:soon", now).is_err());
    }
}
