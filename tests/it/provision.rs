//! `tenant create`: one transaction, all or nothing, inside the tenant's own context.

use tenantdesk::console::Console;
use tenantdesk::failure::Kind;
use tenantdesk::lifecycle::provision::{CreateTenant, Created, create, prepare};
use tenantdesk::progress::Progress;
use tenantdesk::tenant::{directory, members};
use tenantdesk::usage::plans;

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

fn ask(name: &str, slug: &str, email: &str) -> CreateTenant {
    CreateTenant {
        name: name.parse().unwrap(),
        slug: Some(slug.parse().unwrap()),
        admin_email: Some(email.parse().unwrap()),
        admin_name: None,
        plan: None,
        values: std::collections::BTreeMap::new(),
    }
}

async fn made(console: &Console, request: CreateTenant) -> Created {
    let plan = prepare(console, request).await.expect("a plan");
    create(console, plan, &Progress::silent()).await.expect("a tenant")
}

/// Rows of every starter table, as the superuser counts them.
fn row_counts(desk: &Desk) -> String {
    desk.rows(
        SUPERUSER,
        "select string_agg(relname || '=' || (xpath('/row/n/text()', query_to_xml('select count(*) as n from app.' || relname, false, true, '')))[1]::text, ' ' order by relname) \
         from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r' and not relispartition",
    )
}

#[tokio::test]
async fn a_tenant_is_made_whole_with_an_admin_who_must_change_his_password() {
    let desk = Desk::starter();
    let manager = desk.console("app_owner").await;
    plans::load(&manager).await.unwrap();
    let console = desk.console_of("support").await;
    let created = made(&console, ask("Ünïon Labs", "union", "Ann@Union.test")).await;
    let password = created.admin.unwrap().temporary_password.expect("a password for somebody new");
    assert!(password.len() >= 20 && created.welcome.contains(&password));
    let id = created.tenant.id.as_str();
    let row = desk.rows(SUPERUSER, &format!(
        "select t.slug, t.plan, t.status, u.email, u.must_change_password, left(u.password_hash, 10), m.role, m.state, w.is_default \
         from app.tenants t join app.tenant_memberships m on m.tenant_id = t.id join app.app_users u on u.id = m.user_id \
         join app.workspaces w on w.tenant_id = t.id join app.tenant_settings s on s.tenant_id = t.id where t.id = '{id}'"
    ));
    assert_eq!(row, "union|starter|active|ann@union.test|t|$argon2id$|owner|active|t");
    // The password is nowhere in the database, nor in the ledger.
    let stored = desk.rows(SUPERUSER, &format!(
        "select count(*) from app.app_users u, tenantdesk.ledger l left join tenantdesk.ledger_details d using (chain, seq) \
         where (u.*)::text || (l.*)::text || coalesce(d.body, '') like '%{password}%'"
    ));
    assert_eq!(stored, "0");
    // Intent, session and outcome stand in the tenant's chain; the session is over.
    let trail = desk.rows(SUPERUSER, &format!(
        "select string_agg(action || ':' || outcome, ' ' order by seq) from tenantdesk.ledger where chain = 'tenant:{id}'"
    ));
    assert_eq!(
        trail,
        "tenant.create:intent provision.start:ok provision.end:provisioned tenant.create:ok"
    );
    let live = desk
        .rows(SUPERUSER, "select count(*) from tenantdesk.tenant_sessions where ended_at is null");
    assert_eq!(live, "0");
}

#[tokio::test]
async fn somebody_who_exists_is_linked_and_keeps_his_password() {
    let desk = Desk::starter();
    let console = desk.console_of("support").await;
    let first = made(&console, ask("One", "one", "ann@union.test")).await;
    let second = made(&console, ask("Two", "two", "ANN@union.test")).await;
    assert!(second.admin.as_ref().unwrap().temporary_password.is_none());
    let of = |created: &Created| created.tenant.id.clone();
    let (one, two) = (
        members::list(&console, &of(&first)).await.unwrap(),
        members::list(&console, &of(&second)).await.unwrap(),
    );
    assert_eq!(one[0].id, two[0].id);
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from app.app_users"), "1");
}

#[tokio::test]
async fn a_slug_that_is_taken_or_a_plan_that_is_none_is_refused_before_anything_is_written() {
    let desk = Desk::starter();
    plans::load(&desk.console("app_owner").await).await.unwrap();
    let console = desk.console_of("support").await;
    made(&console, ask("One", "one", "a@one.test")).await;
    let before = row_counts(&desk);
    let taken = prepare(&console, ask("Other", "one", "b@one.test")).await.unwrap_err();
    assert_eq!((taken.kind, taken.message.as_str()), (Kind::Refused, "the slug `one` is taken"));
    assert!(!taken.hints.is_empty());
    let odd = CreateTenant { plan: Some("gold".to_owned()), ..ask("Two", "two", "a@two.test") };
    let odd = prepare(&console, odd).await.unwrap_err();
    assert_eq!(odd.message, "there is no plan `gold`");
    let nameless = CreateTenant { slug: None, ..ask("北京科技", "x1", "a@two.test") };
    assert!(prepare(&console, nameless).await.unwrap_err().message.contains("no slug"));
    assert_eq!(row_counts(&desk), before);
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_no_row_and_its_attempt_in_the_ledger() {
    let desk = Desk::starter();
    let console = desk.console_of("support").await;
    // The last statement of provisioning fails: the workspace.
    desk.rows(
        "app_owner",
        "alter table app.workspaces add constraint no_more check (false) not valid",
    );
    let before = row_counts(&desk);
    let plan = prepare(&console, ask("One", "one", "a@one.test")).await.unwrap();
    let failed = create(&console, plan, &Progress::silent()).await.unwrap_err();
    assert!(failed.message.contains("no_more"), "{failed:?}");
    assert_eq!(row_counts(&desk), before);
    let outcomes = desk.rows(
        SUPERUSER,
        "select string_agg(outcome, ' ' order by seq) from tenantdesk.ledger where action = 'tenant.create'",
    );
    assert_eq!(outcomes, "intent failed");
    let live = desk
        .rows(SUPERUSER, "select count(*) from tenantdesk.tenant_sessions where ended_at is null");
    assert_eq!(live, "0");
    desk.rows("app_owner", "alter table app.workspaces drop constraint no_more");
    made(&console, ask("One", "one", "a@one.test")).await;
}

#[tokio::test]
async fn two_at_once_with_one_slug_make_one_tenant() {
    let desk = Desk::starter();
    let (left, right) = (desk.console_of("support").await, desk.console_of("support").await);
    let one = prepare(&left, ask("One", "one", "a@one.test")).await.unwrap();
    let two = prepare(&right, ask("One", "one", "b@one.test")).await.unwrap();
    let silent = Progress::silent();
    let (one, two) = tokio::join!(create(&left, one, &silent), create(&right, two, &silent));
    let refused = [one.err(), two.err()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].message, "the slug `one` is taken");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from app.tenants"), "1");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from app.app_users"), "1");
}

#[tokio::test]
async fn a_viewer_may_not_provision() {
    let desk = Desk::starter();
    let console = desk.console_of("viewer").await;
    let refused = prepare(&console, ask("One", "one", "a@one.test")).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.message.contains("needs level support"), "{}", refused.message);
}

#[tokio::test]
async fn tenants_are_found_by_every_name_they_have() {
    let desk = Desk::starter();
    let console = desk.console_of("support").await;
    let acme = made(&console, ask("Ácme Rockets", "acme", "ann@rockets.test")).await.tenant;
    made(&console, ask("Bolt", "bolt", "bob@bolt.test")).await;
    for text in
        ["acme", "ACM", "rockets", acme.id.as_str(), &acme.id.as_str()[..9], "ann@rockets.test"]
    {
        let found = directory::resolve(&console, text).await;
        assert_eq!(found.expect(text).id, acme.id, "{text}");
    }
    let missing = directory::resolve(&console, "nobody@nowhere.test").await.unwrap_err();
    assert!(missing.to_string().contains("not found"));
    made(&console, ask("Acme Two", "acme-two", "c@two.test")).await;
    assert!(matches!(
        directory::resolve(&console, "cme").await,
        Err(directory::DirectoryError::Ambiguous { count: 2, .. })
    ));
    // The whole slug wins over a part of another.
    assert_eq!(directory::resolve(&console, "acme").await.unwrap().id, acme.id);
}
