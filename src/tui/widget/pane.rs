//! A box with a title, and the place of a box in the middle of the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear};

use super::text::line;
use crate::tui::theme::{Look, Role};

/// Draws the box; answers what is inside.
pub(crate) fn pane(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    focused: bool,
    look: Look,
) -> Rect {
    let role = if focused { Role::Focus } else { Role::Border };
    boxed(frame, area, title, role, look)
}

/// Draws the box of an overlay over whatever is below.
///
/// `inside` is what overlays may cover: never the frame of an impersonation.
pub(crate) fn overlay(
    frame: &mut Frame<'_>,
    (inside, width, height): (Rect, u16, u16),
    title: &str,
    look: Look,
) -> Rect {
    let area = centred(inside, width, height);
    frame.render_widget(Clear, area);
    // Cleared cells have the terminal's own colours, which are not those of every theme.
    frame.buffer_mut().set_style(area, look.style(Role::Text));
    // A wide character that began left of the box would otherwise lose its second half.
    if area.x > inside.x {
        for y in area.y..area.bottom() {
            let cell = &mut frame.buffer_mut()[(area.x - 1, y)];
            if super::text::width(cell.symbol()) > 1 {
                cell.set_symbol(" ");
            }
        }
    }
    boxed(frame, area, title, Role::Focus, look)
}

fn boxed(frame: &mut Frame<'_>, area: Rect, title: &str, role: Role, look: Look) -> Rect {
    let block = Block::bordered().border_set(look.symbols().border).border_style(look.style(role));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if area.width > 4 {
        let style = look.style(if role == Role::Focus { Role::Focus } else { Role::Title });
        let at = (area.x + 2, area.y, area.width - 4);
        line(frame.buffer_mut(), at, &format!(" {title} "), style, look);
    }
    inner
}

/// A box of at most this size in the middle.
pub(crate) fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let (x, y) = ((area.width - width) / 2, (area.height - height) / 2);
    Rect { x: area.x + x, y: area.y + y, width, height }
}
