//! Makes a planned tenant: draws the ids, records the intent, opens the session, runs the template.

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Serialize;
use tokio_postgres::types::{ToSql, Type};

use super::digest::hash;
use super::error::CreateError;
use super::plan::CreatePlan;
use super::values::Values;
use crate::audit::{Attested, Entry, Verb};
use crate::console::{Console, Undertaking};
use crate::failure::Failure;
use crate::identity::{Email, Purpose, Reason, TenantId};
use crate::postgres::{Isolation, Meaning, ServerError, Transaction};
use crate::progress::Progress;
use crate::tenant::directory::{self, Tenant};
use crate::tenant::password;
use crate::tenant::session::{OpenSession, SessionRole, open};
use crate::text::Untrusted;

/// The admin of a new tenant.
#[derive(Debug, Serialize)]
pub struct Admin {
    /// The address.
    pub email: Email,
    /// Shown once, and must be changed at the first login; none for somebody who exists, and where
    /// the template writes none.
    pub temporary_password: Option<String>,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The tenant.
    pub tenant: Tenant,
    /// Its admin; none where the database has no users.
    pub admin: Option<Admin>,
    /// What to send to the admin; shown once.
    pub welcome: String,
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
    let asks = plan.admin.as_ref().is_some_and(|admin| admin.password);
    let password = if asks { Some(password::draw()?) } else { None };
    let hash = hash(password.clone()).await?;
    let id = match &plan.id {
        Some(id) => id.clone(),
        None => TenantId::from_database(drawn(console, Attested::draw_tenant_id()).await?),
    };
    let user_id = if plan.draws_person {
        Some(drawn(console, Attested::draw_person_id()).await?)
    } else {
        plan.user_id.clone()
    };
    progress.enter("recording the intent");
    let undertaking = console
        .begin(Entry {
            verb: Verb::TenantCreate,
            tenant: Some(id.clone()),
            object: plan.handle().to_owned(),
            reason: None,
        })
        .await?;
    progress.enter("provisioning");
    let values = Values::of(&plan, &id, user_id.as_deref(), &hash);
    let made = make(&undertaking, &plan, &id, &values).await;
    undertaking.settle(made).await?;
    let tenant = as_it_is(console, id, &plan).await;
    let password = password.map(|secret| secret.expose_secret().to_owned());
    let welcome = welcome(&plan, password.as_deref());
    let admin = plan.admin.map(|admin| Admin { email: admin.email, temporary_password: password });
    Ok(Created { tenant, admin, welcome })
}

/// An id that the database draws.
async fn drawn(console: &Console, call: Attested<'_>) -> Result<String, Failure> {
    let rows = console.call(call).await?;
    let id: Option<String> = rows.first().and_then(|row| row.get(0));
    id.ok_or_else(|| ServerError::Answer("no id was drawn".to_owned()).into())
}

/// The tenant as the database has it; it is there also where this look fails.
async fn as_it_is(console: &Console, id: TenantId, plan: &CreatePlan) -> Tenant {
    let found = directory::named(console, id.as_str()).await.ok().flatten();
    found.unwrap_or_else(|| Tenant {
        id,
        slug: plan.slug.as_ref().map(|slug| Untrusted::from(slug.as_str())),
        name: Some(Untrusted::from(plan.name.as_str())),
        plan: plan.plan.clone().map(Untrusted::new),
        status: plan.map.root.active.clone().map(Untrusted::from),
        domain: None,
        created_at: None,
    })
}

/// Opens the session, writes the rows, and ends the session whatever came of it.
async fn make(
    undertaking: &Undertaking,
    plan: &CreatePlan,
    id: &TenantId,
    values: &Values,
) -> Result<(), Failure> {
    let reason: Reason = format!("provision tenant {}", plan.handle()).parse()?;
    let lasting = TimeDelta::minutes(5);
    let ask = OpenSession::work(undertaking, Purpose::Provision, id.clone(), reason, lasting);
    let session = open(undertaking.console(), &plan.map, ask).await?;
    let written: Result<(), ServerError> = async {
        let transaction =
            session.transaction(SessionRole::Provisioner, Isolation::ReadWrite).await?;
        run(&transaction, plan, values).await?;
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

/// Runs the statements in order, each value as text.
async fn run(
    transaction: &Transaction<'_>,
    plan: &CreatePlan,
    values: &Values,
) -> Result<(), ServerError> {
    for (sql, step) in &plan.statements {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = Vec::new();
        for name in step.names() {
            let value = values.get(name).ok_or_else(|| {
                ServerError::Answer(format!("the template asks for `:{name}`, which is not known"))
            })?;
            parameters.push((value, Type::TEXT));
        }
        transaction.client().execute_typed(sql, &parameters).await?;
    }
    Ok(())
}

/// What went wrong, with what helps: a unique key that was taken, or a template that does not fit.
fn explain(error: ServerError, plan: &CreatePlan) -> Failure {
    let constraint = error.constraint().unwrap_or_default().to_owned();
    let lower = constraint.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if error.meaning() != Meaning::Conflict {
        let failure: Failure = error.into();
        let place = "the rows come from the template of the relation map ([provision]); docs/provisioning.md says how to change it";
        return failure.hint(place);
    }
    match (&plan.admin, &plan.slug) {
        (Some(admin), _) if says(&["mail"]) => CreateError::EmailTaken(admin.email.clone()).into(),
        (_, Some(slug))
            if says(&["slug", "domain", "handle"])
                || plan.id.as_ref().is_some_and(|id| id.as_str() == slug.as_str()) =>
        {
            CreateError::SlugTaken(slug.clone()).into()
        }
        _ => CreateError::Taken(constraint).into(),
    }
}

/// What the admin is told; without one, what the operator is.
fn welcome(plan: &CreatePlan, password: Option<&str>) -> String {
    let slug = plan.slug.as_ref().map_or_else(String::new, |slug| format!(" ({slug})"));
    let name = plan.name.as_str();
    let Some(admin) = &plan.admin else { return format!("{name}{slug} is ready.\n") };
    let access = match password {
        Some(password) => format!(
            "Your temporary password is {password}\nYou will be asked to choose your own when you first sign in."
        ),
        None if admin.exists => "Sign in with your present password.".to_owned(),
        None => {
            "No password was set: choose one where the application lets you reset it.".to_owned()
        }
    };
    format!("Welcome to {name}{slug}.\nYou are its owner. Sign in as {}.\n{access}\n", admin.email)
}
