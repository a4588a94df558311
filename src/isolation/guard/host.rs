//! What only the host of the database can close: definitions by operators, DROP OWNED among them.
//! An event trigger does it; making one is a superuser's right, or one that a cloud gives its
//! first login. Where it is refused, setup goes on and says what stays open.

use super::doors::{Change, attempt, note};
use super::install::InstallError;
use crate::postgres::{Sql, Transaction};

/// The function and the event trigger; also run on the embedded server by its superuser.
pub const REFUSE_DEFINITIONS: &str = include_str!("sql/refuse_definitions.sql");

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
    if !attempt(transaction, &[Sql::new(REFUSE_DEFINITIONS)]).await? {
        return Ok(false);
    }
    let change = Change {
        object: "DROP OWNED",
        statement: "create event trigger tenantdesk_refuse_definitions",
        kept: "",
        undo: "drop event trigger tenantdesk_refuse_definitions; drop schema tenantdesk_host cascade",
    };
    note(transaction, change, None).await?;
    Ok(true)
}
