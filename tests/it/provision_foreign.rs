//! `tenant create` on schemas that nobody here designed: what setup proposes for the rows of a new
//! tenant, and that it makes one.

use std::collections::BTreeMap;

use tenantdesk::console::Console;
use tenantdesk::failure::Failure;
use tenantdesk::isolation::template::{Proposed, propose};
use tenantdesk::lifecycle::provision::{CreateTenant, Created, create, prepare};
use tenantdesk::progress::Progress;
use tenantdesk::tenant::directory;

use crate::attack_intruder::{Intruder, READER};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

pub const RAILS: [&str; 2] = [
    include_str!("../fixtures/provision_rails.sql"),
    r#"
model = "shared"
tenant_setting = "app.tenant_id"
application_role = "app_user"
search_path = ["public"]
root = { table = "public.accounts", key = "id", slug = "slug", name = "name", status = "status", created_at = "created_at", active = "active", suspended = "suspended" }
members = { table = "public.memberships", tenant = "account_id", member = "user_id", role = "role" }
users = { table = "public.users", id = "id", email = "email" }
relation = [
  { name = "public.memberships", class = "keyed", key = "account_id" },
  { name = "public.account_settings", class = "keyed", key = "account_id" },
  { name = "public.account_preferences", class = "keyed", key = "account_id" },
  { name = "public.projects", class = "keyed", key = "account_id" },
  { name = "public.users", class = "linked", via = { table = "public.memberships", column = "user_id", own = "id" } },
]
"#,
];

const PRISMA: [&str; 2] = [
    include_str!("../fixtures/provision_prisma.sql"),
    r#"
model = "shared"
tenant_setting = "app.tenant_id"
application_role = "app_user"
search_path = ["Shop Floor"]
root = { table = '"Shop Floor"."Organization"', key = "id", slug = "slug", name = "name", plan = "plan", created_at = "createdAt" }
members = { table = '"Shop Floor"."Membership"', tenant = "organizationId", member = "userId", role = "role" }
users = { table = '"Shop Floor"."User"', id = "id", email = "email", name = "name" }
relation = [
  { name = '"Shop Floor"."Membership"', class = "keyed", key = "organizationId" },
  { name = '"Shop Floor"."Order"', class = "keyed", key = "organizationId" },
  { name = '"Shop Floor"."User"', class = "linked", via = { table = '"Shop Floor"."Membership"', column = "userId", own = "id" } },
]
"#,
];

pub const STAFF: [&str; 2] = [
    include_str!("../fixtures/provision_staff.sql"),
    r#"
model = "shared"
tenant_setting = "app.tenant_id"
application_role = "app_user"
search_path = ["hr"]
root = { table = "hr.companies", key = "id", slug = "subdomain", name = "name", status = "state", created_at = "founded", active = "active", suspended = "closed" }
members = { table = "hr.staff", tenant = "company_id", member = "id" }
users = { table = "hr.staff", id = "id", email = "email", name = "full_name" }
relation = [
  { name = "hr.staff", class = "keyed", key = "company_id" },
  { name = "hr.tickets", class = "keyed", key = "company_id" },
]
"#,
];

const NOBODY: [&str; 2] = [
    include_str!("../fixtures/provision_nobody.sql"),
    r#"
model = "shared"
tenant_setting = "app.tenant_id"
application_role = "app_user"
search_path = ["core"]
root = { table = "core.workspaces", key = "id", name = "title", created_at = "created_at" }
relation = [{ name = "core.items", class = "keyed", key = "workspace_id" }]
"#,
];

const OWNER: [&str; 2] = [
    include_str!("../fixtures/provision_owner.sql"),
    r#"
model = "shared"
tenant_setting = "app.tenant_id"
application_role = "app_user"
search_path = ["club"]
root = { table = "club.teams", key = "handle", slug = "handle", name = "label", created_at = "made" }
members = { table = "club.team_people", tenant = "team", member = "person" }
users = { table = "club.people", id = "id", email = "email", name = "display_name" }
relation = [
  { name = "club.team_people", class = "keyed", key = "team" },
  { name = "club.people", class = "linked", via = { table = "club.team_people", column = "person", own = "id" } },
]
"#,
];

fn desk([schema, map]: [&str; 2]) -> (Desk, Proposed) {
    Desk::foreign(schema, map)
}

fn ask(name: &str, email: Option<&str>) -> CreateTenant {
    CreateTenant {
        name: name.parse().unwrap(),
        slug: None,
        admin_email: email.map(|email| email.parse().unwrap()),
        admin_name: None,
        plan: None,
        values: BTreeMap::new(),
    }
}

async fn tried(console: &Console, request: CreateTenant) -> Result<Created, Failure> {
    let plan = prepare(console, request).await?;
    create(console, plan, &Progress::silent()).await
}

#[track_caller]
fn made(created: Result<Created, Failure>) -> Created {
    created.unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// The tenant as the directory lists it: id, slug, name, plan, status, and whether its time is known.
async fn listed(console: &Console) -> Vec<String> {
    let word = |text: &Option<tenantdesk::text::Untrusted>| {
        text.as_ref().map_or("-".to_owned(), |text| text.raw().to_owned())
    };
    let all = directory::list(console).await.unwrap();
    all.iter()
        .map(|t| {
            let timed = t.created_at.is_some();
            let words = [word(&t.slug), word(&t.name), word(&t.plan), word(&t.status)];
            format!("{} {} {timed}", t.id, words.join(" "))
        })
        .collect()
}

#[tokio::test]
async fn rails_sequences_give_the_ids_and_the_digest_keeps_its_default() {
    let (desk, proposed) = desk(RAILS);
    assert_eq!(proposed.needs, []);
    let template = proposed.provision.unwrap().template;
    assert!(template.contains("-- left out: public.account_preferences"), "{template}");
    let console = desk.console_of("support").await;
    let request = CreateTenant {
        admin_name: Some("Ann van Dyk".parse().unwrap()),
        ..ask("Acme Rockets", Some("ann@acme.test"))
    };
    let plan = prepare(&console, request.clone()).await.unwrap();
    assert_eq!(
        plan.rows,
        ["public.accounts", "public.users", "public.memberships", "public.account_settings"]
    );
    assert!(plan.id.is_none() && !plan.admin.as_ref().unwrap().password);
    let first = made(create(&console, plan, &Progress::silent()).await);
    assert_eq!(first.admin.unwrap().temporary_password, None);
    assert!(first.welcome.contains("No password was set"), "{}", first.welcome);
    assert_eq!(first.tenant.id.as_str(), "1");
    let second = made(tried(&console, ask("Bolt", Some("ANN@acme.test"))).await);
    assert_eq!(
        listed(&console).await,
        ["1 acme-rockets Acme Rockets - active true", "2 bolt Bolt - active true"]
    );
    let people = "select string_agg(concat_ws('|', m.account_id, u.id, u.email, u.first_name, u.last_name, u.encrypted_password, m.role), ' ' order by m.id) from memberships m join users u on u.id = m.user_id";
    assert_eq!(
        desk.rows(SUPERUSER, people),
        "1|1|ann@acme.test|Ann|van Dyk||owner 2|1|ann@acme.test|Ann|van Dyk||owner"
    );
    assert_eq!(
        desk.rows(
            SUPERUSER,
            "select time_zone, features, beta, seats from account_settings where account_id = 1"
        ),
        "UTC|{}|f|0"
    );
    let taken = tried(&console, ask("Bolt", Some("bob@bolt.test"))).await.unwrap_err();
    assert_eq!(taken.message, "the slug `bolt` is taken");
    // A sequence behind its rows: nothing is made, and what is in the way is named.
    desk.rows(SUPERUSER, "select setval('accounts_id_seq', 1, false)");
    let behind = tried(&console, ask("Cove", Some("cy@cove.test"))).await.unwrap_err();
    assert!(
        behind.message.contains("exists already") || behind.message.contains("accounts_pkey"),
        "{behind:?}"
    );
    assert_eq!(
        desk.rows(
            SUPERUSER,
            "select (select count(*) from users), (select count(*) from accounts)"
        ),
        "1|2"
    );
    sees_bolt_alone(&desk, second.tenant.id.as_str());
}

/// An operator inside the second tenant sees its rows.
fn sees_bolt_alone(desk: &Desk, tenant: &str) {
    let login = desk.operator("support");
    let inside = Intruder::with_login(desk.again(), login, tenant, "impersonate", "read");
    assert_eq!(
        inside.sees(READER, "select string_agg(slug, ' ') from tenantdesk_read.accounts"),
        "bolt"
    );
    assert_eq!(inside.sees(READER, "select count(*) from tenantdesk_read.account_settings"), "1");
}

#[tokio::test]
async fn mixed_case_names_text_keys_and_enums() {
    let (desk, proposed) = desk(PRISMA);
    let needs: Vec<(&str, &str)> =
        proposed.needs.iter().map(|need| (need.column.as_str(), need.relation.as_str())).collect();
    assert_eq!(needs, [("passwordHash", "\"Shop Floor\".\"User\"")]);
    assert!(proposed.needs[0].parameter.is_none() && proposed.needs[0].why.contains("argon2id"));
    let console = desk.console_of("support").await;
    let request =
        CreateTenant { plan: Some("TEAM".to_owned()), ..ask("Acme", Some("ann@acme.test")) };
    let created = made(tried(&console, request).await);
    assert!(created.admin.unwrap().temporary_password.is_some());
    made(tried(&console, ask("Bolt", Some("ann@acme.test"))).await);
    let lines = listed(&console).await;
    assert!(lines[0].ends_with(" acme Acme TEAM - true"), "{lines:?}");
    assert!(lines[1].ends_with(" bolt Bolt FREE - true"), "{lines:?}");
    let row = desk.rows(SUPERUSER, r#"select length(o.id), o."order", length(u.id), left(u.id, 1), u.name, left(u."passwordHash", 10), m.role, length(m.id)
        from "Shop Floor"."Organization" o join "Shop Floor"."Membership" m on m."organizationId" = o.id join "Shop Floor"."User" u on u.id = m."userId" where o.slug = 'acme'"#);
    assert_eq!(row, "36|0|25|c|ann|$argon2id$|OWNER|36");
    let id = created.tenant.id.as_str();
    let inside =
        Intruder::with_login(desk.again(), desk.operator("support"), id, "impersonate", "read");
    assert_eq!(inside.sees(READER, r#"select slug from tenantdesk_read."Organization""#), "acme");
}

#[tokio::test]
async fn people_of_one_company_each_identity_keys_and_a_column_nobody_can_guess() {
    let (desk, proposed) = desk(STAFF);
    assert_eq!(proposed.needs.len(), 1);
    assert_eq!(proposed.needs[0].parameter.as_deref(), Some("billing_country"));
    let template = &proposed.provision.as_ref().unwrap().template;
    assert!(template.contains("-- needs a value: billing_country (text)"), "{template}");
    let console = desk.console_of("support").await;
    let missing = tried(&console, ask("Acme", Some("ann@acme.test"))).await.unwrap_err();
    assert_eq!(missing.message, "values are missing: billing_country");
    assert!(missing.hints[0].contains("--set billing_country=VALUE"));
    let given = |name: &str, email| CreateTenant {
        values: BTreeMap::from([("billing_country".to_owned(), "DE".to_owned())]),
        ..ask(name, Some(email))
    };
    let acme = made(tried(&console, given("Acme", "ann@acme.test")).await);
    // The address is somebody of another company: a new person of the new one.
    made(tried(&console, given("Bolt", "ann@acme.test")).await);
    assert_eq!(
        listed(&console).await,
        ["500 acme Acme - active true", "501 bolt Bolt - active true"]
    );
    let staff = "select string_agg(concat_ws('|', company_id, email, full_name, is_admin, active, coalesce(password_digest, '-')), ' ' order by id) from hr.staff";
    assert_eq!(
        desk.rows(SUPERUSER, staff),
        "500|ann@acme.test|ann|t|t|- 501|ann@acme.test|ann|t|t|-"
    );
    let odd = CreateTenant {
        values: BTreeMap::from([
            ("billing_country".to_owned(), "DE".to_owned()),
            ("colour".to_owned(), "red".to_owned()),
        ]),
        ..ask("Cove", Some("c@cove.test"))
    };
    assert_eq!(
        tried(&console, odd).await.unwrap_err().message,
        "the template does not ask for `colour`"
    );
    let inside = Intruder::with_login(
        desk.again(),
        desk.operator("support"),
        acme.tenant.id.as_str(),
        "impersonate",
        "read",
    );
    assert_eq!(inside.sees(READER, "select count(*), min(company_id) from hr.staff"), "1|500");
    // E-mail addresses that are unique: then the person is in the way, and it is said.
    desk.rows(SUPERUSER, "delete from hr.staff where company_id = 501");
    desk.rows("app_owner", "create unique index staff_one_mail on hr.staff (lower(email))");
    let twice = tried(&console, given("Dune", "ann@acme.test")).await.unwrap_err();
    assert_eq!(twice.message, "the e-mail address `ann@acme.test` is registered already");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from hr.companies"), "2");
}

#[tokio::test]
async fn without_users_there_is_no_admin() {
    let (desk, proposed) = desk(NOBODY);
    assert_eq!(proposed.needs.len(), 1, "{:?}", proposed.needs);
    let console = desk.console_of("support").await;
    let refused = tried(&console, ask("Acme", Some("ann@acme.test"))).await.unwrap_err();
    assert!(refused.message.contains("has no users"), "{refused:?}");
    let created = made(tried(&console, ask("北京科技", None)).await);
    assert!(created.admin.is_none() && created.welcome.contains("is ready"));
    let json = serde_json::to_value(&created).unwrap();
    assert!(json["admin"].is_null() && json["tenant"]["created_at"].is_null());
    assert_eq!(listed(&console).await, [format!("{} - 北京科技 - - false", created.tenant.id)]);
    let id = created.tenant.id.as_str();
    let inside =
        Intruder::with_login(desk.again(), desk.operator("support"), id, "impersonate", "read");
    assert_eq!(inside.sees(READER, "select title from tenantdesk_read.workspaces"), "北京科技");
}

#[tokio::test]
async fn a_tenant_that_must_have_an_owner_begins_with_the_person_and_is_keyed_by_its_slug() {
    let (desk, proposed) = desk(OWNER);
    assert_eq!(proposed.needs, []);
    let console = desk.console_of("support").await;
    let plan = prepare(&console, ask("Acme Rockets", Some("ann@acme.test"))).await.unwrap();
    assert_eq!(plan.id.as_ref().unwrap().as_str(), "acme-rockets");
    assert_eq!(plan.rows, ["club.people", "club.teams", "club.team_people"]);
    made(create(&console, plan, &Progress::silent()).await);
    made(tried(&console, ask("Bolt", Some("ann@acme.test"))).await);
    assert_eq!(
        listed(&console).await,
        ["acme-rockets acme-rockets Acme Rockets - - true", "bolt bolt Bolt - - true"]
    );
    assert_eq!(
        desk.rows(SUPERUSER, "select count(*), count(distinct owner_id) from club.teams"),
        "2|1"
    );
    let taken = tried(&console, ask("Bolt", Some("bob@bolt.test"))).await.unwrap_err();
    assert_eq!(taken.message, "the slug `bolt` is taken");
}

#[tokio::test]
async fn without_a_root_or_a_template_it_is_said_why() {
    let keys_only = NOBODY[1].replace(
        "root = { table = \"core.workspaces\", key = \"id\", name = \"title\", created_at = \"created_at\" }",
        "root = {}",
    );
    let map = keys_only.replace("relation = [", "relation = [{ name = \"core.workspaces\", class = \"excluded\", reason = \"tried without\" }, ");
    let (desk, proposed) = desk([NOBODY[0], &map]);
    assert_eq!(proposed, Proposed::default());
    let console = desk.console_of("support").await;
    let refused = tried(&console, ask("Acme", None)).await.unwrap_err();
    assert_eq!(refused.message, "a tenant of this database begins with its first row");
    let nothing = propose(
        &tenantdesk::isolation::map::RelationMap::from_toml(&map).unwrap(),
        &tenantdesk::catalog::Catalog::default(),
    );
    assert_eq!(nothing, Proposed::default());
}
