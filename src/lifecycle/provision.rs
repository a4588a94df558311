//! `tenant create`: one transaction makes the tenant, its admin user, the owner membership, the
//! settings and the default workspace, all inside the tenant's own row level security context.
//! All or nothing: a failure leaves no row behind, and its attempt in the ledger.

use argon2::{Argon2, PasswordHasher};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use thiserror::Error;
use uuid::Uuid;

use super::template;
use crate::audit::{Entry, Verb};
use crate::console::{Console, Undertaking};
use crate::failure::{Explain, Failure, Kind};
use crate::identity::{DisplayName, Email, Purpose, Reason, TenantId, TenantSlug};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::installed_map;
use crate::postgres::{Isolation, Meaning, ServerError, Sql};
use crate::progress::Progress;
use crate::tenant::directory::{self, Tenant};
use crate::tenant::password;
use crate::tenant::session::{OpenSession, SessionRole, open};
use crate::text::Untrusted;

/// What a new tenant is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTenant {
    /// Its name.
    pub name: DisplayName,
    /// Its slug; proposed from the name where it is not given.
    pub slug: Option<TenantSlug>,
    /// The e-mail address of its first admin.
    pub admin_email: Email,
    /// The admin's name; the part before the `@` where it is not given.
    pub admin_name: Option<DisplayName>,
    /// Its plan; the first plan where it is not given.
    pub plan: Option<String>,
}

/// What will be made.
#[derive(Debug, Clone)]
pub struct CreatePlan {
    /// The tenant's new id.
    pub id: TenantId,
    /// Its slug.
    pub slug: TenantSlug,
    /// Its name.
    pub name: DisplayName,
    /// Its plan.
    pub plan: String,
    /// The admin's address.
    pub admin_email: Email,
    /// The admin's name.
    pub admin_name: String,
    /// Whether that address belongs to somebody already, who is then linked.
    pub admin_exists: bool,
    user_id: String,
    map: RelationMap,
}

/// The admin of a new tenant.
#[derive(Debug, Serialize)]
pub struct Admin {
    /// The address.
    pub email: Email,
    /// Shown once, and must be changed at the first login; none for somebody who exists.
    pub temporary_password: Option<String>,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The tenant.
    pub tenant: Tenant,
    /// Its admin.
    pub admin: Admin,
    /// What to send to the admin; shown once.
    pub welcome: String,
}

/// Why no tenant was made. Nothing was changed.
#[derive(Debug, Error)]
pub enum CreateError {
    /// No slug can be made from the name.
    #[error("no slug can be made from the name `{0}`")]
    NoSlug(String),
    /// The slug is taken.
    #[error("the slug `{0}` is taken")]
    SlugTaken(TenantSlug),
    /// There is no such plan.
    #[error("there is no plan `{0}`")]
    NoPlan(String),
    /// Somebody took the e-mail address in between.
    #[error("the e-mail address `{0}` was registered by somebody else just now")]
    EmailTaken(Email),
    /// The schema has no members, so there is nobody to be its admin.
    #[error("the relation map names no members and users, which provisioning needs")]
    NoMembers,
}

impl Explain for CreateError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec![match self {
            Self::NoSlug(_) => "give one with --slug: a-z, 0-9 and `-`".to_owned(),
            Self::SlugTaken(_) => {
                "give another with --slug; `tenantdesk tenant list` shows the ones in use"
                    .to_owned()
            }
            Self::NoPlan(_) => "`tenantdesk plan list` shows the plans".to_owned(),
            Self::EmailTaken(_) => "run it again: the person will be linked".to_owned(),
            Self::NoMembers => "complete the relation map".to_owned(),
        }]
    }
}

/// Reads what is there and plans the tenant.
///
/// # Errors
/// [`CreateError`], or what the server says.
pub async fn prepare(console: &Console, request: CreateTenant) -> Result<CreatePlan, Failure> {
    let map = installed_map(console).await?;
    if map.members.is_none() || map.users.is_none() {
        return Err(CreateError::NoMembers.into());
    }
    let proposed = || TenantSlug::propose(request.name.as_str());
    let slug = request
        .slug
        .clone()
        .or_else(proposed)
        .ok_or_else(|| CreateError::NoSlug(request.name.as_str().to_owned()))?;
    if directory::named(console, slug.as_str()).await?.is_some() {
        return Err(CreateError::SlugTaken(slug).into());
    }
    let plan = choose_plan(console, request.plan).await?;
    let known = console
        .query(&Sql::new("select tenantdesk.find_user($1)"), &[&request.admin_email.as_str()])
        .await?;
    let known: Option<String> = known.first().and_then(|row| row.get(0));
    let local_part = request.admin_email.as_str().split('@').next().unwrap_or_default().to_owned();
    Ok(CreatePlan {
        id: TenantId::draw(),
        slug,
        name: request.name,
        plan,
        admin_exists: known.is_some(),
        user_id: known.unwrap_or_else(|| Uuid::new_v4().to_string()),
        admin_name: request.admin_name.map_or(local_part, |name| name.as_str().to_owned()),
        admin_email: request.admin_email,
        map,
    })
}

/// The plan asked for, or the first; without any plan in the installation the word is taken as it is.
async fn choose_plan(console: &Console, wanted: Option<String>) -> Result<String, Failure> {
    let rows = console.query(&Sql::new("select plan from tenantdesk.plan_list()"), &[]).await?;
    let plans: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match wanted {
        Some(plan) if plans.is_empty() || plans.contains(&plan) => Ok(plan),
        Some(plan) => Err(CreateError::NoPlan(plan).into()),
        None => Ok(plans.into_iter().next().unwrap_or_else(|| "starter".to_owned())),
    }
}

/// Makes the tenant.
///
/// # Errors
/// [`CreateError`], or what the server says; nothing was made then.
pub async fn create(
    console: &Console,
    plan: CreatePlan,
    progress: &Progress,
) -> Result<Created, Failure> {
    let password = if plan.admin_exists { None } else { Some(password::draw()?) };
    let hash = hash(password.clone()).await?;
    progress.enter("recording the intent");
    let undertaking = console
        .begin(Entry {
            verb: Verb::TenantCreate,
            tenant: Some(plan.id.clone()),
            object: plan.slug.to_string(),
            reason: None,
        })
        .await?;
    progress.enter("provisioning");
    let made = make(&undertaking, &plan, &hash).await;
    undertaking.settle(made).await?;
    // As the database has it; the tenant is there also where this look fails.
    let found = directory::named(console, plan.id.as_str()).await.ok().flatten();
    let tenant = found.unwrap_or_else(|| Tenant {
        id: plan.id,
        slug: Some(Untrusted::from(plan.slug.as_str())),
        name: Some(Untrusted::from(plan.name.as_str())),
        plan: Some(Untrusted::new(plan.plan)),
        status: plan.map.root.active.clone().map(Untrusted::from),
        domain: None,
        created_at: None,
    });
    let temporary_password = password.map(|secret| secret.expose_secret().to_owned());
    let welcome =
        welcome(plan.name.as_str(), &plan.slug, &plan.admin_email, temporary_password.as_deref());
    Ok(Created { tenant, admin: Admin { email: plan.admin_email, temporary_password }, welcome })
}

/// Opens the session, writes the rows, and ends the session whatever came of it.
async fn make(
    undertaking: &Undertaking,
    plan: &CreatePlan,
    hash: &SecretString,
) -> Result<(), Failure> {
    let reason: Reason = format!("provision tenant {}", plan.slug).parse()?;
    let ask = OpenSession::work(
        undertaking,
        Purpose::Provision,
        plan.id.clone(),
        reason,
        TimeDelta::minutes(5),
    );
    let session = open(undertaking.console(), &plan.map, ask).await?;
    let written: Result<(), ServerError> = async {
        let transaction =
            session.transaction(SessionRole::Provisioner, Isolation::ReadWrite).await?;
        let steps = template::parse(include_str!("../../assets/starter/provision.sql"));
        template::run(&transaction, &steps, &values(plan, hash)).await?;
        undertaking.mark(&transaction).await?;
        transaction.commit().await
    }
    .await;
    let ended = session.end("provisioned").await;
    // The tenant is what counts, and its password is shown once; a session that did not end is swept.
    if let Err(error) = ended {
        tracing::warn!(%error, "the session could not be ended");
    }
    written.map_err(|error| explain(error, plan))
}

/// The values that the template may name.
fn values(plan: &CreatePlan, hash: &SecretString) -> Vec<(&'static str, String)> {
    vec![
        ("tenant_id", plan.id.to_string()),
        ("slug", plan.slug.to_string()),
        ("subdomain", plan.slug.to_string()),
        ("name", plan.name.as_str().to_owned()),
        ("plan", plan.plan.clone()),
        ("region", "eu".to_owned()),
        ("user_id", plan.user_id.clone()),
        ("user_exists", plan.admin_exists.to_string()),
        ("email", plan.admin_email.to_string()),
        ("user_name", plan.admin_name.clone()),
        ("password_hash", hash.expose_secret().to_owned()),
        ("workspace_id", Uuid::new_v4().to_string()),
        ("workspace_name", plan.name.as_str().to_owned()),
    ]
}

/// A unique key that was taken between plan and run.
fn explain(error: ServerError, plan: &CreatePlan) -> Failure {
    let constraint = error.constraint().unwrap_or_default();
    if error.meaning() == Meaning::Conflict && constraint.contains("email") {
        return CreateError::EmailTaken(plan.admin_email.clone()).into();
    }
    if error.meaning() == Meaning::Conflict {
        return CreateError::SlugTaken(plan.slug.clone()).into();
    }
    error.into()
}

/// The argon2id hash in PHC form; for somebody who exists a hash that no password has (it is not
/// written anyway).
async fn hash(password: Option<SecretString>) -> Result<SecretString, Failure> {
    let Some(password) = password else { return Ok(SecretString::from("!")) };
    // Hashing takes some ten milliseconds of one core: not on the runtime's own threads.
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.expose_secret().as_bytes())
            .map(|hash| SecretString::from(hash.to_string()))
    })
    .await;
    match hashed {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(Failure::new(Kind::Internal, "the password could not be hashed")
            .caused_by(error.to_string())),
        Err(error) => Err(Failure::new(Kind::Internal, "the password could not be hashed")
            .caused_by(error.to_string())),
    }
}

/// What the admin is told.
fn welcome(name: &str, slug: &TenantSlug, email: &Email, password: Option<&str>) -> String {
    let access = password.map_or_else(
        || "Sign in with your present password.".to_owned(),
        |password| format!("Your temporary password is {password}\nYou will be asked to choose your own when you first sign in."),
    );
    format!("Welcome to {name} ({slug}).\nYou are its owner. Sign in as {email}.\n{access}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_text_shows_a_password_only_to_somebody_new() {
        let (slug, email) = ("acme".parse().unwrap(), "a@b.co".parse().unwrap());
        assert!(welcome("Acme", &slug, &email, Some("s3cret")).contains("s3cret"));
        assert!(!welcome("Acme", &slug, &email, None).contains("temporary"));
    }
}
