//! `impersonate --record TABLE:KEY`: one record with its parents and the number of its children, as
//! the console's browser shows them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::args::impersonation::Impersonate;
use super::desk::with_console;
use super::impersonate::{self, SessionDocument, print_session};
use super::invocation::Invocation;
use super::output::Printer;
use super::table::{Column, Table};
use crate::failure::Failure;
use crate::impersonation::{Counted, Link, RecordReport, WantedRecord, prepare, run_record};
use crate::text::Untrusted;

/// Shows the record.
///
/// # Errors
/// Where the session does not open, and where the record is not there: one of another tenant is
/// not there either.
pub(super) fn run(
    invocation: &mut Invocation,
    args: &Impersonate,
    wanted: &WantedRecord,
) -> Result<(), Failure> {
    let report = with_console(invocation, async |console, progress| {
        let plan = progress.unless_cancelled(prepare(console, impersonate::request(args))).await?;
        run_record(console, plan, wanted.clone(), progress).await
    })?;
    invocation.answer(&document(&report), |printer| print(printer, &report))
}

#[derive(Serialize)]
struct Document<'r> {
    session: SessionDocument<'r>,
    record: RecordDocument<'r>,
}

#[derive(Serialize)]
struct RecordDocument<'r> {
    relation: &'r str,
    fields: Vec<FieldDocument<'r>>,
    parents: Vec<LinkDocument<'r>>,
    children: Vec<LinkDocument<'r>>,
}

#[derive(Serialize)]
struct FieldDocument<'r> {
    column: &'r str,
    value: Option<&'r Untrusted>,
    truncated: bool,
}

/// One way: `key` is what the rows there hold; null where a value of the reference is NULL.
#[derive(Serialize)]
struct LinkDocument<'r> {
    relation: &'r str,
    columns: &'r [String],
    key: Option<Map<String, Value>>,
    #[serde(flatten)]
    rows: Option<RowsDocument>,
}

/// How many children there are; null where they could not be counted in time.
#[derive(Serialize)]
struct RowsDocument {
    rows: Option<u64>,
    more: bool,
}

fn document(report: &RecordReport) -> Document<'_> {
    Document {
        session: impersonate::session(&report.session),
        record: RecordDocument {
            relation: &report.relation,
            fields: report
                .fields
                .iter()
                .map(|field| FieldDocument {
                    column: &field.column.name,
                    value: field.value.as_ref(),
                    truncated: field.shortened,
                })
                .collect(),
            parents: report.links.parents.iter().map(up).collect(),
            children: report.links.children.iter().map(down).collect(),
        },
    }
}

fn key(link: &Link) -> Option<Map<String, Value>> {
    let at = link.at.as_ref()?;
    Some(at.iter().map(|one| (one.column.clone(), one.value.clone().into())).collect())
}

fn up(link: &Link) -> LinkDocument<'_> {
    let (relation, columns) = (&link.reference.to, &link.reference.columns);
    LinkDocument { relation, columns, key: key(link), rows: None }
}

fn down(link: &Link) -> LinkDocument<'_> {
    let (relation, columns) = (&link.reference.from, &link.reference.columns);
    let rows = RowsDocument {
        rows: link.rows.map(|counted| counted.rows),
        more: link.rows.is_some_and(|counted| counted.more),
    };
    LinkDocument { relation, columns, key: key(link), rows: Some(rows) }
}

/// `3`, `1,000+`, or `?` where they could not be counted in time.
fn counted(rows: Option<Counted>) -> String {
    let Some(Counted { rows, more }) = rows else { return "?".to_owned() };
    let count = crate::format::count(i64::try_from(rows).unwrap_or(i64::MAX));
    if more { format!("{count}+") } else { count }
}

/// What the rows at the other end hold.
fn place(link: &Link) -> String {
    let Some(at) = &link.at else { return "NULL".to_owned() };
    let pairs = at.iter().map(|one| format!("{} = {}", one.column, one.value));
    pairs.collect::<Vec<_>>().join(", ")
}

fn print(printer: &mut Printer, report: &RecordReport) {
    print_session(printer, &report.session);
    let mut fields = Table::new([Column::left("column"), Column::left("value")]);
    for field in &report.fields {
        fields
            .row([field.column.name.as_str(), field.value.as_ref().map_or("NULL", Untrusted::raw)]);
    }
    printer.table(&fields);
    for (heading, links) in [("parent", &report.links.parents), ("child", &report.links.children)] {
        if links.is_empty() {
            continue;
        }
        printer.line("");
        let parents = heading == "parent";
        let last = if parents { Column::left("by") } else { Column::right("rows") };
        let mut table = Table::new([Column::left(heading), Column::left("where"), last]);
        for link in links {
            let (relation, last) = if parents {
                (&link.reference.to, link.reference.columns.join(", "))
            } else {
                (&link.reference.from, counted(link.rows))
            };
            table.row([relation.as_str(), &place(link), &last]);
        }
        printer.table(&table);
    }
    for field in report.fields.iter().filter(|field| field.shortened) {
        let name = crate::text::screen(&field.column.name);
        printer.warning(&format!("{name} is longer than what is shown"));
    }
}
