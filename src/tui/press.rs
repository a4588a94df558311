//! What a key means now: to the overlay on top, to a text that is being typed, or as a command.

use super::app::State;
use super::keymap::Lookup;
use super::overlay::Overlay;
use super::screen::impersonation::Way;
use super::widget::confirm::Verdict;
use super::widget::form::Pressed;
use super::widget::palette::Palette;
use super::widget::pick::{Pick, Picking};
use super::widget::{field, notice::Weight};
use super::{act, screen};
use crate::command::{CommandId, Key, Press};

/// Commands that work even while an overlay is open.
const ALWAYS: [CommandId; 5] = [
    CommandId::ImpersonationEnd,
    CommandId::Cancel,
    CommandId::Redraw,
    CommandId::Suspend,
    CommandId::Quit,
];

/// A key was pressed.
pub(crate) fn key(state: &mut State, key: Key) {
    let taken = if state.overlays.is_empty() {
        state.pressed.is_empty() && (prompt(state, key) || screen::typed(state, key))
    } else {
        overlay(state, key)
    };
    if taken {
        return;
    }
    if key.press == Press::Esc {
        if state.pressed.is_empty() {
            act::back(state, false);
        }
        return state.pressed.clear();
    }
    state.pressed.push(key);
    match state.keymap.look_up(state.scope(), &state.pressed) {
        Lookup::Wait(_) if state.overlays.is_empty() => {}
        Lookup::Run(id) => {
            state.pressed.clear();
            if state.overlays.is_empty() || ALWAYS.contains(&id) {
                act::run(state, id);
            } else {
                act::on_picked(state, id);
            }
        }
        _ => state.pressed.clear(),
    }
}

/// A text was pasted.
pub(crate) fn paste(state: &mut State, text: &str) {
    match state.overlays.last_mut() {
        Some(Overlay::Palette(palette)) => {
            field::paste(&mut palette.input, text);
            palette.search();
        }
        Some(Overlay::Form(kind, form)) => {
            form.paste(text);
            screen::form_changed(kind, form);
        }
        Some(Overlay::Confirm(confirm)) => confirm.paste(text),
        Some(Overlay::Viewer(viewer)) => viewer.paste(text),
        Some(Overlay::Links(_, pick) | Overlay::History(_, pick)) => pick.paste(text),
        Some(Overlay::Card(_) | Overlay::Profiles(_)) => {}
        None => match &mut state.prompt {
            Some(prompt) => {
                field::paste(&mut prompt.input, text);
                screen::prompt_changed(state);
            }
            None => screen::pasted(state, text),
        },
    }
}

/// Keys while a line is typed below the screen.
fn prompt(state: &mut State, key: Key) -> bool {
    let Some(prompt) = &mut state.prompt else { return false };
    if field::press(&mut prompt.input, key) {
        screen::prompt_changed(state);
        return true;
    }
    match key.press {
        Press::Enter => screen::prompt_done(state, true),
        Press::Esc => screen::prompt_done(state, false),
        _ => return false,
    }
    true
}

fn overlay(state: &mut State, key: Key) -> bool {
    match state.overlays.pop() {
        Some(Overlay::Palette(palette)) => return in_palette(state, palette, key),
        Some(Overlay::Form(kind, form)) => return in_form(state, kind, form, key),
        Some(Overlay::Profiles(list)) => return screen::profile::press(state, list, key),
        Some(Overlay::Viewer(mut viewer)) => match viewer.press(key) {
            None => {}
            Some(taken) => {
                state.overlays.push(Overlay::Viewer(viewer));
                return taken;
            }
        },
        Some(Overlay::Links(ways, pick)) => return in_links(state, ways, pick, key),
        Some(Overlay::History(statements, pick)) => {
            return in_history(state, statements, pick, key);
        }
        Some(Overlay::Confirm(mut confirm)) => match confirm.press(key) {
            Verdict::Yes(reason) => act::agreed(state, confirm.then, reason),
            Verdict::No => {}
            verdict => {
                state.overlays.push(Overlay::Confirm(confirm));
                return verdict == Verdict::Open;
            }
        },
        Some(Overlay::Card(card)) if card.closes(key, state.now) => return true,
        Some(Overlay::Card(mut card)) => {
            match key.press {
                // A card that insists takes them later.
                Press::Esc | Press::Enter if !key.ctrl => {}
                Press::Tab => card.step(true),
                Press::BackTab => card.step(false),
                Press::Up | Press::Char('k') => card.scroll(-1),
                Press::Down | Press::Char('j') => card.scroll(1),
                Press::PageUp => card.scroll(-10),
                Press::PageDown | Press::Char(' ') => card.scroll(10),
                Press::Home | Press::Char('g') => card.scroll(isize::MIN),
                Press::End | Press::Char('G') => card.scroll(isize::MAX),
                _ => {
                    state.overlays.push(Overlay::Card(card));
                    return false;
                }
            }
            state.overlays.push(Overlay::Card(card));
        }
        None => return false,
    }
    true
}

fn in_palette(state: &mut State, mut palette: Palette, key: Key) -> bool {
    let len = palette.len();
    if field::press(&mut palette.input, key) {
        palette.search();
        state.overlays.push(Overlay::Palette(palette));
        return true;
    }
    match key.press {
        Press::Esc => return true,
        Press::Enter => {
            if let Some(id) = palette.selected() {
                act::run(state, id);
            }
            return true;
        }
        Press::Up => palette.cursor.step(-1, len),
        Press::Down | Press::Tab => palette.cursor.step(1, len),
        Press::PageUp => palette.cursor.page(-1, len),
        Press::PageDown => palette.cursor.page(1, len),
        _ => {
            state.overlays.push(Overlay::Palette(palette));
            return false;
        }
    }
    state.overlays.push(Overlay::Palette(palette));
    true
}

fn in_links(state: &mut State, mut ways: Vec<Way>, mut pick: Pick, key: Key) -> bool {
    match pick.press(key) {
        Picking::Picked(index) if index < ways.len() => {
            screen::impersonation::go_along(state, ways.swap_remove(index));
        }
        Picking::Picked(_) | Picking::Close => {}
        known => {
            state.overlays.push(Overlay::Links(ways, pick));
            return known == Picking::Taken;
        }
    }
    true
}

fn in_history(state: &mut State, statements: Vec<String>, mut pick: Pick, key: Key) -> bool {
    match pick.press(key) {
        Picking::Picked(index) => {
            if let Some(sql) = statements.get(index) {
                screen::impersonation::recall(state, sql);
            }
        }
        Picking::Close => {}
        known => {
            state.overlays.push(Overlay::History(statements, pick));
            return known == Picking::Taken;
        }
    }
    true
}

fn in_form(
    state: &mut State,
    mut kind: screen::FormKind,
    mut form: super::widget::form::Form,
    key: Key,
) -> bool {
    match form.press(key) {
        Pressed::Taken => {
            screen::form_changed(&mut kind, &mut form);
            state.overlays.push(Overlay::Form(kind, form));
            true
        }
        Pressed::Submit => {
            form.fault = None;
            state.overlays.push(Overlay::Form(kind, form));
            screen::form_sent(state);
            true
        }
        Pressed::Close => {
            if form.busy.is_some() {
                state.note(Weight::Warning, "closed; what was sent goes on, its result is shown");
                screen::form_abandoned(state, &kind);
            }
            true
        }
        Pressed::Unknown => {
            state.overlays.push(Overlay::Form(kind, form));
            false
        }
    }
}
