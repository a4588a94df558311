//! One record for a command line: open, read it, say where one can go from it, end.

use super::error::ImpersonationError;
use super::grid::RowKey;
use super::keyset::KeySet;
use super::links::{Links, row_values};
use super::page::RecordField;
use super::script::{ScriptReport, report};
use super::start::{StartPlan, open};
use super::statement::Impersonation;
use crate::console::Console;
use crate::failure::{Failure, Kind};
use crate::progress::Progress;

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRecord {
    /// The relation: as the map names it, or its last part where that is the only one.
    pub relation: String,
    /// The values of its primary key, in their order.
    pub key: Vec<String>,
}

/// A record and its neighbours.
#[derive(Debug)]
pub struct RecordReport {
    /// The session in which it was read; it has no statements.
    pub session: ScriptReport,
    /// The relation, as the map names it.
    pub relation: String,
    /// The values.
    pub fields: Vec<RecordField>,
    /// Where one can go from it.
    pub links: Links,
}

/// Opens the session, reads the record and ends the session.
///
/// # Errors
/// Where the session does not open, and where the record is not there or not this tenant's.
pub async fn run_record(
    console: &Console,
    plan: StartPlan,
    wanted: WantedRecord,
    progress: &Progress,
) -> Result<RecordReport, Failure> {
    progress.checkpoint()?;
    progress.enter("opening the session");
    let impersonation = open(console, plan).await?;
    let session = report(&impersonation);
    let read = progress
        .unless_cancelled(async { read(&impersonation, &wanted).await.map_err(Failure::from) });
    let read = Box::pin(read).await;
    if let Err(error) = impersonation.end("operator").await {
        progress.warn(format!("the session could not be ended and ends at its expiry: {error}"));
    }
    let (relation, fields, links) = read?;
    Ok(RecordReport { session, relation, fields, links })
}

async fn read(
    impersonation: &Impersonation,
    wanted: &WantedRecord,
) -> Result<(String, Vec<RecordField>, Links), ImpersonationError> {
    let known = impersonation.known(None).await?;
    let mut found = known.iter().filter(|relation| relation.name == wanted.relation);
    let found = found.next().or_else(|| {
        let last = |name: &str| name.rsplit('.').next() == Some(wanted.relation.as_str());
        let mut same = known.iter().filter(|relation| last(&relation.name));
        same.next().filter(|_| same.next().is_none())
    });
    let relation = found
        .ok_or_else(|| ImpersonationError::NotFound(format!("relation {}", wanted.relation)))?;
    let columns = match &relation.key {
        RowKey::Columns(columns) => columns,
        RowKey::Physical | RowKey::None => {
            let text =
                format!("{} has no primary key, so no record of it can be named", relation.name);
            return Err(ImpersonationError::Below(Failure::refused(text)));
        }
    };
    let mut values = wanted.key.clone();
    // The tenant is known: it need not be said as a part of the key.
    let tenant_key = impersonation.map.find(&relation.name).and_then(|mapped| mapped.key);
    let place = columns.iter().position(|column| Some(column) == tenant_key.as_ref());
    if let Some(place) = place.filter(|_| values.len() + 1 == columns.len()) {
        values.insert(place, impersonation.tenant.id.as_str().to_owned());
    }
    if columns.len() != values.len() {
        let text = format!("the key of {} is: {}", relation.name, columns.join(", "));
        let failure = Failure::new(Kind::Usage, text);
        return Err(ImpersonationError::Below(
            failure.hint("give one value for each, in this order"),
        ));
    }
    let key = KeySet(values.into_iter().map(Some).collect());
    let fields = impersonation.record(&relation.name, &key, None).await?;
    let links = impersonation.links(&relation.name, &row_values(&fields), true, None).await?;
    Ok((relation.name.clone(), fields, links))
}
