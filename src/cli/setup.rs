//! `setup`: shows what was found and would be done (`findings.rs`), asks, and does it.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::args::setup::Setup;
use super::desk::with_setup;
use super::findings;
use super::invocation::Invocation;
use crate::clock;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::format::{counted, length};
use crate::isolation::discover::Hints;
use crate::isolation::guard::{Consent, Incomplete};
use crate::isolation::map::RelationMap;
use crate::isolation::setup::{self, Prepared, Request, SetUp, SetupDesk};
use crate::progress::Progress;

/// Runs `setup`.
///
/// # Errors
/// What the verb says; nothing was changed then.
pub(super) fn run(invocation: &mut Invocation, args: &Setup) -> Result<(), Failure> {
    if !args.except.is_empty() {
        return except(invocation, args);
    }
    if args.suspend {
        return suspend(invocation);
    }
    if args.remove {
        return remove(invocation, args);
    }
    let request = request(args)?;
    with_setup(invocation, async |invocation, desk| {
        let look = async |progress: Progress| {
            progress.enter("reading the schema");
            setup::prepare(desk, &request).await
        };
        let prepared = invocation.watch(look).await?;
        if args.dry_run {
            return dry_run(invocation, &prepared);
        }
        install(invocation, desk, &request, &prepared, args).await
    })
}

/// What the flags ask for.
fn request(args: &Setup) -> Result<Request, Failure> {
    let map = args.map.as_deref().map(read_map).transpose()?;
    Ok(Request {
        hints: Hints {
            tenant_root: args.tenant_root.clone(),
            tenant_keys: args.tenant_key.clone(),
            setting: args.setting.clone(),
            application_role: args.app_role.clone(),
        },
        map,
        resume: args.resume,
        pin_public: args.pin_public,
        keep_public: args.keep_public,
        limits: args.enforce_limits.then_some(true),
    })
}

/// A map that somebody reviewed.
fn read_map(file: &Path) -> Result<RelationMap, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::refused(format!("`{}` cannot be read", file.to_string_lossy()))
            .caused_by(error.to_string())
    })?;
    Ok(RelationMap::from_toml(&text)?)
}

/// The script, and what would stay open.
fn dry_run(invocation: &mut Invocation, prepared: &Prepared) -> Result<(), Failure> {
    findings::show(&mut invocation.printer, prepared);
    let mut document = document(prepared, None);
    document["sql"] = json!(prepared.script.text());
    let text = prepared.script.text();
    invocation.answer(&document, |printer| printer.text(&text))
}

/// Shows, asks, installs.
async fn install(
    invocation: &mut Invocation,
    desk: &SetupDesk,
    request: &Request,
    prepared: &Prepared,
    args: &Setup,
) -> Result<(), Failure> {
    findings::show(&mut invocation.printer, prepared);
    let pin_public = args.pin_public || prepared.standing.pin_public;
    let closed = prepared.standing.close_doors && prepared.doors.is_empty();
    if prepared.up_to_date
        && (closed || args.keep_public)
        && pin_public == prepared.standing.pin_public
    {
        invocation.printer.status("nothing to do: the guard is as this schema needs it");
        let done = SetUp {
            applied: false,
            complete: true,
            incomplete: Vec::new(),
            classes: Vec::new(),
            statements: 0,
        };
        return finish(invocation, prepared, &done);
    }
    let question = format!(
        "Guard {} of {}?",
        counted(length(prepared.map.all().len()), "table"),
        prepared.standing.database
    );
    invocation.asker.confirm(&mut invocation.printer, &question)?;
    let close_doors = !args.keep_public && wants_closed(invocation, &prepared.doors)?;
    let consent = Consent { close_doors, enforce_limits: prepared.limits, pin_public };
    let run =
        async |progress: Progress| setup::apply(desk, request, prepared, consent, &progress).await;
    let done = invocation.watch(run).await?;
    finish(invocation, prepared, &done)
}

/// Whether what every login gets from PUBLIC is closed.
fn wants_closed(invocation: &mut Invocation, doors: &[Incomplete]) -> Result<bool, Failure> {
    if doors.is_empty() {
        return Ok(true);
    }
    for door in doors {
        invocation.printer.status(&format!("open to every login: {}: {}", door.object, door.fix));
    }
    let question = "Close these? The application keeps what it had";
    match invocation.asker.confirm(&mut invocation.printer, question) {
        Ok(()) => Ok(true),
        Err(failure) if failure.kind == Kind::Refused => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Prints what was done, and what is open.
fn finish(invocation: &mut Invocation, prepared: &Prepared, done: &SetUp) -> Result<(), Failure> {
    for open in &done.incomplete {
        invocation.printer.warning(&format!("guard incomplete: {}: {}", open.object, open.why));
        invocation.printer.hint(&open.fix);
    }
    let classes: Vec<String> = done
        .classes
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    if !classes.is_empty() {
        invocation.printer.status(&format!("guarded {}", classes.join(", ")));
    }
    if done.complete && prepared.standing.map.is_none() {
        invocation
            .printer
            .hint("`tenantdesk operator add NAME --level admin` makes the first operator");
    }
    let document = document(prepared, Some(done));
    invocation.answer(&document, |_already_told| ())?;
    if done.complete {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Negative,
        "the guard is incomplete, and no session opens until it is whole",
    )
    .hint("close what is open, or except it: `tenantdesk setup --except OBJECT --reason WHY`"))
}

/// The JSON of a setup.
fn document(prepared: &Prepared, done: Option<&SetUp>) -> Value {
    let proposal = &prepared.proposal;
    let incomplete = done.map_or(&prepared.doors, |done| &done.incomplete);
    json!({
        "complete": done.is_some_and(|done| done.complete),
        "incomplete": incomplete,
        "applied": done.is_some_and(|done| done.applied),
        "classes": done.map(|done| &done.classes),
        "drift": prepared.drift,
        "disagreements": prepared.disagreements,
        "needs": prepared.needs,
        "faults": prepared.faults,
        "found": {
            "root": proposal.root,
            "keys": proposal.keys,
            "setting": prepared.map.tenant_setting,
            "application_role": prepared.map.application_role,
            "search_path": prepared.map.search_path,
            "members": proposal.members,
            "users": proposal.users,
            "verdicts": proposal.verdicts,
            "listed": proposal.listed,
        },
    })
}

/// `--except`.
fn except(invocation: &mut Invocation, args: &Setup) -> Result<(), Failure> {
    let reason = args.reason.as_ref().map(|reason| reason.as_str().to_owned()).unwrap_or_default();
    let request = invocation.request;
    with_setup(invocation, async |invocation, desk| {
        let run = async |_progress| setup::except(desk, &args.except, &reason, request).await;
        invocation.watch(run).await
    })?;
    for object in &args.except {
        invocation.printer.status(&format!("{object} stays open, for the reason that you gave"));
    }
    invocation.answer(&json!({ "excepted": args.except }), |_already_told| ())
}

/// `--suspend`.
fn suspend(invocation: &mut Invocation) -> Result<(), Failure> {
    let question = "Take the guard off? No session opens until it is resumed, and open ones end";
    invocation.asker.confirm(&mut invocation.printer, question)?;
    let id = invocation.request;
    let suspended = with_setup(invocation, async |invocation, desk| {
        let run = async |progress: Progress| {
            progress.enter("taking the guard off");
            setup::suspend(desk, id).await
        };
        invocation.watch(run).await
    })?;
    invocation.printer.status(&format!(
        "the guard is suspended; {} ended",
        counted(length(suspended.ended_sessions.len()), "session")
    ));
    invocation.printer.hint("migrate, then run `tenantdesk setup --resume`");
    invocation.answer(&json!({ "suspended": suspended }), |_already_told| ())
}

/// `--remove`.
fn remove(invocation: &mut Invocation, args: &Setup) -> Result<(), Failure> {
    if args.confirm.is_none() {
        invocation.asker.can_be_asked_for(&["--confirm"])?;
    }
    let directory = Paths::from_environment()?.home.join("ledgers");
    with_setup(invocation, async |invocation, desk| {
        let confirm = if let Some(confirm) = &args.confirm {
            confirm.clone()
        } else {
            let label =
                "Everything of tenantdesk goes, the ledger is kept in a file. Name of the database";
            invocation.asker.text(&mut invocation.printer, label, "--confirm")?
        };
        let name = format!(
            "{}-{}.jsonl",
            confirm.replace(['/', '\\'], "_"),
            clock::now().format("%Y%m%dT%H%M%SZ")
        );
        let file = directory.join(name);
        let run = async |progress: Progress| {
            progress.enter("removing");
            let mut writer = None;
            let mut keep = |line: Option<&str>| keep_ledger(&mut writer, &file, line);
            let removed = setup::remove(desk, &confirm, &mut keep).await;
            if removed.is_err() && writer.is_some() {
                // The database still has it.
                let _stays = std::fs::remove_file(&file);
            }
            let removed = removed?;
            Ok((removed, writer.is_some()))
        };
        let (removed, kept) = invocation.watch(run).await?;
        for statement in &removed.left {
            invocation.printer.warning(&format!("could not be undone: {statement}"));
        }
        if removed.shared {
            invocation.printer.warning(
                "another database of this server is set up as well: roles and logins stay",
            );
        }
        invocation.printer.status(&format!(
            "{} is as it was; {} dropped",
            removed.database,
            counted(length(removed.operators.len()), "operator")
        ));
        let ledger = kept.then(|| file.to_string_lossy().into_owned());
        if let Some(ledger) = &ledger {
            invocation.printer.status(&format!("the ledger is in {ledger}"));
        }
        invocation.answer(&json!({ "removed": removed, "ledger": ledger }), |_already_told| ())
    })
}

/// Writes one line of the ledger; the file is made with the first, is only its owner's, and is on the
/// disk when the last is written.
fn keep_ledger(
    writer: &mut Option<BufWriter<File>>,
    file: &Path,
    line: Option<&str>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::refused(format!("the ledger cannot be written to `{}`", file.to_string_lossy()))
            .caused_by(error.to_string())
            .hint("nothing was removed; set TENANTDESK_HOME to a directory that can be written")
    };
    if writer.is_none() {
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        *writer = Some(BufWriter::new(options.open(file).map_err(failed)?));
    }
    let Some(writer) = writer else { return Ok(()) };
    let Some(line) = line else {
        writer.flush().map_err(failed)?;
        writer.get_ref().sync_all().map_err(failed)?;
        let directory = file.parent().and_then(|directory| File::open(directory).ok());
        return directory.map_or(Ok(()), |directory| directory.sync_all().map_err(failed));
    };
    writer.write_all(line.as_bytes()).map_err(failed)?;
    writer.write_all(b"\n").map_err(failed)
}
