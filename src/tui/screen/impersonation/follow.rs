//! Following references: from a cell to the record it points to, from a row to what points to it.
//!
//! Which ways there are comes from the library; a parent that another tenant has, or that a policy
//! hides, looks like one that does not exist.

use crate::text::screen;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{Counted, Link, Links};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pick::{Line, Pick};

use super::{browse, session};

/// What the ways are wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To follow the value of this column.
    Column(String),
    /// To show them all.
    All,
}

/// A way that can be picked.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    link: Link,
    up: bool,
}

/// Asks where the selected value points to.
pub(super) fn follow(state: &mut State) {
    let own = state.impersonation.as_ref();
    let column = own.and_then(|own| own.browse.view.grid.as_ref()?.column_name());
    if let Some(column) = column {
        ask(state, Wanted::Column(column));
    }
}

/// Asks where the value of this column points to: of a card that shows the selected row.
pub(crate) fn follow_column(state: &mut State, column: &str) {
    ask(state, Wanted::Column(column.to_owned()));
}

/// Asks for all ways from the selected row.
pub(super) fn links(state: &mut State) {
    ask(state, Wanted::All);
}

fn ask(state: &mut State, wanted: Wanted) {
    let Some(session) = session(state) else { return };
    let Some(own) = &mut state.impersonation else { return };
    let view = &own.browse.view;
    let (Some(page), Some(grid)) = (&view.ask, &view.grid) else { return };
    let (relation, row) = (page.relation.clone(), grid.whole_values());
    let counted = wanted == Wanted::All;
    own.following = Some(wanted);
    state.ask(Slot::Links, Effect::ShowLinks { session, relation, row, counted });
}

/// The ways are there.
pub(crate) fn arrived(state: &mut State, links: Links) {
    let wanted = state.impersonation.as_mut().and_then(|own| own.following.take());
    match wanted {
        Some(Wanted::Column(column)) => along(state, links, &column),
        Some(Wanted::All) => show(state, links),
        None => {}
    }
}

/// Goes where a column points to; asks where there are several ways.
fn along(state: &mut State, links: Links, column: &str) {
    let has = |link: &Link| link.reference.columns.iter().any(|name| name == column);
    let mut parents: Vec<Link> = links.parents.into_iter().filter(has).collect();
    // A key of several columns holds the tenant's as well: the shortest way is what is meant.
    let shortest = parents.first().map_or(0, |link| link.reference.columns.len());
    parents.retain(|link| link.reference.columns.len() == shortest);
    let open: Vec<Link> = parents.iter().filter(|link| link.at.is_some()).cloned().collect();
    match <[Link; 1]>::try_from(open) {
        Ok([link]) => go(state, Way { link, up: true }),
        Err(open) if open.is_empty() => {
            let column = screen(column);
            let text = if parents.is_empty() {
                format!("{column} points to nothing that can be browsed")
            } else {
                format!("{column} is NULL: it points to nothing")
            };
            state.note(Weight::Warning, text);
        }
        Err(open) => {
            let ways = open.into_iter().map(|link| Way { link, up: true }).collect();
            push(state, format!("where {column} points to"), ways);
        }
    }
}

/// Lists parents and children.
fn show(state: &mut State, links: Links) {
    let parents = links.parents.into_iter().map(|link| Way { link, up: true });
    let children = links.children.into_iter().map(|link| Way { link, up: false });
    let ways: Vec<Way> = parents.chain(children).collect();
    if ways.is_empty() {
        return state.note(Weight::Warning, "nothing points to this row, and it points to nothing");
    }
    push(state, "parents and children of this row".to_owned(), ways);
}

fn push(state: &mut State, title: String, ways: Vec<Way>) {
    let lines = ways.iter().map(|way| line(state, way)).collect();
    state.overlays.push(Overlay::Links(ways, Pick::new(title, lines)));
}

/// `up to app.projects by project_id`, or `from app.tasks by project_id` with the number of rows.
fn line(state: &State, way: &Way) -> Line {
    let (up, down) = state.look.symbols().ways;
    let one = &way.link.reference;
    let by = one.columns.join(", ");
    let only = one.only.as_ref().map(|only| format!(" as {}", only.value)).unwrap_or_default();
    let (text, beside) = if way.up {
        let beside = if way.link.at.is_some() { "" } else { "NULL" };
        (format!("{up} {} by {by}", one.to), beside.to_owned())
    } else {
        (format!("{down} {} by {by}{only}", one.from), counted(way.link.rows))
    };
    let empty = way.link.at.is_none() || way.link.rows.is_some_and(|counted| counted.rows == 0);
    Line { text, beside, role: if empty { Role::Dim } else { Role::Text } }
}

/// Children are counted up to a limit, and not at all where that takes too long.
fn counted(rows: Option<Counted>) -> String {
    let Some(Counted { rows, more }) = rows else { return "not counted".to_owned() };
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    if more {
        return format!("{}+ rows", crate::format::count(rows));
    }
    crate::format::counted(rows, "row")
}

/// A way was picked.
pub(crate) fn go(state: &mut State, way: Way) {
    let Some(at) = way.link.at else {
        return state.note(Weight::Warning, "a value of this reference is NULL");
    };
    let one = way.link.reference;
    if way.up {
        let sought = format!("the record of {} that {} names", one.to, one.columns.join(", "));
        browse::go_to(state, one.to, at, Some(screen(&sought)));
    } else {
        browse::go_to(state, one.from, at, None);
    }
}
