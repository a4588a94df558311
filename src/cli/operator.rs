//! `operator list|add|password|level|remove`.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::args::operator::{Add, Operator as Verb, PasswordFrom, SetPassword};
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::failure::{Failure, Kind};
use crate::format;
use crate::lifecycle::operators::{self as logins, AddOperator, Credential};
use crate::tenant::operators::{self, Gone, Login};

/// What is said of a login that another database of the server made.
const JOINED: &str = "another database of this server has this operator too: the login is the same, its password is unchanged";
/// What is said of a login that stays.
const KEPT: &str = "another database of this server has this operator too: the login stays, and works there as before";

/// Runs a verb of `operator`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => list(invocation),
        Verb::Add(add) => self::add(invocation, add),
        Verb::Password(set) => set_password(invocation, &set),
        Verb::Level(set) => {
            let question = format!(
                "Give operator {} level {}? Sessions that are open end.",
                set.name, set.level
            );
            invocation.asker.confirm(&mut invocation.printer, &question)?;
            with_console(invocation, async |console, _| {
                Ok(operators::level(console, &set.name, set.level).await?)
            })?;
            invocation.printer.status(&format!("operator {} has level {}", set.name, set.level));
            invocation
                .answer(&json!({ "operator": { "name": set.name, "level": set.level } }), |_| ())
        }
        Verb::Remove(name) => {
            let question =
                format!("Remove operator {}, end their sessions and drop their login?", name.name);
            invocation.asker.confirm(&mut invocation.printer, &question)?;
            let gone = with_console(invocation, async |console, progress| {
                logins::remove(console, &name.name, progress).await
            })?;
            let login = match gone {
                Gone::Dropped => "dropped",
                Gone::Kept => "kept",
            };
            invocation.printer.status(&format!("removed operator {}", name.name));
            if gone == Gone::Kept {
                invocation.printer.status(KEPT);
            }
            invocation.answer(&json!({ "removed": name.name, "login": login }), |_| ())
        }
    }
}

/// `operator add`: address and password are data, because the password is shown once.
fn add(invocation: &mut Invocation, add: Add) -> Result<(), Failure> {
    let source = if add.certificate { Some(PasswordFrom::None) } else { add.password };
    let credential = match source {
        None => None,
        Some(PasswordFrom::None) => Some(Credential::Without),
        Some(PasswordFrom::Generate) => Some(Credential::Drawn),
        Some(from) => chosen(invocation, from)?.map(Credential::Chosen),
    };
    let ask = AddOperator { name: add.name, level: add.level, shared: add.shared, credential };
    let added = with_console(invocation, async |console, progress| {
        logins::add(console, ask, progress).await
    })?;
    invocation.printer.status(&format!("added operator {} with level {}", added.name, added.level));
    if added.login == Login::Joined {
        invocation.printer.status(JOINED);
    }
    let password = added.password.as_ref().map(ExposeSecret::expose_secret);
    let document = json!({
        "operator": { "name": added.name, "level": added.level, "shared": added.shared },
        "url": added.url,
        "password": password,
        "login": if added.login == Login::Made { "made" } else { "joined" },
    });
    invocation.answer(&document, |printer| {
        printer.line(&added.url);
        if let Some(password) = password {
            printer.line(&format!("password, shown only now: {password}"));
        }
    })
}

/// `operator password`.
fn set_password(invocation: &mut Invocation, set: &SetPassword) -> Result<(), Failure> {
    if set.password == PasswordFrom::None {
        let message = "`operator password` sets one; a login without is made by `operator add`";
        return Err(Failure::new(Kind::Usage, message));
    }
    let chosen = chosen(invocation, set.password)?;
    let drawn = with_console(invocation, async |console, _| {
        logins::set_password(console, &set.name, chosen).await
    })?;
    invocation.printer.status(&format!("operator {} has a new password", set.name));
    let password = drawn.as_ref().map(ExposeSecret::expose_secret);
    invocation.answer(
        &json!({ "operator": { "name": set.name }, "password": password }),
        |printer| {
            if let Some(password) = password {
                printer.line(&format!("password, shown only now: {password}"));
            }
        },
    )
}

/// A password that a person chose; none where it is to be drawn.
fn chosen(
    invocation: &mut Invocation,
    from: PasswordFrom,
) -> Result<Option<SecretString>, Failure> {
    match from {
        PasswordFrom::Generate | PasswordFrom::None => Ok(None),
        PasswordFrom::Prompt => {
            invocation.asker.twice(&mut invocation.printer, "New password").map(Some)
        }
        PasswordFrom::Stdin => invocation.asker.secret_line().map(Some),
    }
}

/// `operator list`.
fn list(invocation: &mut Invocation) -> Result<(), Failure> {
    let operators = reading(invocation, async |console, _| Ok(operators::list(console).await?))?;
    let operators = Shown::first(invocation, operators);
    invocation.answer(&operators.document("operators", &operators.rows), |printer| {
        let mut table =
            Table::new(["NAME", "LEVEL", "SHARED", "SINCE", "ADDED BY"].map(Column::left));
        for operator in &operators.rows {
            table.row([
                operator.name.as_str(),
                operator.level.as_str(),
                if operator.shared { "yes" } else { "no" },
                &format::time(operator.added_at),
                &operator.added_by,
            ]);
        }
        printer.table(&table);
    })?;
    operators.say_what_is_cut(invocation, "operators");
    Ok(())
}
