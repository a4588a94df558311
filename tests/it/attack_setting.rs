//! Attacks on the tenant setting and the token: what anybody who types SQL can set.

use crate::attack_intruder::{ARCHIVIST, Intruder, READER, as_operator, drop_condition, sqlstate};
use crate::harness::desk::{ACME, BOLT, Desk};

// guard.md 1
#[test]
fn changing_the_setting_inside_one_statement_reads_nothing_of_another_tenant() {
    let intruder = Intruder::reading();
    let set = |to: &str| format!("set_config('app.tenant_id', '{to}', true)");
    let count = format!("(select count(*) from app.projects where tenant_id = '{BOLT}')");
    let attacks = [
        format!("select {count} from (select {}) s", set(BOLT)),
        format!(
            "with s as materialized (select {} as x) select {count} from s where x is not null",
            set(BOLT)
        ),
        format!(
            "select split_part({} || '/' || {count} || '/' || {}, '/', 2)",
            set(BOLT),
            set(ACME)
        ),
        format!(
            "select split_part({} || '/' || (select count(*) from app.comments c join app.tasks t on t.id = c.task_id where t.tenant_id = '{BOLT}'), '/', 2)",
            set(BOLT)
        ),
        format!(
            "select split_part({} || '/' || (select count(*) from app.invoices where tenant_id = '{BOLT}'), '/', 2)",
            set(BOLT)
        ),
    ];
    for attack in &attacks {
        assert_eq!(intruder.sees(READER, attack), "0", "{attack}");
    }
    let shown = format!(
        "select {count} || '/' || set_config('tenantdesk.session', '', true) || '/' || (select count(*) from app.projects)",
    );
    assert!(["0//0", "0//1000"].contains(&intruder.sees(READER, &shown).as_str()));
    for table in ["projects", "tasks", "comments", "invoices"] {
        intruder.weaken(&format!("drop policy \"!tenantdesk\" on app.{table}"));
    }
    for (attack, leaked) in attacks[1..].iter().zip(["1000", "1000", "6667", "1000"]) {
        let seen = intruder.sees(READER, attack);
        assert!(seen == leaked || seen == "6666", "{attack}: {seen}");
    }
}

// guard.md 2, 56
#[test]
fn without_the_token_of_the_own_session_nothing_is_seen() {
    let intruder = Intruder::reading();
    let token = &intruder.token;
    let ask = |present: &str| {
        format!(
            "begin; set local role {READER};\n\\o /dev/null\n{present} select set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect count(*) from app.projects; commit;"
        )
    };
    let present = format!("select set_config('tenantdesk.session', '{token}', true);");
    assert_eq!(intruder.desk.rows(&intruder.login, &ask(&present)), "1000");
    let empty = "select set_config('tenantdesk.session', '', true);";
    for nothing in ["", empty, "select set_config('tenantdesk.session', 'guess', true);"] {
        assert_eq!(intruder.desk.rows(&intruder.login, &ask(nothing)), "0");
    }
    for reset in ["reset all", "set local \"tenantdesk.session\" to default"] {
        let sql = format!("{reset}; select count(*) from app.projects");
        assert_eq!(intruder.sees(READER, &sql), "0", "{reset}");
    }
    intruder.refused(READER, "reset role; select count(*) from app.projects", "42501");
    let discarded = format!(
        "{}commit; discard all; select count(*) from app.projects",
        intruder.preamble(READER)
    );
    assert_eq!(sqlstate(&intruder.desk.psql(&intruder.login, &discarded)), "42501");

    drop_condition(
        &intruder.desk,
        "session_tenant()",
        "s.digest = pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_setting('tenantdesk.session', true), 'UTF8'))",
    );
    assert_eq!(intruder.desk.rows(&intruder.login, &ask("")), "1000");
}

// guard.md 2, 56
#[test]
fn the_token_of_another_operator_opens_nothing() {
    let victim = Intruder::reading();
    let other = Desk { cluster: victim.desk.cluster, database: victim.desk.database.clone() };
    let mut thief = Intruder::enter(other, "support", "impersonate", "read");
    thief.token.clone_from(&victim.token);
    assert_eq!(thief.sees(READER, "select count(*) from app.projects"), "0");
    drop_condition(&victim.desk, "session_tenant()", "s.operator = session_user");
    assert_eq!(thief.sees(READER, "select count(*) from app.projects"), "1000");
}

// guard.md 3
#[test]
fn row_security_off_is_an_error_and_no_rows() {
    let intruder = Intruder::reading();
    let attack = "set local row_security = off; select count(*) from app.projects";
    intruder.refused(READER, attack, "42501");
    let login = &intruder.login;
    intruder.desk.rows(login, &format!("alter role {login} set row_security = off"));
    intruder.refused(READER, "select count(*) from app.projects", "42501");
    intruder.weaken(&format!("alter role {login} bypassrls; grant usage on schema app to {login}; grant select on app.projects to {login}"));
    assert_eq!(intruder.sees(login, attack), "3000");
}

// guard.md 14
#[test]
fn an_operator_cannot_keep_a_tenant_or_a_token_in_his_role() {
    let intruder = Intruder::reading();
    let login = &intruder.login;
    for setting in ["app.tenant_id", "tenantdesk.session"] {
        let attack = format!("alter role {login} set {setting} = '{BOLT}'");
        let output = intruder.desk.psql(login, &attack);
        assert_eq!(sqlstate(&output), "42501", "{output:?}");
    }
    // Control: where they are kept for him, a transaction that presents nothing shows rows.
    let bare = format!("begin; set local role {READER}; select count(*) from app.projects; commit");
    assert_eq!(intruder.desk.rows(login, &bare), "0");
    intruder.weaken(&format!(
        "alter role {login} set \"tenantdesk.session\" = '{}'; alter role {login} set app.tenant_id = '{ACME}'",
        intruder.token
    ));
    assert_eq!(intruder.desk.rows(login, &bare), "1000");
}

// guard.md 15
#[test]
fn settings_kept_in_the_own_role_give_no_rows() {
    let intruder = Intruder::reading();
    let login = &intruder.login;
    for setting in ["search_path = 'app'", "statement_timeout = 0", "role = 'tenantdesk_reader'"] {
        intruder.desk.rows(login, &format!("alter role {login} set {setting}"));
    }
    assert_eq!(
        intruder.desk.rows(login, "select current_user, (select count(*) from app.projects)"),
        "tenantdesk_reader|0"
    );
    intruder.desk.rows(
        login,
        &as_operator(&format!("select tenantdesk.end_session({}, null)", intruder.session)),
    );
    let after = intruder.desk.psql(login, "select count(*) from app.projects");
    assert_eq!(sqlstate(&after), "42501", "{after:?}");
    intruder.weaken(&format!(
        "grant tenantdesk_reader to {login}; alter table app.projects disable row level security"
    ));
    assert_eq!(intruder.desk.rows(login, "select count(*) from app.projects"), "3000");
}

// guard.md 58, list 19
#[test]
fn a_token_opens_nothing_but_what_it_was_drawn_for() {
    let intruder = Intruder::enter(Desk::product(), "admin", "export", "read");
    let (desk, login) = (
        Desk { cluster: intruder.desk.cluster, database: intruder.desk.database.clone() },
        intruder.login.clone(),
    );
    let mut other = Intruder::with_login(desk, login, ACME, "impersonate", "read");
    let docs = "select count(*) from app.docs";
    // The archive moves what the application hides from itself as well: 50 of these 100 are deleted.
    assert_eq!(
        (intruder.sees(ARCHIVIST, docs).as_str(), other.sees(READER, docs).as_str()),
        ("100", "50")
    );
    let (export, impersonation) = (intruder.token.clone(), other.token.clone());
    other.token = impersonation;
    assert_eq!(other.sees(ARCHIVIST, docs), "0");
    other.token = export;
    assert_eq!(other.sees(READER, docs), "0");
    drop_condition(&intruder.desk, "session_tenant()", "s.purpose = 'impersonate'");
    assert_eq!(other.sees(READER, docs), "50");
}
