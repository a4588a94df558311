//! `profile list|add|test|remove`.

use serde_json::{Value, json};

use super::args::profile::{Add, Profile as Verb};
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use super::target;
use crate::config::{PasswordFrom, Paths};
use crate::failure::{Failure, Kind};
use crate::profile::{self, AddProfile, Destination, Kept, Reached};

/// Runs a verb of `profile`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    match verb {
        Verb::List => list(invocation, &paths),
        Verb::Add(args) => add(invocation, &paths, args),
        Verb::Test(name) => test(invocation, &paths, &name.name),
        Verb::Remove(name) => remove(invocation, &paths, &name.name),
    }
}

fn list(invocation: &mut Invocation, paths: &Paths) -> Result<(), Failure> {
    let profiles = Shown::first(invocation, profile::list(paths)?);
    let documents: Vec<Value> = profiles
        .rows
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "url": one.url,
                "theme": one.theme,
                "password_from": one.password_from,
                "default": one.default,
            })
        })
        .collect();
    invocation.answer(&profiles.document("profiles", &documents), |printer| {
        let headings = ["NAME", "DEFAULT", "PASSWORD", "THEME", "ADDRESS"];
        let mut table = Table::new(headings.map(Column::left));
        for one in &profiles.rows {
            table.row([
                one.name.as_str(),
                if one.default { "default" } else { "" },
                &one.password_from,
                one.theme.unwrap_or_default(),
                &one.url,
            ]);
        }
        printer.table(&table);
    })?;
    if profiles.rows.is_empty() {
        invocation.printer.hint("`tenantdesk profile add NAME --url URL` makes one");
    }
    profiles.say_what_is_cut(invocation, "profiles");
    Ok(())
}

fn add(invocation: &mut Invocation, paths: &Paths, args: Add) -> Result<(), Failure> {
    let Add { name, password_from, password_stdin, theme, default } = args;
    let Some(url) = invocation.flags.url.clone() else {
        return Err(Failure::new(Kind::Usage, "`--url` is missing")
            .hint("it is the address of the database, without a password"));
    };
    let password_from = password_from.unwrap_or_else(|| usual_place(&url));
    let kept = matches!(password_from, PasswordFrom::Keyring | PasswordFrom::File);
    if password_stdin && !kept {
        let message =
            format!("`--password-stdin` is of no use with `--password-from {password_from}`");
        return Err(Failure::new(Kind::Usage, message)
            .hint("`keyring` and `file` are the places that keep a password"));
    }
    let password = if password_stdin { Some(invocation.asker.secret_line()?) } else { None };
    let request = AddProfile { name, url, password_from, password, theme, default };
    let Invocation { asker, printer, .. } = invocation;
    let added = profile::add(paths, request, &mut |wanted| asker.wanted(printer, wanted))?;
    let document = json!({
        "profile": {
            "name": added.name,
            "url": added.url,
            "theme": added.theme.map(crate::config::ThemeName::as_str),
            "password_from": added.password.to_string(),
            "default": default,
        }
    });
    invocation.printer.status(&format!("added profile {}", added.name));
    invocation.printer.hint(&format!("`tenantdesk profile test {}` tries it out", added.name));
    invocation.answer(&document, |_| ())
}

/// A socket of this machine mostly needs no password; what it needs can be said.
fn usual_place(url: &str) -> PasswordFrom {
    let local = url.contains("host=/") || url.to_ascii_lowercase().contains("host=%2f");
    if local { PasswordFrom::None } else { PasswordFrom::Keyring }
}

fn test(invocation: &mut Invocation, paths: &Paths, name: &str) -> Result<(), Failure> {
    let found = profile::find(paths, name)?;
    let Invocation { asker, printer, .. } = &mut *invocation;
    let mut destination =
        Destination::of_profile(&found, paths, &mut |wanted| asker.wanted(printer, wanted))?;
    destination.target = target::ask_for_password(invocation, destination.target)?;
    let reached = invocation.block_on(async |invocation| {
        invocation
            .watch(async |progress| {
                let test = Box::pin(profile::test(&destination, paths, &progress));
                Box::pin(progress.unless_cancelled(test)).await
            })
            .await
    });
    let Reached { server, level, manager } = reached.map_err(unreachable)?;
    let set_up = server.set_up;
    let document = json!({
        "profile": found.name,
        "ok": true,
        "server_version": server.version,
        "login": server.login,
        "tls": server.tls,
        "local": server.local,
        "set_up": set_up,
        "level": level,
        "manager": manager,
    });
    let transport = match (&server.tls, server.local) {
        (Some(version), _) => version.clone(),
        (None, true) => "none: a socket of this machine".to_owned(),
        (None, false) => "NONE: the network can read along".to_owned(),
    };
    let standing = match (level, manager, set_up) {
        (Some(level), ..) => level.to_string(),
        (None, true, _) => "manages the installation".to_owned(),
        (None, false, true) => "no operator of this database".to_owned(),
        (None, false, false) => "unknown".to_owned(),
    };
    invocation.answer(&document, |printer| {
        printer.pairs([
            ("profile", found.name.to_string()),
            ("server", format!("PostgreSQL {}", server.version)),
            ("login", server.login.clone()),
            ("TLS", transport),
            ("tenantdesk", if set_up { "set up" } else { "not set up" }.to_owned()),
            ("level", standing),
        ]);
    })?;
    if !set_up {
        invocation
            .printer
            .hint(&format!("`tenantdesk --profile {} setup` prepares it", found.name));
    }
    Ok(())
}

/// Whatever kept us out, the answer of this verb is that the server is not there for us.
fn unreachable(mut failure: Failure) -> Failure {
    if failure.kind == Kind::Refused {
        failure.kind = Kind::Server;
    }
    failure
}

fn remove(invocation: &mut Invocation, paths: &Paths, name: &str) -> Result<(), Failure> {
    let found = profile::find(paths, name)?;
    let with = match found.password {
        PasswordFrom::Keyring => " and its password in the keyring",
        PasswordFrom::File => " and its password in the encrypted file",
        PasswordFrom::Prompt | PasswordFrom::Variable(_) | PasswordFrom::None => "",
    };
    let question = format!("Remove profile {}{with}?", found.name);
    invocation.asker.confirm(&mut invocation.printer, &question)?;
    let Invocation { asker, printer, .. } = &mut *invocation;
    let removed = profile::remove(paths, found, &mut |wanted| asker.wanted(printer, wanted))?;
    let name = &removed.profile.name;
    invocation.printer.status(&format!("removed profile {name}"));
    if removed.was_default {
        invocation.printer.warning("it was the default: the embedded server is, now");
    }
    let document = json!({
        "removed": name,
        "password_removed": removed.password == Kept::Removed,
        "was_default": removed.was_default,
    });
    if let Kept::Left(why) = removed.password {
        let message = format!("profile {name} is removed, and its password is still where it was");
        return Err(Failure::new(Kind::Negative, message).caused_by(why.message));
    }
    invocation.answer(&document, |_| ())
}
