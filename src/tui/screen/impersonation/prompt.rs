//! Writing SQL: an editor, the result below it, what was run before.
//!
//! What the person types goes to the database as it is, as one statement inside the session; the
//! database decides what it may do.

use ratatui_textarea::{CursorMove, TextArea};

use crate::command::{CommandId, Key, Press};
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::StatementFacts;
use crate::tui::key::is_printable;
use crate::tui::request::Slot;
use crate::tui::widget::field::is_typeable;
use crate::tui::widget::notice::Weight;

use super::grid::Grid;
use super::session;

/// The prompt.
#[derive(Debug)]
pub(super) struct SqlPrompt {
    pub(super) editor: TextArea<'static>,
    pub(super) editing: bool,
    pub(super) outcome: Option<Outcome>,
    history: Vec<String>,
    /// What runs, or ran last.
    ran: String,
    /// Which earlier statement is shown; the length of the history is the one being written.
    at: usize,
}

/// What became of the last statement.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub(super) enum Outcome {
    Rows {
        grid: Grid,
        summary: String,
        /// What gave them.
        sql: String,
        truncated: bool,
    },
    Failed(String),
}

impl Default for SqlPrompt {
    fn default() -> Self {
        let (editor, history) = (TextArea::default(), Vec::new());
        Self { editor, editing: true, outcome: None, history, ran: String::new(), at: 0 }
    }
}

impl SqlPrompt {
    pub(super) fn grid(&self) -> Option<&Grid> {
        match &self.outcome {
            Some(Outcome::Rows { grid, .. }) => Some(grid),
            _ => None,
        }
    }

    pub(super) fn grid_mut(&mut self) -> Option<&mut Grid> {
        match &mut self.outcome {
            Some(Outcome::Rows { grid, .. }) => Some(grid),
            _ => None,
        }
    }

    /// Rows, and with which statement they were asked for.
    pub(super) fn result(&self) -> Option<(&str, &Grid, bool)> {
        match &self.outcome {
            Some(Outcome::Rows { grid, sql, truncated, .. }) if !grid.columns.is_empty() => {
                Some((sql, grid, *truncated))
            }
            _ => None,
        }
    }

    /// What was run, the oldest first.
    pub(super) fn history(&self) -> &[String] {
        &self.history
    }

    pub(super) fn has_history(&self) -> bool {
        !self.history.is_empty()
    }

    pub(super) fn edit(&mut self, editing: bool) {
        self.editing = editing;
    }

    /// Leaves the editor for the result; `false` where there is none to go to.
    pub(super) fn leave_editor(&mut self) -> bool {
        let left = self.editing && self.grid().is_some();
        self.editing = !left;
        left
    }

    pub(super) fn act(&mut self, id: CommandId) {
        match id {
            CommandId::NextPane | CommandId::PreviousPane if self.grid().is_some() => {
                self.editing = !self.editing;
            }
            id => {
                let _moved = self.grid_mut().is_some_and(|grid| grid.travel(id));
            }
        }
    }

    /// Keeps line breaks; what the screen could not show as it is, is left out.
    pub(super) fn paste(&mut self, text: &str) {
        if !self.editing {
            return;
        }
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.editor.insert_newline();
            }
            let line = line.replace('\t', "  ");
            self.editor.insert_str(line.chars().filter(|c| is_typeable(*c)).collect::<String>());
        }
    }

    fn text(&self) -> String {
        self.editor.lines().join("\n").trim().to_owned()
    }

    pub(super) fn show(&mut self, text: &str) {
        self.editor = TextArea::new(text.lines().map(str::to_owned).collect());
        self.editor.move_cursor(CursorMove::Bottom);
        self.editor.move_cursor(CursorMove::End);
    }

    fn recall(&mut self, step: isize) {
        self.at = self.at.saturating_add_signed(step).min(self.history.len());
        let text = self.history.get(self.at).cloned().unwrap_or_default();
        self.show(&text);
    }

    /// Keys that edit; letters and signs always do.
    fn press(&mut self, key: Key) -> bool {
        let editor = &mut self.editor;
        match (key.press, key.ctrl) {
            (Press::Char(c), false) if is_printable(key) => editor.insert_char(c),
            (Press::Enter, false) => editor.insert_newline(),
            (Press::Backspace, false) => _ = editor.delete_char(),
            (Press::Delete, false) => _ = editor.delete_next_char(),
            (Press::Left, false) => editor.move_cursor(CursorMove::Back),
            (Press::Right, false) => editor.move_cursor(CursorMove::Forward),
            (Press::Left, true) => editor.move_cursor(CursorMove::WordBack),
            (Press::Right, true) => editor.move_cursor(CursorMove::WordForward),
            (Press::Up, false) => editor.move_cursor(CursorMove::Up),
            (Press::Down, false) => editor.move_cursor(CursorMove::Down),
            (Press::Home, false) | (Press::Char('a'), true) => editor.move_cursor(CursorMove::Head),
            (Press::End, false) | (Press::Char('e'), true) => editor.move_cursor(CursorMove::End),
            (Press::Char('w'), true) => _ = editor.delete_word(),
            (Press::Char('u'), true) => _ = editor.delete_line_by_head(),
            (Press::Char('k'), true) => _ = editor.delete_line_by_end(),
            (Press::PageUp, false) => self.recall(-1),
            (Press::PageDown, false) => self.recall(1),
            _ => return false,
        }
        true
    }
}

/// A key while SQL is typed; Enter after `;` runs the statement.
pub(super) fn typed(state: &mut State, key: Key) -> bool {
    let own = state.impersonation.as_mut().filter(|own| own.is_sql() && own.sql.editing);
    let Some(own) = own else { return false };
    if key.press == Press::Enter && own.sql.text().ends_with(';') {
        run(state);
        return true;
    }
    if key.ctrl && key.press == Press::Char('r') {
        super::history::show(state);
        return true;
    }
    own.sql.press(key)
}

/// Runs what is written; one statement at a time.
pub(super) fn run(state: &mut State) {
    let Some(session) = session(state) else { return };
    let Some(own) = &mut state.impersonation else { return };
    let sql = own.sql.text();
    if sql.is_empty() {
        return state.note(Weight::Warning, "there is nothing to run");
    }
    if state.requests.is_open(Slot::Statement) {
        let cancels = state.keymap.name(CommandId::Cancel);
        let text = format!("a statement is running: {cancels} cancels it");
        return state.note(Weight::Warning, text);
    }
    own.sql.history.retain(|earlier| *earlier != sql);
    own.sql.history.push(sql.clone());
    own.sql.at = own.sql.history.len();
    own.sql.ran.clone_from(&sql);
    state.ask(Slot::Statement, Effect::RunSql { session, sql });
}

/// The statement is done.
pub(crate) fn statement(state: &mut State, facts: StatementFacts) {
    let Some(own) = &mut state.impersonation else { return };
    let rows = i64::try_from(facts.rows.len()).unwrap_or(i64::MAX);
    let mut summary = match facts.rows_affected {
        Some(count) => {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            format!("{} changed", crate::format::counted(count, "row"))
        }
        None => crate::format::counted(rows, "row"),
    };
    if facts.truncated {
        summary = format!("{summary}, TRUNCATED after {}", crate::format::count(rows));
    }
    summary = format!("{summary}, {} ms", facts.took.num_milliseconds());
    let grid = Grid::new(facts.columns, facts.rows);
    let (sql, truncated) = (own.sql.ran.clone(), facts.truncated);
    own.sql.outcome = Some(Outcome::Rows { grid, summary, sql, truncated });
}

/// The statement failed, or was cancelled.
pub(crate) fn statement_failed(state: &mut State, text: &str) -> bool {
    let Some(own) = &mut state.impersonation else { return false };
    own.sql.outcome = Some(Outcome::Failed(text.to_owned()));
    true
}
