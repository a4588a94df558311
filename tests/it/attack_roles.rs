//! Attacks by changing roles, and on what roles mean: they belong to the whole server.

use crate::attack_intruder::{
    Intruder, READER, as_operator, drop_condition, on_a_server_of_its_own, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// Tries to open a session for A.
fn opening(desk: &Desk, login: &str) -> String {
    let call = open_call(&format!("{login}-t"), ACME, "impersonate", "read");
    let output = desk.psql(login, &as_operator(&format!("select 1 from {call}")));
    sqlstate(&output) + &output.stdout
}

// guard.md 57, 59
#[test]
fn a_login_that_could_escape_opens_nothing() {
    let desk = Desk::product();
    for escape in [
        "grant app_user to LOGIN",
        "grant app_ro to LOGIN",
        "grant pg_read_all_data to LOGIN",
        "grant tenantdesk_owner to LOGIN",
        "alter role LOGIN inherit",
        "alter role LOGIN createrole",
        "alter role LOGIN createdb",
        "alter role LOGIN replication",
        "alter role LOGIN bypassrls",
        "alter role LOGIN superuser",
        "grant tenantdesk_operator to LOGIN with admin option",
        "create schema mine authorization LOGIN",
        "grant select on app.countries to LOGIN",
    ] {
        let login = desk.operator("support");
        desk.rows(SUPERUSER, &escape.replace("LOGIN", &login));
        assert!(["42501", "55000"].contains(&opening(&desk, &login).as_str()), "{escape}");
        desk.rows(SUPERUSER, &format!("drop schema if exists mine; drop owned by {login}; drop role {login}; delete from tenantdesk.operators where name = '{login}'"));
    }
    let existing = desk.psql(
        "app_owner",
        "select tenantdesk.operator_add('app_user', 'support', null, false, null)",
    );
    assert_eq!(sqlstate(&existing), "42710");
    let login = desk.operator("support");
    desk.rows(SUPERUSER, &format!("grant app_user to {login}; create or replace function tenantdesk.too_powerful(login text) returns text language sql as 'select null::text'"));
    assert_eq!(opening(&desk, &login), "1\n");
    // Membership is enough: the check at the opening does not stop the read itself.
    let read = format!(
        "begin; set local role app_user;\n\\o /dev/null\nselect set_config('app.tenant_id', '{BOLT}', true);\n\\o\nselect count(*) from app.projects; commit"
    );
    assert_eq!(desk.rows(&login, &read), "1000");
}

// guard.md 16
#[test]
fn an_operator_gives_himself_to_nobody() {
    let intruder = Intruder::reading();
    let login = &intruder.login;
    for attack in [
        format!("grant {login} to app_user"),
        "grant tenantdesk_reader to app_user".to_owned(),
        "grant tenantdesk_operator to app_user".to_owned(),
    ] {
        let output = intruder.desk.psql(login, &attack);
        assert_eq!(sqlstate(&output), "42501", "{attack}: {output:?}");
    }
    let group = intruder.desk.operator("viewer");
    intruder.weaken(&format!("grant {group} to {login} with admin option"));
    let third = intruder.desk.operator("viewer");
    intruder.desk.rows(login, &format!("grant {group} to {third}"));
    // What it would do: the application is subject to the guard then, and loses all its rows.
    let alone = on_a_server_of_its_own();
    let rows = format!(
        "begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect count(*) from app.projects; commit"
    );
    assert_eq!(alone.rows("app_user", &rows), "1000");
    alone.rows(SUPERUSER, "grant tenantdesk_reader to app_user");
    assert_eq!(alone.rows("app_user", &rows), "0");
}

// guard.md 60, list 18
#[test]
fn an_admin_makes_himself_no_owner_and_no_shell() {
    let desk = Desk::product();
    let admin = desk.operator("admin");
    let attacks = [
        format!("grant app_owner to {admin}"),
        format!("grant pg_execute_server_program to {admin}"),
        format!("grant tenantdesk_registrar to {admin}"),
        "alter role app_user password 'x'".to_owned(),
        "create role mallory login superuser".to_owned(),
        format!("alter role {admin} createrole"),
    ];
    for attack in &attacks {
        for role in ["", "set role tenantdesk_operator; "] {
            let output = desk.psql(&admin, &format!("{role}{attack}"));
            assert_eq!(sqlstate(&output), "42501", "{attack}: {output:?}");
        }
    }
    for name in [
        "app_user\"; alter role app_user superuser; --",
        "x; drop role app_user",
        "Mallory",
        "pg_mallory",
        "tenantdesk_mallory",
        "",
        "public",
        "none",
    ] {
        let call =
            format!("select tenantdesk.operator_add($q${name}$q$, 'admin', null, false, null)");
        let output = desk.psql(&admin, &as_operator(&call));
        assert_eq!(sqlstate(&output), "22023", "{name}: {output:?}");
    }
    for verifier in
        ["secret", "md5abc", "SCRAM-SHA-256$4096:x$y:z'; alter role app_user superuser; --"]
    {
        let call = format!(
            "select tenantdesk.operator_add('mallory', 'admin', $q${verifier}$q$, false, null)"
        );
        assert_eq!(sqlstate(&desk.psql(&admin, &as_operator(&call))), "22023");
    }
    // On 15 CREATEROLE alone is the shell; from 16 on it is none.
    desk.rows(SUPERUSER, &format!("alter role {admin} createrole"));
    let shell = format!(
        "grant pg_execute_server_program to {admin}; set role pg_execute_server_program; copy (select 1) to program 'cat >/dev/null'"
    );
    let output = desk.psql(&admin, &shell);
    assert_eq!(output.code == 0, desk.cluster.version == 15, "{output:?}");
}

// guard.md 64
#[test]
fn a_copy_of_the_database_has_no_operators_and_no_live_sessions() {
    let intruder = Intruder::reading();
    let copy = Desk {
        cluster: intruder.desk.cluster,
        database: intruder.desk.cluster.create_database_from(&intruder.desk.database, "copy"),
    };
    copy.rows(SUPERUSER, &format!("revoke temporary on database {0} from public; grant temporary on database {0} to app_user, tenantdesk_archivist; alter database {0} owner to app_owner", copy.database));
    let read = format!("{}select count(*) from app.projects; commit", intruder.preamble(READER));
    assert_eq!(intruder.desk.rows(&intruder.login, &read), "1000");
    assert_eq!(copy.rows(&intruder.login, &read), "0");
    assert_eq!(
        copy.rows(
            &intruder.login,
            &as_operator("select coalesce(level, 'none') from tenantdesk.whoami()")
        ),
        "none"
    );
    assert_eq!(opening(&copy, &intruder.login), "42501");
    assert_eq!(copy.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
    // Nor does who owns the copy reach the operators of the original.
    for call in [
        "operator_remove(NAME, null)",
        "operator_level(NAME, 'viewer', null)",
        "operator_drop(NAME)",
        "terminate_operator(NAME)",
    ] {
        let sql =
            format!("select tenantdesk.{}", call.replace("NAME", &format!("'{}'", intruder.login)));
        let output = copy.psql("app_owner", &sql);
        assert!(
            ["P0002", "55000"].contains(&sqlstate(&output).as_str()) || output.stdout == "0\n",
            "{call}: {output:?}"
        );
    }
    assert_eq!(intruder.sees(READER, "select count(*) from app.projects"), "1000");
    drop_condition(&copy, "session_tenant()", "s.database = tenantdesk.this_database()");
    assert_eq!(copy.rows(&intruder.login, &read), "1000");
}

#[test]
fn who_owns_the_database_manages_operators_and_opens_no_session() {
    let desk = Desk::product();
    assert_eq!(opening(&desk, "app_owner"), "42501");
    for call in ["tenantdesk.members('x')", "tenantdesk.find_user('x')", "tenantdesk.sessions()"] {
        let output = desk.psql("app_owner", &format!("select * from {call}"));
        assert_eq!(sqlstate(&output), "42501", "{call}: {output:?}");
    }
    desk.rows(SUPERUSER, "insert into tenantdesk.operators (name, level, database, login) select 'app_owner', 'admin', oid, 'app_owner'::regrole from pg_database where datname = current_database()");
    let output = opening(&desk, "app_owner");
    assert_eq!(output, "42501", "it may create roles");
    assert_eq!(sqlstate(&desk.psql("app_user", "select tenantdesk.whoami()")), "42501");
}

#[test]
fn membership_of_the_group_without_a_level_here_is_nothing() {
    let desk = Desk::product();
    desk.rows(
        SUPERUSER,
        "create role stranger login noinherit; grant tenantdesk_operator to stranger",
    );
    for call in [
        "tenantdesk.directory()",
        "tenantdesk.members('x')",
        "tenantdesk.find_tenants('x@y', 10)",
        "tenantdesk.measure('projects')",
        "tenantdesk.sessions()",
        "tenantdesk.operators()",
        "tenantdesk.sweep()",
        "tenantdesk.unblock()",
        "tenantdesk.terminate(1)",
        "tenantdesk.map_document()",
        "tenantdesk.relation_list()",
        "tenantdesk.plan_list()",
        "tenantdesk.metric_list()",
        "tenantdesk.override_list()",
        "tenantdesk.ledger_events(null, null, null, null, null, 10)",
    ] {
        let output = desk.psql("stranger", &as_operator(&format!("select * from {call}")));
        assert_eq!(sqlstate(&output), "42501", "{call}: {output:?}");
    }
    assert_eq!(opening(&desk, "stranger"), "42501");
    if desk.cluster.version >= 16 {
        // Who is made by `operator add` is the registrar's to give.
        desk.rows(SUPERUSER, "grant stranger to tenantdesk_registrar with admin option");
    }
    desk.rows(SUPERUSER, "insert into tenantdesk.operators (name, level, database, login) select 'stranger', 'support', oid, 'stranger'::regrole from pg_database where datname = current_database()");
    assert_eq!(opening(&desk, "stranger"), "1\n");
}
