//! Who may do what: this login, and the logins that no guard binds.

use super::check::{Check, Question};
use super::examine::Seen;
use crate::postgres::{ServerError, Sql};
use crate::text::screen;

pub(super) const LOGIN: Question = Question {
    name: "login",
    why: "the level of this login in this database decides what works; one that could escape opens no session",
};
pub(super) const BYPASS: Question = Question {
    name: "bypass",
    why: "these logins read every tenant whatever the guard says, and leave no record",
};

/// Why a function of ours could not be asked.
pub(super) fn needs_operator(error: &ServerError) -> String {
    match error.state() {
        Some("22023" | "42704" | "3F000" | "42883") => {
            "this database was never set up for tenantdesk".to_owned()
        }
        Some("42501") => "it needs a level, and this login has none in this database".to_owned(),
        _ => error.to_string(),
    }
}

/// The level of this login, and whether it could escape.
pub(super) async fn login(seen: &Seen) -> Check {
    let sql =
        Sql::new("select w.operator, w.level, w.shared, w.manager from tenantdesk.whoami() w");
    let row = match seen.rows_as_operator(&sql).await {
        Ok(rows) => match rows.into_iter().next() {
            Some(row) => row,
            None => return LOGIN.not_run("nobody is connected"),
        },
        Err(error) if error.state() == Some("42501") => {
            return LOGIN.warn(
                "it is no operator of this database",
                "an admin can run `tenantdesk operator add NAME --level LEVEL`",
            );
        }
        Err(error) => return LOGIN.not_run(needs_operator(&error)),
    };
    let name = screen(row.get(0));
    let (level, shared, manager): (Option<String>, bool, bool) =
        (row.get(1), row.get(2), row.get(3));
    match (level, manager) {
        (None, false) => LOGIN.warn(
            format!("{name} has no level in this database"),
            format!("an admin can run `tenantdesk operator add {name} --level LEVEL`"),
        ),
        (None, true) => LOGIN.ok(format!(
            "{name} manages this installation: operators, plans and the map; it opens no tenant session"
        )),
        (Some(level), _) if shared => LOGIN.warn(
            format!("{name} has level {level} and is shared: each record says so, and it never writes"),
            "give each person a login of their own",
        ),
        (Some(level), _) => escaping(seen, &name, &level).await,
    }
}

/// What makes an operator's login too powerful, as far as any login can see: `open_session` asks the same.
async fn escaping(seen: &Seen, name: &str, level: &str) -> Check {
    let sql = Sql::new(
        "select r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolinherit, \
         (select pg_catalog.string_agg(g.rolname, ', ') from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.roleid \
           where m.member = r.oid and g.rolname !~ '^tenantdesk_') \
         from pg_catalog.pg_roles r where r.rolname = session_user",
    );
    let row = match seen.row(&sql).await {
        Ok(row) => row,
        Err(error) => return LOGIN.not_run(error.to_string()),
    };
    let (attributes, member): (bool, Option<String>) = (row.get(0), row.get(1));
    let fix = "a personal login made by `tenantdesk operator add` has nothing but its level";
    if attributes {
        return LOGIN.fail(format!("{name} has attributes of its own or inherits rights"), fix);
    }
    match member {
        Some(roles) => LOGIN.fail(format!("{name} is a member of {}", screen(&roles)), fix),
        None => LOGIN.ok(format!("{name} has level {level}")),
    }
}

/// Logins that no guard binds.
pub(super) async fn bypass(seen: &Seen) -> Check {
    let rows = match seen.rows(&Sql::new(include_str!("sql/bypass.sql"))).await {
        Ok(rows) => rows,
        Err(error) => return BYPASS.not_run(error.to_string()),
    };
    let mut told = Vec::new();
    let (mut odd, mut operators) = (Vec::new(), Vec::new());
    for row in &rows {
        let (login, why): (String, String) = (screen(row.get(0)), row.get(1));
        let (expected, operator): (bool, bool) = (row.get(2), row.get(3));
        if operator {
            operators.push(login.clone());
        } else if !expected {
            odd.push(login.clone());
        }
        told.push(format!("{login} ({why})"));
    }
    let seen = if told.is_empty() { "none".to_owned() } else { told.join(", ") };
    if !operators.is_empty() {
        let fix = format!("take these rights from operators: {}", operators.join(", "));
        BYPASS.fail(seen, fix)
    } else if odd.is_empty() {
        BYPASS.ok(seen)
    } else {
        let fix = format!("see whether they have to log in, and need that: {}", odd.join(", "));
        BYPASS.warn(seen, fix)
    }
}
