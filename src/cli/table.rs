//! Tables for people: columns as wide as what they hold, and no wider than the terminal.
//!
//! Widths are those of the terminal's cells (`unicode-width`), so that CJK and combining
//! characters stay in line. Every cell passes through [`screen`]; only a terminal truncates.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::text::screen;

/// Spaces between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this to fit the terminal.
const LEAST_WIDTH: usize = 6;

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    heading: Cow<'static, str>,
    right: bool,
    /// The heading is a name of the database: shown as it is.
    verbatim: bool,
    /// A part of it is worth nothing, as of a digest: never cut.
    whole: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn left(heading: &'static str) -> Self {
        Self { heading: Cow::Borrowed(heading), right: false, verbatim: false, whole: false }
    }

    /// A column of a result, under the name that the database gives it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { heading: Cow::Owned(screen(name)), verbatim: true, ..Self::left("") }
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(heading: &'static str) -> Self {
        Self { right: true, ..Self::left(heading) }
    }
}

impl Column {
    /// A column of text that no terminal cuts.
    #[must_use]
    pub fn whole(heading: &'static str) -> Self {
        Self { whole: true, ..Self::left(heading) }
    }

    fn shown(&self) -> String {
        if self.verbatim { self.heading.to_string() } else { self.heading.to_uppercase() }
    }
}

/// A table that is printed as a whole.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut row: Vec<String> = cells.into_iter().map(|cell| screen(cell.as_ref())).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The heading line and the lines of the rows; `width` is that of a terminal, if it is one.
    #[must_use]
    pub fn lines(&self, width: Option<usize>, ascii: bool) -> (String, Vec<String>) {
        let widths = self.widths(width);
        let ellipsis = if ascii { '~' } else { '…' };
        let heading: Vec<String> = self.columns.iter().map(Column::shown).collect();
        let line = |cells: &[String]| self.line(cells, &widths, ellipsis);
        (line(&heading), self.rows.iter().map(|row| line(row)).collect())
    }

    /// The width of each column: what it needs, then the widest ones shrink until all fits.
    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let needs = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().map(|row| row[index].width());
            cells.chain([column.heading.width()]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(needs).collect();
        let Some(limit) = limit else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > limit {
            let cut = widths.iter_mut().zip(&self.columns).filter(|(_, column)| !column.whole);
            match cut.map(|(width, _)| width).max() {
                Some(widest) if *widest > LEAST_WIDTH => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize], ellipsis: char) -> String {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(widths).zip(&self.columns) {
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            let text = fit(cell, *width, ellipsis);
            let padding = " ".repeat(width.saturating_sub(text.width()));
            let (before, after) = if column.right { (&*padding, "") } else { ("", &*padding) };
            line.push_str(before);
            line.push_str(&text);
            line.push_str(after);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Cuts a text to a width and shows that it was cut.
pub(super) fn fit(text: &str, width: usize, ellipsis: char) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut cut = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        cut.push(c);
    }
    cut.push(ellipsis);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table =
            Table::new([Column::left("slug"), Column::left("name"), Column::right("rows")]);
        table.row(["acme", "Acme \u{1b}[31m Corporation of the North", "1,234"]);
        table.row(["tokyo", "東京システム株式会社", "7"]);
        table
    }

    #[test]
    fn columns_stay_in_line_with_wide_characters_and_escapes_are_shown() {
        let (heading, lines) = sample().lines(None, false);
        let width = heading.width();
        assert_eq!(heading, "SLUG   NAME                                  ROWS");
        assert!(lines[0].contains("␛[31m"), "{}", lines[0]);
        assert!(lines.iter().all(|line| line.width() == width), "{lines:?}");
    }

    #[test]
    fn a_terminal_cuts_the_widest_column_and_a_pipe_cuts_nothing() {
        let (_, lines) = sample().lines(Some(30), false);
        assert!(lines.iter().all(|line| line.width() <= 30), "{lines:?}");
        assert!(lines[0].contains('…') && lines[0].ends_with("1,234"));
        assert!(sample().lines(Some(30), true).1[0].contains('~'));
        assert!(sample().lines(None, true).1[0].contains("North"));
    }

    #[test]
    fn a_digest_is_never_cut() {
        let mut table = Table::new([Column::left("tenant"), Column::whole("head")]);
        let head = format!("sha256:{}", "0".repeat(64));
        table.row(["a long name of a tenant", &head]);
        let (_, lines) = table.lines(Some(40), false);
        assert!(lines[0].starts_with("a lon…") && lines[0].ends_with(&head), "{lines:?}");
    }

    #[test]
    fn a_text_is_cut_by_cells_not_by_characters() {
        assert_eq!(fit("東京都", 4, '…'), "東…");
        assert_eq!(fit("東京都", 5, '…'), "東京…");
        assert_eq!(fit("abc", 3, '…'), "abc");
    }

    #[test]
    fn a_row_with_too_few_cells_is_filled() {
        let mut table = Table::new([Column::left("a"), Column::left("b")]);
        table.row(["x"]);
        assert_eq!(table.lines(None, true).1, ["x"]);
    }
}
