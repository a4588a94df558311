//! Rows and columns inside a tenant: drawn through a window in both directions.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::text::Untrusted;
use crate::tui::facts::{ColumnFacts, KeySet};
use crate::tui::theme::{Look, Role};
use crate::tui::widget::text::{Align, width};
use crate::tui::widget::window::{Column, Cursor, Table};

/// A page of rows, or a result.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<ColumnFacts>,
    pub(super) rows: Vec<Vec<Option<Untrusted>>>,
    pub(super) cursor: Cursor,
    /// The selected column.
    pub(super) column: usize,
    /// By what rows are found again, where they can be.
    keys: Vec<KeySet>,
    /// Cells whose value is longer than what is here.
    shortened: HashSet<(usize, usize)>,
    /// Rows that are to be copied together.
    pub(super) marked: BTreeSet<usize>,
    widths: Vec<u16>,
    /// A memory of the drawing: the column at the left edge.
    first: Cell<usize>,
}

/// Wider cells are cut; the record shows them whole.
const WIDEST: u16 = 40;
/// Rows that are measured: enough to look right, few enough to be quick.
const MEASURED: usize = 200;

impl Grid {
    pub(super) fn new(columns: Vec<ColumnFacts>, rows: Vec<Vec<Option<Untrusted>>>) -> Self {
        let measure = |(index, column): (usize, &ColumnFacts)| {
            let cells = rows.iter().take(MEASURED).filter_map(|row| row.get(index));
            let widest = cells.map(|cell| cell.as_ref().map_or(4, |text| head_width(text.raw())));
            // Two more for the marks of the selected column, one for the arrow of the order.
            let title = width(column.name.raw()).saturating_add(3);
            widest.max().unwrap_or(0).max(title).clamp(4, WIDEST)
        };
        let widths = columns.iter().enumerate().map(measure).collect();
        let (cursor, first) = (Cursor::default(), Cell::new(0));
        let (keys, shortened, marked) = Default::default();
        Self { columns, rows, cursor, column: 0, keys, shortened, marked, widths, first }
    }

    /// With what a page knows of its rows beside their values.
    pub(super) fn with_keys(mut self, keys: Vec<KeySet>, shortened: Vec<(usize, usize)>) -> Self {
        (self.keys, self.shortened) = (keys, shortened.into_iter().collect());
        self
    }

    /// By what the selected row is found again.
    pub(super) fn key(&self) -> Option<&KeySet> {
        self.keys.get(self.cursor.selected)
    }

    /// Whether rows can be found again at all.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether the value of this column in the selected row is longer than what is here.
    pub(super) fn is_shortened(&self, column: usize) -> bool {
        self.shortened.contains(&(self.cursor.selected, column))
    }

    /// How many values of these rows are longer than what is here.
    pub(super) fn shortened_in(&self, rows: &[usize]) -> usize {
        self.shortened.iter().filter(|(row, _)| rows.contains(row)).count()
    }

    /// The values of the selected row that are wholly here.
    pub(super) fn whole_values(&self) -> Vec<(String, Option<String>)> {
        let Some(row) = self.rows.get(self.cursor.selected) else { return Vec::new() };
        let cells = self.columns.iter().zip(row).enumerate();
        let whole = cells.filter(|(index, _)| !self.is_shortened(*index));
        let text = |cell: &Option<Untrusted>| cell.as_ref().map(|text| text.raw().to_owned());
        whole.map(|(_, (column, cell))| (column.name.raw().to_owned(), text(cell))).collect()
    }

    /// Marks the selected row, or takes its mark away, and goes on to the next.
    pub(super) fn mark(&mut self) {
        let row = self.cursor.selected;
        if row < self.rows.len() && !self.marked.remove(&row) {
            self.marked.insert(row);
        }
        self.cursor.step(1, self.rows.len());
    }

    /// The marked rows; the selected one where none is.
    pub(super) fn marked_or_selected(&self) -> Vec<usize> {
        if self.marked.is_empty() {
            return vec![self.cursor.selected.min(self.rows.len().saturating_sub(1))];
        }
        self.marked.iter().copied().collect()
    }

    /// The type of a column, as SQL names it.
    pub(super) fn kind_of(&self, name: &str) -> &str {
        let column = self.columns.iter().find(|column| column.name.raw() == name);
        column.map_or("", |column| column.kind.raw())
    }

    /// The name of the selected column.
    pub(super) fn column_name(&self) -> Option<String> {
        self.columns.get(self.column).map(|column| column.name.raw().to_owned())
    }

    /// Movement; `false` for a command that is none.
    pub(super) fn travel(&mut self, id: CommandId) -> bool {
        match id {
            CommandId::Left => self.column = self.column.saturating_sub(1),
            CommandId::Right => {
                self.column = (self.column + 1).min(self.columns.len().saturating_sub(1));
            }
            id => return crate::tui::screen::travel(&mut self.cursor, self.rows.len(), id),
        }
        true
    }

    /// The selected cell.
    pub(super) fn selected_cell(&self) -> Option<&Option<Untrusted>> {
        self.rows.get(self.cursor.selected)?.get(self.column)
    }

    /// The raw text of the selected cell.
    pub(super) fn selected_text(&self) -> Option<String> {
        let cell = self.rows.get(self.cursor.selected)?.get(self.column)?;
        Some(cell.as_ref().map_or_else(String::new, |text| text.raw().to_owned()))
    }

    /// The columns from the left edge so that the selected one is visible.
    fn first_column(&self, room: u16) -> usize {
        let mut first = self.first.get().min(self.column);
        let used = |from: usize| -> u16 {
            let widths = self.widths.iter().take(self.column + 1).skip(from);
            widths.fold(0, |sum, width| sum.saturating_add(width + 1))
        };
        while first < self.column && used(first) > room + 1 {
            first += 1;
        }
        self.first.set(first);
        first
    }

    /// `order` is the column pages are ordered by, and whether downwards.
    pub(super) fn draw(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        (focused, order): (bool, Option<(&str, bool)>),
        look: Look,
    ) {
        let first = self.first_column(area.width);
        let columns: Vec<Column<'_>> = (first..self.columns.len())
            .map(|index| Column {
                title: self.title(index, order, look).into(),
                align: if self.columns[index].numeric { Align::Right } else { Align::Left },
                ..Column::new("", self.widths[index])
            })
            .collect();
        let cell = |row: usize, column: usize| {
            let marked = self.marked.contains(&row);
            let sign = if marked && column == 0 { look.symbols().marked } else { "" };
            let role = |role| if marked { Role::Warn } else { role };
            match self.rows[row].get(first + column) {
                Some(Some(text)) => {
                    (format!("{sign}{}", one_line(text.raw())).into(), role(Role::Text))
                }
                Some(None) => (format!("{sign}NULL").into(), role(Role::Null)),
                None => ("".into(), Role::Text),
            }
        };
        let (len, cursor, empty) = (self.rows.len(), &self.cursor, "no rows");
        Table { columns: &columns, len, cursor, focused, empty, cell }.draw(buffer, area, look);
    }

    fn title(&self, index: usize, order: Option<(&str, bool)>, look: Look) -> String {
        let name = self.columns[index].name.raw();
        let arrow = match order {
            Some((column, true)) if column == name => look.symbols().descending,
            Some((column, false)) if column == name => look.symbols().ascending,
            _ => "",
        };
        if index == self.column { format!("[{name}]{arrow}") } else { format!("{name}{arrow}") }
    }
}

/// Values can be megabytes; only what a cell could show is looked at.
fn one_line(text: &str) -> String {
    text[..text.floor_char_boundary(1000)].to_owned()
}

fn head_width(text: &str) -> u16 {
    width(&text[..text.floor_char_boundary(200)])
}
