//! Whether several ways from a relation to its tenant agree: counted in the database, as far as the
//! login of setup sees the rows, and for a short time only.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::desk::SetupDesk;
use crate::failure::Failure;
use crate::isolation::discover::Agreement;
use crate::isolation::map::{Step, parse_name};
use crate::postgres::{Ident, Sql};

/// How long one count may take.
const PATIENCE: &str = "2s";
/// How long all of them may take.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(10);

/// Rows whose ways to a tenant do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The relation, plain name.
    pub relation: String,
    /// The other way, as its last parent.
    pub through: String,
    /// How many rows disagree; none where they could not be counted in time.
    pub rows: Option<i64>,
}

/// Counts the rows that disagree; ways that agree are left out.
///
/// # Errors
/// What the server says of the transaction.
pub(super) async fn disagreements(
    desk: &SetupDesk,
    agreements: &[Agreement],
) -> Result<Vec<Disagreement>, Failure> {
    let mut found = Vec::new();
    let began = Instant::now();
    for agreement in agreements {
        if began.elapsed() > PATIENCE_FOR_ALL {
            found.push(unknown(agreement));
            continue;
        }
        let transaction = desk.snapshot().await?;
        let patience = Sql::new("set local statement_timeout = '").text(PATIENCE).text("'");
        transaction.batch(&patience).await?;
        let counted = transaction.query_one(&count(agreement), &[]).await;
        let rows = match counted {
            Ok(row) => Some(row.get::<_, i64>(0)),
            // Its time was over, or this login may not look at a parent.
            Err(error) if matches!(error.state(), Some("57014" | "42501")) => None,
            Err(error) => return Err(error.into()),
        };
        if rows != Some(0) {
            found.push(Disagreement { rows, ..unknown(agreement) });
        }
    }
    Ok(found)
}

/// A pair of ways that was not counted.
fn unknown(agreement: &Agreement) -> Disagreement {
    let last = agreement.other.last();
    Disagreement {
        relation: agreement.relation.clone(),
        through: last.map_or_else(String::new, |step| step.references.clone()),
        rows: None,
    }
}

/// The count of rows where both ways end, and end at different tenants.
fn count(agreement: &Agreement) -> Sql {
    let (taken, taken_end) = joined(&agreement.taken, "taken");
    let (other, other_end) = joined(&agreement.other, "other");
    Sql::fill(
        "select count(*) from {relation} as t {taken} {other} where {taken_end}.{taken_key}::text <> {other_end}.{other_key}::text",
        &[
            ("relation", &Sql::from(&parse_name(&agreement.relation))),
            ("taken", &taken),
            ("other", &other),
            ("taken_end", &taken_end),
            ("other_end", &other_end),
            ("taken_key", &Sql::from(&Ident::new(&agreement.taken_key))),
            ("other_key", &Sql::from(&Ident::new(&agreement.other_key))),
        ],
    )
}

/// The joins along a way, and the alias at its end.
fn joined(path: &[Step], name: &'static str) -> (Sql, Sql) {
    let (mut joins, mut end) = (Vec::new(), Sql::new("t"));
    for (step, depth) in path.iter().zip(1_u64..) {
        let alias = Sql::new(name).number(depth);
        let mut on = Vec::new();
        for (here, there) in step.columns.iter().zip(&step.referenced) {
            on.push(Sql::fill(
                "{alias}.{there}::text = {end}.{here}::text",
                &[
                    ("alias", &alias),
                    ("there", &Sql::from(&Ident::new(there))),
                    ("end", &end),
                    ("here", &Sql::from(&Ident::new(here))),
                ],
            ));
        }
        joins.push(Sql::fill(
            "join {parent} as {alias} on {on}",
            &[
                ("parent", &Sql::from(&parse_name(&step.references))),
                ("alias", &alias),
                ("on", &Sql::join(&on, " and ")),
            ],
        ));
        end = alias;
    }
    (Sql::join(&joins, " "), end)
}
