//! The schema moves on: migrations of the owner around a suspended guard, tables that came later, and
//! what a second setup says of it.

use super::{HIERARCHY, MIXED_CASE, Target};
use crate::harness::cluster::SUPERUSER;

#[test]
fn a_migration_runs_while_the_guard_is_suspended_and_the_resumed_guard_knows_it() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let ada = target.operator("ada", "admin");
    let blocked = target.cluster.psql(
        &target.database,
        "app_owner",
        "begin; alter table public.\"Film\" alter column \"title\" type varchar(900); rollback",
    );
    assert_ne!(blocked.code, 0, "a guarded view stands in the way: {blocked:?}");
    let suspended = target.answer("app_owner", &["setup", "--suspend", "--yes"]);
    assert!(suspended["suspended"]["since"].as_str().unwrap().contains("app_owner"));
    let rights = format!(
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and has_table_privilege('{ada}', c.oid, 'select')"
    );
    assert_eq!(target.rows(SUPERUSER, &rights), "0");
    let tenant = target.answer(&ada, &["tenant", "list"]);
    let id = tenant["tenants"][0]["id"].as_str().unwrap().to_owned();
    let error = target.refused(&ada, &["export", &id, "-o", "x.tenant"]);
    assert!(error.to_string().contains("suspended"), "{error:#}");
    let again = target.refused("app_owner", &["setup", "--yes"]);
    assert!(again.to_string().contains("--resume"), "{again:#}");
    target
        .rows("app_owner", "alter table public.\"Film\" alter column \"title\" type varchar(900)");
    target.rows("app_owner", "create table public.\"Jury\" (\"id\" text primary key, \"workspaceId\" text not null references public.\"Workspace\", \"at\" timestamptz)");
    let resumed = target.answer("app_owner", &["setup", "--resume", "--yes"]);
    assert_eq!(resumed["complete"], true, "{resumed:#}");
    let drift = resumed["drift"].to_string();
    assert!(drift.contains("Jury") && drift.contains("it is new"), "{drift}");
    let listed = target.answer(&ada, &["tables", "list"]).to_string();
    assert!(listed.contains("Jury"));
    target.answer(&ada, &["export", &id, "-o", "x.tenant"]);
    assert!(
        target
            .refused("app_owner", &["setup", "--resume", "--yes"])
            .to_string()
            .contains("not suspended")
    );
}

#[test]
fn a_table_that_came_later_is_told_until_setup_knows_it() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    target.rows("app_owner", "create table public.\"Prize\" (\"id\" text primary key, \"workspaceId\" text not null references public.\"Workspace\"); create table public.opaque (a int, b int)");
    let error = target.refused("app_owner", &["setup", "--yes"]);
    assert!(error.to_string().contains("public.opaque"), "{error:#}");
    target.answer(
        "app_owner",
        &["tables", "set", "public.opaque", "excluded", "--reason", "nobody knows"],
    );
    let done = target.answer("app_owner", &["setup", "--yes"]);
    assert!(done["drift"].to_string().contains("Prize"), "{done:#}");
    // Discovery is asked again where a decision is taken back.
    target.answer("app_owner", &["tables", "set", "public.opaque", "auto"]);
    let error = target.refused("app_owner", &["setup", "--yes"]);
    assert!(error.to_string().contains("public.opaque"), "{error:#}");
}

#[test]
fn a_live_session_ends_when_the_guard_is_suspended() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let ada = target.operator("ada", "admin");
    let listed = target.answer(&ada, &["tenant", "list"]);
    let id = listed["tenants"][0]["id"].as_str().unwrap();
    target.rows(&ada, &format!(
        "begin; set local role tenantdesk_operator; select tenantdesk.open_session(sha256('t'), '{id}', 'export', 'read', 'a long export runs', null, null, interval '5 min', null); commit"
    ));
    let live = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(target.rows(SUPERUSER, live), "1");
    let suspended = target.answer("app_owner", &["setup", "--suspend", "--yes"]);
    assert_eq!(suspended["suspended"]["ended_sessions"].as_array().unwrap().len(), 1);
    assert_eq!(target.rows(SUPERUSER, live), "0");
}

#[test]
fn rights_and_policies_of_the_application_that_changed_are_followed() {
    let target = Target::of(HIERARCHY);
    target.set_up();
    let installed = |sql: &str| target.rows(SUPERUSER, sql);
    let again = || target.run("app_owner", &["setup", "--yes", "--pin-public"]).1;
    assert_eq!(again()["applied"], false, "nothing to do");
    // A right that the application lost.
    let deletes = "select has_table_privilege('tenantdesk_changer', 'site.checklists', 'delete')";
    assert_eq!(installed(deletes), "t");
    target.rows("app_owner", "revoke delete on site.checklists from app_user, app_group");
    assert_eq!(again()["applied"], true);
    assert_eq!(installed(deletes), "f");
    // A policy that came later.
    target.rows(
        "app_owner",
        "create policy later on site.checklists for select to app_group using (false)",
    );
    assert_eq!(again()["applied"], true);
    let joined = "select 'tenantdesk_reader'::regrole = any (polroles) from pg_policy where polname = 'later'";
    assert_eq!(installed(joined), "t");
    assert_eq!(again()["applied"], false);
}
