//! Reads the database, proposes, and plans: nothing is changed. What is shown here is what
//! [`super::apply()`] runs.

use super::agreement::{Disagreement, disagreements};
use super::desk::{SetupDesk, Standing, standing};
use super::drift::{Drift, drift};
use super::error::SetupError;
use super::rights;
use super::script::{Script, Told, doors, script};
use crate::catalog::{Catalog, load};
use crate::failure::Failure;
use crate::isolation::discover::{Decisions, Hints, Proposal, discover};
use crate::isolation::guard::{Extras, Incomplete, fingerprint, plan, sources};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::Fault;
use crate::isolation::template::{self, Need};
use crate::postgres::{Sql, Transaction};

/// What setup is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// What the flags say.
    pub hints: Hints,
    /// A whole map that somebody reviewed, in the place of what would be found.
    pub map: Option<RelationMap>,
    /// Whether the suspended guard is put back.
    pub resume: bool,
    /// A policy for every role where no event trigger can be made.
    pub pin_public: bool,
    /// Whether what every login gets from PUBLIC stays as it is.
    pub keep_public: bool,
    /// Triggers on the counted tables; as before where it is not said.
    pub limits: Option<bool>,
}

/// A plan of setup.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// How the database stands.
    pub standing: Standing,
    /// What was found, and why.
    pub proposal: Proposal,
    /// What will be installed.
    pub map: RelationMap,
    /// What was decided, flags included; kept with the installation.
    pub decisions: Decisions,
    /// How the schema has moved on since the last setup.
    pub drift: Vec<Drift>,
    /// What is no longer as the last setup left it.
    pub faults: Vec<Fault>,
    /// What every login gets from PUBLIC, and the statement that closes it.
    pub doors: Vec<Incomplete>,
    /// Every statement, in order.
    pub script: Script,
    /// Whether limits are enforced by triggers.
    pub limits: bool,
    /// Rows whose several ways to a tenant do not agree.
    pub disagreements: Vec<Disagreement>,
    /// What `tenant create` cannot know by itself.
    pub needs: Vec<Need>,
    /// Whether the same is installed already and nothing is wrong with it.
    pub up_to_date: bool,
}

/// What was found in a database, without a plan.
#[derive(Debug, Clone)]
pub struct Found {
    /// How the database stands.
    pub standing: Standing,
    /// What was decided, flags included.
    pub decisions: Decisions,
    /// The snapshot.
    pub catalog: Catalog,
    /// The proposal.
    pub proposal: Proposal,
}

/// Reads and proposes, whatever rights the login has and whatever is undecided.
///
/// # Errors
/// What the server says, or a decision that contradicts the catalogs.
pub async fn propose(desk: &SetupDesk, request: &Request) -> Result<Found, Failure> {
    let transaction = desk.snapshot().await?;
    let found = find(&transaction, request).await?;
    transaction.commit().await?;
    Ok(found)
}

/// As [`propose`], in a transaction.
async fn find(transaction: &Transaction<'_>, request: &Request) -> Result<Found, Failure> {
    let standing = standing(transaction).await?;
    let mut decisions = match &request.map {
        Some(map) => Decisions::from_map(map),
        None => standing.decisions.clone(),
    };
    decisions.hints.take(&request.hints);
    let catalog = load(transaction, None).await?;
    let proposal = discover(&catalog, &decisions)?;
    Ok(Found { standing, decisions, catalog, proposal })
}

/// Plans.
///
/// # Errors
/// [`SetupError`]: undecided relations, open questions, missing rights; or what the server says.
pub async fn prepare(desk: &SetupDesk, request: &Request) -> Result<Prepared, Failure> {
    let transaction = desk.snapshot().await?;
    let Found { standing, decisions, proposal, .. } = find(&transaction, request).await?;
    refuse(&standing, request)?;
    if !proposal.undecided.is_empty() {
        return Err(SetupError::Undecided(proposal.undecided).into());
    }
    let Some(map) = proposal.map.clone() else {
        return Err(SetupError::Questions(proposal.questions).into());
    };
    let missing = rights::missing(&transaction, &map).await?;
    if !missing.is_empty() {
        return Err(SetupError::Rights { login: standing.login, missing }.into());
    }
    // Rights are mirrored from the application's, so they are read again for the role that was found.
    let catalog = load(&transaction, Some(&map.application_role)).await?;
    let limits = request.limits.unwrap_or(standing.limits) && !map.metrics.is_empty();
    let pin_public = request.pin_public || standing.pin_public;
    let pinned = pin_public && !standing.has_trigger && !may_make_triggers(&standing, request);
    let guard = plan(&map, &catalog, Extras { limits, pin_public: pinned })?;
    let doors = doors(&transaction, &standing, &guard).await?;
    let faults = faults(&transaction, &standing).await?;
    let needed = transaction.query(&Sql::new(sources::NEEDED_FUNCTIONS), &[]).await?;
    let needed: Vec<String> = needed.iter().map(|row| row.get(0)).collect();
    transaction.commit().await?;
    let disagreements = disagreements(desk, &proposal.agreements).await?;
    let installed = standing.map.as_ref();
    let drift = installed.map_or_else(Vec::new, |map| drift(map, proposal.map.as_ref(), &catalog));
    let same = standing.fingerprint.as_deref() == Some(fingerprint(&map).as_str());
    // Rights and policies of the application that changed since make another guard.
    let in_step = standing.guard.as_deref() == Some(guard.digest().as_str());
    let up_to_date = same && in_step && faults.is_empty() && drift.is_empty();
    let script = script(&Told {
        standing: &standing,
        map: &map,
        guard: &guard,
        doors: &doors,
        needed: &needed,
        keep_public: request.keep_public,
    });
    let needs = match map.provision {
        Some(_) => template::propose(&map, &catalog).needs,
        None => Vec::new(),
    };
    Ok(Prepared {
        standing,
        proposal,
        map,
        decisions,
        drift,
        faults,
        doors,
        script,
        limits,
        disagreements,
        needs,
        up_to_date,
    })
}

/// Whether this login will make the event trigger, so that nothing has to be pinned for every role. Of
/// a login that is no superuser only the attempt tells.
fn may_make_triggers(standing: &Standing, request: &Request) -> bool {
    standing.superuser && !request.keep_public
}

/// What cannot be, however the schema looks.
fn refuse(standing: &Standing, request: &Request) -> Result<(), SetupError> {
    if standing.controlled && !standing.manager && !standing.superuser {
        return Err(SetupError::NotManager(standing.login.clone()));
    }
    match &standing.suspended {
        Some(since) if !request.resume => Err(SetupError::Suspended(since.clone())),
        None if request.resume => Err(SetupError::NotSuspended),
        _ => Ok(()),
    }
}

/// What is wrong with the present installation.
async fn faults(transaction: &Transaction<'_>, standing: &Standing) -> Result<Vec<Fault>, Failure> {
    if standing.map.is_none() {
        return Ok(Vec::new());
    }
    transaction.batch(&Sql::new("set local role tenantdesk_operator")).await?;
    let rows =
        transaction.query(&Sql::new("select object, fault from tenantdesk.faults()"), &[]).await?;
    transaction.batch(&Sql::new("reset role")).await?;
    Ok(rows.iter().map(|row| Fault { object: row.get(0), fault: row.get(1) }).collect())
}
