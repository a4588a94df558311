//! Attacks through what walks around a guard: views and functions that run as their owner,
//! temporary tables that stand in for others, policies that run before ours.

use crate::attack_intruder::{CHANGER, Intruder, READER, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk, install_guard};
use tenantdesk::isolation::guard::Consent;
use tenantdesk::isolation::map::RelationMap;

/// The statement with the tenant setting of B.
fn as_bolt(sql: &str) -> String {
    format!("set local app.tenant_id = '{BOLT}'; {sql}")
}

// guard.md 24, list 9
#[test]
fn a_view_that_runs_as_its_owner_is_not_granted() {
    let intruder = Intruder::reading();
    let attacks = ["v_definer", "v_public_definer"]
        .map(|view| as_bolt(&format!("select count(*) from app.{view}")));
    for attack in &attacks {
        intruder.refused(READER, attack, "42501");
    }
    intruder.weaken("grant select on app.v_public_definer to tenantdesk_reader");
    assert_eq!(intruder.sees(READER, &attacks[1]), "1000");
}

// guard.md 25, list 9
#[test]
fn a_function_that_runs_as_its_owner_is_not_executable() {
    let intruder = Intruder::reading();
    let attacks = [
        format!("select count(*) from app.notes_of('{BOLT}')"),
        as_bolt("select count(*) from app.invoices_now()"),
        format!("select app.project_count('{BOLT}')"),
        "select app.log_event('x')".to_owned(),
    ];
    for attack in &attacks {
        for role in [READER, "tenantdesk_operator"] {
            intruder.refused(role, attack, "42501");
        }
        let bare = intruder.desk.psql(&intruder.login, attack);
        assert_eq!(sqlstate(&bare), "42501", "{bare:?}");
    }
    intruder.weaken("grant execute on all functions in schema app to public");
    assert_eq!(intruder.sees(READER, &attacks[0]), "1000");
    assert_eq!(intruder.sees(READER, &attacks[1]), "1000");
}

/// Puts a table with a trigger in the place of one that a function of the owner writes to.
const STAND_IN: &str = "
create temp table event_log (id bigint, tenant_id uuid, at timestamptz, what text);
create function pg_temp.steal() returns trigger language plpgsql as $$ begin raise warning 'RUNS AS %', current_user; return null; end $$;
create trigger steal before insert on event_log for each row execute function pg_temp.steal();
grant all on event_log to public;
";

// guard.md 26
#[test]
fn no_temporary_table_stands_in_for_one_of_the_owner() {
    let intruder = Intruder::writing();
    let attack = format!("{STAND_IN}update app.projects set state = 'done' where id = 3");
    intruder.refused(CHANGER, "create temp table event_log (x int)", "42501");
    intruder.refused(CHANGER, "create temp view event_log as select 1", "42501");
    // Two locks on one door: with TEMP the path of the trigger function still holds ..
    intruder.give_temp();
    let held = intruder.run(CHANGER, &attack);
    assert!(held.code == 0 && !held.stderr.contains("RUNS AS"), "{held:?}");
    // .. and without that the code of the operator runs as the owner of everything.
    intruder.weaken("alter function app.log_change() set search_path = app");
    let broken = intruder.run(CHANGER, &attack);
    assert!(broken.stderr.contains("RUNS AS app_owner"), "{broken:?}");
}

// guard.md 26, in a restore, which has TEMP
#[test]
fn a_restore_does_not_run_code_as_the_owner() {
    let intruder = Intruder::enter(Desk::product(), "admin", "restore", "write");
    let attack = format!(
        "{STAND_IN}set local role tenantdesk_archive_changer; update app.projects set state = 'done' where id = 3"
    );
    let held = intruder.run("tenantdesk_archivist", &attack);
    assert!(held.code == 0 && !held.stderr.contains("RUNS AS"), "{held:?}");
    intruder.weaken("alter function app.log_change() set search_path = app");
    let broken = intruder.run("tenantdesk_archivist", &attack);
    assert!(broken.stderr.contains("RUNS AS app_owner"), "{broken:?}");
}

// guard.md 27, list 3
#[test]
fn a_temporary_table_of_sessions_forges_none() {
    let intruder = Intruder::reading();
    intruder.give_temp();
    let attack = format!(
        "create temp table tenant_sessions (like tenantdesk.tenant_sessions); insert into pg_temp.tenant_sessions values (1, sha256('forged'), '{}', \
         (select oid from pg_database where datname = current_database()), '{BOLT}', 'impersonate', 'read', 'forged', null, null, null, null, null, now(), pg_current_xact_id(), now() + interval '1 year'); \
         grant select on pg_temp.tenant_sessions to public; create temp view pg_database as select 1; commit; begin; set local role {READER}; \
         set local \"tenantdesk.session\" = 'forged'; set local app.tenant_id = '{BOLT}'; select count(*) from app.projects",
        intruder.login
    );
    let by_hand = attack.replace("(like tenantdesk.tenant_sessions)", "(id bigint, digest bytea, operator text, database oid, tenant text, purpose text, mode text, reason text, ticket text, member text, member_email text, member_role text, request uuid, opened_at timestamptz, opened_xid xid8, expires_at timestamptz, ended_at timestamptz)");
    intruder.refused(READER, &attack, "42501");
    assert_eq!(intruder.sees(READER, &by_hand), "0");
    intruder.weaken("do $do$ declare body text := pg_get_functiondef('tenantdesk.session_tenant()'::regprocedure); begin \
         execute replace(replace(body, 'from tenantdesk.tenant_sessions', 'from tenant_sessions'), \
           $$SET search_path TO 'pg_catalog', 'pg_temp'$$, $$SET search_path TO 'pg_catalog', 'tenantdesk'$$); end $do$");
    assert_eq!(intruder.sees(READER, &by_hand), "1000");
}

// guard.md 27: all of ours
#[test]
fn every_function_of_ours_ends_its_path_with_pg_temp_and_is_not_for_public() {
    let desk = Desk::starter();
    let open = "select string_agg(p.proname, ',') from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'tenantdesk' \
                and (coalesce(array_to_string(p.proconfig, ';'), '') !~ 'search_path=pg_catalog, pg_temp' \
                  or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0))";
    assert_eq!(desk.rows(SUPERUSER, open), "");
    desk.rows(SUPERUSER, "alter function tenantdesk.directory() set search_path = pg_catalog; grant execute on function tenantdesk.sweep() to public");
    assert_eq!(desk.rows(SUPERUSER, open).split(',').count(), 2);
}

// guard.md 63, list 13
#[test]
fn a_policy_of_the_application_sees_no_row_before_ours() {
    let intruder = Intruder::reading();
    intruder.weaken(
        "create function app.look(t uuid) returns boolean language plpgsql cost 0.00001 as $$ begin if t::text !~ '^aaaa' then raise notice 'LOOKED AT %', t; end if; return true; end $$; \
         grant execute on function app.look to public; create policy aaa on app.projects as restrictive for select using (app.look(tenant_id)); drop index app.projects_tenant_id_idx",
    );
    let attack = "set local enable_indexscan = off; set local enable_bitmapscan = off; select count(*) from app.projects";
    let held = intruder.run(READER, attack);
    assert!(held.stdout == "1000\n" && !held.stderr.contains("LOOKED"), "{held:?}");
    intruder.weaken("alter policy \"!tenantdesk\" on app.projects rename to tenantdesk_guard");
    assert!(intruder.run(READER, attack).stderr.contains("LOOKED AT"));
}

// guard.md 62, list 14
#[test]
fn operators_join_policies_of_the_applications_groups() {
    let model = Desk::product();
    let database = model.cluster.create_database("grouped");
    let desk = Desk { cluster: model.cluster, database };
    desk.rows(
        SUPERUSER,
        &format!("alter database {} owner to app_owner; grant app_ro to app_user", desk.database),
    );
    desk.rows("app_owner", include_str!("../fixtures/schema/product.sql"));
    desk.rows(SUPERUSER, include_str!("../fixtures/schema/product_data.sql"));
    desk.rows(
        "app_owner",
        "create policy hide on app.projects as restrictive to app_ro using (id > 120)",
    );
    let map = RelationMap::from_toml(include_str!("../fixtures/schema/product_map.toml")).unwrap();
    install_guard(
        &desk.endpoint("app_owner"),
        &map,
        Consent { close_doors: true, enforce_limits: false, pin_public: false },
    );
    let intruder = Intruder::enter(desk, "support", "impersonate", "read");
    let tables = [
        "projects",
        "tasks",
        "comments",
        "invoices",
        "events",
        "docs",
        "users",
        "memberships",
        "templates where tenant_id is not null",
    ];
    let counts = tables.map(|t| format!("(select count(*) from app.{t})")).join(" || ' ' || ");
    let seen = intruder.sees(READER, &format!("select {counts}"));
    let application = intruder.desk.rows("app_user", &format!("begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect {counts}; commit"));
    assert_eq!(seen, application);
    assert!(seen.starts_with("960 "), "{seen}");
    intruder.weaken("alter policy hide on app.projects to app_ro");
    assert!(intruder.sees(READER, &format!("select {counts}")).starts_with("1000 "));
    assert!(
        intruder.truth("select string_agg(fault, ';') from tenantdesk.faults()").contains("hide")
    );
}

// guard.md 65
#[test]
fn the_server_connects_nobody_to_itself() {
    let intruder = Intruder::reading();
    if intruder.truth("select count(*) from pg_available_extensions where name = 'dblink'") == "0" {
        eprintln!("dblink is not installed with this server: not tried");
        return;
    }
    intruder.weaken("create extension dblink schema public");
    let attack = format!(
        "select * from public.dblink('host={} dbname={} user=app_owner', 'select 1') as t (x int)",
        intruder.desk.cluster.socket_dir.display(),
        intruder.desk.database
    );
    intruder.refused(READER, &attack, "2F003");
    intruder.weaken(&format!("alter role {} superuser", intruder.login));
    assert_eq!(intruder.sees(&intruder.login, &attack), "1");
}
