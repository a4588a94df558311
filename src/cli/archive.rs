//! `archive list|inspect|verify`: archives as files, without a database.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::archive::{Archive as Verb, File};
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::archive::{Examination, shelf};
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::progress::Progress;
use crate::text::screen;

/// Where the key that signs archives and receipts is.
pub(super) fn signing_key(paths: &Paths) -> PathBuf {
    paths.keys_dir.join("signing.key")
}

/// Runs a verb of `archive`; none needs a database.
///
/// # Errors
/// What the verb says; an archive with faults is the answer "no" (exit code 1).
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    match verb {
        Verb::List => {
            let shelved = Shown::first(invocation, shelf::list(&paths.archives_dir)?);
            let archives: Vec<Value> = shelved
                .rows
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
            invocation.answer(&shelved.document("archives", &archives), |printer| {
                let mut table = Table::new([
                    Column::left("TENANT"),
                    Column::left("TAKEN AT"),
                    Column::right("SIZE"),
                    Column::left("PATH"),
                ]);
                for one in &shelved.rows {
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
            })?;
            shelved.say_what_is_cut(invocation, "archives");
            Ok(())
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
pub(super) async fn beside<T: Send + 'static>(
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

/// Says what could not be judged.
fn warn_of_unjudged_key(invocation: &mut Invocation, found: &Examination) {
    if found.key_unjudged {
        let key = found.key.as_deref().unwrap_or_default();
        invocation.printer.warning(&format!(
            "whose signature it is could not be judged: this user may not read the key of the installation; the archive names {key}"
        ));
    }
}

/// `archive inspect`.
fn inspect(invocation: &mut Invocation, paths: &Paths, file: &File) -> Result<(), Failure> {
    let found = examine(invocation, paths, file)?;
    for fault in &found.faults {
        invocation.printer.warning(&fault.to_string());
    }
    warn_of_unjudged_key(invocation, &found);
    let Some(manifest) = &found.manifest else {
        return Err(faulty(&found));
    };
    let document = json!({
        "manifest": manifest,
        "digest": found.sha256.map(|sha| sha.to_string()),
        "bytes": found.bytes,
        "signed_by": found.key,
        "signer_judged": !found.key_unjudged,
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
    warn_of_unjudged_key(invocation, &found);
    let judged = !found.key_unjudged;
    invocation.answer(
        &json!({ "ok": ok, "faults": faults, "signer_judged": judged }),
        |printer| {
            if ok {
                printer.line(if judged {
                    "the archive is sound"
                } else {
                    "the archive is whole; its signer could not be judged"
                });
            }
            for fault in &faults {
                printer.line(fault);
            }
        },
    )?;
    if ok { Ok(()) } else { Err(faulty(&found)) }
}

/// The answer "no".
fn faulty(found: &Examination) -> Failure {
    let first = found.faults.first().map(ToString::to_string).unwrap_or_default();
    Failure::new(Kind::Negative, format!("the archive is not sound: {first}"))
        .hint("take another archive; this one cannot be restored")
}
