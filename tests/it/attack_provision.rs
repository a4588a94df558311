//! Attacks by whoever may create tenants, export or restore them: sessions that reach further
//! than an impersonation, and only into one tenant.

use crate::attack_intruder::{ARCHIVIST, Intruder, READER, as_operator, open_call, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

const PROVISIONER: &str = "tenantdesk_provisioner";
const NEW: &str = "11111111-0000-0000-0000-000000000001";
const MEMBER: &str =
    "(select id from tenantdesk.members('11111111-0000-0000-0000-000000000001') limit 1)";

/// Support, creating a tenant.
fn creating() -> Intruder {
    let desk = Desk::product();
    let login = desk.operator("support");
    let call = open_call("new", NEW, "provision", "write").replace(MEMBER, "null");
    let session = desk.rows(&login, &as_operator(&format!("select id from {call}")));
    Intruder { desk, login, token: "new".to_owned(), tenant: NEW.to_owned(), session }
}

#[test]
fn creating_a_tenant_reaches_no_other_and_reads_nothing() {
    let intruder = creating();
    let create = format!("insert into app.tenants (id, slug, name) values ('{NEW}', 'new', 'New')");
    intruder.all_denied(PROVISIONER, &[
        &format!("insert into app.projects (tenant_id, name) values ('{ACME}', 'x')"),
        &format!("insert into app.memberships values ('{ACME}', 3, 'owner')"),
        &format!("insert into app.memberships values ('{BOLT}', 3, 'owner')"),
        "insert into app.tenants (id, slug, name) values (gen_random_uuid(), 'other', 'Other')",
        &format!("set local app.tenant_id = '{ACME}'; insert into app.projects (tenant_id, name) values ('{ACME}', 'x')"),
        &format!("{create} returning id"),
        &format!("{create} on conflict (id) do update set name = 'x'"),
        "select count(*) from app.tenants",
        "select count(*) from app.users",
        "update app.tenants set name = 'x'",
        "delete from app.users",
        "insert into app.comments (task_id, body) values (1, 'x')",
        "insert into app.flags values ('x')",
        "insert into app.notes (tenant_id) values (null)",
        "insert into app.projects (tenant_id, name) select tenant_id, name from app.projects",
    ]);
    intruder.refused(
        PROVISIONER,
        &format!("copy app.projects (tenant_id, name) from stdin;\n{ACME}\tx\n\\.\n"),
        "0A000",
    );
    assert_eq!(sqlstate(&intruder.run(READER, "select 1")), "42501");
    intruder
        .run(
            PROVISIONER,
            &format!(
                "{create}; insert into app.projects (tenant_id, name) values ('{NEW}', 'first')"
            ),
        )
        .rows();
    intruder.weaken("drop policy \"!tenantdesk provision\" on app.projects; alter policy tenant_iso on app.projects using (true)");
    assert_eq!(
        intruder
            .run(
                PROVISIONER,
                &format!("insert into app.projects (tenant_id, name) values ('{ACME}', 'planted')")
            )
            .code,
        0
    );
}

#[test]
fn a_tenant_of_ones_own_is_no_way_to_read_anybody() {
    let intruder = creating();
    intruder.weaken("alter table app.memberships drop constraint memberships_user_id_fkey; alter table app.memberships add foreign key (user_id) references app.users");
    let create = format!("insert into app.tenants (id, slug, name) values ('{NEW}', 'new', 'New')");
    let link = |from: u32, to: u32| {
        format!(
            "insert into app.memberships (tenant_id, user_id) select '{NEW}', g from generate_series({from}, {to}) g"
        )
    };
    intruder.refused(PROVISIONER, &format!("{create}; {}", link(1, 2)), "42501");
    intruder.run(PROVISIONER, &format!("{create}; {}", link(4, 4))).rows();
    intruder.refused(PROVISIONER, &link(5, 5), "42501");
    for control in ["is_first_member()", "claim_provision(what text)"] {
        intruder.weaken(&format!("create or replace function tenantdesk.{control} returns boolean language sql as 'select true'"));
    }
    intruder.run(PROVISIONER, &link(5, 300)).rows();
    let desk = Desk { cluster: intruder.desk.cluster, database: intruder.desk.database.clone() };
    let thief = Intruder::with_login(desk, intruder.login, NEW, "impersonate", "read");
    assert_eq!(thief.sees(READER, "select count(password_hash) from app.users"), "297");
}

// The check alone sees committed rows and its own: two connections at once would each be first.
#[test]
fn two_connections_at_once_link_one_person() {
    let race = |intruder: &Intruder| {
        let mut first = intruder.line();
        first.say(&intruder.preamble(PROVISIONER));
        let link = |user: u32| {
            format!("insert into app.memberships (tenant_id, user_id) values ('{NEW}', {user})")
        };
        first.say(&link(1));
        let (second, late) = (intruder.desk.psql_later(), link(2));
        let sql = format!("{}{late}; commit;", intruder.preamble(PROVISIONER));
        let login = intruder.login.clone();
        let waiting = std::thread::spawn(move || second(&login, &sql));
        std::thread::sleep(std::time::Duration::from_millis(300));
        first.say("commit");
        sqlstate(&waiting.join().unwrap())
    };
    let create = format!("insert into app.tenants (id, slug, name) values ('{NEW}', 'new', 'New')");
    let intruder = creating();
    intruder.run(PROVISIONER, &create).rows();
    assert_eq!(race(&intruder), "42501");
    let intruder = creating();
    intruder.run(PROVISIONER, &create).rows();
    intruder.weaken("create or replace function tenantdesk.claim_provision(what text) returns boolean language sql as 'select true'");
    assert_eq!(race(&intruder), "");
    assert_eq!(intruder.truth("select count(*) from app.memberships where tenant_id = '11111111-0000-0000-0000-000000000001'"), "2");
}

/// Support, creating a tenant of the starter schema.
fn creating_a_starter() -> Intruder {
    let desk = Desk::starter();
    let login = desk.operator("support");
    let call = open_call("new", NEW, "provision", "write").replace(MEMBER, "null");
    let session = desk.rows(&login, &as_operator(&format!("select id from {call}")));
    desk.rows(SUPERUSER, "insert into tenantdesk.plans (name, title) values ('starter', 'Starter') on conflict do nothing");
    Intruder { desk, login, token: "new".to_owned(), tenant: NEW.to_owned(), session }
}

#[test]
fn creating_a_tenant_plants_one_person_and_no_plan_of_ones_own() {
    let intruder = creating_a_starter();
    let tenant = |plan: &str| {
        format!(
            "insert into app.tenants (id, slug, name, plan, subdomain) values ('{NEW}', 'new', 'New', '{plan}', 'new')"
        )
    };
    let person = |name: &str, count: u32| {
        format!(
            "insert into app.app_users (id, email, name, password_hash) select gen_random_uuid(), '{name}' || n || '@x.test', 'P', '$argon2id$v=19$m=1,t=1,p=1$abcd$abcd' from generate_series(1, {count}) n"
        )
    };
    intruder.refused(PROVISIONER, &tenant("unlimited"), "42501");
    intruder.refused(PROVISIONER, &person("many", 3), "42501");
    intruder.run(PROVISIONER, &format!("{}; {}", tenant("starter"), person("owner", 1))).rows();
    intruder.refused(PROVISIONER, &person("second", 1), "42501");
    intruder.weaken("create or replace function tenantdesk.claim_provision(what text) returns boolean language sql as 'select true'");
    intruder.run(PROVISIONER, &person("many", 3)).rows();
    let other = creating_a_starter();
    other.weaken("create or replace function tenantdesk.is_known_plan(plan text) returns boolean language sql as 'select true'");
    other.run(PROVISIONER, &tenant("unlimited")).rows();
}

// A restore of B gives the roles that write; the token of an export of A gives the tenant.
#[test]
fn the_token_of_an_export_writes_nothing_also_under_the_roles_of_a_restore() {
    let export = Intruder::enter(Desk::product(), "admin", "export", "read");
    let desk = Desk { cluster: export.desk.cluster, database: export.desk.database.clone() };
    let _restore = Intruder::with_login(desk, export.login.clone(), BOLT, "restore", "write");
    let writes = [
        (
            "tenantdesk_archive_changer",
            "update tenantdesk_restore.notes set title = 'x' returning id",
        ),
        ("tenantdesk_archive_changer", "delete from tenantdesk_restore.note_lines returning id"),
        ("tenantdesk_archive_changer", "update app.docs set body = 'x' returning id"),
    ];
    let planted =
        format!("insert into tenantdesk_restore.notes (tenant_id, title) values ('{ACME}', 'x')");
    for level in ["read committed", "repeatable read"] {
        let run = |role: &str, sql: &str| {
            let preamble = export.preamble(role).replace("read committed", level);
            export.desk.psql(&export.login, &format!("{preamble}{sql};\ncommit;"))
        };
        for (role, sql) in writes {
            assert_eq!(run(role, sql).rows(), "", "{sql}");
        }
        assert_eq!(sqlstate(&run("tenantdesk_archive_inserter", &planted)), "44000");
        assert_eq!(
            sqlstate(&run(
                "tenantdesk_archive_changer",
                "update tenantdesk_move.notes set title = 'x'"
            )),
            "42501"
        );
    }
    // Control: one function for reading and writing.
    export.weaken("create or replace function tenantdesk.archive_writes() returns text language plpgsql stable security definer as 'begin return tenantdesk.archive_tenant(); end'");
    let changed = export.run("tenantdesk_archive_changer", "with x as (update tenantdesk_restore.notes set title = 'x' returning id) select count(*) from x");
    assert_eq!(changed.rows(), "1000");
}

#[test]
fn a_tenant_that_exists_is_not_created_again_under_any_spelling() {
    let desk = Desk::product();
    let login = desk.operator("support");
    for spelling in
        [ACME.to_owned(), ACME.to_uppercase(), ACME.replace('-', ""), format!("{{{ACME}}}")]
    {
        let call = format!(
            "select 1 from tenantdesk.open_session(sha256('x'), '{spelling}', 'provision', 'write', 'ticket 4711 asks', null, null, '5 min', null)"
        );
        assert_eq!(sqlstate(&desk.psql(&login, &as_operator(&call))), "23505", "{spelling}");
    }
    let long = format!(
        "select 1 from tenantdesk.open_session(sha256('x'), '{NEW}', 'provision', 'write', 'ticket 4711 asks', null, null, '61 min', null)"
    );
    assert_eq!(sqlstate(&desk.psql(&login, &as_operator(&long))), "22023");
}

#[test]
fn an_export_reads_one_tenant_and_writes_nothing() {
    let intruder = Intruder::enter(Desk::product(), "admin", "export", "read");
    let snapshot = |sql: &str| {
        let sql = format!(
            "{}{sql}; commit",
            intruder.preamble(ARCHIVIST).replace("read committed", "repeatable read")
        );
        intruder.desk.rows(&intruder.login, &sql)
    };
    assert_eq!(
        snapshot(&format!(
            "select count(*), count(*) filter (where tenant_id <> '{ACME}') from app.projects"
        )),
        "1000|0"
    );
    assert_eq!(snapshot("select count(*) from app.docs"), "100");
    assert_eq!(snapshot("select count(*) from tenantdesk_move.notes"), "1000");
    assert_eq!(snapshot("select count(*) from tenantdesk_move.note_lines"), "2000");
    assert_eq!(snapshot("select count(*) from app.users"), "101");
    intruder.all_denied(
        ARCHIVIST,
        &[
            "insert into app.docs (tenant_id) values (null)",
            "update app.docs set body = 'x'",
            "delete from app.docs",
            "set role tenantdesk_archive_inserter",
            "set role tenantdesk_reader",
        ],
    );
    intruder.all_denied(ARCHIVIST, &["select tenantdesk.advance_sequence('app.note_seq', 5)"]);
    intruder.weaken("drop policy \"!tenantdesk archive\" on app.docs; alter policy \"tenantdesk archive\" on app.docs using (true)");
    assert_eq!(snapshot("select count(*) from app.docs"), "300");
}

#[test]
fn a_restore_writes_one_tenant_and_takes_no_row_of_another() {
    let intruder = Intruder::enter(Desk::product(), "admin", "restore", "write");
    let (inserter, changer) = ("tenantdesk_archive_inserter", "tenantdesk_archive_changer");
    let task = intruder.truth(&format!("select min(id) from app.tasks where tenant_id = '{BOLT}'"));
    let note = intruder.truth(&format!("select min(id) from app.notes where tenant_id = '{BOLT}'"));
    let inserts = [
        format!("insert into app.docs (tenant_id, body) values ('{BOLT}', 'x')"),
        format!("insert into app.comments (task_id, body) values ({task}, 'x')"),
        format!("insert into app.memberships values ('{BOLT}', 3, 'owner')"),
        format!("insert into app.tenants (id, slug, name) values ('{NEW}', 'new', 'New')"),
        "insert into app.templates (tenant_id, body) values (null, 'for all')".to_owned(),
        format!(
            "insert into app.docs (tenant_id, body) values ('{ACME}', 'x') on conflict (id) do update set body = 'x'"
        ),
        "update app.users set email = 'x'".to_owned(),
    ];
    for sql in &inserts {
        intruder.refused(inserter, sql, "42501");
    }
    for sql in [
        format!("insert into tenantdesk_restore.notes (tenant_id, title) values ('{BOLT}', 'x')"),
        format!("insert into tenantdesk_restore.note_lines (note_id, line) values ({note}, 'x')"),
    ] {
        intruder.refused(inserter, &sql, "44000");
    }
    intruder.all_denied(
        changer,
        &[
            &format!("update app.docs set tenant_id = '{BOLT}'"),
            "update app.users set email = 'x'",
            "delete from app.users",
            "delete from app.tenants",
            "update app.flags set on_ = false",
            "insert into app.docs (tenant_id) values (null)",
        ],
    );
    let foreign = format!("select count(*) from app.docs where tenant_id = '{BOLT}'");
    let before = intruder.truth(&foreign);
    assert_eq!(intruder.run(changer, "delete from app.docs").code, 0);
    assert_eq!(
        intruder.truth(&format!("select count(*) from app.docs where tenant_id = '{ACME}'")),
        "0"
    );
    assert_eq!(intruder.truth(&foreign), before);
    // An old snapshot reads and writes nothing in a restore.
    let old = format!(
        "{}select count(*) from app.projects; commit",
        intruder.preamble(ARCHIVIST).replace("read committed", "repeatable read")
    );
    assert_eq!(intruder.desk.rows(&intruder.login, &old), "0");
    intruder.weaken("drop policy \"!tenantdesk archive\" on app.docs; alter policy \"tenantdesk archive\" on app.docs with check (true)");
    assert_eq!(intruder.run(inserter, &inserts[0]).code, 0);
}

#[test]
fn advancing_a_sequence_runs_no_code_and_moves_nothing_back() {
    let intruder = Intruder::enter(Desk::product(), "admin", "restore", "write");
    let view = "create function pg_temp.f() returns bigint language plpgsql as $$ begin raise warning 'RUNS AS %', current_user; return 1; end $$; \
                create temp view v as select pg_temp.f() as last_value, true as is_called; grant select on v to public; ";
    let attack = format!("{view}select tenantdesk.advance_sequence('v', 0)");
    let held = intruder.run(ARCHIVIST, &attack);
    assert!(sqlstate(&held) == "42809" && !held.stderr.contains("RUNS AS"), "{held:?}");
    for (sequence, state) in [
        ("tenantdesk.tenant_sessions_id_seq", "42809"),
        ("app.projects", "42809"),
        ("no.such", "42P01"),
        ("app.note_seq; drop table app.notes", "42601"),
    ] {
        let call = format!("select tenantdesk.advance_sequence('{sequence}', 1)");
        let output = intruder.run(ARCHIVIST, &call);
        assert!(
            sqlstate(&output) == state
                || sqlstate(&output) == "42602"
                || sqlstate(&output).starts_with("3F"),
            "{sequence}: {output:?}"
        );
    }
    let read = "select last_value from app.note_seq";
    intruder.run(ARCHIVIST, "select tenantdesk.advance_sequence('app.note_seq', 1)").rows();
    assert_eq!(intruder.truth(read), "100000");
    intruder.run(ARCHIVIST, "select tenantdesk.advance_sequence('app.note_seq', 100010)").rows();
    assert_eq!(intruder.truth(read), "100010");
    let without = intruder.desk.psql(&intruder.login, &format!("begin; set local role {ARCHIVIST}; select tenantdesk.advance_sequence('app.note_seq', 200000); commit"));
    assert_eq!(sqlstate(&without), "42501");
    intruder.weaken("do $do$ declare body text := pg_get_functiondef('tenantdesk.advance_sequence'::regproc); begin execute replace(body, 'c.relkind = ''S'' and n.nspname !~ ''^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)''', 'true'); end $do$");
    assert!(intruder.run(ARCHIVIST, &attack).stderr.contains("RUNS AS tenantdesk_owner"));
}
