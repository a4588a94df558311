//! Attacks on each function that operators may call: the list is fixed, each asks for its level,
//! and none falls over arguments of any kind.

use crate::attack_intruder::{as_operator, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// What an operator may call, with the level that it needs and a call that is in order.
const CALLS: &[(&str, &str, &str)] = &[
    ("whoami", "-", "whoami()"),
    ("faults", "-", "faults()"),
    ("setup_fingerprint", "-", "setup_fingerprint()"),
    ("operation_state", "-", "operation_state(gen_random_uuid())"),
    ("statement_intent", "-", "statement_intent('x', '{}', null)"),
    ("statement_outcome", "-", "statement_outcome(1, 'ok', 1, 1, 1, null)"),
    ("security_event", "-", "security_event('x', 'x')"),
    ("result_intent", "-", "result_intent('x', 'csv', 1, null)"),
    ("result_outcome", "-", "result_outcome(1, 'ok', 1, 1)"),
    ("end_session", "-", "end_session(1, 'x')"),
    ("operation_begin", "-", "operation_begin(null, null, null, null, null, null)"),
    ("operation_end", "-", "operation_end(null, 'ok', null)"),
    ("operators", "viewer", "operators()"),
    ("map_document", "viewer", "map_document()"),
    ("relation_list", "viewer", "relation_list()"),
    ("plan_list", "viewer", "plan_list()"),
    ("metric_list", "viewer", "metric_list()"),
    ("override_list", "viewer", "override_list()"),
    ("directory", "viewer", "directory()"),
    ("tenant_named", "viewer", "tenant_named('x')"),
    ("find_tenants", "viewer", "find_tenants('x@y', 10)"),
    ("measure", "viewer", "measure('projects')"),
    (
        "measure_tenant",
        "viewer",
        "measure_tenant('projects', 'aaaaaaaa-0000-0000-0000-000000000001')",
    ),
    ("sessions", "viewer", "sessions()"),
    ("live_sessions", "viewer", "live_sessions()"),
    ("session_events", "viewer", "session_events(1, 10)"),
    ("sweep", "viewer", "sweep()"),
    ("terminate", "viewer", "terminate(1)"),
    ("unblock", "viewer", "unblock()"),
    ("ledger_events", "viewer", "ledger_events(null, null, null, null, null, 10)"),
    ("members", "support", "members('x')"),
    ("find_user", "support", "find_user('x')"),
    ("id_forms", "support", "id_forms()"),
    ("draw_tenant_id", "support", "draw_tenant_id()"),
    ("draw_person_id", "support", "draw_person_id()"),
    (
        "open_session",
        "support",
        "open_session(sha256('q'), 'aaaaaaaa-0000-0000-0000-000000000001', 'impersonate', 'read', 'ticket 4711 asks', null, '3', '1 min', null)",
    ),
    ("ledger_chains", "approver", "ledger_chains()"),
    ("ledger_rows", "approver", "ledger_rows('installation', 0, 10)"),
    ("operator_add", "admin", "operator_add('fresh_operator', 'viewer', null, false, null)"),
    (
        "operator_password",
        "admin",
        "operator_password('fresh_operator', 'SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5', null)",
    ),
    ("operator_level", "admin", "operator_level('fresh_operator', 'support', null)"),
    ("operator_lock", "admin", "operator_lock('fresh_operator')"),
    ("operator_remove", "admin", "operator_remove('fresh_operator', null)"),
    ("terminate_operator", "admin", "terminate_operator('fresh_operator')"),
    ("operator_drop", "admin", "operator_drop('fresh_operator')"),
    (
        "limit_override",
        "admin",
        "limit_override('aaaaaaaa-0000-0000-0000-000000000001', 'projects', 5, now() + interval '1 day', 'a reason to', null)",
    ),
    ("plan_set", "admin", "plan_set('attacked', 'Attacked', 'projects', 1, 2, null)"),
    ("plans_load", "admin", "plans_load('[]', null)"),
    ("recount_usage", "-", "recount_usage(null)"),
    ("setup_state", "-", "setup_state()"),
    ("decision_document", "viewer", "decision_document()"),
    ("decide", "-", "decide('{}', null, 'app.projects', null)"),
    ("except_object", "-", "except_object('nothing', 'because it is a test', null)"),
];

/// The functions that a role may execute.
fn executable(desk: &Desk, role: &str) -> String {
    desk.rows(SUPERUSER, &format!(
        "select string_agg(p.proname::text, ',' order by p.proname::text collate \"C\") from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
         where n.nspname = 'tenantdesk' and has_function_privilege('{role}', p.oid, 'execute')"
    ))
}

#[test]
fn operators_and_session_roles_call_what_is_listed_and_nothing_else() {
    let desk = Desk::product();
    let mut listed: Vec<&str> = CALLS.iter().map(|(name, ..)| *name).collect();
    listed.sort_unstable();
    assert_eq!(executable(&desk, "tenantdesk_operator"), listed.join(","));
    let tenants = "archive_tenant,archive_writes,provision_tenant,session_tenant,writing_tenant";
    for role in ["tenantdesk_reader", "tenantdesk_inserter", "tenantdesk_changer"] {
        assert_eq!(executable(&desk, role), tenants);
    }
    assert_eq!(
        executable(&desk, "tenantdesk_archivist"),
        "advance_sequence,archive_tenant,archive_writes,operation_mark,provision_tenant,session_tenant,take_restore_turn,writing_tenant"
    );
    assert_eq!(
        executable(&desk, "tenantdesk_provisioner"),
        "archive_tenant,archive_writes,claim_provision,is_begun,is_first_member,is_known_plan,operation_mark,provision_tenant,session_tenant,writing_tenant"
    );
    assert_eq!(executable(&desk, "app_user"), "audit_event,enqueue_job,tenant_audit");
    desk.rows(SUPERUSER, "grant execute on function tenantdesk.append to tenantdesk_operator");
    assert_ne!(executable(&desk, "tenantdesk_operator"), listed.join(","));
}

#[test]
fn each_function_asks_for_its_level() {
    let desk = Desk::product();
    let levels = ["viewer", "support", "approver", "admin"];
    let logins = levels.map(|level| desk.operator(level));
    for (_, needed, call) in CALLS {
        let Some(rank) = levels.iter().position(|level| level == needed) else { continue };
        for (login, level) in logins.iter().zip(levels).take(rank) {
            let output =
                desk.psql(login, &as_operator(&format!("select * from tenantdesk.{call}")));
            assert_eq!(sqlstate(&output), "42501", "{call} as {level}: {output:?}");
        }
        // Whoever has the level may: the refusals above are for the level.
        let output =
            desk.psql(&logins[rank], &as_operator(&format!("select * from tenantdesk.{call}")));
        assert_eq!(output.code, 0, "{call}: {output:?}");
    }
    let (viewer, disabled) = (&logins[0], &logins[1]);
    desk.rows(
        SUPERUSER,
        &format!("update tenantdesk.operators set disabled_at = now() where name = '{disabled}'"),
    );
    assert_eq!(
        sqlstate(&desk.psql(disabled, &as_operator("select * from tenantdesk.directory()"))),
        "42501"
    );
    desk.rows(
        SUPERUSER,
        &format!("update tenantdesk.operators set level = 'admin' where name = '{viewer}'"),
    );
    assert_eq!(desk.psql(viewer, &as_operator("select * from tenantdesk.ledger_chains()")).code, 0);
}

#[test]
fn arguments_of_any_kind_do_no_harm() {
    let desk = Desk::product();
    let admin = desk.operator("admin");
    let before = "select (select count(*) from tenantdesk.operators), (select count(*) from tenantdesk.limit_overrides), (select count(*) from tenantdesk.tenant_sessions), (select count(*) from tenantdesk.operations), (select string_agg(concat(rolname, rolsuper, rolcreaterole, rolbypassrls), ',' order by rolname) from pg_roles where rolname ~ '^(app|tenantdesk)_' and rolname !~ '^tenantdesk_(database|sessions)_|app_resolver')";
    let untouched = desk.rows(SUPERUSER, before);
    let nulls = desk.rows(SUPERUSER, "select format('tenantdesk.%I(%s)', p.proname, (select string_agg('null::' || format_type(t, null), ', ') from unnest(p.proargtypes) t)) \
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'tenantdesk' and has_function_privilege('tenantdesk_operator', p.oid, 'execute') and p.pronargs > 0 order by 1");
    assert!(nulls.lines().count() > 15);
    for call in nulls.lines() {
        let output = desk.psql(&admin, &as_operator(&format!("select * from {call}")));
        assert!(!sqlstate(&output).starts_with("XX"), "{call}: {output:?}");
    }
    let long = format!("repeat('x', {})", 1_000_000);
    for hostile in [
        "''",
        "'%'",
        "$q$'; drop table app.projects; --$q$",
        "'../../etc'",
        "E'\\u001b[2J'",
        long.as_str(),
    ] {
        for call in [
            "members(T)",
            "tenant_named(T)",
            "find_tenants(T, 10)",
            "measure(T)",
            "ledger_events(T, T, T, null, null, 10)",
            "ledger_rows(T, 0, 10)",
            "operator_level(T, T, null)",
            "operator_password(T, T, null)",
            "operator_lock(T)",
            "operator_remove(T, null)",
            "operator_drop(T)",
            "plan_set(T, T, T, 1, 1, null)",
            "limit_override(T, T, 1, 'infinity', T, null)",
            "operation_begin(gen_random_uuid(), T, T, T, T, gen_random_uuid())",
        ] {
            let output = desk.psql(
                &admin,
                &as_operator(&format!(
                    "select count(*) from tenantdesk.{}",
                    call.replace('T', hostile)
                )),
            );
            let harmless = output.stdout == "0\n"
                || ["P0002", "22023", "55000"].contains(&sqlstate(&output).as_str());
            assert!(
                harmless,
                "{call} {}: {output:?}",
                hostile.chars().take(40).collect::<String>()
            );
        }
    }
    assert_eq!(desk.rows(SUPERUSER, before), untouched);
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from app.projects"), "3000");
}

#[test]
fn an_override_has_a_number_an_end_and_the_tenants_own_name() {
    let desk = Desk::product();
    let admin = desk.operator("admin");
    for (hard, until) in [
        ("-1", "now() + interval '1 day'"),
        ("null", "now() + interval '1 day'"),
        ("1", "now() - interval '1 day'"),
        ("1", "null"),
    ] {
        let call = format!(
            "tenantdesk.limit_override('{BOLT}', 'projects', {hard}, {until}, 'a reason to', null)"
        );
        assert_ne!(desk.psql(&admin, &as_operator(&format!("select {call}"))).code, 0, "{call}");
    }
    let spelled = format!(
        "select tenantdesk.limit_override('{}', 'projects', 7, now() + interval '1 day', 'a reason to', null)",
        ACME.to_uppercase()
    );
    desk.rows(&admin, &as_operator(&spelled));
    assert_eq!(desk.rows(SUPERUSER, "select tenant from tenantdesk.limit_overrides"), ACME);
}

#[test]
fn the_last_admin_stays_and_who_loses_a_level_loses_his_session() {
    let desk = Desk::product();
    let (first, second) = (desk.operator("admin"), desk.operator("admin"));
    desk.rows(
        &second,
        &as_operator(&format!("select tenantdesk.operator_level('{first}', 'viewer', null)")),
    );
    let output = desk.psql(
        &second,
        &as_operator(&format!("select tenantdesk.operator_remove('{second}', null)")),
    );
    assert_eq!(sqlstate(&output), "55000", "{output:?}");
    let up = desk.psql(
        &first,
        &as_operator(&format!("select tenantdesk.operator_level('{first}', 'admin', null)")),
    );
    assert_eq!(sqlstate(&up), "42501");
    desk.rows(
        SUPERUSER,
        &format!("update tenantdesk.operators set level = 'admin' where name = '{first}'"),
    );
    // With another admin there, he may go; nobody takes himself away.
    let himself = desk.psql(
        &second,
        &as_operator(&format!("select tenantdesk.operator_remove('{second}', null)")),
    );
    assert_eq!(sqlstate(&himself), "55000", "{himself:?}");
    desk.rows(
        &first,
        &as_operator(&format!("select tenantdesk.operator_remove('{second}', null)")),
    );
}
