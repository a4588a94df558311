//! The whole of the SQL that setup runs, to be read before: `--dry-run` prints it. Where rows of our
//! own are written, the values are those of this plan.

use serde::Serialize;

use super::desk::Standing;
use crate::failure::Failure;
use crate::isolation::guard::{GuardPlan, Incomplete, sources};
use crate::postgres::migrate::MIGRATIONS;
use crate::postgres::{Sql, Transaction};

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

/// Puts the script together.
#[must_use]
pub(super) fn script(standing: &Standing, guard: &GuardPlan, doors: &[Incomplete]) -> Script {
    let mut phases =
        vec![Phase { title: "roles and control schema", sql: sources::ENTER.to_owned() }];
    for migration in &MIGRATIONS[standing.migrations.min(MIGRATIONS.len())..] {
        phases.push(Phase { title: migration.name, sql: migration.sql.to_owned() });
    }
    phases.push(Phase {
        title: "what an earlier setup put on the tables is taken off",
        sql: sources::CLEAR.to_owned(),
    });
    phases
        .push(Phase { title: "the guard", sql: joined(guard.statements.iter().map(Sql::as_str)) });
    let closing =
        doors.iter().map(|door| door.fix.as_str()).filter(|fix| !fix.starts_with("INSERT"));
    phases.push(Phase {
        title: "what every login gets from PUBLIC is closed, with consent; the application keeps it",
        sql: joined(closing),
    });
    phases.push(Phase {
        title: "the login that ran setup gives the owners' roles back",
        sql: sources::LEAVE.to_owned(),
    });
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
    let excepted: Vec<String> = if standing.map.is_some() {
        let look = Sql::new("select object from tenantdesk.exceptions");
        transaction.query(&look, &[]).await?.iter().map(|row| row.get(0)).collect()
    } else {
        Vec::new()
    };
    Ok(rows
        .iter()
        .map(|row| Incomplete { object: row.get(0), why: row.get(1), fix: row.get(2) })
        .filter(|door| !excepted.contains(&door.object))
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
