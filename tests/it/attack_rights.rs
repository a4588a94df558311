//! Attacks with rights that a product's `GRANT ALL` holds, and that must never be copied.
//!
//! Each list of statements is refused; its control grants the one right and the attack succeeds.

use crate::attack_intruder::{CHANGER, INSERTER, Intruder, Line, READER, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// What the application does while an attack waits for it.
fn application_updates(desk: &Desk) -> String {
    let sql = format!(
        "begin; select set_config('app.tenant_id', '{BOLT}', true); update app.projects set state = 'open' where id = 1; commit"
    );
    desk.psql("app_user", &sql).stderr
}

// guard.md 17
#[test]
fn no_trigger_runs_in_the_session_of_the_application() {
    let intruder = Intruder::writing();
    let attack = "create function pg_temp.f() returns trigger language plpgsql as $$ begin raise warning 'RUNS AS %', current_user; return NEW; end $$; \
                  create trigger zz before update on app.projects for each row execute function pg_temp.f()";
    intruder.give_temp();
    for role in [READER, INSERTER, CHANGER] {
        intruder.refused(role, "create trigger zz before update on app.projects for each row execute function pg_catalog.suppress_redundant_updates_trigger()", "42501");
    }
    intruder.refused(CHANGER, attack, "42501");
    intruder.weaken("grant trigger on app.projects to tenantdesk_changer");
    let mut line = intruder.line();
    line.say(&format!("begin; set local role {CHANGER}; {attack}; commit")).expect("connected");
    assert!(application_updates(&intruder.desk).contains("RUNS AS app_user"));
}

// guard.md 18
#[test]
fn nobody_empties_a_table() {
    let intruder = Intruder::writing();
    let attack = "truncate app.projects cascade";
    for role in [READER, INSERTER, CHANGER] {
        intruder.refused(role, attack, "42501");
    }
    intruder.weaken("grant truncate on all tables in schema app to tenantdesk_changer");
    intruder.run(CHANGER, attack).rows();
    assert_eq!(intruder.truth("select count(*) from app.projects"), "0");
}

// guard.md 19
#[test]
fn nobody_maintains_relations() {
    let intruder = Intruder::writing();
    let attacks = [
        "refresh materialized view app.mv_notes",
        "cluster app.projects using projects_pkey",
        "reindex table app.projects",
    ];
    for role in [READER, CHANGER] {
        intruder.all_denied(role, &attacks);
    }
    // VACUUM and ANALYZE pass over what is not one's own with a warning.
    let before =
        intruder.truth("select last_analyze from pg_stat_user_tables where relname = 'projects'");
    let analyze = intruder.run(CHANGER, "analyze app.projects");
    assert!(analyze.stderr.contains("WARNING"), "{analyze:?}");
    assert_eq!(
        intruder.truth("select last_analyze from pg_stat_user_tables where relname = 'projects'"),
        before
    );
    if intruder.desk.cluster.version >= 17 {
        intruder.weaken("grant maintain on app.mv_notes, app.projects to tenantdesk_changer");
    } else {
        intruder.weaken("alter materialized view app.mv_notes owner to tenantdesk_changer; grant select on app.notes to tenantdesk_changer");
    }
    assert_eq!(intruder.run(CHANGER, attacks[0]).code, 0);
}

// guard.md 20
#[test]
fn a_read_session_and_no_session_lock_nothing_away() {
    let intruder = Intruder::reading();
    let attacks = [
        "lock table app.projects in access exclusive mode",
        "lock table app.projects in share mode",
        "lock table app.projects in row exclusive mode",
        "lock table tenantdesk_read.notes in access exclusive mode",
        "lock table tenantdesk_write.notes in access exclusive mode",
        "lock table tenantdesk.tenant_sessions in access share mode",
        "select 1 from app.projects for update",
    ];
    intruder.all_denied(READER, &attacks);
    intruder.all_denied("tenantdesk_operator", &attacks);
    let outside = intruder.desk.operator("admin");
    for sql in attacks {
        let output = intruder.desk.psql(&outside, &format!("begin; {sql}; commit"));
        assert_eq!(sqlstate(&output), "42501", "{sql}: {output:?}");
    }
    intruder.weaken("grant update on app.projects to tenantdesk_reader");
    assert_eq!(intruder.run(READER, attacks[0]).code, 0);
}

// guard.md 21
#[test]
fn no_sequence_is_set_or_read() {
    let intruder = Intruder::writing();
    let attacks = [
        "select setval('app.note_seq', 1)",
        "select last_value from app.note_seq",
        "select setval('app.projects_id_seq', 1)",
        "alter sequence app.note_seq restart",
    ];
    for role in [READER, INSERTER, CHANGER] {
        intruder.all_denied(role, &attacks);
    }
    intruder.all_denied(READER, &["select nextval('app.note_seq')"]);
    intruder.weaken("grant update, select on sequence app.note_seq to tenantdesk_inserter");
    assert_eq!(intruder.sees(INSERTER, attacks[0]), "1");
}

// guard.md 22
#[test]
fn what_is_the_same_for_all_tenants_is_changed_by_nobody() {
    let intruder = Intruder::writing();
    let attack = "update app.flags set on_ = false";
    intruder.all_denied(CHANGER, &[attack, "delete from app.countries", "delete from app.flags"]);
    intruder.all_denied(
        INSERTER,
        &["insert into app.flags values ('x')", "insert into app.countries values ('XX', 'x')"],
    );
    assert_eq!(intruder.sees(READER, "select count(*) from app.flags"), "1");
    intruder.weaken("grant update on app.flags to tenantdesk_changer");
    intruder.run(CHANGER, attack).rows();
    assert_eq!(intruder.truth("select on_ from app.flags"), "f");
}

// guard.md 23
#[test]
fn materialized_views_partitions_and_foreign_tables_are_out_of_reach() {
    let intruder = Intruder::writing();
    intruder.weaken("create foreign data wrapper w; create server s foreign data wrapper w; create foreign table app.remote (id int) server s; grant all on app.remote to app_user");
    let attacks = [
        "select count(*) from app.mv_notes",
        "select count(*) from app.events_2024",
        "select count(*) from app.v_invoker",
    ];
    let foreign = "select has_table_privilege('app.remote', 'select')";
    assert_eq!(intruder.sees(READER, foreign), "f");
    for role in [READER, INSERTER, CHANGER] {
        intruder.all_denied(role, &attacks);
    }
    intruder.all_denied(
        CHANGER,
        &["update app.events_2024 set kind = 'x'", "delete from app.events_2024"],
    );
    assert_eq!(intruder.sees(READER, "select count(*) from app.events"), "1000");
    intruder
        .weaken("grant select on app.mv_notes, app.events_2024, app.remote to tenantdesk_reader");
    assert_eq!(intruder.sees(READER, attacks[0]), "3000");
    assert!(intruder.sees(READER, attacks[1]).parse::<u32>().unwrap() > 1000);
    assert_eq!(intruder.sees(READER, foreign), "t");
}

/// Statements that change a definition, pass a right on, or become somebody else.
const DEFINITIONS: &[&str] = &[
    "create policy x on app.projects using (true)",
    "alter policy \"!tenantdesk\" on app.projects using (true)",
    "drop policy \"!tenantdesk\" on app.projects",
    "alter table app.projects disable row level security",
    "alter table app.projects add column x int",
    "create rule r as on insert to tenantdesk_write.notes do also nothing",
    "create trigger t instead of insert on tenantdesk_write.notes for each row execute function pg_catalog.suppress_redundant_updates_trigger()",
    "create publication p for table app.projects",
    "create schema mine",
    "create table app.mine (x int)",
    "create table tenantdesk.mine (x int)",
    "create statistics st on name, secret from app.projects",
    "create function app.f() returns int language sql as 'select 1'",
    "create or replace function tenantdesk.session_tenant() returns text language sql as 'select null::text'",
    "alter function tenantdesk.session_tenant() security invoker",
    "alter view tenantdesk_read.notes set (security_barrier = false)",
    "alter default privileges for role app_owner grant all on tables to public",
    "set session_replication_role = replica",
    "set role app_owner",
    "set role app_user",
    "set role tenantdesk_owner",
    "set role tenantdesk_ledger",
    "set role tenantdesk_killer",
    "set role tenantdesk_registrar",
    "set role tenantdesk_meter",
    "set role tenantdesk_archivist",
    "set role tenantdesk_provisioner",
    "set session authorization app_owner",
    "grant tenantdesk_reader to app_user",
    "grant tenantdesk_changer to app_ro",
    "create role x",
    "alter role app_user password 'x'",
    "comment on table app.projects is 'x'",
    "security label on table app.projects is 'x'",
];

// guard.md 13
#[test]
fn no_definition_is_changed_and_no_right_passed_on() {
    let intruder = Intruder::writing();
    let database = &intruder.desk.database;
    let mut attacks: Vec<String> = DEFINITIONS.iter().map(|sql| (*sql).to_owned()).collect();
    attacks.push(format!("alter database {database} owner to {}", intruder.login));
    attacks.push(format!("alter database {database} set app.tenant_id = '{BOLT}'"));
    for sql in &attacks {
        let output = intruder.run(CHANGER, sql);
        let unsupported = sql.starts_with("security label");
        assert!(sqlstate(&output) == "42501" || unsupported, "{sql}: {output:?}");
        assert_ne!(output.code, 0, "{sql}");
        // Not a mistake in the statement: who has the rights can run it.
        let control = intruder.desk.psql(SUPERUSER, &format!("begin; {sql}; rollback"));
        assert!(control.code == 0 || unsupported, "{sql}: {control:?}");
    }
    intruder
        .weaken("create function app.ev() returns event_trigger language plpgsql as 'begin end'");
    for sql in [
        "comment on extension plpgsql is 'mine'",
        "create event trigger e on ddl_command_start execute function app.ev()",
    ] {
        intruder.refused(CHANGER, sql, "42501");
        intruder.weaken(&format!("begin; {sql}; rollback"));
    }
    // Without the grant option PostgreSQL only warns: nothing may have changed.
    let acl = "select relacl::text from pg_class where oid = 'app.projects'::regclass";
    let before = intruder.truth(acl);
    intruder.run(CHANGER, "grant update on app.projects to public");
    assert_eq!(intruder.truth(acl), before);
    intruder.weaken(&format!(
        "grant update on app.projects to {} with grant option; grant usage on schema app to {}",
        intruder.login, intruder.login
    ));
    intruder.run(&intruder.login, "grant update on app.projects to public").rows();
    assert_ne!(intruder.truth(acl), before);
}

// list 5
#[test]
fn rights_of_our_roles_are_of_the_four_kinds_and_only_where_the_map_says() {
    let desk = Desk::product();
    let rights = |desk: &Desk| {
        desk.rows(SUPERUSER, "select g.role || ' ' || tenantdesk.name_of('relation', g.object) || ' ' || string_agg(g.privilege, ',' order by g.privilege) \
             from tenantdesk.present_grants g join pg_class c on c.oid = g.object and c.relnamespace = 'app'::regnamespace where g.kind = 'relation' and g.attribute = '' and g.role !~ '_(owner|meter)$' group by g.role, g.object order by 1")
    };
    let all = rights(&desk);
    for line in all.lines() {
        let mut words = line.split(' ');
        let (role, relation, privileges) =
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let sequence = relation.ends_with("_seq");
        let allowed: &[&str] = match role {
            _ if sequence => &["USAGE"],
            "tenantdesk_reader" | "tenantdesk_archivist" => &["SELECT"],
            "tenantdesk_inserter" | "tenantdesk_archive_inserter" => &["INSERT,SELECT", "SELECT"],
            "tenantdesk_changer" | "tenantdesk_archive_changer" => {
                &["DELETE,SELECT,UPDATE", "SELECT"]
            }
            "tenantdesk_provisioner" => &["INSERT"],
            _ => &[],
        };
        assert!(allowed.contains(&privileges), "{line}");
        let guarded = ["mv_", "v_", "events_20", "notes", "note_lines"]
            .iter()
            .all(|no| !relation.starts_with(&format!("app.{no}")));
        assert!(guarded || sequence, "{line}");
        let shared = ["app.tenants", "app.users", "app.memberships", "app.flags", "app.countries"]
            .contains(&relation);
        if shared && ["tenantdesk_inserter", "tenantdesk_changer"].contains(&role) {
            assert_eq!(privileges, "SELECT", "{line}");
        }
    }
    assert!(all.lines().count() > 60, "{all}");
    // A literal copy of what the application has would be seen.
    desk.rows(SUPERUSER, "grant all on app.projects to tenantdesk_changer");
    assert!(rights(&desk).contains("tenantdesk_changer app.projects DELETE,INSERT"));
}

// list 6
#[test]
fn a_login_without_a_session_has_no_right_on_any_relation() {
    let desk = Desk::product();
    let operator = desk.operator("admin");
    let held = format!(
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname ~ '^(app$|tenantdesk)' and c.relkind in ('r','p','v','m','f') \
         and c.oid <> 'app.countries'::regclass and (has_table_privilege('{operator}', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') or has_any_column_privilege('{operator}', c.oid, 'SELECT, INSERT, UPDATE'))"
    );
    assert_eq!(desk.rows(SUPERUSER, &held), "0");
    let mut line = Line::open(&desk, &operator);
    assert_eq!(line.say("select count(*) from app.projects").as_deref(), Some("42501"));
    let intruder = Intruder::with_login(desk, operator, ACME, "impersonate", "write");
    // Membership without INHERIT: the right is in the role, not in the login.
    assert_eq!(intruder.truth(&held), "0");
    intruder.weaken(&format!("grant select on app.projects to {}", intruder.login));
    assert_eq!(intruder.truth(&held), "1");
}
