//! Drawing a state: frame of the impersonation, header, screen, key bar, overlays, notices.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Block;

use super::app::State;
use super::overlay::Overlay;
use super::theme::Role;
use super::widget::text::line;
use super::{chrome, reason, screen};
use crate::command::{CommandId, command};

/// The smallest terminal the console is drawn in.
const SMALLEST: (u16, u16) = (60, 16);

/// Draws the state.
pub fn view(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, state.look.style(Role::Text));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(state, frame);
    }
    let inside = match &state.live {
        Some(live) => chrome::session_frame(state, live, frame, area),
        None => area,
    };
    let header = Rect { height: 1, ..inside };
    let bar = Rect { y: inside.bottom() - 1, height: 1, ..inside };
    let running = u16::try_from(state.operations.len()).unwrap_or(u16::MAX).min(2);
    let height = inside.height - 2 - running;
    chrome::header(state, frame, header);
    let middle = Rect { y: inside.y + 1, height, ..inside };
    match &state.unreachable {
        Some(why) => chrome::unreachable(state, why, frame, middle),
        None => screen::draw(state, frame, middle),
    }
    let operations = Rect { y: bar.y - running, height: running, ..inside };
    chrome::operations(state, frame, operations);
    chrome::key_bar(state, frame, bar);
    // The keys stay in sight.
    let inside = Rect { height: inside.height - 1, ..inside };
    for overlay in &state.overlays {
        match overlay {
            Overlay::Palette(palette) => {
                let why = |id| reason::unavailable(state, command(id));
                palette.draw(frame, (inside, state.look), &state.keymap, why);
            }
            Overlay::Card(card) => card.draw(frame, inside, state.look),
            Overlay::Confirm(confirm) => confirm.draw(frame, inside, state.look),
            Overlay::Form(_, form) => form.draw(frame, inside, state.look),
            Overlay::Profiles(list) => list.draw(state, frame, inside),
            Overlay::Viewer(viewer) => viewer.draw(frame, inside, state.look),
            Overlay::Links(_, pick) | Overlay::History(_, pick) => {
                pick.draw(frame, inside, state.look);
            }
        }
    }
    chrome::notices(state, frame, Rect { height: inside.height + 1, ..inside });
}

/// Says so, and still says whether somebody is acting in a tenant.
fn too_small(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    let (look, role) = (state.look, state.live.as_ref().map_or(Role::Text, chrome::frame_role));
    frame.render_widget(Block::new().style(look.style(role)), area);
    let mut lines = vec![
        format!("{}x{} is too small", area.width, area.height),
        format!("needs {}x{}", SMALLEST.0, SMALLEST.1),
    ];
    if let Some(live) = &state.live {
        lines.push(format!("impersonating {}", live.facts.slug.screen()));
        lines.push(format!("{} ends it", state.keymap.name(CommandId::ImpersonationEnd)));
    }
    for (y, text) in (area.y..area.bottom()).zip(&lines) {
        line(frame.buffer_mut(), (area.x, y, area.width), text, look.style(role), look);
    }
}
