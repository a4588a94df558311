//! Attacks that write: moved keys, foreign parents, MERGE, ON CONFLICT, linked and shared rows.
//!
//! Where the application's own policy would refuse as well, it is opened first (`loosen`), so that
//! what refuses is the guard.

use crate::attack_intruder::{CHANGER, INSERTER, Intruder, READER, sqlstate};
use crate::harness::desk::{ACME, BOLT};

/// The application's policies let everything through; only the guard is left.
fn loosen(intruder: &Intruder, tables: &[&str]) {
    for table in tables {
        intruder.weaken(&format!(
            "alter policy tenant_iso on app.{table} using (true) with check (true)"
        ));
    }
}

/// Takes all policies of the guard off a table.
fn unguard(intruder: &Intruder, tables: &[&str]) {
    for table in tables {
        intruder.weaken(&format!(
            "do $$ declare p record; begin for p in select polname from pg_policy where polrelid = 'app.{table}'::regclass and polname like '!tenantdesk%' \
             loop execute format('drop policy %I on app.{table}', p.polname); end loop; end $$"
        ));
    }
}

const TABLES: &[&str] = &["projects", "tasks", "comments", "attachments", "templates", "docs"];

// guard.md 10
#[test]
fn no_row_moves_to_another_tenant_or_below_its_parents() {
    let intruder = Intruder::writing();
    loosen(&intruder, TABLES);
    let task_of_b = "(select min(id) from app.tasks)";
    let id = intruder.truth(&format!("select min(id) from app.tasks where tenant_id = '{BOLT}'"));
    let own = intruder.truth(&format!("select min(c.id) from app.comments c join app.tasks t on t.id = c.task_id where t.tenant_id = '{ACME}'"));
    let moves = [
        format!(
            "update app.docs set tenant_id = '{BOLT}' where id = (select min(id) from app.docs)"
        ),
        format!("update app.comments set task_id = {id} where id = {own}"),
        format!("update app.templates set tenant_id = '{BOLT}' where body = 'a'"),
        "update app.templates set tenant_id = null where body = 'a'".to_owned(),
    ];
    let inserts = [
        format!("insert into app.docs (tenant_id, body) values ('{BOLT}', 'x')"),
        format!(
            "insert into app.docs (tenant_id, body) select t, 'x' from unnest(array['{ACME}', '{BOLT}']::uuid[]) t"
        ),
        format!("insert into app.comments (task_id, body) values ({id}, 'x')"),
        "insert into app.templates (tenant_id, body) values (null, 'for all')".to_owned(),
        // The trigger takes the tenant from the setting, which the statement changes.
        format!(
            "insert into app.attachments (path) select 'x' from set_config('app.tenant_id', '{BOLT}', true)"
        ),
    ];
    for sql in &moves {
        intruder.refused(CHANGER, sql, "42501");
    }
    for sql in &inserts {
        intruder.refused(INSERTER, sql, "42501");
    }
    intruder.all_denied(
        INSERTER,
        &["insert into app.tenants (id, slug, name) values (gen_random_uuid(), 'x', 'x')"],
    );
    assert_eq!(intruder.sees(READER, &format!("select count(*) from app.tasks where id = {id} or id = {task_of_b} and tenant_id <> '{ACME}'")), "0");

    unguard(&intruder, TABLES);
    intruder.weaken("create policy tenantdesk_open on app.tasks using (true)");
    for sql in &moves {
        assert_eq!(intruder.run(CHANGER, sql).code, 0, "{sql}");
    }
    for sql in &inserts {
        assert_eq!(intruder.run(INSERTER, sql).code, 0, "{sql}");
    }
}

// guard.md 11
#[test]
fn merge_changes_and_shows_only_own_rows() {
    let intruder = Intruder::writing();
    loosen(&intruder, TABLES);
    intruder.weaken("drop policy alive on app.docs");
    let foreign = format!(
        "select count(*), count(*) filter (where body = 'merged') from app.docs where tenant_id = '{BOLT}'"
    );
    let before = intruder.truth(&foreign);
    let mut attacks = vec![
        format!(
            "merge into app.docs d using (select 1) x on d.tenant_id = '{BOLT}' when matched then update set body = 'merged'"
        ),
        format!(
            "merge into app.docs d using (select 1) x on d.tenant_id = '{BOLT}' when matched then delete"
        ),
    ];
    if intruder.desk.cluster.version >= 17 {
        attacks.push("merge into app.docs d using (select 1 where false) x on true when not matched by source then update set body = 'merged' returning d.tenant_id".to_owned());
        attacks.push(format!("merge into tenantdesk_write.notes n using (select 1) x on n.tenant_id = '{BOLT}' when matched then update set title = 'merged' returning n.tenant_id"));
    }
    if intruder.desk.cluster.version >= 18 {
        attacks.push(
            "update app.docs set body = 'merged' returning old.tenant_id, new.tenant_id".to_owned(),
        );
    }
    for sql in &attacks {
        let output = intruder.run(CHANGER, sql);
        assert!(output.code == 0 && !output.stdout.contains(BOLT), "{sql}: {output:?}");
        assert_eq!(intruder.truth(&foreign), before, "{sql}");
    }
    let moving = format!(
        "merge into app.docs d using (select 1) x on true when matched then update set tenant_id = '{BOLT}'"
    );
    intruder.refused(CHANGER, &moving, "42501");
    let inserting = format!(
        "merge into app.docs d using (select 1) x on false when not matched then insert (tenant_id, body) values ('{BOLT}', 'x')"
    );
    intruder.refused(INSERTER, &inserting, "42501");
    unguard(&intruder, TABLES);
    intruder.run(CHANGER, &attacks[0]).rows();
    assert_ne!(intruder.truth(&foreign), before);
    intruder.run(CHANGER, &moving).rows();
}

/// Below 15.20, 16.16, 17.12 and 18.7 the server itself shows foreign rows to ON CONFLICT DO UPDATE.
fn below_the_floor(intruder: &Intruder) -> bool {
    let number: u32 = intruder.truth("show server_version_num").parse().unwrap();
    let (major, minor) = (number / 10000, number % 10000);
    match major {
        15 => minor < 20,
        16 => minor < 16,
        17 => minor < 12,
        18 => minor < 7,
        _ => false,
    }
}

// guard.md 42, list 7
#[test]
fn on_conflict_on_a_foreign_key_value_shows_nothing() {
    let intruder = Intruder::writing();
    let id =
        intruder.truth(&format!("select min(id) from app.projects where tenant_id = '{BOLT}'"));
    let attack = format!(
        "insert into app.projects as p (id, tenant_id, name) values ({id}, '{ACME}', 'x') on conflict (id) do update set name = 'y' where p.secret::int > 0"
    );
    intruder.refused(INSERTER, &attack, "42501");
    intruder.refused(CHANGER, &attack, "42501");
    intruder.weaken("grant update on app.projects to tenantdesk_inserter");
    let seen = intruder.run(INSERTER, &attack);
    assert_eq!(seen.stderr.contains("bolt-secret"), below_the_floor(&intruder), "{seen:?}");
}

// guard.md 43, list 7
#[test]
fn on_conflict_through_a_guarded_view_takes_no_foreign_row() {
    let intruder = Intruder::writing();
    let id = intruder.truth(&format!("select min(id) from app.notes where tenant_id = '{BOLT}'"));
    let attack = format!(
        "insert into tenantdesk_write.notes (id, tenant_id, title) values ({id}, '{ACME}', 'x') on conflict (id) do update set tenant_id = '{ACME}' returning secret"
    );
    intruder.refused(INSERTER, &attack, "42501");
    intruder.refused(CHANGER, &attack, "42501");
    intruder.weaken("grant update on tenantdesk_write.notes to tenantdesk_inserter");
    let seen = intruder.run(INSERTER, &attack);
    assert_eq!(seen.stdout.contains("bolt-secret"), below_the_floor(&intruder), "{seen:?}");
}

// guard.md 44, 45, list 8
#[test]
fn nobody_links_changes_or_deletes_a_person_of_another_tenant() {
    let intruder = Intruder::writing();
    let link = format!(
        "insert into app.memberships select '{ACME}', g from generate_series(1, 300) g on conflict do nothing"
    );
    let change = "update app.users set password_hash = 'x' where id = 4";
    // Person 1 is a member of A and of B.
    let delete = "delete from app.users where id = 1";
    intruder.all_denied(INSERTER, &[&link]);
    intruder.all_denied(
        CHANGER,
        &[
            change,
            delete,
            "delete from app.memberships where user_id = 1",
            "update app.memberships set role = 'owner'",
        ],
    );
    let persons = "select count(*) from app.users";
    assert_eq!(intruder.sees(READER, persons), "101");

    intruder.weaken("grant insert on app.memberships to tenantdesk_inserter; grant update, delete on app.users to tenantdesk_changer");
    intruder.run(INSERTER, &link).rows();
    assert_eq!(intruder.sees(READER, persons), "300");
    intruder.run(CHANGER, change).rows();
    assert_eq!(intruder.truth("select password_hash from app.users where id = 4"), "x");
    intruder.run(CHANGER, delete).rows();
    assert_eq!(
        intruder.truth(&format!(
            "select count(*) from app.memberships where user_id = 1 and tenant_id = '{BOLT}'"
        )),
        "0"
    );
}

// guard.md 46
#[test]
fn nobody_gives_himself_a_plan() {
    let intruder = Intruder::writing();
    let attack = "update app.tenants set plan = 'enterprise', status = 'active'";
    intruder.all_denied(CHANGER, &[attack, "delete from app.tenants"]);
    intruder.weaken("grant update on app.tenants to tenantdesk_changer");
    intruder.run(CHANGER, attack).rows();
    assert_eq!(
        intruder.truth("select string_agg(slug, ',') from app.tenants where plan = 'enterprise'"),
        "acme"
    );
}

// guard.md 48
#[test]
fn a_read_session_fires_no_trigger() {
    let intruder = Intruder::reading();
    intruder.weaken("create function app.tell() returns trigger language plpgsql as $$ begin raise warning 'FIRED'; return null; end $$; \
                     create trigger tell after update on app.docs for each statement execute function app.tell()");
    let attack = "update app.docs set body = 'x' where false";
    let held = intruder.run(READER, attack);
    assert!(sqlstate(&held) == "42501" && !held.stderr.contains("FIRED"), "{held:?}");
    intruder.weaken("grant update on app.docs to tenantdesk_reader");
    assert!(intruder.run(READER, attack).stderr.contains("FIRED"));
}

// guard.md 66
#[test]
fn a_guarded_view_takes_no_row_of_another_tenant() {
    let intruder = Intruder::writing();
    intruder.weaken("alter table app.notes alter tenant_id drop not null");
    let note = intruder.truth(&format!("select min(id) from app.notes where tenant_id = '{BOLT}'"));
    let inserts = [
        format!("insert into tenantdesk_write.notes (tenant_id, title) values ('{BOLT}', 'x')"),
        "insert into tenantdesk_write.notes (tenant_id, title) values (null, 'x')".to_owned(),
        format!("insert into tenantdesk_write.note_lines (note_id, line) values ({note}, 'x')"),
    ];
    let updates = [
        format!("update tenantdesk_write.notes set tenant_id = '{BOLT}'"),
        "update tenantdesk_write.notes set tenant_id = null".to_owned(),
        format!(
            "update tenantdesk_write.note_lines set note_id = {note} where id = (select min(id) from tenantdesk_write.note_lines)"
        ),
    ];
    for sql in &inserts {
        intruder.refused(INSERTER, sql, "44000");
    }
    for sql in &updates {
        intruder.refused(CHANGER, sql, "44000");
    }
    assert_eq!(intruder.sees(READER, "select count(*) from tenantdesk_read.notes"), "1000");
    assert_eq!(intruder.sees(READER, "select count(*) from tenantdesk_read.note_lines"), "2000");
    intruder.all_denied(
        CHANGER,
        &[
            "select count(*) from app.notes",
            "update app.notes set title = 'x'",
            "update tenantdesk_read.notes set title = 'x'",
            "create or replace view tenantdesk_write.notes as select * from app.notes",
            "alter view tenantdesk_write.notes reset (security_barrier)",
            "drop view tenantdesk_write.notes",
            "create rule r as on select to tenantdesk_write.notes do instead nothing",
        ],
    );
    intruder.weaken("alter view tenantdesk_write.notes reset (check_option); alter view tenantdesk_write.note_lines reset (check_option)");
    for (role, sql) in [(INSERTER, &inserts[0]), (INSERTER, &inserts[2]), (CHANGER, &updates[2])] {
        assert_eq!(intruder.run(role, sql).code, 0, "{sql}");
    }
}
