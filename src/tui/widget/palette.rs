//! The palette: all commands, found by some of their letters, with keys and reasons.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

use super::field;
use super::pane::overlay;
use super::text::Align;
use super::window::{Column, Cursor, Table};
use crate::command::{COMMANDS, Command, CommandId};
use crate::tui::keymap::Keymap;
use crate::tui::theme::{Look, Role};

/// The palette while it is open.
#[derive(Debug, Clone)]
pub(crate) struct Palette {
    pub(crate) input: Input,
    pub(crate) cursor: Cursor,
    matches: Vec<&'static Command>,
    /// What could run when it was opened.
    able: Vec<CommandId>,
}

/// The room of the words, and of the keys.
const WORDS: u16 = 18;
const KEYS: u16 = 12;

/// Pressing a key is the only sense these have.
const fn is_movement(id: CommandId) -> bool {
    use CommandId as Id;
    let step = matches!(id, Id::Up | Id::Down | Id::Left | Id::Right | Id::First | Id::Last);
    step || matches!(id, Id::PageUp | Id::PageDown | Id::NextPane | Id::PreviousPane | Id::Open)
}

impl Palette {
    pub(crate) fn new(able: impl Fn(CommandId) -> bool) -> Self {
        let able = CommandId::ALL.iter().copied().filter(|id| able(*id)).collect();
        let (input, cursor, matches) = Default::default();
        let mut palette = Self { input, cursor, matches, able };
        palette.search();
        palette
    }

    pub(crate) const fn len(&self) -> usize {
        self.matches.len()
    }

    pub(crate) fn selected(&self) -> Option<CommandId> {
        self.matches.get(self.cursor.selected).map(|command| command.id)
    }

    /// Finds again; the best match is selected.
    pub(crate) fn search(&mut self) {
        let words = self.input.value().trim();
        let pattern = Pattern::parse(words, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut found: Vec<(u32, &Command)> = COMMANDS
            .iter()
            .filter(|command| command.in_console() && !is_movement(command.id))
            .filter_map(|command| {
                // Words before title, so that what one would type after `:` wins.
                let mut chars = Vec::new();
                let score = pattern.score(Utf32Str::new(command.words, &mut chars), &mut matcher);
                let text = format!("{} {}", command.words, command.title);
                let wide = pattern.score(Utf32Str::new(&text, &mut chars), &mut matcher);
                let exact = if command.words == words { 100_000 } else { 0 };
                let score = score.map(|score| score + 1000).or(wide)?;
                Some((score + exact, command))
            })
            .collect();
        // What can run stands before what cannot, where nothing else decides.
        found.sort_by_key(|(score, command)| {
            (std::cmp::Reverse(*score), !self.able.contains(&command.id))
        });
        self.matches = found.into_iter().map(|(_, command)| command).collect();
        self.cursor.first();
    }

    /// `reason` says why a command cannot run now.
    pub(crate) fn draw(
        &self,
        frame: &mut Frame<'_>,
        (area, look): (Rect, Look),
        keymap: &Keymap,
        reason: impl Fn(CommandId) -> Option<String>,
    ) {
        let (width, height) = (area.width.min(90), area.height.min(20));
        let inner = overlay(frame, (area, width, height), "commands", look);
        let sign = ":";
        super::text::line(
            frame.buffer_mut(),
            (inner.x + 1, inner.y, 1),
            sign,
            look.style(Role::Key),
            look,
        );
        let room = inner.width.saturating_sub(3);
        field::draw(frame, (inner.x + 2, inner.y, room), &self.input, true, look);
        let columns = [
            Column::new("command", WORDS),
            Column::new("does", 20).grows(),
            Column { align: Align::Right, ..Column::new("key", KEYS) },
        ];
        // Where both do not fit, why it cannot run is what must not be cut off.
        let does = room.saturating_sub(WORDS + KEYS + 2);
        let cell = |row: usize, column: usize| {
            let command = self.matches[row];
            let reason = reason(command.id);
            let role = if reason.is_some() { Role::Dim } else { Role::Text };
            let text = match (column, reason) {
                (0, _) => command.words.to_owned(),
                (1, Some(reason)) => {
                    let text = format!("{} ({reason})", command.title);
                    if super::text::width(&text) > does {
                        format!("({reason}) {}", command.title)
                    } else {
                        text
                    }
                }
                (1, None) => command.title.to_owned(),
                _ => keymap.keys_of(command.id),
            };
            (text.into(), role)
        };
        let height = inner.height.saturating_sub(1);
        let area = Rect { x: inner.x + 1, y: inner.y + 1, width: room + 1, height };
        let empty = "no command has these letters";
        let (len, cursor) = (self.matches.len(), &self.cursor);
        Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
            frame.buffer_mut(),
            area,
            look,
        );
    }
}
