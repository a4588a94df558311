//! What a new tenant is asked to be, and the plan of it: which rows will be made, from the map's
//! template, and with which values. Reads only.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use uuid::Uuid;

use super::error::CreateError;
use crate::console::Console;
use crate::failure::Failure;
use crate::identity::{DisplayName, Email, TenantId, TenantSlug};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::{self, installed_map};
use crate::isolation::template::{self, Step};
use crate::postgres::{RelationName, Sql};
use crate::tenant::directory;

/// What a new tenant is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTenant {
    /// Its name.
    pub name: DisplayName,
    /// Its slug; proposed from the name where it is not given.
    pub slug: Option<TenantSlug>,
    /// The e-mail address of its first admin; none where the database has no users.
    pub admin_email: Option<Email>,
    /// The admin's name; the part before the `@` where it is not given.
    pub admin_name: Option<DisplayName>,
    /// Its plan; the first plan where it is not given.
    pub plan: Option<String>,
    /// Values that the template asks for besides.
    pub values: BTreeMap<String, String>,
}

/// What will be made.
#[derive(Debug, Clone, Serialize)]
pub struct CreatePlan {
    /// The tenant's new id; none where the database draws it when it is made.
    pub id: Option<TenantId>,
    /// Its slug.
    pub slug: Option<TenantSlug>,
    /// Its name.
    pub name: DisplayName,
    /// Its plan.
    pub plan: Option<String>,
    /// Its first admin; none where the database has no users.
    pub admin: Option<PlannedAdmin>,
    /// The tables that get a row each, in this order.
    pub rows: Vec<String>,
    #[serde(skip)]
    pub(super) user_id: Option<String>,
    /// Whether the database draws the admin's id when he is made.
    #[serde(skip)]
    pub(super) draws_person: bool,
    #[serde(skip)]
    pub(super) values: BTreeMap<String, String>,
    #[serde(skip)]
    pub(super) statements: Vec<(String, Step)>,
    #[serde(skip)]
    pub(super) map: RelationMap,
}

/// The first admin, as planned.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedAdmin {
    /// His address.
    pub email: Email,
    /// His name.
    pub name: String,
    /// Whether that address belongs to somebody already, who is then linked.
    pub exists: bool,
    /// Whether a temporary password is made; the application must know argon2id.
    pub password: bool,
}

impl CreatePlan {
    /// What the tenant is called in records: its slug, else its name.
    #[must_use]
    pub fn handle(&self) -> &str {
        self.slug.as_ref().map_or(self.name.as_str(), TenantSlug::as_str)
    }
}

/// Reads what is there and plans the tenant.
///
/// # Errors
/// [`CreateError`], or what the server says.
pub async fn prepare(console: &Console, request: CreateTenant) -> Result<CreatePlan, Failure> {
    let map = installed_map(console).await?;
    let steps = steps(&map)?;
    let asks = |name: &str| steps.iter().any(|step| step.names().iter().any(|n| n == name));
    let forms =
        console.query(&Sql::new("select tenant, person from tenantdesk.id_forms()"), &[]).await?;
    let form = |column| forms.first().map_or_else(|| "unknown".to_owned(), |row| row.get(column));
    let (tenant_form, person_form): (String, String) = (form(0), form(1));
    let mut values = request.values.clone();
    let given_id = if tenant_form == "unknown" { values.remove("tenant_id") } else { None };
    check_values(&steps, &values)?;
    let takes_slug = asks("slug") || tenant_form == "slug";
    refuse_unasked(&request, takes_slug, asks("plan"))?;
    let slug = slug(&request, takes_slug)?;
    if let Some(slug) = &slug
        && directory::named(console, slug.as_str()).await?.is_some()
    {
        return Err(CreateError::SlugTaken(slug.clone()).into());
    }
    let plan = if asks("plan") { choose_plan(console, request.plan.clone()).await? } else { None };
    let id = match tenant_form.as_str() {
        "uuid" => Some(TenantId::draw()),
        "slug" => slug.as_ref().map(|slug| TenantId::from_database(slug.as_str())),
        "unknown" => match given_id {
            Some(id) => Some(TenantId::from_database(id)),
            None => return Err(CreateError::NoId(map.root.table.unwrap_or_default()).into()),
        },
        _ => None,
    };
    let people = begins_with_admin(&map);
    let (admin, user_id) = admin(console, &map, &request, people, asks("password_hash")).await?;
    let new = user_id.is_none() && asks("user_id");
    let user_id = match person_form.as_str() {
        "uuid" if new => Some(Uuid::new_v4().to_string()),
        "unknown" if new => {
            let users = map.users.map(|users| users.table).unwrap_or_default();
            return Err(CreateError::NoPersonId(users).into());
        }
        _ => user_id,
    };
    let statements = aimed(console, steps).await?;
    Ok(CreatePlan {
        id,
        slug,
        name: request.name,
        plan,
        rows: rows(&map, &statements, admin.as_ref()),
        admin,
        draws_person: new && user_id.is_none(),
        user_id,
        values,
        statements,
        map,
    })
}

/// The template's statements, where the map has any.
fn steps(map: &RelationMap) -> Result<Vec<Step>, CreateError> {
    if map.root.table.is_none() {
        return Err(CreateError::NoRoot);
    }
    let provision = map.provision.as_ref().ok_or(CreateError::NoTemplate)?;
    Ok(template::parse(&provision.template))
}

/// What the template asks for is given, and nothing else.
fn check_values(steps: &[Step], given: &BTreeMap<String, String>) -> Result<(), CreateError> {
    let asked = template::unknown(steps);
    let missing: Vec<String> = asked.iter().filter(|n| !given.contains_key(*n)).cloned().collect();
    if !missing.is_empty() {
        return Err(CreateError::Missing(missing));
    }
    let odd = given.keys().find(|name| !asked.contains(name));
    odd.map_or(Ok(()), |name| Err(CreateError::NotAsked(name.clone())))
}

/// A flag that the template does not take would be dropped in silence.
fn refuse_unasked(
    request: &CreateTenant,
    takes_slug: bool,
    takes_plan: bool,
) -> Result<(), CreateError> {
    if request.slug.is_some() && !takes_slug {
        return Err(CreateError::NotAsked("--slug".to_owned()));
    }
    if request.plan.is_some() && !takes_plan {
        return Err(CreateError::NotAsked("--plan".to_owned()));
    }
    Ok(())
}

/// The slug that is given, or that the name proposes; none where the schema has none.
fn slug(request: &CreateTenant, needed: bool) -> Result<Option<TenantSlug>, CreateError> {
    let slug = request.slug.clone().or_else(|| TenantSlug::propose(request.name.as_str()));
    match slug {
        Some(slug) if needed => Ok(Some(slug)),
        None if needed => Err(CreateError::NoSlug(request.name.as_str().to_owned())),
        _ => Ok(None),
    }
}

/// The plan asked for, or the first; without any plan in the installation the word is taken as it
/// is, and without a word the template's own is.
async fn choose_plan(console: &Console, wanted: Option<String>) -> Result<Option<String>, Failure> {
    let rows = console.query(&Sql::new("select plan from tenantdesk.plan_list()"), &[]).await?;
    let plans: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match wanted {
        Some(plan) if plans.is_empty() || plans.contains(&plan) => Ok(Some(plan)),
        Some(plan) => Err(CreateError::NoPlan(plan).into()),
        None => Ok(plans.into_iter().next()),
    }
}

/// The first admin, and his id where he is somebody who exists. Where people belong to one tenant
/// each, somebody with that address elsewhere is another person.
async fn admin(
    console: &Console,
    map: &RelationMap,
    request: &CreateTenant,
    people: bool,
    digest: bool,
) -> Result<(Option<PlannedAdmin>, Option<String>), Failure> {
    let email = match (&request.admin_email, people) {
        (Some(email), true) => email.clone(),
        (None, true) => return Err(CreateError::NoEmail.into()),
        (Some(_), false) => return Err(CreateError::NoPeople.into()),
        (None, false) => return Ok((None, None)),
    };
    let mut known: Option<String> = None;
    if template::shares_people(map) {
        let sql = Sql::new("select tenantdesk.find_user($1)");
        let rows = console.query(&sql, &[&email.as_str()]).await?;
        known = rows.first().and_then(|row| row.get(0));
    }
    let local_part = email.as_str().split('@').next().unwrap_or_default().to_owned();
    let name = request.admin_name.as_ref().map_or(local_part, |name| name.as_str().to_owned());
    let exists = known.is_some();
    Ok((Some(PlannedAdmin { email, name, exists, password: digest && !exists }), known))
}

/// The statements as they run: a table without row level security is filled through its guarded
/// view.
async fn aimed(console: &Console, steps: Vec<Step>) -> Result<Vec<(String, Step)>, Failure> {
    let views: HashMap<String, String> = relations::list(console)
        .await?
        .into_iter()
        .filter_map(|relation| Some((relation.name, relation.view?)))
        .collect();
    let aim = |step: Step| {
        let view = step.table().and_then(|table| views.get(&table.plain()));
        let sql = view.map_or_else(
            || step.sql().to_owned(),
            |view| step.aimed_at(&RelationName::new("tenantdesk_provision", view)),
        );
        (sql, step)
    };
    Ok(steps.into_iter().map(aim).collect())
}

/// The tables that get a row; somebody who exists gets none.
fn rows(
    map: &RelationMap,
    statements: &[(String, Step)],
    admin: Option<&PlannedAdmin>,
) -> Vec<String> {
    let exists = admin.is_some_and(|admin| admin.exists);
    let users = map.users.as_ref().map(|users| &users.table).filter(|_| exists);
    let tables = statements.iter().filter_map(|(_, step)| step.table().map(RelationName::plain));
    tables.filter(|table| users != Some(table)).collect()
}

/// Whether a tenant begins with its first admin, so that an e-mail address is asked for.
#[must_use]
pub fn begins_with_admin(map: &RelationMap) -> bool {
    let template = map.provision.as_ref().map(|provision| template::parse(&provision.template));
    template.is_none_or(|steps| {
        steps.iter().flat_map(Step::names).any(|name| name == "email" || name == "user_id")
    })
}
