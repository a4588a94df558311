//! Rows that leave the screen: to the clipboard, as a table or as JSON, and to a file.
//!
//! Only by a key that means just that, with what is on screen and no more. A file is an export: it
//! is recorded before it is written, and never written over another.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::text::{Untrusted, json_line, screen};
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{ExportAsk, ExportOf, ResultFacts, ResultFormat};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::screen::FormKind;
use crate::tui::widget::form::{Field, Form};
use crate::tui::widget::notice::Weight;

use super::grid::Grid;
use super::record::CLIPBOARD_BYTES;
use super::session;

/// Marks the selected row, or takes the mark away.
pub(super) fn mark(state: &mut State) {
    let grid = state.impersonation.as_mut().and_then(super::Impersonation::grid);
    if let Some(grid) = grid {
        grid.mark();
    }
}

/// Copies rows as lines of cells between tabs, the names first.
pub(super) fn copy_table(state: &mut State) {
    copy(state, |grid, rows| {
        // A tab or a line break of a value would be one of the table; a formula none of ours.
        let cell = |text: &str| {
            let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
            format!("{mark}{}", screen(text))
        };
        let names: Vec<String> = grid.columns.iter().map(|c| cell(c.name.raw())).collect();
        let mut lines = vec![names.join("\t")];
        for row in rows {
            let row = grid.rows[*row].iter();
            let cells = row.map(|value| value.as_ref().map_or(String::new(), |v| cell(v.raw())));
            lines.push(cells.collect::<Vec<_>>().join("\t"));
        }
        lines.join("\n")
    });
}

/// Copies rows as a list of JSON objects.
pub(super) fn copy_json(state: &mut State) {
    copy(state, |grid, rows| {
        let names = names(grid);
        let object = |row: &usize| {
            let cells = grid.rows[*row].iter().map(|cell| match cell {
                Some(text) => Value::from(text.raw()),
                None => Value::Null,
            });
            Value::Object(names.iter().cloned().zip(cells).collect::<Map<_, _>>())
        };
        json_line(&Value::Array(rows.iter().map(object).collect()).to_string())
    });
}

/// The names of the columns; of those that are the same the later ones are numbered.
fn names(grid: &Grid) -> Vec<String> {
    let names: Vec<&str> = grid.columns.iter().map(|column| column.name.raw()).collect();
    let numbered = |(index, name): (usize, &&str)| {
        let before = names[..index].iter().filter(|other| *other == name).count();
        if before == 0 { (*name).to_owned() } else { format!("{name}_{}", before + 1) }
    };
    names.iter().enumerate().map(numbered).collect()
}

fn copy(state: &mut State, text: impl Fn(&Grid, &[usize]) -> String) {
    let grid = state.impersonation.as_mut().and_then(super::Impersonation::grid);
    let Some(grid) = grid else { return };
    let rows = grid.marked_or_selected();
    let (text, cut) = (text(grid, &rows), grid.shortened_in(&rows));
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut said = format!("copied {}", crate::format::counted(count(rows.len()), "row"));
    let mut weight = Weight::Note;
    if cut > 0 {
        let values = crate::format::counted(count(cut), "value");
        said = format!("{said}; {values} cut as on the page");
        weight = Weight::Warning;
    }
    if text.len() > CLIPBOARD_BYTES {
        let most = crate::format::count(count(CLIPBOARD_BYTES));
        said = format!("{said}; some terminals take {most} bytes at most");
        weight = Weight::Warning;
    }
    state.note(weight, said);
    crate::tui::act::to_clipboard(state, &text);
}

/// Asks where the rows on screen are to go.
pub(super) fn ask_file(state: &mut State) {
    let Some(own) = &state.impersonation else { return };
    let name = match &own.browse.view.ask {
        Some(ask) if !own.is_sql() => {
            let last = ask.relation.rsplit('.').next().unwrap_or_default();
            last.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect()
        }
        _ => "result".to_owned(),
    };
    let file = format!("{name}-{}.csv", state.now.format("%Y%m%d-%H%M%S"));
    let hint = "a new file that ends with .csv or .json";
    let form = Form::new(
        "write the rows on screen to a file",
        vec![Field::text("file", hint).with(&file)],
    );
    state.overlays.push(Overlay::Form(FormKind::ResultExport, form));
}

/// The form is complete.
pub(crate) fn send(state: &mut State) {
    let Some(session) = session(state) else { return };
    let Some((FormKind::ResultExport, form)) = state.form() else { return };
    let path = PathBuf::from(form.fields[0].value().trim());
    form.fields[0].fault = ResultFormat::of(&path).err();
    if !form.settle() {
        return;
    }
    form.busy = Some("writing the file");
    let Some(ask) = state.impersonation.as_ref().and_then(|own| own.to_export(path)) else {
        return;
    };
    state.ask(Slot::ResultExport, Effect::ExportResult { session, ask });
}

/// The file is written.
pub(crate) fn written(state: &mut State, facts: &ResultFacts) {
    let of_export = |o: &Overlay| matches!(o, Overlay::Form(FormKind::ResultExport, _));
    state.overlays.retain(|overlay| !of_export(overlay));
    let rows = crate::format::counted(i64::try_from(facts.rows).unwrap_or(i64::MAX), "row");
    let cut = if facts.truncated { "; more is there than was on screen" } else { "" };
    let path = screen(&facts.path.display().to_string());
    let weight = if facts.truncated { Weight::Warning } else { Weight::Note };
    state.note(weight, format!("written: {rows} to {path}{cut}"));
}

impl super::Impersonation {
    /// The rows on screen with what they came from.
    fn to_export(&self, path: PathBuf) -> Option<ExportAsk> {
        let (of, grid, truncated) = if self.is_sql() {
            let (sql, grid, truncated) = self.sql.result()?;
            (ExportOf::Statement(sql.to_owned()), grid, truncated)
        } else {
            let view = &self.browse.view;
            let more = view.page.as_ref().is_some_and(|page| page.after.is_some() || page.cut);
            (ExportOf::Page(view.ask.clone()?), view.grid.as_ref()?, more)
        };
        let columns: Vec<Untrusted> = grid.columns.iter().map(|c| c.name.clone()).collect();
        let all: Vec<usize> = (0..grid.rows.len()).collect();
        let truncated = truncated || grid.shortened_in(&all) > 0;
        Some(ExportAsk { of, columns, rows: grid.rows.clone(), truncated, path })
    }
}
