//! Attacks on the ledger: forging events, changing them, and what it is told by clients.

use crate::attack_intruder::{
    ARCHIVIST, CHANGER, Intruder, READER, as_operator, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// How many events of the whole ledger do not have the hash that they should have, under settings of the reader's own.
const BROKEN: &str = "set timezone = 'UTC'; set datestyle = 'ISO'; select count(*) from tenantdesk.ledger l join tenantdesk.chains c using (chain) where l.hash <> tenantdesk.event_hash(c.system, l)";

// guard.md 36, list 11
#[test]
fn nobody_forges_an_event_in_the_chain_of_another_tenant() {
    let intruder = Intruder::writing();
    let forged = format!(
        "select tenantdesk.append('tenant:{BOLT}', 'erase', 'x', 'ok', 'database', null, null, null)"
    );
    for role in ["tenantdesk_operator", READER, CHANGER] {
        intruder.refused(role, &forged, "42501");
    }
    for call in [
        "set_rights('x')",
        "end_all(null, 'x', 'x')",
        "end_expired(null)",
        "live()",
        "seal_guard()",
        "count_usage('x', 'x', now()::date, 1)",
        "refill_counters()",
        "count_metric('projects')",
        "enqueue_job('mail.send')",
        "is_open_intent('x', 1, 1)",
        "request_of('x', 1)",
        "keep_an_admin('x', 'x')",
        "require('viewer', 'x')",
        "tenant_state('x')",
        "member_state('x', 'x')",
        "entered_tenants()",
        "keyed_digests('x', '{}')",
        "chain_of('x')",
    ] {
        intruder.refused("tenantdesk_operator", &format!("select tenantdesk.{call}"), "42501");
    }
    // With a live session of A, a statement goes to the chain of A and is marked as told by the client.
    intruder
        .run("tenantdesk_operator", "select tenantdesk.statement_intent('select 1', '{}', null)")
        .rows();
    let told = intruder
        .truth("select chain, attested, actor from tenantdesk.ledger where action = 'statement'");
    assert_eq!(told, format!("tenant:{ACME}|client|{}", intruder.login));
    let outside = intruder.desk.operator("admin");
    for call in [
        "statement_intent('x', '{}', null)",
        "statement_outcome(1, 'ok', 0, 0, 0, null)",
        "security_event('cross_tenant_leak_prevented', 'x')",
    ] {
        let output =
            intruder.desk.psql(&outside, &as_operator(&format!("select tenantdesk.{call}")));
        assert_eq!(sqlstate(&output), "42501", "{call}: {output:?}");
    }
    intruder.refused(
        "tenantdesk_operator",
        "select tenantdesk.security_event('erase', 'x')",
        "22023",
    );
    intruder.weaken("grant execute on function tenantdesk.append to tenantdesk_operator");
    intruder.run("tenantdesk_operator", &forged).rows();
    assert_eq!(intruder.truth(&format!("select count(*) from tenantdesk.ledger where chain = 'tenant:{BOLT}' and action = 'erase'")), "1");
}

#[test]
fn a_statement_has_one_outcome_and_an_old_token_writes_nothing_new() {
    let intruder = Intruder::reading();
    let operator = "tenantdesk_operator";
    let intent = intruder
        .sees(operator, "select tenantdesk.statement_intent('select $1', '{secret}', null)");
    let outcome = |intent: &str, what: &str| {
        format!("select 1 from tenantdesk.statement_outcome({intent}, '{what}', 1, 1, 1, null)")
    };
    intruder.refused(operator, &outcome(&intent, "intent"), "22023");
    assert_eq!(intruder.sees(operator, &outcome(&intent, "ok")), "1");
    intruder.refused(operator, &outcome(&intent, "ok"), "22023");
    intruder.refused(operator, &outcome("1", "ok"), "22023");
    intruder.refused(operator, &outcome("null", "ok"), "22023");
    let late =
        intruder.sees(operator, "select tenantdesk.statement_intent('select 2', '{}', null)");
    intruder
        .run(operator, &format!("select tenantdesk.end_session({}, null)", intruder.session))
        .rows();
    intruder.refused(
        operator,
        "select tenantdesk.statement_intent('select 3', '{}', null)",
        "42501",
    );
    // What ran into the end is recorded, once.
    assert_eq!(intruder.sees(operator, &outcome(&late, "failed")), "1");
    intruder.refused(operator, &outcome(&late, "failed"), "22023");
    assert_eq!(
        intruder.truth("select count(*) from tenantdesk.ledger_details where body like '%secret%'"),
        "0"
    );
    intruder.weaken("create or replace function tenantdesk.is_open_intent(of_chain text, of_session bigint, of_intent bigint, of_action text default 'statement') returns boolean language sql as 'select true'");
    assert_eq!(intruder.sees(operator, &outcome("4711", "failed")), "1");
}

#[test]
fn an_operation_is_recorded_as_it_was_and_by_who_did_it() {
    let desk = Desk::product();
    let (support, other) = (desk.operator("support"), desk.operator("support"));
    let id = "00000000-0000-0000-0000-00000000000";
    let begin = |n: u8, verb: &str, tenant: &str| {
        as_operator(&format!(
            "select 1 from tenantdesk.operation_begin('{id}{n}', '{verb}', {tenant}, 'x', 'a reason', gen_random_uuid())"
        ))
    };
    let call = |user: &str, sql: String| desk.psql(user, &as_operator(&format!("select {sql}")));
    for (verb, tenant, state) in [
        ("tenant.create", format!("'{BOLT}'"), "23505"),
        ("tenant.create", format!("'{}'", BOLT.to_uppercase()), "23505"),
        ("tenant.create", "'no uuid'".to_owned(), "P0002"),
        ("erase", format!("'{BOLT}'"), "22023"),
        ("restore", format!("'{BOLT}'"), "42501"),
        ("demo.fill", "null".to_owned(), "42501"),
        ("anything", "null".to_owned(), "22023"),
    ] {
        assert_eq!(
            sqlstate(&desk.psql(&support, &begin(0, verb, &tenant))),
            state,
            "{verb} {tenant}"
        );
    }
    let fresh = "'11111111-0000-0000-0000-000000000001'";
    assert_eq!(desk.rows(&support, &begin(1, "tenant.create", fresh)), "1");
    // Nobody marks or ends what is another's, and no mark is made outside of the work.
    let mark_in = |role: &str, user: &str, id: String| {
        desk.psql(
            user,
            &format!(
                "begin; set local role {role}; select tenantdesk.operation_mark('{id}'); commit"
            ),
        )
    };
    for user in [&support, &other] {
        assert_eq!(sqlstate(&call(user, format!("tenantdesk.operation_mark('{id}1')"))), "42501");
        assert_eq!(sqlstate(&mark_in("tenantdesk_provisioner", user, format!("{id}1"))), "42501");
    }
    assert_eq!(
        sqlstate(&call(&other, format!("tenantdesk.operation_end('{id}1', 'ok', null)"))),
        "P0002"
    );
    assert_eq!(call(&other, format!("* from tenantdesk.operation_state('{id}1')")).rows(), "");
    assert_eq!(
        call(&support, format!("tenantdesk.operation_end('{id}1', 'ok', null)")).rows(),
        "ok, told by the client"
    );
    assert_eq!(
        sqlstate(&call(&support, format!("tenantdesk.operation_end('{id}1', 'failed', null)"))),
        "P0002"
    );
}

// A mark in the provision session, but no tenant: what was not done is not believed.
#[test]
fn a_mark_without_the_tenant_that_it_stands_for_is_not_believed() {
    let desk = Desk::product();
    let support = desk.operator("support");
    let id = "00000000-0000-0000-0000-000000000002";
    let fresh = "'11111111-0000-0000-0000-000000000001'";
    desk.rows(&support, &as_operator(&format!(
        "select 1 from tenantdesk.operation_begin('{id}', 'tenant.create', {fresh}, 'x', 'a reason', gen_random_uuid())"
    )));
    desk.rows(
        &support,
        &as_operator(&format!(
            "select 1 from {}",
            open_call("p", fresh.trim_matches('\''), "provision", "write")
                .replace(&format!("(select id from tenantdesk.members({fresh}) limit 1)"), "null")
        )),
    );
    let mark = format!(
        "begin; set local role tenantdesk_provisioner;\n\\o /dev/null\nselect set_config('tenantdesk.session', 'p', true);\n\\o\nselect tenantdesk.operation_mark('{id}'); commit"
    );
    desk.rows(&support, &mark);
    let end = format!("select tenantdesk.operation_end('{id}', 'ok', null)");
    assert_eq!(desk.rows(&support, &as_operator(&end)), "ok, told by the client");
}

// What has no transaction of its own leaves no mark, so the database does not vouch for it.
#[test]
fn an_admin_seals_nothing_that_never_ran() {
    let intruder = Intruder::enter(Desk::product(), "admin", "export", "read");
    let id = "'00000000-0000-0000-0000-000000000003'";
    let call = |sql: String| {
        intruder.desk.psql(&intruder.login, &as_operator(&format!("select tenantdesk.{sql}")))
    };
    call(format!("operation_begin({id}, 'export', '{ACME}', 'x', 'a reason', gen_random_uuid())"))
        .rows();
    let mark = format!("select tenantdesk.operation_mark({id})");
    intruder.refused(ARCHIVIST, &mark, "42501");
    let long = format!(
        "operation_begin(gen_random_uuid(), 'export', '{ACME}', repeat('x', 201), 'a reason', gen_random_uuid())"
    );
    assert_eq!(sqlstate(&call(long)), "22023");
    intruder.weaken("do $do$ declare body text := pg_get_functiondef('tenantdesk.operation_mark'::regproc); begin execute replace(body, 'if purpose is null or', 'if false and'); end $do$");
    intruder.run(ARCHIVIST, &mark).rows();
    assert_eq!(call(format!("operation_end({id}, 'ok', null)")).rows(), "ok");
    let attested =
        "select attested from tenantdesk.ledger where action = 'export' order by seq desc limit 1";
    assert_eq!(intruder.truth(attested), "database");
}

// An opening that is rolled back leaves no trace, so it must show nothing: not of rows (28), and not of the ledger.
#[test]
fn a_session_that_is_rolled_back_shows_no_ledger() {
    let desk = Desk::product();
    let (support, other) = (desk.operator("support"), desk.operator("support"));
    desk.rows(
        &other,
        &as_operator(&format!("select 1 from {}", open_call("t", BOLT, "impersonate", "read"))),
    );
    let peek = |purpose: &str| {
        format!(
            "begin; set local role tenantdesk_operator;\n\\o /dev/null\nselect * from {};\n\\o\n\
             select count(*) from tenantdesk.ledger_events('{BOLT}', null, null, null, null, 10); rollback; ",
            open_call("p", BOLT, purpose, "write").replace(
                "(select id from tenantdesk.members",
                "(select null::text from tenantdesk.members"
            )
        )
    };
    // Its own record of the opening is all there is, and goes with it.
    assert_eq!(desk.rows(&support, &peek("manage")), "1");
    desk.rows(SUPERUSER, "create or replace function tenantdesk.entered_tenants() returns table (tenant text) language sql stable security definer as 'select s.tenant from tenantdesk.tenant_sessions s where s.operator = session_user'");
    assert_eq!(desk.rows(&support, &peek("manage")), "2");
}

// guard.md 40, list 12
#[test]
fn no_setting_of_a_session_changes_a_hash() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    let settings = "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set bytea_output = 'escape'; set intervalstyle = 'sql_standard'; set extra_float_digits = -5; ";
    desk.rows(
        &operator,
        &format!(
            "{settings}{}",
            as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")))
        ),
    );
    assert_eq!(desk.rows(SUPERUSER, BROKEN), "0");
    desk.rows(SUPERUSER, "alter table tenantdesk.ledger disable trigger all; update tenantdesk.ledger set actor = 'nobody' where action like 'impersonate%'");
    assert_eq!(desk.rows(SUPERUSER, BROKEN), "1");
    // A hash over text would not verify under other settings.
    let desk = Desk::product();
    let operator = desk.operator("support");
    desk.rows(SUPERUSER, "create or replace function tenantdesk.event_hash(system text, event tenantdesk.ledger) returns bytea language sql immutable as $$ select sha256(convert_to(concat(system, (event).chain, (event).seq, (event).at, (event).actor, (event).prev), 'UTF8')) $$");
    desk.rows(
        &operator,
        &format!(
            "{settings}{}",
            as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")))
        ),
    );
    let since = format!("{BROKEN} and l.action like 'impersonate%'");
    assert_eq!(desk.rows(SUPERUSER, &since), "1");
}

// guard.md 41
#[test]
fn nobody_reads_or_changes_ledger_sessions_or_levels_by_hand() {
    let intruder = Intruder::enter(Desk::product(), "admin", "impersonate", "write");
    let tables = [
        "ledger",
        "ledger_details",
        "chains",
        "tenant_sessions",
        "operators",
        "operations",
        "operation_marks",
        "configuration",
        "relations",
        "map",
        "guard_grants",
        "guard_policies",
        "exceptions",
        "plans",
        "plan_limits",
        "limit_overrides",
        "usage_counters",
        "jobs",
        "migrations",
    ];
    for table in tables {
        for sql in [
            "select count(*) from T",
            "delete from T",
            "truncate T cascade",
            "insert into T default values",
            "lock table T in share mode",
            "copy T to stdout",
            "drop table T",
            "alter table T disable trigger all",
        ] {
            for role in ["tenantdesk_operator", CHANGER] {
                let output = intruder.run(role, &sql.replace('T', &format!("tenantdesk.{table}")));
                assert_eq!(sqlstate(&output), "42501", "{sql} {table}: {output:?}");
            }
        }
    }
    intruder.refused(
        "tenantdesk_operator",
        "update tenantdesk.operators set level = 'admin'",
        "42501",
    );
    // The second wall: whoever had the right would meet the trigger.
    intruder.weaken("grant select, delete, update on tenantdesk.ledger, tenantdesk.chains to tenantdesk_operator");
    let output = intruder.run("tenantdesk_operator", "delete from tenantdesk.ledger");
    assert!(output.stderr.contains("append-only"), "{output:?}");
    intruder.weaken("alter table tenantdesk.ledger disable trigger all; alter table tenantdesk.ledger_details disable trigger all");
    intruder.weaken("delete from tenantdesk.ledger_details");
    assert_eq!(intruder.run("tenantdesk_operator", "delete from tenantdesk.ledger").code, 0);
}

// guard.md 55
#[test]
fn the_token_of_a_running_statement_is_not_shown_to_others() {
    let intruder = Intruder::reading();
    let mut line = intruder.line();
    line.say(&intruder.preamble(READER));
    line.say(&format!("select '{}'", intruder.token));
    let other = intruder.desk.operator("admin");
    let seen = format!(
        "select count(*) > 0 from pg_stat_activity where query like '%{}%' and pid <> pg_backend_pid()",
        intruder.token
    );
    assert_eq!(intruder.desk.rows(&other, &seen), "f");
    intruder.weaken(&format!("alter role {other} inherit; grant pg_read_all_stats to {other}"));
    assert_eq!(intruder.desk.rows(&other, &seen), "t");
}

#[test]
fn support_reads_of_the_ledger_its_own_events_and_the_tenants_it_entered() {
    let ann = Intruder::reading();
    let bob = ann.desk.operator("support");
    let viewer = ann.desk.operator("viewer");
    ann.desk.rows(
        &bob,
        &as_operator(&format!("select 1 from {}", open_call("b", BOLT, "impersonate", "read"))),
    );
    let chains = "select string_agg(distinct tenant, ',') from tenantdesk.ledger_events(null, null, null, null, null, null)";
    assert_eq!(ann.desk.rows(&ann.login, &as_operator(chains)), ACME);
    assert_eq!(ann.desk.rows(&bob, &as_operator(chains)), BOLT);
    assert_eq!(ann.desk.rows(&viewer, &as_operator(chains)), "");
    let sessions = "select string_agg(distinct operator, ',') from tenantdesk.sessions()";
    assert_eq!(ann.desk.rows(&bob, &as_operator(sessions)), bob);
    for call in ["ledger_chains()", "ledger_rows('installation', 0, 10)"] {
        assert_eq!(
            sqlstate(
                &ann.desk.psql(&bob, &as_operator(&format!("select * from tenantdesk.{call}")))
            ),
            "42501"
        );
    }
    ann.weaken(&format!("update tenantdesk.operators set level = 'approver' where name = '{bob}'"));
    assert_eq!(ann.desk.rows(&bob, &as_operator(chains)), format!("{ACME},{BOLT}"));
}
