//! Going to another database without leaving the console: the list of profiles, what has to be
//! typed for one, the way there, the arrival.
//!
//! The old screen stays until the other database has answered. An impersonation does not: it is
//! ended before the way begins, as when the console is left.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::FormKind;
use crate::command::{Key, Press};
use crate::tui::act::Then;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{EndReason, PlaceFacts, ProfileFacts, SwitchAsk, Typed};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::form::{Field, Form};
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pane::overlay;
use crate::tui::widget::text::line;
use crate::tui::widget::window::{Column, Cursor, Table, plain};
use crate::tui::{live, operation};

/// The databases one can go to.
#[derive(Debug, Clone)]
pub(crate) struct ProfileList {
    profiles: Vec<ProfileFacts>,
    cursor: Cursor,
}

/// Asks for the list.
pub(crate) fn ask(state: &mut State) {
    state.ask(Slot::Profiles, Effect::ListProfiles);
}

/// The list is there; the place where one is has the cursor.
pub(crate) fn listed(state: &mut State, profiles: Vec<ProfileFacts>) {
    let here = state.place.name.as_deref();
    let selected = profiles.iter().position(|one| Some(one.name.as_str()) == here).unwrap_or(0);
    let mut cursor = Cursor::default();
    cursor.selected = selected;
    state.overlays.push(Overlay::Profiles(ProfileList { profiles, cursor }));
}

/// A key for the list, which was taken off the stack.
pub(crate) fn press(state: &mut State, mut list: ProfileList, key: Key) -> bool {
    let len = list.profiles.len();
    match key.press {
        Press::Esc | Press::Char('q') if !key.ctrl => return true,
        Press::Enter if !key.ctrl => {
            if let Some(profile) = list.profiles.get(list.cursor.selected) {
                choose(state, profile);
            }
            return true;
        }
        Press::Up | Press::Char('k') if !key.ctrl => list.cursor.step(-1, len),
        Press::Down | Press::Char('j') | Press::Tab if !key.ctrl => list.cursor.step(1, len),
        Press::PageUp => list.cursor.page(-1, len),
        Press::PageDown => list.cursor.page(1, len),
        Press::Home => list.cursor.first(),
        Press::End => list.cursor.last(len),
        _ => {
            state.overlays.push(Overlay::Profiles(list));
            return false;
        }
    }
    state.overlays.push(Overlay::Profiles(list));
    true
}

/// One was chosen: what it would end is asked about first.
fn choose(state: &mut State, profile: &ProfileFacts) {
    if state.place.name.as_deref() == Some(&profile.name) && state.greeting.is_some() {
        return state.note(Weight::Note, format!("this is {} already", profile.name));
    }
    let text = match (&state.live, state.operations.as_slice()) {
        (Some(live), _) => format!(
            "You are acting in {}. Going elsewhere ends the impersonation.",
            live.facts.slug.screen()
        ),
        (None, [running, ..]) => {
            format!("{} is running. Going elsewhere cancels it.", running.title)
        }
        (None, []) => return go(state, profile),
    };
    let then = Then::Switch(Box::new(profile.clone()));
    let confirm = Confirm::yes_no(format!("go to {}?", profile.name), text, then);
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

/// The way is free; something may have to be typed.
pub(crate) fn go(state: &mut State, profile: &ProfileFacts) {
    if profile.asks.is_none() {
        return begin(state, SwitchAsk { name: profile.name.clone(), typed: None });
    }
    // In words above the field: which secret is meant must be plain.
    let field = if profile.password_from == "file" { "passphrase" } else { "password" };
    let asks = profile.asks.as_deref().unwrap_or_default();
    let form = Form::new(format!("go to {}: {asks}", profile.name), vec![Field::secret(field)]);
    state.overlays.push(Overlay::Form(FormKind::Secret { profile: profile.clone() }, form));
}

/// It was typed.
pub(crate) fn send(state: &mut State) {
    if state.requests.is_open(Slot::Switch) {
        return;
    }
    let Some((FormKind::Secret { profile }, form)) = state.form() else { return };
    let typed = form.fields[0].value();
    if typed.is_empty() {
        form.fields[0].fault = Some("nothing was typed".to_owned());
        return;
    }
    form.busy = Some("connecting   esc close");
    let ask = SwitchAsk { name: profile.name.clone(), typed: Some(Typed::new(typed)) };
    begin(state, ask);
}

/// Ends what is open, as when the console is left, and sets out.
fn begin(state: &mut State, ask: SwitchAsk) {
    for no in state.operations.iter().map(|running| running.no).collect::<Vec<_>>() {
        operation::cancel(state, no);
    }
    live::end(state, EndReason::Quit);
    let title = format!("going to {}", ask.name);
    operation::begin(state, Slot::Switch, title, Effect::Switch(ask));
}

/// The other database has answered.
pub(crate) fn arrived(state: &mut State, place: PlaceFacts) {
    let name = place.name.clone().unwrap_or_default();
    state.arrive(place);
    state.note(Weight::Note, format!("this is {name} now"));
}

impl ProfileList {
    pub(crate) fn draw(&self, state: &State, frame: &mut Frame<'_>, area: Rect) {
        let look = state.look;
        let rows = u16::try_from(self.profiles.len()).unwrap_or(u16::MAX);
        let (wide, high) = (area.width.min(100), rows.saturating_add(5).min(area.height));
        let title = format!("databases {}", self.cursor.position(self.profiles.len()));
        let inner = overlay(frame, (area, wide, high), &title, look);
        let longest = |text: fn(&ProfileFacts) -> usize, least: usize, most: usize| {
            let longest = self.profiles.iter().map(text).max().unwrap_or(0);
            u16::try_from(longest.clamp(least, most)).unwrap_or(u16::MAX)
        };
        let columns = [
            Column::new("", 2),
            Column::new("name", longest(|one| one.name.len(), 8, 24)),
            Column::new("password", longest(|one| one.password_from.len(), 8, 20)),
            Column::new("theme", longest(|one| one.theme.map_or(0, |t| t.as_str().len()), 5, 13))
                .from(70),
            Column::new("address", 10).grows(),
        ];
        let here = state.place.name.as_deref();
        let cell = |row: usize, column: usize| {
            let one = &self.profiles[row];
            match column {
                0 if here == Some(one.name.as_str()) => (look.symbols().good.into(), Role::Good),
                0 => plain(""),
                1 => plain(one.name.as_str()),
                2 => (one.password_from.as_str().into(), Role::Dim),
                3 => plain(one.theme.map_or("", crate::config::ThemeName::as_str)),
                _ => (one.address.screen().into(), Role::Dim),
            }
        };
        let table = Table {
            columns: &columns,
            len: self.profiles.len(),
            cursor: &self.cursor,
            focused: true,
            empty: "there is none",
            cell,
        };
        let body = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
        let body = Rect { height: inner.height.saturating_sub(2), ..body };
        table.draw(frame.buffer_mut(), body, look);
        let foot = "enter go there   esc close   `tenantdesk profile add` makes more";
        let at = (body.x, inner.bottom().saturating_sub(1), body.width);
        line(frame.buffer_mut(), at, foot, look.style(Role::Dim), look);
    }
}
