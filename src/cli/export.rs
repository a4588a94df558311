//! `export`: one tenant out.

use std::path::Path;

use serde_json::{Value, json};

use super::archive::signing_key;
use super::args::archive::Export as ExportArgs;
use super::desk::with_console;
use super::invocation::Invocation;
use crate::archive::Existing;
use crate::archive::export::{self, Destination, Export, Exported};
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::tenant::directory;

/// `export`.
///
/// # Errors
/// What the verb says; there is no file then.
pub(super) fn export(invocation: &mut Invocation, args: ExportArgs) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let destination = match args.output {
        None => Destination::Directory(paths.archives_dir.clone()),
        Some(path) if path == Path::new("-") => {
            may_go_to_standard_output(invocation)?;
            Destination::Nameless(paths.archives_dir.clone())
        }
        Some(path) => Destination::File(path),
    };
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let mut exported = with_console(invocation, async |console, progress| {
        let tenant = directory::resolve(console, &args.tenant).await?;
        let ask = Export {
            tenant,
            destination,
            existing,
            signing_key: signing_key(&paths),
            receipts_dir: paths.receipts_dir,
        };
        let plan = export::prepare(console, ask).await?;
        export::export(console, plan, progress).await
    })?;
    if let Some(archive) = &exported.contents {
        if !invocation.printer.copy(&**archive)? {
            return Ok(());
        }
        if let Err(warning) = exported.handed_over() {
            invocation.printer.warning(&warning);
        }
    }
    invocation.printer.status(&format!(
        "exported {} of {}, {}",
        format::counted(i64::try_from(exported.rows).unwrap_or(i64::MAX), "row"),
        exported.tenant,
        format::bytes(exported.bytes)
    ));
    invocation.printer.receipt(exported.receipt_path.as_deref());
    invocation.answer(&export_document(&exported), |printer| {
        if exported.contents.is_none() {
            printer.line(&exported.path.to_string_lossy());
        }
    })
}

/// Standard output takes the archive and nothing else, and a terminal takes none.
fn may_go_to_standard_output(invocation: &Invocation) -> Result<(), Failure> {
    let refused = |message, hint| Err(Failure::new(Kind::Usage, message).hint(hint));
    if invocation.flags.json {
        return refused(
            "with `-o -` the archive is on standard output, where no JSON document can be as well",
            "leave `--json` out, or name a file",
        );
    }
    if invocation.prints_on_a_terminal() {
        return refused(
            "standard output is a terminal, and an archive is no text",
            "send it to a file or to another program, or name a file with `-o`",
        );
    }
    Ok(())
}

/// The JSON of an export.
fn export_document(exported: &Exported) -> Value {
    let relations: Vec<Value> = exported
        .relations
        .iter()
        .map(|(name, rows)| json!({ "name": name, "rows": rows }))
        .collect();
    json!({
        "archive": {
            "path": exported.path.to_string_lossy(),
            "tenant": exported.tenant,
            "rows": exported.rows,
            "bytes": exported.bytes,
            "digest": exported.sha256.to_string(),
        },
        "relations": relations,
        "receipt": exported.receipt,
        "receipt_path": exported.receipt_path.as_deref().map(Path::to_string_lossy),
    })
}
