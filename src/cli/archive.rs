//! `export`, `archive list|inspect|verify` and `restore`: one tenant out, one tenant in.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::archive::{
    Archive as Verb, Export as ExportArgs, File, Restore as RestoreArgs, RestoreMode as Mode,
};
use super::desk::with_console;
use super::invocation::Invocation;
use super::table::{Column, Table};
use super::tenant::limited;
use crate::archive::export::{self, Destination, Export, Exported};
use crate::archive::restore::{self, Difference, Restore, RestoreMode, Restored};
use crate::archive::{Examination, Existing, shelf};
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::identity::Reason;
use crate::progress::Progress;
use crate::tenant::directory;
use crate::text::screen;

/// Where the key that signs archives and receipts is.
fn signing_key(paths: &Paths) -> PathBuf {
    paths.keys_dir.join("signing.key")
}

/// `export`.
///
/// # Errors
/// What the verb says; there is no file then.
pub(super) fn export(invocation: &mut Invocation, args: ExportArgs) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    if args.output.as_deref() == Some(Path::new("-")) {
        return Err(Failure::refused(
            "an archive is written to a file, because it is only there when it is whole",
        )
        .hint("name a file with -o, then copy it"));
    }
    let destination = args
        .output
        .map_or_else(|| Destination::Directory(paths.archives_dir.clone()), Destination::File);
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let exported = with_console(invocation, async |console, progress| {
        let tenant = directory::resolve(console, &args.tenant).await?;
        let ask = Export { tenant, destination, existing, signing_key: signing_key(&paths) };
        let plan = export::prepare(console, ask).await?;
        export::export(console, plan, progress).await
    })?;
    invocation.printer.status(&format!(
        "exported {} rows of {}, {}",
        format::count(i64::try_from(exported.rows).unwrap_or(i64::MAX)),
        exported.tenant,
        format::bytes(exported.bytes)
    ));
    invocation.answer(&export_document(&exported), |printer| {
        printer.line(&exported.path.to_string_lossy());
    })
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
    })
}

/// Runs a verb of `archive`; none needs a database.
///
/// # Errors
/// What the verb says; an archive with faults is the answer "no" (exit code 1).
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    match verb {
        Verb::List => {
            let shelved = limited(invocation, shelf::list(&paths.archives_dir)?);
            let archives: Vec<Value> = shelved
                .iter()
                .map(|one| {
                    json!({
                        "path": one.path.to_string_lossy(),
                        "bytes": one.bytes,
                        "tenant": one.manifest.as_ref().ok().map(|m| m.tenant.slug.clone()),
                        "taken_at": one.manifest.as_ref().ok().map(|m| format::time(m.taken_at)),
                        "fault": one.manifest.as_ref().err().map(ToString::to_string),
                    })
                })
                .collect();
            invocation.answer(&json!({ "archives": archives }), |printer| {
                let mut table = Table::new([
                    Column::left("TENANT"),
                    Column::left("TAKEN AT"),
                    Column::right("SIZE"),
                    Column::left("PATH"),
                ]);
                for one in &shelved {
                    let (tenant, at) = match &one.manifest {
                        Ok(manifest) => (
                            manifest
                                .tenant
                                .slug
                                .clone()
                                .unwrap_or_else(|| manifest.tenant.id.clone()),
                            format::time(manifest.taken_at),
                        ),
                        Err(fault) => (String::new(), fault.to_string()),
                    };
                    table.row([
                        screen(&tenant),
                        at,
                        format::bytes(one.bytes),
                        one.path.to_string_lossy().into_owned(),
                    ]);
                }
                printer.table(&table);
            })
        }
        Verb::Inspect(file) => inspect(invocation, &paths, &file),
        Verb::Verify(file) => verify(invocation, &paths, &file),
    }
}

/// Looks at every byte of a file.
fn examine(
    invocation: &mut Invocation,
    paths: &Paths,
    file: &File,
) -> Result<Examination, Failure> {
    let (path, key) = (file.archive.clone(), signing_key(paths));
    invocation.block_on(async |invocation| {
        invocation
            .watch(async |progress| {
                let watch = progress.clone();
                beside(&progress, move || shelf::inspect(&path, &key, &watch)).await
            })
            .await
    })
}

/// Reads a file beside the runtime. A pipe that gives nothing does not hold the program.
async fn beside<T: Send + 'static>(
    progress: &Progress,
    read: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let reading = async {
        tokio::task::spawn_blocking(read).await.map_err(|error| {
            Failure::new(Kind::Internal, "the archive could not be read")
                .caused_by(error.to_string())
        })?
    };
    progress.unless_cancelled(reading).await
}

/// `archive inspect`.
fn inspect(invocation: &mut Invocation, paths: &Paths, file: &File) -> Result<(), Failure> {
    let found = examine(invocation, paths, file)?;
    for fault in &found.faults {
        invocation.printer.warning(&fault.to_string());
    }
    let Some(manifest) = &found.manifest else {
        return Err(faulty(&found));
    };
    let document = json!({
        "manifest": manifest,
        "digest": found.sha256.map(|sha| sha.to_string()),
        "bytes": found.bytes,
        "signed_by": found.key,
        "faults": found.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    invocation.answer(&document, |printer| {
        printer.pairs([
            ("tenant", manifest.tenant.slug.clone().unwrap_or_else(|| manifest.tenant.id.clone())),
            ("taken at", format::time(manifest.taken_at)),
            ("written by", manifest.tool.clone()),
            ("server", manifest.source.server_version.clone()),
            ("size", format::bytes(found.bytes)),
            ("signed by", found.key.clone().unwrap_or_default()),
            ("digest", found.sha256.map(|sha| sha.to_string()).unwrap_or_default()),
        ]);
        let mut table = Table::new([
            Column::left("RELATION"),
            Column::right("ROWS"),
            Column::right("RAW SIZE"),
        ]);
        let digests = found.digest.iter().flat_map(|digest| &digest.relations);
        for (relation, digest) in manifest.relations.iter().zip(digests) {
            table.row([
                screen(&format!("{}.{}", relation.schema, relation.table)),
                format::count(i64::try_from(digest.rows).unwrap_or(i64::MAX)),
                format::bytes(digest.bytes),
            ]);
        }
        printer.table(&table);
    })?;
    if found.faults.is_empty() { Ok(()) } else { Err(faulty(&found)) }
}

/// `archive verify`.
fn verify(invocation: &mut Invocation, paths: &Paths, file: &File) -> Result<(), Failure> {
    let found = examine(invocation, paths, file)?;
    let faults: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
    let ok = faults.is_empty();
    invocation.answer(&json!({ "ok": ok, "faults": faults }), |printer| {
        if ok {
            printer.line("the archive is sound");
        }
        for fault in &faults {
            printer.line(fault);
        }
    })?;
    if ok { Ok(()) } else { Err(faulty(&found)) }
}

/// The answer "no".
fn faulty(found: &Examination) -> Failure {
    let first = found.faults.first().map(ToString::to_string).unwrap_or_default();
    Failure::new(Kind::Negative, format!("the archive is not sound: {first}"))
        .hint("take another archive; this one restores nothing")
}

/// `restore`: the plan is shown, the slug is typed, then it is done.
///
/// # Errors
/// What the verb says; nothing was changed then.
pub(super) fn restore(invocation: &mut Invocation, args: RestoreArgs) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let mode = match args.mode {
        Mode::Missing => RestoreMode::Missing,
        Mode::Replace => RestoreMode::Replace,
    };
    let reason: Reason = match args.reason {
        Some(reason) => reason,
        None => "dry run of a restore".parse()?,
    };
    let (warnings, preview, restored) = with_console(invocation, async |console, progress| {
        let (archive, key, spool, watch) =
            (args.archive, signing_key(&paths), paths.archives_dir.clone(), progress.clone());
        progress.enter("verifying the archive");
        let open = move || shelf::open(&archive, &key, &spool, &watch);
        let archive = beside(progress, open).await?;
        let ask = Restore { archive, mode, reason, signing_key: signing_key(&paths) };
        let plan = restore::prepare(console, ask).await?;
        let warnings = plan.warnings.clone();
        if args.dry_run {
            let preview = restore::preview(console, &plan, progress).await?;
            return Ok((warnings, preview.relations, None));
        }
        let confirm =
            args.confirm.as_ref().map(|slug| slug.as_str().to_owned()).unwrap_or_default();
        let restored = restore::restore(console, plan, &confirm, None, progress).await?;
        Ok((warnings, restored.relations.clone(), Some(restored)))
    })?;
    for warning in &warnings {
        invocation.printer.warning(warning);
    }
    if let Some(restored) = &restored {
        invocation.printer.status(&format!(
            "restored {}: {} inserted, {} updated, {} deleted; digests verified before commit",
            restored.tenant, restored.inserted, restored.updated, restored.deleted
        ));
    }
    invocation.answer(&restore_document(&preview, restored.as_ref()), |printer| {
        printer.table(&differences(&preview));
    })?;
    let conflicts: u64 = preview.iter().map(|one| one.conflicts).sum();
    if restored.is_none() && conflicts > 0 {
        let message = format!("{conflicts} rows of the archive name another tenant");
        return Err(Failure::new(Kind::Negative, message).hint("this archive cannot be restored"));
    }
    Ok(())
}

/// The JSON of a restore.
fn restore_document(relations: &[Difference], restored: Option<&Restored>) -> Value {
    let relations: Vec<Value> = relations
        .iter()
        .map(|one| json!({
            "name": one.name, "in_archive": one.in_archive, "in_target": one.in_target, "missing": one.missing,
            "changed": one.changed, "extra": one.extra, "conflicts": one.conflicts,
        }))
        .collect();
    json!({
        "plan": { "relations": relations },
        "applied": restored.map(|r| json!({ "inserted": r.inserted, "updated": r.updated, "deleted": r.deleted })),
        // A restore whose digests differ does not commit, so what is applied is verified.
        "verified": restored.is_some(),
        "receipt": restored.map(|r| &r.receipt),
    })
}

/// The plan as a table.
fn differences(relations: &[Difference]) -> Table {
    let mut columns = vec![Column::left("RELATION")];
    columns.extend(
        ["IN ARCHIVE", "IN TARGET", "MISSING", "CHANGED", "EXTRA", "CONFLICTS"].map(Column::right),
    );
    let mut table = Table::new(columns);
    for one in relations {
        let counts =
            [one.in_archive, one.in_target, one.missing, one.changed, one.extra, one.conflicts];
        let cells = counts.map(|count| format::count(i64::try_from(count).unwrap_or(i64::MAX)));
        table.row(std::iter::once(screen(&one.name)).chain(cells));
    }
    table
}
