//! Doors: what every login gets from PUBLIC and what walks around a guard. They are closed with
//! consent, what the application had by them is kept for it, and how to open them again is noted.

use super::install::{Incomplete, InstallError, run};
use crate::postgres::{Ident, Sql, Transaction};

/// Closes what is open. What this login may not close stays open, and is told as incomplete.
///
/// # Errors
/// What the server says of our own records.
pub(super) async fn close(
    transaction: &Transaction<'_>,
    application_role: &str,
) -> Result<(), InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
    let doors = transaction
        .query(
            &Sql::new("select d.object, d.fix, pg_catalog.format(d.keep, $1::text), d.undo from tenantdesk.open_doors d where not exists (select from tenantdesk.exceptions e where e.object = d.object) order by 1"),
            &[&application_role],
        )
        .await?;
    run(transaction, Sql::new("reset role")).await?;
    for door in doors {
        let (object, fix, keep, undo): (String, String, String, String) =
            (door.get(0), door.get(1), door.get(2), door.get(3));
        let before = rights_of(transaction, application_role).await?;
        let both = [fix.clone(), keep.clone()].map(Sql::danger_declared_text);
        if !attempt(transaction, &both).await? {
            continue;
        }
        let given = rights_of(transaction, application_role).await? > before;
        let change = Change { object: &object, statement: &fix, kept: &keep, undo: &undo };
        note(transaction, change, given.then(|| opposite(&keep)).flatten()).await?;
    }
    Ok(())
}

/// The archivist stages rows in temporary tables, whatever PUBLIC may. Where this login may not grant
/// it, restores say what is missing.
///
/// # Errors
/// What the server says of the look.
pub(super) async fn let_the_archivist_stage(
    transaction: &Transaction<'_>,
) -> Result<(), InstallError> {
    let database: String = transaction
        .query_one(&Sql::new("select pg_catalog.current_database()::text"), &[])
        .await?
        .get(0);
    let grant = Sql::new("grant temporary on database ")
        .ident(&Ident::new(database))
        .text(" to tenantdesk_archivist");
    attempt(transaction, &[grant]).await.map(drop)
}

/// A change of the target, and how to undo it.
pub(super) struct Change<'c> {
    pub(super) object: &'c str,
    pub(super) statement: &'c str,
    pub(super) kept: &'c str,
    pub(super) undo: &'c str,
}

/// Notes a change, so that a removal can undo it. The first note of an object stays: what it undoes is
/// what was there before us.
///
/// # Errors
/// What the server says.
pub(super) async fn note(
    transaction: &Transaction<'_>,
    change: Change<'_>,
    unkeep: Option<String>,
) -> Result<(), InstallError> {
    let Change { object, statement, kept, undo } = change;
    run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
    transaction
        .execute(
            &Sql::new("insert into tenantdesk.guard_changes (object, change, kept, undo, unkeep) values ($1, $2, $3, $4, $5) on conflict (object) do nothing"),
            &[&object, &statement, &kept, &undo, &unkeep],
        )
        .await?;
    run(transaction, Sql::new("reset role")).await
}

/// How many rights a role holds by itself, on everything.
async fn rights_of(transaction: &Transaction<'_>, role: &str) -> Result<i64, InstallError> {
    let count = Sql::new(include_str!("sql/rights_of.sql"));
    Ok(transaction.query_one(&count, &[&role]).await?.get(0))
}

/// `GRANT .. TO ..` as `REVOKE .. FROM ..`; none where it grants nothing. What is granted to our own
/// roles is taken from them elsewhere.
fn opposite(grant: &str) -> Option<String> {
    let (what, roles) = grant.strip_prefix("GRANT ")?.rsplit_once(" TO ")?;
    let theirs = roles.split(", ").next().unwrap_or(roles);
    Some(format!("REVOKE {what} FROM {theirs}"))
}

/// Runs statements that may be refused: an object of another owner is not ours to change.
///
/// # Errors
/// What the server says of the savepoint.
pub(in crate::isolation) async fn attempt(
    transaction: &Transaction<'_>,
    statements: &[Sql],
) -> Result<bool, InstallError> {
    run(transaction, Sql::new("savepoint tenantdesk_attempt")).await?;
    for statement in statements {
        // By the extended protocol: one statement is one, whatever names in it say.
        if let Err(error) = transaction.execute(statement, &[]).await {
            tracing::info!(%error, "what setup may not close stays open");
            run(transaction, Sql::new("rollback to savepoint tenantdesk_attempt; release savepoint tenantdesk_attempt")).await?;
            return Ok(false);
        }
    }
    run(transaction, Sql::new("release savepoint tenantdesk_attempt")).await?;
    Ok(true)
}

/// What is open now, and what hides rows from an export.
///
/// # Errors
/// What the server says.
pub(super) async fn incomplete(
    transaction: &Transaction<'_>,
) -> Result<Vec<Incomplete>, InstallError> {
    run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
    let rows = transaction.query(&Sql::new(include_str!("sql/incomplete.sql")), &[]).await?;
    run(transaction, Sql::new("reset role")).await?;
    Ok(rows
        .iter()
        .map(|row| Incomplete { object: row.get(0), why: row.get(1), fix: row.get(2) })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_taken_back_from_the_application_alone() {
        assert_eq!(
            opposite("GRANT TEMPORARY ON DATABASE \"a TO b\" TO app, tenantdesk_archivist")
                .as_deref(),
            Some("REVOKE TEMPORARY ON DATABASE \"a TO b\" FROM app")
        );
        assert_eq!(opposite("ALTER FUNCTION f() SET search_path = a"), None);
    }
}
