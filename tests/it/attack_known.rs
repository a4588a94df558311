//! What the guard does not stop, pinned: docs/security.md says each of it. Where one of these
//! tests fails, a leak is closed, and the document is to be corrected.

use crate::attack_intruder::{
    CHANGER, INSERTER, Intruder, Line, READER, as_operator, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// How many rows a filter removed, as EXPLAIN ANALYZE tells a condition on an indexed column.
fn removed(intruder: &Intruder, relation: &str, condition: &str) -> String {
    let plan = intruder.sees(READER, &format!(
        "set local enable_seqscan = off; set local enable_bitmapscan = off; \
         explain (analyze, costs off, timing off, summary off) select 1 from {relation} where {condition}"
    ));
    plan.lines().filter_map(|line| line.trim().strip_prefix("Rows Removed by Filter: ")).collect()
}

// guard.md 50, list 20
#[test]
fn known_leak_a_value_of_an_indexed_column_is_found_by_counting() {
    let intruder = Intruder::reading();
    assert_eq!(removed(&intruder, "app.projects", "secret = 'bolt-secret-1'"), "1");
    assert_eq!(removed(&intruder, "app.projects", "secret = 'bolt-secret-2'"), "");
    // A fenced view (strict mode, later) stops the condition from reaching the index.
    intruder.weaken("create view app.fenced with (security_barrier) as select * from app.projects where tenant_id = (select tenantdesk.session_tenant()::uuid) offset 0; grant select on app.fenced to tenantdesk_reader");
    let (hit, miss) = (
        removed(&intruder, "app.fenced", "secret = 'bolt-secret-1'"),
        removed(&intruder, "app.fenced", "secret = 'bolt-secret-2'"),
    );
    assert_eq!(hit, miss);
}

// guard.md 51
#[test]
fn known_leak_the_counters_of_a_transaction_tell_a_hit() {
    let intruder = Intruder::reading();
    let probe = |value: &str| {
        intruder.sees(READER, &format!(
            "set local enable_seqscan = off; set local enable_bitmapscan = off; prepare p as select count(*) from app.projects where secret = '{value}'; execute p; \
             select coalesce(idx_tup_fetch, 0) + coalesce(idx_tup_read, 0) from (select sum(idx_tup_fetch) as idx_tup_fetch from pg_stat_xact_all_tables where relid = 'app.projects'::regclass) t, \
             (select 0 as idx_tup_read) i"
        ))
    };
    assert_ne!(probe("bolt-secret-1"), probe("bolt-secret-no"));
}

// guard.md 52
#[test]
fn known_leak_sizes_of_tables_and_partitions_are_public() {
    let intruder = Intruder::reading();
    assert_eq!(
        intruder.sees(
            READER,
            "select reltuples::int from pg_class where oid = 'app.projects'::regclass"
        ),
        "3000"
    );
    assert_eq!(
        intruder.sees(READER, "select count(*) from pg_class where relname like 'events_20__'"),
        "2"
    );
}

// guard.md 49
#[test]
fn known_leak_a_key_that_exists_is_told_apart() {
    let intruder = Intruder::writing();
    let foreign =
        intruder.truth(&format!("select min(id) from app.projects where tenant_id = '{BOLT}'"));
    let insert = |id: &str| {
        sqlstate(&intruder.run(INSERTER, &format!("insert into app.projects (id, tenant_id, name) values ({id}, '{ACME}', gen_random_uuid()::text)")))
    };
    assert_eq!((insert(&foreign).as_str(), insert("900000").as_str()), ("23505", ""));
    // A foreign key of one column points at a row of another tenant.
    let attach = |id: &str| {
        sqlstate(&intruder.run(INSERTER, &format!("insert into app.attachments (tenant_id, project_id, path) values ('{ACME}', {id}, 'x')")))
    };
    assert_eq!((attach(&foreign).as_str(), attach("900001").as_str()), ("", "23503"));
    // One that holds the tenant does not.
    intruder.refused(
        INSERTER,
        &format!(
            "insert into app.tasks (tenant_id, project_id, title) values ('{ACME}', {foreign}, 'x')"
        ),
        "23503",
    );
}

// guard.md 47
#[test]
fn known_leak_a_definer_trigger_that_writes_by_the_setting_writes_for_another_tenant() {
    let intruder = Intruder::writing();
    let attack = format!(
        "update app.projects set state = 'done' where id = 3 returning set_config('app.tenant_id', '{BOLT}', true)"
    );
    intruder.run(CHANGER, &attack).rows();
    let written = format!("select count(*) from app.event_log where tenant_id = '{BOLT}'");
    assert_eq!(intruder.truth(&written), "1");
    // The remedy is the trigger's: NEW.tenant_id.
    intruder.weaken("create or replace function app.log_change() returns trigger language plpgsql security definer set search_path = app, pg_temp as $$ begin \
         perform set_config('app.tenant_id', NEW.tenant_id::text, true); insert into app.event_log (tenant_id, what) values (NEW.tenant_id, TG_TABLE_NAME); return null; end $$");
    intruder.run(CHANGER, &attack).rows();
    assert_eq!(intruder.truth(&written), "1");
}

// guard.md 20
#[test]
fn known_outage_a_write_session_locks_a_table() {
    let intruder = Intruder::writing();
    assert_eq!(intruder.run(CHANGER, "lock table app.projects in access exclusive mode").code, 0);
    intruder.refused(READER, "lock table app.projects in access exclusive mode", "42501");
}

// guard.md 53
#[test]
fn known_leak_notifications_reach_every_login() {
    let desk = Desk::product();
    let mut operator = Line::open(&desk, &desk.operator("viewer"));
    operator.say("listen orders");
    desk.rows("app_user", "notify orders, 'payload of any tenant'");
    let heard = operator.say("select 1").unwrap_or_default();
    assert!(heard.contains("payload of any tenant"), "{heard}");
}

// guard.md 54
#[test]
fn known_harm_a_large_object_of_an_operator_breaks_the_owners_dump() {
    let intruder = Intruder::reading();
    let number = intruder.sees(READER, "select lo_create(0)");
    assert_eq!(
        intruder.truth(&format!(
            "select pg_get_userbyid(lomowner) from pg_largeobject_metadata where oid = {number}"
        )),
        READER
    );
    intruder.weaken("revoke execute on function lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) from public");
    intruder.refused(READER, "select lo_create(0)", "42501");
}

// guard.md 61, within a live session
#[test]
fn known_leak_a_migration_that_switches_row_security_off_opens_a_table_to_live_sessions() {
    let intruder = Intruder::reading();
    let count = "select count(*) from app.projects";
    assert_eq!(intruder.sees(READER, count), "1000");
    intruder.weaken("alter table app.projects disable row level security");
    assert_eq!(intruder.sees(READER, count), "3000");
    intruder
        .run(
            "tenantdesk_operator",
            &format!("select tenantdesk.end_session({}, null)", intruder.session),
        )
        .rows();
    intruder.refused(READER, count, "42501");
}

// guard.md 64
#[test]
fn known_leak_the_roles_of_a_session_are_of_the_whole_server() {
    let intruder = Intruder::reading();
    let other = Desk::product();
    let read = format!("{}select count(*) from app.projects; commit", intruder.preamble(READER));
    assert_eq!(other.rows(&intruder.login, &read), "0");
    other.rows("app_owner", "alter table app.projects disable row level security");
    assert_eq!(other.rows(&intruder.login, &read), "3000");
    // REVOKE CONNECT .. FROM PUBLIC keeps operators of one database out of another.
    other.rows(SUPERUSER, &format!("revoke connect on database {} from public", other.database));
    assert_eq!(other.psql(&intruder.login, &read).code, 2);
}

#[test]
fn known_gap_rights_stay_after_expiry_until_somebody_sweeps() {
    let desk = Desk::product();
    let login = desk.operator("support");
    desk.rows(
        &login,
        &as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read"))),
    );
    desk.rows(SUPERUSER, "update tenantdesk.tenant_sessions set opened_at = opened_at - interval '1 hour', expires_at = expires_at - interval '1 hour'");
    let read = format!("begin; set local role {READER}; select count(*) from app.projects; commit");
    assert_eq!(desk.rows(&login, &read), "0");
    desk.rows("app_owner", "select tenantdesk.sweep()");
    assert_eq!(sqlstate(&desk.psql(&login, &read)), "42501");
}
