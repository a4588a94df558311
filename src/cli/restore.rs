//! `restore`: the plan is shown, then somebody agrees to it by typing the slug, then it is done.

use std::path::Path;

use serde_json::{Value, json};

use super::archive::{beside, signing_key};
use super::args::archive::{Restore as RestoreArgs, RestoreMode as Mode};
use super::desk::with_printer;
use super::invocation::{Invocation, Teller};
use super::output::Printer;
use super::table::{Column, Table};
use crate::archive::restore::{
    self, Difference, Preview, Restore, RestoreMode, RestorePlan, Restored,
};
use crate::archive::shelf;
use crate::config::Paths;
use crate::console::Console;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::identity::Reason;
use crate::progress::Progress;
use crate::text::screen;

/// The reason in the ledger while there is no other: of a dry run, and of a plan to be agreed to.
const LOOKING: &str = "plan of a restore";

/// What may be left out where somebody can be asked.
struct Agreement {
    confirm: Option<String>,
    reason: Option<Reason>,
}

/// `restore`.
///
/// # Errors
/// What the verb says; nothing was changed then.
pub(super) fn restore(invocation: &mut Invocation, args: RestoreArgs) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let RestoreArgs { archive, mode, dry_run, confirm, reason } = args;
    if !dry_run {
        let missing = [("--confirm", confirm.is_none()), ("--reason", reason.is_none())];
        let missing = missing.into_iter().filter_map(|(flag, missing)| missing.then_some(flag));
        let missing: Vec<&str> = missing.collect();
        invocation.asker.can_be_asked_for(&missing).map_err(|failure| {
            failure.hint("`--dry-run` shows what would be done, and changes nothing")
        })?;
    }
    let mode = match mode {
        Mode::Missing => RestoreMode::Missing,
        Mode::Replace => RestoreMode::Replace,
    };
    with_printer(invocation, async |invocation, console| {
        let open = async |progress: Progress| {
            let (key, spool) = (signing_key(&paths), paths.archives_dir.clone());
            let watch = progress.clone();
            progress.enter("verifying the archive");
            let open = move || shelf::open(&archive, &key, &spool, &watch);
            let archive = beside(&progress, open).await?;
            let reason = reason.clone().map_or_else(|| LOOKING.parse(), Ok)?;
            let (signing_key, receipts_dir) = (signing_key(&paths), paths.receipts_dir.clone());
            let ask = Restore { archive, mode, reason, signing_key, receipts_dir };
            progress.unless_cancelled(restore::prepare(console, ask)).await
        };
        let plan = invocation.watch(open).await?;
        for warning in &plan.warnings {
            invocation.printer.warning(warning);
        }
        if dry_run {
            return look(invocation, console, &plan).await;
        }
        let (mode, before) = (plan.mode, plan.warnings.clone());
        let restored = apply(invocation, console, plan, Agreement { confirm, reason }).await?;
        invocation.printer.status(&format!(
            "restored {}: {} inserted, {} updated, {} deleted; digests verified before commit",
            screen(&restored.tenant),
            restored.inserted,
            restored.updated,
            restored.deleted
        ));
        invocation.printer.receipt(restored.receipt_path.as_deref());
        let warnings = warnings(mode, before, &restored.relations);
        let document = document(&restored.relations, &warnings, Some(&restored));
        invocation.answer(&document, |_already_printed| ())
    })
}

/// What was known before anything was compared, and what the comparison adds.
fn warnings(mode: RestoreMode, before: Vec<String>, differences: &[Difference]) -> Vec<String> {
    before.into_iter().chain(restore::left_alone(mode, differences)).collect()
}

/// Shows what a restore would find.
async fn look(
    invocation: &mut Invocation,
    console: &Console,
    plan: &RestorePlan,
) -> Result<(), Failure> {
    let preview = async |progress: Progress| restore::preview(console, plan, &progress).await;
    let preview = invocation.watch(preview).await?;
    let warnings = warnings(plan.mode, plan.warnings.clone(), &preview.relations);
    for warning in &warnings[plan.warnings.len()..] {
        invocation.printer.warning(warning);
    }
    let document = document(&preview.relations, &warnings, None);
    invocation.answer(&document, |printer| show(printer, &preview))?;
    refuse_conflicts(&preview, Kind::Negative)
}

/// Shows the plan, gets what is missing of the agreement, restores.
async fn apply(
    invocation: &mut Invocation,
    console: &Console,
    plan: RestorePlan,
    agreement: Agreement,
) -> Result<Restored, Failure> {
    if let Some(confirm) = &agreement.confirm {
        plan.check_confirmation(confirm)?;
    }
    if let Agreement { confirm: Some(confirm), reason: Some(_) } = agreement {
        let work = async |progress: Progress, teller: Teller| {
            let mode = plan.mode;
            let tell = |preview: &Preview| {
                let preview = preview.clone();
                teller.print(move |printer| show_as_text(printer, mode, &preview));
            };
            restore::restore_telling(console, plan, &confirm, tell, &progress).await
        };
        return invocation.watch_printing(work).await;
    }
    let preview = async |progress: Progress| restore::preview(console, &plan, &progress).await;
    let preview = invocation.watch(preview).await?;
    show_as_text(&mut invocation.printer, plan.mode, &preview);
    refuse_conflicts(&preview, Kind::Refused)?;
    invocation.printer.status(what_happens(&plan));
    let Agreement { confirm, reason } = agreement;
    let printer = &mut invocation.printer;
    let plan = match reason {
        Some(_) => plan,
        None => plan.for_reason(invocation.asker.reason(printer)?),
    };
    let label = format!("Type `{}` to restore it", screen(&plan.confirm()));
    let confirm =
        confirm.map_or_else(|| invocation.asker.text(printer, &label, "--confirm"), Ok)?;
    let work = async |progress: Progress| {
        restore::restore(console, plan, &confirm, Some(&preview), &progress).await
    };
    invocation.watch(work).await
}

/// The plan in one sentence.
const fn what_happens(plan: &RestorePlan) -> &'static str {
    match plan.mode {
        RestoreMode::Missing => "rows that are missing are inserted; all others stay as they are",
        RestoreMode::Replace => {
            "rows that are missing are inserted, changed ones set back, extra ones deleted"
        }
    }
}

/// An archive with rows that cannot be written cannot be restored.
fn refuse_conflicts(preview: &Preview, kind: Kind) -> Result<(), Failure> {
    let Some(refusal) = preview.refusal() else { return Ok(()) };
    let failure = Failure::new(kind, refusal).hint("nothing was changed");
    let collides = preview.relations.iter().all(|one| one.conflicts == one.collisions);
    Err(failure.hint(if collides {
        "change the rows that are in the way; `--mode replace` removes the tenant's own rows that the archive does not hold"
    } else {
        "this archive cannot be restored"
    }))
}

/// The plan, where the answer is no JSON.
fn show_as_text(printer: &mut Printer, mode: RestoreMode, preview: &Preview) {
    if !printer.look().json {
        show(printer, preview);
        for warning in restore::left_alone(mode, &preview.relations) {
            printer.warning(&warning);
        }
    }
}

/// The plan.
fn show(printer: &mut Printer, preview: &Preview) {
    printer.table(&differences(&preview.relations));
    printer.flush();
}

/// The JSON of a restore.
fn document(relations: &[Difference], warnings: &[String], restored: Option<&Restored>) -> Value {
    let relations: Vec<Value> = relations
        .iter()
        .map(|one| json!({
            "name": one.name, "in_archive": one.in_archive, "in_target": one.in_target, "missing": one.missing,
            "changed": one.changed, "extra": one.extra, "conflicts": one.conflicts,
            "collisions": one.collisions,
        }))
        .collect();
    json!({
        "plan": { "relations": relations, "warnings": warnings },
        "applied": restored.map(|r| json!({ "inserted": r.inserted, "updated": r.updated, "deleted": r.deleted })),
        // A restore whose digests differ does not commit, so what is applied is verified.
        "verified": restored.is_some(),
        "receipt": restored.map(|r| &r.receipt),
        "receipt_path": restored.and_then(|r| r.receipt_path.as_deref()).map(Path::to_string_lossy),
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
