//! What somebody with a right to create plants before setup runs with the rights of its login: texts that
//! become statements, objects under our names, functions that run as their owner.

use super::{MIXED_CASE, Target};
use crate::harness::cluster::SUPERUSER;

/// A role that may create in a schema of its own, and nothing else.
fn planter(target: &Target) -> String {
    let name = format!("planter_{}", target.database);
    target.rows(SUPERUSER, &format!("create role {name} login; create schema plant authorization {name}; grant create on database {} to {name}", target.database));
    name
}

#[test]
fn a_search_path_that_somebody_stored_is_no_statement_of_setup() {
    let target = Target::of(MIXED_CASE);
    let planter = planter(&target);
    target.rows(&planter, &format!(
        "create table plant.t (a int); create function plant.f() returns trigger language plpgsql security definer as $$begin return new; end$$; \
         select set_config('search_path', 'x;alter/**/role/**/{planter}/**/createdb;--', false); alter function plant.f() set search_path from current; \
         create trigger tt before insert on plant.t for each row execute function plant.f()"
    ));
    target.decide();
    target.run(SUPERUSER, &["setup", "--yes"]);
    let became = format!("select rolcreatedb from pg_roles where rolname = '{planter}'");
    assert_eq!(target.rows(SUPERUSER, &became), "f");
    // The door is closed with the whole text as one name.
    let path = target.rows(SUPERUSER, "select proconfig::text from pg_proc where proname = 'f'");
    assert!(path.contains("pg_temp"), "{path}");
    // Control: the same text as it stands, as a statement of its own.
    let raw = target.rows(SUPERUSER, &format!("alter function plant.f() set search_path = x;alter/**/role/**/{planter}/**/createdb;--, pg_temp\nselect rolcreatedb from pg_roles where rolname = '{planter}'"));
    assert_eq!(raw, "t");
    let (code, removed) =
        target.run(SUPERUSER, &["setup", "--remove", "--confirm", &target.database]);
    assert_eq!(code, 0, "{removed:#}");
}

#[test]
fn a_planted_schema_of_the_event_trigger_is_not_taken_over() {
    let target = Target::of(MIXED_CASE);
    let planter = planter(&target);
    target.rows(&planter, "create schema tenantdesk_host; create function tenantdesk_host.refuse_definitions() returns event_trigger language plpgsql as $$begin end$$");
    target.decide();
    target.run(SUPERUSER, &["setup", "--yes"]);
    let trigger =
        "select count(*) from pg_event_trigger where evtname = 'tenantdesk_refuse_definitions'";
    assert_eq!(target.rows(SUPERUSER, trigger), "0");
    // Control: where the name is free, a superuser's setup makes it.
    target.rows(SUPERUSER, "drop schema tenantdesk_host cascade");
    target.rows("app_owner", "comment on schema public is 'changed'");
    target.run(SUPERUSER, &["setup", "--yes", "--enforce-limits"]);
    assert_eq!(target.rows(SUPERUSER, trigger), "1");
    target.rows(SUPERUSER, "drop schema tenantdesk_host cascade");
}

#[test]
fn an_aggregate_and_a_trigger_function_of_the_owner_are_closed_like_the_functions_they_run() {
    let target = Target::of(MIXED_CASE);
    target.rows("app_owner", "create function public.add_title(t text, n text) returns text language sql security definer as $$ select coalesce(t, '') || (select string_agg(\"title\", '') from public.\"Film\") $$; \
        create aggregate public.peek (text) (sfunc = public.add_title, stype = text); \
        create function public.copy_it() returns trigger language plpgsql security definer as $$begin return new; end$$");
    target.set_up();
    let ada = target.operator("ada", "viewer");
    let peek = target.cluster.psql(&target.database, &ada, "select public.peek('x')");
    assert!(peek.stderr.contains("42501"), "{peek:?}");
    let may = format!("select has_function_privilege('{ada}', 'public.copy_it()', 'execute')");
    assert_eq!(target.rows(SUPERUSER, &may), "f");
    // Control: what PUBLIC had.
    target.rows("app_owner", "grant execute on function public.peek(text) to public");
    assert_eq!(
        target.cluster.psql(&target.database, &ada, "select public.peek('x') <> ''").stdout.trim(),
        "t"
    );
    assert_ne!(
        target.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"),
        "0",
        "and it is noticed"
    );
}

#[test]
fn a_policy_of_the_application_that_has_our_word_in_its_name_stays() {
    let target = Target::of(MIXED_CASE);
    target.rows("app_owner", "alter table public.\"Tag\" enable row level security; create policy \"all of them\" on public.\"Tag\" to app_user using (true); create policy \"tenantdesk isolation\" on public.\"Tag\" as restrictive to app_user using (false)");
    target.set_up();
    let there = "select count(*) from pg_policy where polname = 'tenantdesk isolation'";
    assert_eq!(target.rows(SUPERUSER, there), "1");
    assert_eq!(target.rows("app_user", "select count(*) from public.\"Tag\""), "0");
}

#[test]
fn the_map_is_for_who_manages_the_installation() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let ada = target.operator("ada", "admin");
    let table = "public.\"Tag\"";
    let words = ["tables", "set", table, "global"];
    assert_eq!(target.refused(&ada, &words)["sqlstate"], "42501");
    let except = ["setup", "--except", "anything", "--reason", "an admin wishes it"];
    assert_eq!(target.refused(&ada, &except)["sqlstate"], "42501");
    // The owner may; and what is not reported is not excepted.
    target.answer("app_owner", &words);
    assert_eq!(target.refused("app_owner", &except)["sqlstate"], "P0002");
}
