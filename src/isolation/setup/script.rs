//! The whole of the SQL that setup runs, to be read before: `--dry-run` prints it. Where rows of our
//! own are written, the values are those of this plan.

use serde::Serialize;

use super::desk::Standing;
use crate::failure::Failure;
use crate::isolation::guard::{GuardPlan, Incomplete, application_grants, sources};
use crate::isolation::map::RelationMap;
use crate::postgres::migrate::MIGRATIONS;
use crate::postgres::{Ident, Sql, Transaction};

/// One part of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// What it does.
    pub title: &'static str,
    /// Its statements.
    pub sql: String,
}

/// The script, in order; all of it is one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Script(pub Vec<Phase>);

impl Script {
    /// The text of the script, ready to be read.
    #[must_use]
    pub fn text(&self) -> String {
        let part = |phase: &Phase| format!("-- {}\n{}\n", phase.title, phase.sql.trim_end());
        let parts: Vec<String> = self.0.iter().map(part).collect();
        format!("begin;\n{}commit;\n", parts.join("\n"))
    }
}

/// What the script is told from.
pub(super) struct Told<'t> {
    pub(super) standing: &'t Standing,
    pub(super) map: &'t RelationMap,
    pub(super) guard: &'t GuardPlan,
    pub(super) doors: &'t [Incomplete],
    /// Functions of the application that operators need by name.
    pub(super) needed: &'t [String],
    /// Whether the doors stay open.
    pub(super) keep_public: bool,
}

/// Puts the script together, in the order of an installation.
#[must_use]
pub(super) fn script(told: &Told<'_>) -> Script {
    let Told { standing, map, guard, .. } = told;
    let phase = |title, sql: &str| Phase { title, sql: sql.to_owned() };
    let mut phases = vec![phase("roles and control schema", sources::ENTER)];
    for migration in &MIGRATIONS[standing.migrations.min(MIGRATIONS.len())..] {
        phases.push(phase(migration.name, migration.sql));
    }
    if !told.keep_public {
        if !standing.has_trigger {
            let title = "where this login may: an event trigger against definitions by operators";
            phases.push(phase(title, sources::REFUSE_DEFINITIONS));
        }
        let closing = told.doors.iter().map(|door| door.fix.as_str());
        phases.push(Phase {
            title: "what every login gets from PUBLIC is closed, with consent; what the application had by it is granted to its role",
            sql: joined(closing),
        });
    }
    phases.push(phase("what an earlier setup put on the tables is taken off", sources::CLEAR));
    let statements = guard.statements.iter().map(Sql::as_str);
    phases.push(Phase { title: "the guard", sql: joined(statements) });
    let application = application_grants(&map.application_role);
    let staging = format!(
        "grant temporary on database {} to tenantdesk_archivist",
        Ident::new(&standing.database)
    );
    let needed = told
        .needed
        .iter()
        .map(|routine| format!("grant execute on routine {routine} to the roles of the guard"));
    let rights: Vec<String> =
        [application.as_str().to_owned(), staging].into_iter().chain(needed).collect();
    phases.push(Phase {
        title: "rights of the application on our functions, of restores on temporary tables, of operators on functions that policies and defaults call",
        sql: joined(rights.iter().map(String::as_str)),
    });
    phases.push(phase("the login that ran setup gives the owners' roles back", sources::LEAVE));
    Script(phases)
}

/// Statements, each with its semicolon.
fn joined<'s>(statements: impl Iterator<Item = &'s str>) -> String {
    let mut text = String::new();
    for statement in statements {
        text.push_str(statement);
        text.push_str(";\n");
    }
    text
}

/// What is open to every login now. The same query as the view of the control schema, which may not
/// be there yet: it is cut out of the migration that makes it.
///
/// # Errors
/// What the server says.
pub(super) async fn doors(
    transaction: &Transaction<'_>,
    standing: &Standing,
    guard: &GuardPlan,
) -> Result<Vec<Incomplete>, Failure> {
    let classes: Vec<serde_json::Value> = guard
        .forms
        .iter()
        .map(|(relation, oid, _)| {
            serde_json::json!({ "relation": oid, "class": relation.class.as_str() })
        })
        .collect();
    let rows = transaction
        .query(&Sql::danger_declared_text(query()), &[&serde_json::Value::Array(classes)])
        .await?;
    Ok(rows
        .iter()
        .map(|row| Incomplete { object: row.get(0), why: row.get(1), fix: row.get(2) })
        .filter(|door| !standing.excepted.contains(&door.object))
        .collect())
}

/// The query of the view `tenantdesk.open_doors`, over the relations of a plan ($1).
fn query() -> String {
    const BEGIN: &str = "create view tenantdesk.open_doors as";
    let text = MIGRATIONS.iter().find_map(|migration| migration.sql.split_once(BEGIN));
    let body = text.and_then(|(_, after)| after.split_once(";\n")).map_or("", |(body, _)| body);
    let relations = "(select x.* from pg_catalog.jsonb_to_recordset($1::jsonb) as x (relation oid, class text))";
    format!(
        "select d.object, d.why, d.fix from ({}) d order by 1",
        body.replace("tenantdesk.relations", relations)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_the_doors_is_found_in_its_migration() {
        let query = query();
        assert!(query.contains("REVOKE TEMPORARY ON DATABASE"), "{query}");
        assert!(query.matches("jsonb_to_recordset").count() == 2, "{query}");
        assert!(!query.contains("tenantdesk.relations"));
    }
}
