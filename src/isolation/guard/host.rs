//! What only the host of the database can close: definitions by operators, DROP OWNED among them.
//! An event trigger does it; making one is a superuser's right, or one that a cloud gives its
//! first login. Where it is refused, setup goes on and says what stays open.

use super::doors::{Change, note};
use super::install::{InstallError, run};
use crate::postgres::{Sql, Transaction};

/// The function and the event trigger; on the embedded server its superuser runs the same.
const REFUSE_DEFINITIONS: &str = super::sources::REFUSE_DEFINITIONS;

/// Makes the event trigger where this login may, and says whether there is one.
///
/// # Errors
/// What the server says of the look.
pub(super) async fn refuse_definitions(
    transaction: &Transaction<'_>,
) -> Result<bool, InstallError> {
    let look = Sql::new(
        "select exists (select from pg_catalog.pg_event_trigger t where t.evtname = 'tenantdesk_refuse_definitions' and t.evtenabled in ('O', 'A'))",
    );
    if transaction.query_one(&look, &[]).await?.get(0) {
        return Ok(true);
    }
    run(transaction, Sql::new("savepoint tenantdesk_host")).await?;
    if let Err(error) = transaction.batch(&Sql::new(REFUSE_DEFINITIONS)).await {
        tracing::info!(%error, "no event trigger can be made");
        let back = "rollback to savepoint tenantdesk_host; release savepoint tenantdesk_host";
        run(transaction, Sql::new(back)).await?;
        return Ok(false);
    }
    run(transaction, Sql::new("release savepoint tenantdesk_host")).await?;
    let change = Change {
        object: "DROP OWNED",
        statement: "create event trigger tenantdesk_refuse_definitions",
        kept: "",
        undo: "drop schema tenantdesk_host cascade",
    };
    note(transaction, change, None).await?;
    Ok(true)
}
