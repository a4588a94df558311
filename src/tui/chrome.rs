//! What stands around every screen: the frame of an impersonation, header, key bar, operations,
//! notices.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear};

use super::app::{Screen, State};
use super::keymap::Lookup;
use super::live::Live;
use super::operation::Operation;
use super::screen;
use super::theme::Role;
use super::widget::field;
use super::widget::gauge::{bar, percent};
use super::widget::pane::pane;
use super::widget::text::{Align, line, pieces, put, width, wrap};
use crate::command::{COMMANDS, CommandId, Scope, command};
use crate::config::EMBEDDED;
use crate::identity::Mode;

/// Reading and writing look different.
pub(super) fn frame_role(live: &Live) -> Role {
    match live.facts.mode {
        Mode::Read => Role::Read,
        Mode::Write => Role::Write,
    }
}

/// The whole frame says who acts as whom, where, how, why and for how long; answers the inside.
pub(super) fn session_frame(state: &State, live: &Live, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let (look, facts) = (state.look, &live.facts);
    let style = look.style(frame_role(live));
    let symbols = look.symbols();
    let set = match facts.mode {
        Mode::Read => symbols.frame_read,
        Mode::Write => symbols.frame_write,
    };
    frame.render_widget(Block::bordered().border_set(set).border_style(style), area);
    let narrow = area.width < 76;
    let mode = match facts.mode {
        Mode::Read if narrow => "READ",
        Mode::Read => "READ ONLY",
        Mode::Write => "WRITE",
    };
    let left = crate::format::duration(live.left(state.now));
    // The mode comes first: a long slug must not push it out.
    let title = format!(" {mode} IMPERSONATING {} ", facts.slug.screen());
    let end = state.keymap.key_of(CommandId::ImpersonationEnd).unwrap_or_else(|| ":end".to_owned());
    let right = match (live.ending, narrow) {
        (true, _) => " ending ".to_owned(),
        (false, true) => format!(" {left}, {end} ends "),
        (false, false) => format!(" {left} left, {end} ends it "),
    };
    let right_width = width(&right).min(area.width);
    let buffer = frame.buffer_mut();
    let room = area.width.saturating_sub(right_width + 4);
    line(buffer, (area.x + 2, area.y, room), &title, style, look);
    let at = (area.right() - right_width - 1, area.y, right_width);
    line(buffer, at, &right, style, look);
    let member = facts.member.as_ref().map_or_else(
        || "the tenant".to_owned(),
        |member| format!("{} ({})", member.email.screen(), member.role.screen()),
    );
    let ticket = facts
        .ticket
        .as_ref()
        .map_or_else(String::new, |ticket| format!("{}ticket {}", symbols.dot, ticket.screen()));
    let text = format!(
        " {}{}{member}{}{}{ticket}",
        facts.operator,
        symbols.acts_as,
        symbols.dot,
        facts.reason.screen(),
    );
    let banner = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 };
    buffer.set_style(banner, style);
    line(buffer, (banner.x, banner.y, banner.width), &text, style, look);
    Rect { y: area.y + 2, height: area.height - 3, ..banner }
}

/// Crumbs at the left, who we are at the right.
pub(super) fn header(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let loud = look.is_loud();
    let who = state.greeting.as_ref().map_or_else(
        || {
            let there = if state.unreachable.is_some() { "not connected" } else { "connecting" };
            let place = state.place.name.as_deref().filter(|name| *name != EMBEDDED);
            place.map_or_else(|| there.to_owned(), |name| format!("{there}: {name}"))
        },
        |greeting| {
            let operator = crate::text::screen(greeting.operator.as_str());
            let who = format!("{operator} ({})", greeting.level);
            let place = state.place.name.clone().unwrap_or_else(|| greeting.profile.screen());
            // Where the room is short, a loud place is what must be seen.
            let (first, second) = if loud { (place, who) } else { (who, place) };
            format!("{first}{}{second}", look.symbols().dot)
        },
    );
    // With a sign and across the whole line: colours may be off.
    let who = if loud { format!("{} {who}", look.symbols().soft) } else { who };
    let style = |role| look.style(if loud { Role::Loud } else { role });
    if loud {
        frame.buffer_mut().set_style(area, style(Role::Loud));
    }
    let who_width = width(&who).min(area.width / 2);
    let at = (area.right() - who_width - 1, area.y, who_width);
    put(frame.buffer_mut(), at, &who, style(Role::Dim), Align::Right, look);
    let mut parts: Vec<(Cow<'_, str>, Style)> = vec![(" tenantdesk".into(), style(Role::Header))];
    let room = area.width.saturating_sub(who_width + 2);
    let last = state.stack.len() - 1;
    let crumbs: Vec<String> = state.stack.iter().map(|one| crumb(state, *one)).collect();
    let between = width(look.symbols().crumb);
    let wide = |crumbs: &[String]| -> u16 { crumbs.iter().map(|one| width(one) + between).sum() };
    // Where the room is short, the way goes before the place where one is.
    let first = (0..last).find(|from| width(" tenantdesk") + wide(&crumbs[*from..]) <= room);
    for (depth, crumb) in crumbs.into_iter().enumerate().skip(first.unwrap_or(last)) {
        parts.push((look.symbols().crumb.into(), style(Role::Dim)));
        let role = if depth == last { Role::Title } else { Role::Dim };
        parts.push((crumb.into(), style(role)));
    }
    pieces(frame.buffer_mut(), (area.x, area.y, room), &parts, look);
}

/// In place of any screen while there is no connection.
pub(super) fn unreachable(state: &State, why: &str, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let inner = pane(frame, area, "not connected", true, look);
    let key = |id: CommandId| state.keymap.key_of(id).unwrap_or_else(|| command(id).words.into());
    let foot = format!("{} tries again, {} leaves", key(CommandId::Refresh), key(CommandId::Back));
    let mut lines: Vec<_> = wrap(why, inner.width).into_iter().map(|l| (l, Role::Bad)).collect();
    lines.extend([(String::new(), Role::Text), (foot, Role::Text)]);
    for (y, (text, role)) in (inner.y..inner.bottom()).zip(&lines) {
        let at = (inner.x, y, inner.width);
        line(frame.buffer_mut(), at, text, look.style(*role), look);
    }
}

fn crumb(state: &State, screen: Screen) -> String {
    match screen {
        Screen::Tenants => "tenants".to_owned(),
        Screen::Tenant => state
            .tenant
            .as_ref()
            .map_or_else(String::new, |page| crate::text::screen(&page.reference().1)),
        Screen::Impersonation => "impersonation".to_owned(),
        Screen::Usage => "usage".to_owned(),
        Screen::Archives => "archives".to_owned(),
        Screen::Restore => "restore".to_owned(),
        Screen::Audit => "audit".to_owned(),
        Screen::Server => "server".to_owned(),
        Screen::Sessions => "sessions".to_owned(),
    }
}

/// The line being typed, the rest of a sequence, or the most useful keys of this place.
pub(super) fn key_bar(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    if let Some(prompt) = &state.prompt {
        let label = format!(" {} ", prompt.label);
        let wide = width(&label).min(area.width / 2);
        line(frame.buffer_mut(), (area.x, area.y, wide), &label, look.style(Role::Key), look);
        let at = (area.x + wide, area.y, area.width - wide);
        field::draw(frame, at, &prompt.input, state.overlays.is_empty(), look);
        if prompt.input.value().is_empty() && area.width > wide + 1 {
            let at = (area.x + wide + 1, area.y, area.width - wide - 1);
            line(frame.buffer_mut(), at, prompt.hint, look.style(Role::Field), look);
        }
        return;
    }
    let hints = match state.keymap.look_up(state.scope(), &state.pressed) {
        Lookup::Wait(next) if !state.pressed.is_empty() => {
            next.into_iter().map(|(key, id)| (key.to_string(), command(id).words)).collect()
        }
        _ => usual_hints(state),
    };
    let (mut x, end) = (area.x + 1, area.right());
    for (key, words) in hints {
        let wide = width(&key) + 1 + width(words) + 2;
        if x + wide > end {
            break;
        }
        let parts = [
            (Cow::from(key), look.style(Role::Key)),
            (" ".into(), Style::new()),
            (words.into(), look.style(Role::Dim)),
        ];
        pieces(frame.buffer_mut(), (x, area.y, end - x), &parts, look);
        x += wide;
    }
}

/// What works here first, then help and palette; nothing that cannot run now.
fn usual_hints(state: &State) -> Vec<(String, &'static str)> {
    let scope = state.scope();
    let mut ids = vec![CommandId::Help, CommandId::Palette];
    let own = COMMANDS.iter().filter(|command| command.scopes.contains(&scope));
    ids.extend(own.map(|command| command.id));
    if matches!(scope, Scope::Tenant | Scope::Usage | Scope::Audit | Scope::Sessions) {
        ids.push(CommandId::Open);
    }
    if matches!(scope, Scope::Tenant | Scope::Impersonation) {
        ids.push(CommandId::NextPane);
    }
    ids.extend([CommandId::Filter, CommandId::Back, CommandId::Refresh]);
    ids.sort_by_key(|id| usefulness(*id));
    if !state.overlays.is_empty() {
        // What lies over the screen says its own keys; of the others only these work.
        ids = vec![CommandId::ImpersonationEnd, CommandId::Quit];
    }
    let able = |id: &CommandId| super::reason::unavailable(state, command(*id)).is_none();
    // A letter would go into the text that is being typed.
    let typing = screen::is_typing(state);
    let hint = |id: CommandId| {
        let mut keys = state.keymap.each_key_of(id);
        let is_no_letter = |key: &String| key.chars().count() > 1 && key != "space";
        let key = if typing { keys.find(is_no_letter) } else { keys.next() };
        Some((key?, short(state, id)))
    };
    let mut hints: Vec<_> = ids.into_iter().filter(able).filter_map(hint).collect();
    if typing && state.impersonation.as_ref().is_some_and(screen::Impersonation::has_history) {
        hints.push(("pageup".to_owned(), "earlier"));
    }
    hints
}

/// Where the room is short, what is wanted most comes first.
const fn usefulness(id: CommandId) -> u8 {
    use CommandId as Id;
    match id {
        Id::Help | Id::Palette => 0,
        Id::TenantShow | Id::Record | Id::ArchiveInspect | Id::Open | Id::SqlRun => 1,
        Id::Filter | Id::Browse | Id::Sql | Id::NextPane => 2,
        Id::Back | Id::Refresh => 4,
        Id::MemberList | Id::LimitOverride => 5,
        Id::Mark | Id::CopyRows | Id::CopyRowsJson | Id::ResultExport => 6,
        _ => 3,
    }
}

/// The words without the noun that the screen says already.
fn short(state: &State, id: CommandId) -> &'static str {
    let in_relations =
        || state.impersonation.as_ref().is_some_and(screen::Impersonation::in_relations);
    let words = match id {
        CommandId::Record if in_relations() => "open",
        CommandId::ImpersonationEnd => "end the impersonation",
        id => command(id).words,
    };
    let nouns = ["tenant ", "archive ", "audit ", "restore ", "sql "];
    nouns.iter().find_map(|noun| words.strip_prefix(noun)).unwrap_or(words)
}

/// One line for each running operation: what, how far, how to stop it.
pub(super) fn operations(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let shown = state.operations.len().saturating_sub(usize::from(area.height));
    for (y, running) in (area.y..area.bottom()).zip(&state.operations[shown..]) {
        let stop = if running.cancelling {
            "stopping".to_owned()
        } else {
            format!("{} stops", state.keymap.name(CommandId::Cancel))
        };
        // How far it is comes first: a long name must not push it out.
        let colon = if running.step.is_empty() { "" } else { ": " };
        let text = format!(" {}{}{colon}{}", gauge(running, look), running.title, running.step);
        let stop_width = width(&stop) + 1;
        let room = area.width.saturating_sub(stop_width + 1);
        line(frame.buffer_mut(), (area.x, y, room), &text, look.style(Role::Title), look);
        let at = (area.right() - stop_width, y, stop_width);
        line(frame.buffer_mut(), at, &stop, look.style(Role::Dim), look);
    }
}

fn gauge(running: &Operation, look: super::theme::Look) -> String {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let amount = |number: u64| match running.unit {
        "bytes" => crate::format::bytes(number),
        unit => format!("{} {unit}", crate::format::count(signed(number))),
    };
    match running.total {
        Some(total) => {
            let gauge = bar(signed(running.done), signed(total), 12, look);
            let share = percent(signed(running.done), signed(total));
            format!("{gauge} {share} of {}  ", amount(total))
        }
        None if running.done > 0 => format!("{}  ", amount(running.done)),
        None => String::new(),
    }
}

/// Lines of one message.
const NOTICE_LINES: usize = 6;

/// At most three messages above the key bar, the newest lowest.
pub(super) fn notices(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let look = state.look;
    let most = area.width.saturating_sub(4).min(70);
    let mut bottom = area.bottom() - 1;
    for notice in state.notices.shown().iter().rev() {
        let text = format!("{}: {}", notice.weight.word(), notice.text);
        let mut lines = wrap(&text, most.saturating_sub(2));
        if lines.len() > NOTICE_LINES {
            lines.truncate(NOTICE_LINES - 1);
            lines.push(format!("{} shows the rest", state.keymap.name(CommandId::Messages)));
        }
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        if bottom < area.y + height + 3 {
            break;
        }
        bottom -= height;
        let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0) + 2;
        let place = Rect { x: area.right() - widest - 1, y: bottom, width: widest, height };
        frame.render_widget(Clear, place);
        let style = look.style(notice.weight.role());
        frame.buffer_mut().set_style(place, style);
        for (y, text) in (place.y..place.bottom()).zip(&lines) {
            let at = (place.x + 1, y, place.width - 1);
            line(frame.buffer_mut(), at, text, style, look);
        }
    }
}
