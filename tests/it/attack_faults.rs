//! Each drift of the guard is noticed by `faults()`, and while there is one no session opens.

use crate::attack_intruder::{as_operator, on_a_server_of_its_own, open_call, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

/// What somebody does to the target (as the owner or a superuser), and a word of the fault.
const DRIFTS: &[(&str, &str)] = &[
    ("alter table app.projects disable row level security", "row level security is off"),
    ("drop policy \"!tenantdesk\" on app.projects", "missing or was changed"),
    ("alter policy \"!tenantdesk\" on app.tasks using (true)", "missing or was changed"),
    (
        "alter policy \"!tenantdesk\" on app.tasks rename to tenantdesk_guard",
        "missing or was changed",
    ),
    ("alter policy \"!tenantdesk\" on app.tasks to app_user", "missing or was changed"),
    ("alter policy tenant_iso on app.docs to app_user", "missing or was changed"),
    ("create policy more on app.projects to tenantdesk_reader using (true)", "is not of setup"),
    (
        "create policy hide on app.projects as restrictive to app_user using (id > 100)",
        "holds for the application and not for operators",
    ),
    ("grant truncate on app.projects to tenantdesk_reader", "setup did not give it"),
    ("grant trigger on app.projects to tenantdesk_changer", "setup did not give it"),
    ("grant update on app.projects to tenantdesk_inserter", "setup did not give it"),
    ("grant select on app.mv_notes to tenantdesk_reader", "setup did not give it"),
    ("grant select on app.events_2024 to tenantdesk_reader", "setup did not give it"),
    ("grant select on app.v_definer to tenantdesk_reader", "setup did not give it"),
    ("grant select on app.notes to tenantdesk_reader", "setup did not give it"),
    ("grant select (secret) on app.notes to tenantdesk_reader", "setup did not give it"),
    ("grant update on sequence app.note_seq to tenantdesk_inserter", "setup did not give it"),
    ("grant insert on app.memberships to tenantdesk_inserter", "setup did not give it"),
    (
        "grant select on app.projects to tenantdesk_reader with grant option",
        "setup did not give it",
    ),
    ("grant execute on function app.notes_of(uuid) to tenantdesk_reader", "setup did not give it"),
    (
        "grant execute on function app.notes_of(uuid) to tenantdesk_operator",
        "setup did not give it",
    ),
    ("grant create on schema app to tenantdesk_changer", "setup did not give it"),
    ("grant all on schema public to tenantdesk_operator", "setup did not give it"),
    (
        "do $$ begin execute format('grant temporary on database %I to tenantdesk_reader', current_database()); end $$",
        "setup did not give it",
    ),
    (
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
        "temporary tables",
    ),
    ("revoke select on app.projects from tenantdesk_reader", "lost SELECT"),
    ("revoke usage on schema app from tenantdesk_reader", "lost USAGE"),
    ("grant select on app.mv_notes to public", "every login may select"),
    ("grant select (secret) on app.notes to public", "every login may select"),
    ("grant usage on sequence app.note_seq to public", "every login may usage"),
    ("grant insert on app.countries to public", "every login may insert"),
    ("grant create on schema app to public", "create objects in it"),
    ("grant execute on function app.notes_of(uuid) to public", "every login may run it"),
    (
        "create function app.new_hole() returns bigint language sql security definer as 'select count(*) from app.notes'",
        "every login may run it",
    ),
    ("alter function app.log_change() set search_path = app", "does not end in pg_temp"),
    ("alter function app.log_change() reset search_path", "does not end in pg_temp"),
    (
        "create foreign data wrapper w; create server s foreign data wrapper w; grant usage on foreign server s to public",
        "every login may use it",
    ),
    ("alter table app.flags owner to tenantdesk_changer", "it belongs to"),
    ("alter table app.note_lines drop column line cascade", "the guarded view is gone"),
    ("drop table app.flags", "the relation is gone"),
];

/// The faults as one text, and that no session opens while there is one.
fn faults(desk: &Desk, login: &str) -> String {
    let faults = desk.rows(
        SUPERUSER,
        "select coalesce(string_agg(object || ': ' || fault, '; '), '') from tenantdesk.faults()",
    );
    let call = open_call("t", ACME, "impersonate", "read");
    let output = desk
        .psql(login, &as_operator(&format!("select 1 from {call}")).replace("commit", "rollback"));
    let refused = sqlstate(&output) == "55000" && output.stderr.contains("the guard is not whole");
    assert_eq!(refused, !faults.is_empty(), "{faults}: {output:?}");
    faults
}

#[test]
fn each_drift_of_the_target_is_a_fault_and_refuses_openings() {
    let desk = Desk::product();
    let login = desk.operator("support");
    assert_eq!(faults(&desk, &login), "");
    for (drift, word) in DRIFTS {
        // In one transaction that is rolled back: the next drift meets the guard whole.
        let seen = desk.psql(
            SUPERUSER,
            &format!(
                "begin; {drift}; select object || ': ' || fault from tenantdesk.faults(); rollback"
            ),
        );
        assert!(seen.code == 0 && seen.stdout.contains(word), "{drift}: {seen:?}");
    }
    assert_eq!(faults(&desk, &login), "");
    for (drift, word) in [DRIFTS[0], DRIFTS[19], DRIFTS[27]] {
        let desk = Desk::product();
        let login = desk.operator("support");
        desk.rows(SUPERUSER, drift);
        assert!(faults(&desk, &login).contains(word), "{drift}");
    }
}

#[test]
fn an_exception_with_a_reason_is_no_fault() {
    let desk = Desk::product();
    let login = desk.operator("support");
    desk.rows("app_owner", "grant execute on function app.project_count(uuid) to public");
    let object = "function app.project_count(uuid)";
    assert!(faults(&desk, &login).contains(object));
    let blank = desk.psql(
        SUPERUSER,
        &format!("insert into tenantdesk.exceptions values ('{object}', 'because')"),
    );
    assert_eq!(sqlstate(&blank), "23514");
    desk.rows(SUPERUSER, &format!("insert into tenantdesk.exceptions values ('{object}', 'it counts, and counts are public')"));
    assert_eq!(faults(&desk, &login), "");
}

/// Roles belong to the server, so these happen on one of their own.
#[test]
fn each_drift_of_our_roles_is_a_fault() {
    let desk = on_a_server_of_its_own();
    let login = desk.operator("support");
    assert_eq!(faults(&desk, &login), "");
    for (drift, undo, word) in [
        (
            "alter role tenantdesk_reader bypassrls",
            "alter role tenantdesk_reader nobypassrls",
            "bypasses row level security",
        ),
        (
            "alter role tenantdesk_changer superuser",
            "alter role tenantdesk_changer nosuperuser",
            "is a superuser",
        ),
        ("alter role tenantdesk_owner login", "alter role tenantdesk_owner nologin", "may log in"),
        (
            "alter role tenantdesk_meter createrole",
            "alter role tenantdesk_meter nocreaterole",
            "may create roles",
        ),
        (
            "grant app_user to tenantdesk_reader",
            "revoke app_user from tenantdesk_reader",
            "is a member of app_user",
        ),
        (
            "grant pg_read_all_data to tenantdesk_operator",
            "revoke pg_read_all_data from tenantdesk_operator",
            "is a member of pg_read_all_data",
        ),
        (
            "grant tenantdesk_reader to LOGIN",
            "revoke tenantdesk_reader from LOGIN",
            "without a session",
        ),
        (
            "grant select on app.projects to LOGIN",
            "revoke select on app.projects from LOGIN",
            "setup did not give it",
        ),
    ] {
        desk.rows(SUPERUSER, &drift.replace("LOGIN", &login));
        let seen = desk.rows(
            SUPERUSER,
            "select string_agg(object || ': ' || fault, '; ') from tenantdesk.faults()",
        );
        assert!(seen.contains(word), "{drift}: {seen}");
        let open = open_call("t", ACME, "impersonate", "read");
        let refused = desk.psql(&login, &as_operator(&format!("select 1 from {open}")));
        assert!(["55000", "42501"].contains(&sqlstate(&refused).as_str()), "{drift}: {refused:?}");
        desk.rows(SUPERUSER, &undo.replace("LOGIN", &login));
    }
    assert_eq!(faults(&desk, &login), "");
}
