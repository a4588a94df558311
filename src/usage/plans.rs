//! Plans: what an installation starts with, `plan list`, `plan show`, and setting a limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use crate::audit::Attested;
use crate::console::{Console, ConsoleError};
use crate::failure::{Explain, Kind};
use crate::postgres::Sql;
use crate::text::Untrusted;

/// The plans of a new embedded server.
const STARTER: &str = include_str!("../../assets/starter/plans.toml");

/// A plan and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its name, as tenants carry it.
    pub name: Untrusted,
    /// Its name for people.
    pub title: Untrusted,
    /// Its limits, by metric; a metric without one is unlimited.
    pub limits: Vec<PlanLimit>,
}

/// One limit of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanLimit {
    /// What is counted.
    pub metric: Untrusted,
    /// `count` or `bytes`.
    pub unit: Untrusted,
    /// `total` or `month`.
    pub period: Untrusted,
    /// Where a warning begins.
    pub soft: Option<i64>,
    /// What the database lets nobody pass.
    pub hard: Option<i64>,
}

/// Why plans could not be told or loaded.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The gate.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// No plan has that name.
    #[error("plan not found: `{name}`")]
    NotFound {
        /// What was asked for.
        name: String,
        /// The plans there are.
        known: Vec<String>,
    },
    /// The file of the starter plans is wrong, which is a fault of this program.
    #[error("the plans of the starter schema cannot be read: {0}")]
    Document(String),
}

impl Explain for PlanError {
    fn kind(&self) -> Kind {
        match self {
            Self::Console(error) => error.kind(),
            Self::NotFound { .. } => Kind::Refused,
            Self::Document(_) => Kind::Internal,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.hints(),
            Self::NotFound { known, .. } if !known.is_empty() => {
                vec![format!("use one of: {}", known.join(", "))]
            }
            Self::NotFound { .. } | Self::Document(_) => Vec::new(),
        }
    }

    fn logged(&self) -> Option<String> {
        match self {
            Self::Console(error) => error.logged(),
            Self::NotFound { .. } | Self::Document(_) => None,
        }
    }
}

/// The file of the starter plans.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    soft_percent: i64,
    plan: Vec<Declared>,
}

/// One plan of the file; its limits are hard, and the soft ones a share of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    title: String,
    limits: BTreeMap<String, i64>,
}

/// The file as the database takes it.
fn document(text: &str) -> Result<serde_json::Value, PlanError> {
    let read: Document = toml::from_str(text).map_err(|e| PlanError::Document(e.to_string()))?;
    let plans: Vec<_> = read
        .plan
        .iter()
        .map(|plan| {
            let limits: BTreeMap<_, _> = plan
                .limits
                .iter()
                .map(|(metric, hard)| {
                    let soft = i128::from(*hard) * i128::from(read.soft_percent) / 100;
                    let soft = i64::try_from(soft).unwrap_or(*hard);
                    (metric, json!({ "soft": soft, "hard": hard }))
                })
                .collect();
            json!({ "name": plan.name, "title": plan.title, "limits": limits })
        })
        .collect();
    Ok(plans.into())
}

/// Loads the starter plans where no plan is known yet, and gives how many were added. For the
/// manager of the installation or an admin; one entry in the ledger.
///
/// # Errors
/// [`PlanError`]; nothing was changed then.
pub async fn load(console: &Console) -> Result<i32, PlanError> {
    let document = document(STARTER)?;
    let rows = console.call(Attested::plans_load(&document, &console.request().as_uuid())).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// All plans in the order in which they were added.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Plan>, ConsoleError> {
    let sql = Sql::new(
        "select plan, title, metric, unit, period, soft, hard from tenantdesk.plan_list()",
    );
    let mut plans: Vec<Plan> = Vec::new();
    for row in console.query(&sql, &[]).await? {
        let text = |column: usize| Untrusted::from(row.get::<_, String>(column));
        let name = text(0);
        if plans.last().is_none_or(|last| last.name != name) {
            plans.push(Plan { name, title: text(1), limits: Vec::new() });
        }
        if let (Some(plan), Some(metric)) = (plans.last_mut(), row.get::<_, Option<String>>(2)) {
            plan.limits.push(PlanLimit {
                metric: metric.into(),
                unit: text(3),
                period: text(4),
                soft: row.get(5),
                hard: row.get(6),
            });
        }
    }
    Ok(plans)
}

/// One plan.
///
/// # Errors
/// [`PlanError::NotFound`] with the plans there are.
pub async fn show(console: &Console, name: &str) -> Result<Plan, PlanError> {
    let mut plans = list(console).await?;
    match plans.iter().position(|plan| plan.name.raw() == name) {
        Some(index) => Ok(plans.swap_remove(index)),
        None => Err(PlanError::NotFound {
            name: name.to_owned(),
            known: plans.iter().map(|plan| plan.name.screen()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_plans_have_soft_limits_at_their_share() {
        let plans = document(STARTER).unwrap();
        assert_eq!(plans[0]["name"], "starter");
        assert_eq!(plans[0]["limits"]["users"], json!({ "soft": 4, "hard": 5 }));
        assert_eq!(plans[2]["limits"]["ai_runs"]["hard"], 50_000_000);
        assert!(document("soft_percent = 80").is_err());
    }
}
