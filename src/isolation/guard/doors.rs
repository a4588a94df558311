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
        let both = [fix.clone(), keep.clone()].map(Sql::danger_declared_text);
        if !attempt(transaction, &both).await? {
            continue;
        }
        run(transaction, Sql::new("set local role tenantdesk_owner")).await?;
        transaction
            .execute(
                &Sql::new("insert into tenantdesk.guard_changes (object, change, kept, undo) values ($1, $2, $3, $4) on conflict (object) do nothing"),
                &[&object, &fix, &keep, &undo],
            )
            .await?;
        run(transaction, Sql::new("reset role")).await?;
    }
    // The archivist stages rows in temporary tables; where TEMP was never PUBLIC it needs it as well.
    let database: String = transaction
        .query_one(&Sql::new("select pg_catalog.current_database()::text"), &[])
        .await?
        .get(0);
    let grant = Sql::new("grant temporary on database ")
        .ident(&Ident::new(database))
        .text(" to tenantdesk_archivist");
    attempt(transaction, &[grant]).await.map(drop)
}

/// Runs statements that may be refused: an object of another owner is not ours to change.
pub(super) async fn attempt(
    transaction: &Transaction<'_>,
    statements: &[Sql],
) -> Result<bool, InstallError> {
    run(transaction, Sql::new("savepoint tenantdesk_attempt")).await?;
    for statement in statements {
        if let Err(error) = transaction.batch(statement).await {
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
