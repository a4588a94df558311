//! Doors: what every login gets from PUBLIC, DROP OWNED, and tables that are open to every role. Each
//! attack is by psql, and is shown to succeed without its control.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{HIERARCHY, MIXED_CASE, Target};
use crate::harness::cluster::SUPERUSER;

/// An operator with a live session of one tenant, as psql sees it: everything after the role is his.
fn inside(target: &Target, operator: &str, tenant: &str, sql: &str) -> String {
    static TOKENS: AtomicU32 = AtomicU32::new(1);
    let token = format!("token {}", TOKENS.fetch_add(1, Ordering::Relaxed));
    let open = format!(
        "select tenantdesk.open_session(sha256('{token}'), '{tenant}', 'impersonate', 'read', 'an attack of a test', null, (select m.id from tenantdesk.members('{tenant}') m where m.state is null or lower(m.state) = 'active' limit 1), interval '5 min', null)"
    );
    target.rows(
        operator,
        &format!("begin; set local role tenantdesk_operator;\n\\o /dev/null\n{open};\n\\o\ncommit"),
    );
    let output = target.cluster.psql(&target.database, operator, &format!(
        "begin; set local role tenantdesk_reader;\n\\o /dev/null\nselect set_config('tenantdesk.session', '{token}', true);\n\\o\n{sql}; rollback"
    ));
    let end = "select tenantdesk.end_session(s.id, 'over') from tenantdesk.sessions() s where s.operator = session_user and s.ended_at is null";
    target.cluster.psql(
        &target.database,
        operator,
        &format!("begin; set local role tenantdesk_operator; {end}; commit"),
    );
    if output.code == 0 { output.stdout.trim().to_owned() } else { output.stderr }
}

/// The first tenant that works.
fn tenant(target: &Target, operator: &str) -> String {
    let listed = target.answer(operator, &["tenant", "list"]);
    let tenants = listed["tenants"].as_array().unwrap();
    let works = |tenant: &&serde_json::Value| tenant["status"] != "PAUSED";
    tenants.iter().find(works).unwrap()["id"].as_str().unwrap().to_owned()
}

/// A table of the hierarchy with a policy for every role that is permissive.
fn open_to_every_role(target: &Target) {
    target.rows(
        "app_owner",
        "create table site.leaflets (id bigint generated always as identity primary key, org_id uuid not null references site.organizations, body text not null); \
         insert into site.leaflets (org_id, body) select o.id, 'of ' || o.id from site.organizations o; \
         alter table site.leaflets enable row level security; \
         create policy anybody on site.leaflets using (true); grant select on site.leaflets to app_user; \
         revoke select (id, org_id, verb, at) on site.audit_events from app_user",
    );
}

#[test]
fn drop_owned_shows_nobody_another_tenant_where_tables_are_pinned_for_every_role() {
    let target = Target::of(HIERARCHY);
    open_to_every_role(&target);
    target.decide();
    let (code, document) = target.run("app_owner", &["setup", "--yes"]);
    assert_eq!(code, 1, "without a superuser there is no event trigger");
    let open = document["incomplete"].to_string();
    assert!(open.contains("DROP OWNED") && open.contains("--pin-public"), "{open}");
    target.set_up();
    let ada = target.operator("ada", "admin");
    let tenant = tenant(&target, &ada);
    let attack = "set local client_min_messages = error; drop owned by tenantdesk_reader; select count(distinct org_id) from site.leaflets";
    let plain = inside(&target, &ada, &tenant, "select count(distinct org_id) from site.leaflets");
    assert_eq!(plain, "1");
    let seen = inside(&target, &ada, &tenant, attack);
    assert_eq!(seen.lines().last(), Some("1"), "{seen}");
    // The application's other roles see what they saw.
    assert_ne!(target.rows("app_user", "select count(distinct org_id) from site.leaflets"), "1");
    // Without the policy for every role the same attack reads everybody's rows.
    target.rows(SUPERUSER, "drop policy \"!tenantdesk public\" on site.leaflets; insert into tenantdesk.exceptions values ('DROP OWNED', 'the negative control'); delete from tenantdesk.guard_policies where policy = '!tenantdesk public' and relation = 'site.leaflets'::regclass");
    let seen = inside(&target, &ada, &tenant, attack);
    assert_ne!(seen.lines().last(), Some("1"), "{seen}");
}

#[test]
fn a_superuser_who_runs_setup_makes_the_event_trigger_and_a_removal_takes_it() {
    let target = Target::of(HIERARCHY);
    open_to_every_role(&target);
    let before = target.catalogs();
    target.decide();
    target.answer(SUPERUSER, &["tables", "list"]);
    let (_, document) = target.run(SUPERUSER, &["setup", "--yes"]);
    assert!(!document["incomplete"].to_string().contains("DROP OWNED"), "{document:#}");
    let trigger =
        "select count(*) from pg_event_trigger where evtname = 'tenantdesk_refuse_definitions'";
    assert_eq!(target.rows(SUPERUSER, trigger), "1");
    target.answer(SUPERUSER, &["setup", "--remove", "--confirm", &target.database]);
    assert_eq!(target.rows(SUPERUSER, trigger), "0");
    assert_eq!(target.catalogs(), before);
}

#[test]
fn what_public_gets_stays_open_without_consent_and_no_session_opens() {
    let target = Target::of(MIXED_CASE);
    target.decide();
    let (code, document) = target.run("app_owner", &["setup", "--yes", "--keep-public"]);
    assert_eq!((code, &document["complete"]), (1, &false.into()));
    let open = document["incomplete"].to_string();
    assert!(open.contains("temporary"), "{open}");
    let ada = target.operator("ada", "admin");
    let tenant = tenant(&target, &ada);
    let member = target.answer(&ada, &["member", "list", &tenant])["members"][0]["id"].to_string();
    let words = [
        "impersonate",
        &tenant,
        "--as",
        member.trim_matches('"'),
        "--reason",
        "a door is open",
        "-c",
        "select 1",
    ];
    let error = target.refused(&ada, &words);
    assert_eq!(error["kind"], "refused", "{error:#}");
    // With consent it is whole, the application keeps what it had, and sessions open.
    target.answer("app_owner", &["setup", "--yes"]);
    assert_eq!(target.rows("app_user", "create temporary table mine (a int); select 1"), "1");
    target.answer(&ada, &words);
}

#[test]
fn tables_without_row_level_security_are_read_through_their_views_only() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let ada = target.operator("ada", "admin");
    let tenant = tenant(&target, &ada);
    let through_view = inside(
        &target,
        &ada,
        &tenant,
        "select count(distinct \"WorkspaceID\") from tenantdesk_read.\"Film\"",
    );
    assert_eq!(through_view, "1");
    let beside = inside(&target, &ada, &tenant, "select count(*) from public.\"Film\"");
    assert!(beside.contains("42501"), "{beside}");
    // With a right on the table the rows of all would be there.
    target.rows(SUPERUSER, "grant select on public.\"Film\" to tenantdesk_reader; insert into tenantdesk.guard_grants select * from tenantdesk.present_grants on conflict do nothing");
    let refused = inside(
        &target,
        &ada,
        &tenant,
        "select count(distinct \"WorkspaceID\") from public.\"Film\"",
    );
    assert_ne!(refused, "1");
}
