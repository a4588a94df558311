//! Attacks by functions, operators, statistics, plans and COPY on rows that the guard hides.
//!
//! An operator can make no function at all; here the right to (TEMP) is given to him, so that
//! what holds is row level security and the barrier of the views, not the missing right.

use crate::attack_intruder::{CHANGER, Intruder, READER};
use crate::harness::desk::{ACME, BOLT};

/// Functions and operators that tell each value they see which is not of A.
const LEAKY: &str = "
create function pg_temp.leak(t text) returns boolean language plpgsql cost 0.0000001 as $$ begin if t !~ '^acme' then raise notice 'LEAK %', t; end if; return true; end $$;
create function pg_temp.leak2(t text, u text) returns boolean language plpgsql immutable cost 0.0000001 as $$ begin if t !~ '^acme' and t like '%secret%' then raise notice 'LEAK %', t; end if; return true; end $$;
create operator pg_temp.<<< (leftarg=text, rightarg=text, function=pg_temp.leak2, restrict=eqsel, join=eqjoinsel);
create operator pg_temp.<<> (leftarg=text, rightarg=text, function=pg_temp.leak2, restrict=scalarltsel, join=scalarltjoinsel);
create operator pg_temp.<<? (leftarg=text, rightarg=text, function=pg_temp.leak2, restrict=matchingsel, join=matchingjoinsel);
create operator pg_temp.<<! (leftarg=text, rightarg=text, function=pg_temp.leak2, restrict=likesel, join=likejoinsel);
create operator pg_temp.<<@ (leftarg=text, rightarg=text, function=pg_temp.leak2, restrict=neqsel, join=neqjoinsel);
";

/// Statements that put the leaky function before the guard, if anything can; `T` is the relation.
const CALLS: &[&str] = &[
    "select count(*) from T where pg_temp.leak(secret)",
    "select count(*) from T p join T q using (id) where pg_temp.leak(p.secret)",
    "select count(*) from T where (case when secret !~ '^acme' then 1/(length(secret)-length(secret)) else 1 end) = 1",
    "select count(*) from (select secret from T group by secret having pg_temp.leak(secret)) x",
    "select count(*) from T p, lateral (select pg_temp.leak(p.secret) l) x where l",
    "select count(*) from (select row_number() over (order by secret) r, secret from T) x where pg_temp.leak(secret)",
    "set local enable_seqscan = off; set local enable_bitmapscan = off; select count(*) from T where pg_temp.leak(secret) and id between 1 and 20",
];

/// Plans that ask the statistics with an operator of one's own.
const ESTIMATES: &[&str] = &[
    "explain select * from T where secret operator(pg_temp.<<<) 'x'",
    "explain select * from T where secret operator(pg_temp.<<>) 'x'",
    "explain select * from T where secret operator(pg_temp.<<?) 'x'",
    "explain select * from T where secret operator(pg_temp.<<!) 'x'",
    "explain select * from T where secret operator(pg_temp.<<@) 'x'",
    "explain select * from T p join T q on p.secret operator(pg_temp.<<<) q.secret",
    "explain select * from T p join T q on p.secret operator(pg_temp.<<>) q.secret",
];

/// Runs attacks one transaction each, and gives how many told a foreign value.
fn leaks(intruder: &Intruder, role: &str, relation: &str, attacks: &[&str]) -> usize {
    let leaking = attacks.iter().filter(|attack| {
        let sql = format!(
            "{LEAKY}{};\nrollback",
            attack
                .replace(" T ", &format!(" {relation} "))
                .replace(" T)", &format!(" {relation})"))
        );
        let output = intruder.run(role, &sql);
        let told = output.stderr.contains("LEAK ") || output.stderr.contains("division by zero");
        assert!(told || output.code == 0, "{attack}: {output:?}");
        told
    });
    leaking.count()
}

// guard.md 4
#[test]
fn a_leaky_function_sees_only_rows_of_the_tenant_on_tables_and_views() {
    let intruder =
        Intruder::enter(crate::harness::desk::Desk::product(), "admin", "impersonate", "write");
    intruder.refused(
        READER,
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "42501",
    );
    intruder.give_temp();
    let table: Vec<&str> = CALLS
        .iter()
        .copied()
        .chain(["select count(*) from T tablesample bernoulli(100) where pg_temp.leak(secret)"])
        .collect();
    let change = [
        "select count(*) from (select 1 from T where pg_temp.leak(secret) for update) x",
        "update T set secret = secret where pg_temp.leak(secret)",
        "delete from T where pg_temp.leak(secret)",
    ];
    assert_eq!(leaks(&intruder, READER, "app.projects", &table), 0);
    assert_eq!(leaks(&intruder, READER, "tenantdesk_read.notes", CALLS), 0);
    assert_eq!(leaks(&intruder, CHANGER, "app.projects", &change), 0);
    assert_eq!(leaks(&intruder, CHANGER, "tenantdesk_write.notes", &change), 0);
    // An error of a cast names a value: it must be one of the tenant's own.
    let cast = intruder.run(READER, "select count(*) from app.projects where secret::int > 0");
    assert!(cast.stderr.contains("\"acme-secret-"), "{cast:?}");

    intruder.weaken("drop index app.notes_tenant_id_idx; alter table app.projects disable row level security; \
                     alter view tenantdesk_read.notes reset (security_barrier); alter view tenantdesk_write.notes reset (security_barrier)");
    assert_eq!(leaks(&intruder, READER, "app.projects", &table), table.len());
    assert!(leaks(&intruder, READER, "tenantdesk_read.notes", CALLS) > 2);
    assert!(leaks(&intruder, CHANGER, "tenantdesk_write.notes", &change[1..]) > 0);
    assert_eq!(leaks(&intruder, CHANGER, "app.projects", &change), 3);
}

// guard.md 5
#[test]
fn an_operator_of_ones_own_reads_no_statistics() {
    let intruder = Intruder::writing();
    intruder.give_temp();
    let change = [
        "explain update T set secret = 'x' where secret operator(pg_temp.<<<) 'x'",
        "explain delete from T where secret operator(pg_temp.<<>) 'x'",
    ];
    assert_eq!(leaks(&intruder, READER, "app.projects", ESTIMATES), 0);
    assert_eq!(leaks(&intruder, READER, "tenantdesk_read.notes", ESTIMATES), 0);
    assert_eq!(leaks(&intruder, CHANGER, "app.projects", &change), 0);
    assert_eq!(leaks(&intruder, CHANGER, "tenantdesk_write.notes", &change), 0);
    let base = intruder.run(
        READER,
        &format!("{LEAKY}explain select * from app.notes where secret operator(pg_temp.<<<) 'x'"),
    );
    assert!(base.stderr.contains("42501") && !base.stderr.contains("LEAK"), "{base:?}");

    intruder.weaken("alter table app.projects disable row level security; grant select on app.notes to tenantdesk_reader, tenantdesk_changer; alter view tenantdesk_read.notes reset (security_barrier)");
    assert!(leaks(&intruder, READER, "app.projects", ESTIMATES) >= 2);
    assert!(leaks(&intruder, READER, "tenantdesk_read.notes", ESTIMATES) >= 2);
}

// guard.md 6, 7
#[test]
fn statistics_of_guarded_and_ungranted_relations_are_not_shown() {
    let intruder = Intruder::reading();
    let shown = "select count(*) from pg_stats where schemaname = 'app' and tablename in ('projects', 'invoices', 'comments', 'notes', 'note_lines', 'mv_notes', 'events_2024')";
    assert_eq!(intruder.sees(READER, shown), "0");
    intruder.weaken("alter table app.projects disable row level security; grant select on app.mv_notes, app.events_2024, app.notes to tenantdesk_reader");
    let tables = intruder.sees(READER, "select string_agg(distinct tablename, ',' order by tablename) from pg_stats where schemaname = 'app' and tablename in ('projects', 'mv_notes', 'notes', 'events_2024')");
    assert!(
        tables.contains("mv_notes") && tables.contains("notes") && tables.contains("projects"),
        "{tables}"
    );
}

// guard.md 8
#[test]
fn a_kept_plan_follows_the_token_and_the_role() {
    let intruder = Intruder::reading();
    let attack = "set local plan_cache_mode = force_generic_plan; prepare p as select count(*) from app.projects; execute p; execute p; \
                  set local \"tenantdesk.session\" = ''; execute p";
    assert_eq!(intruder.sees(READER, attack), "1000\n1000\n0");
    let by_setting = format!(
        "set local plan_cache_mode = force_generic_plan; prepare p as select count(*) from app.projects where tenant_id = '{BOLT}'; execute p; set local app.tenant_id = '{BOLT}'; execute p"
    );
    assert_eq!(intruder.sees(READER, &by_setting), "0\n0");
    intruder.refused(READER, "prepare p as select count(*) from app.projects; execute p; set local role tenantdesk_operator; execute p", "42501");
    let between = format!(
        "prepare p as select count(*) from app.projects; execute p; commit; begin; set local role {READER}; execute p"
    );
    assert_eq!(intruder.sees(READER, &between), "1000\n0");
    // A function that may be folded into the plan would answer for ever.
    intruder.weaken("alter function tenantdesk.session_tenant() immutable");
    assert_eq!(intruder.sees(READER, attack), "1000\n1000\n1000");
}

// guard.md 9
#[test]
fn parallel_workers_see_what_the_leader_sees() {
    let intruder = Intruder::reading();
    let parallel = "set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; \
                    set local max_parallel_workers_per_gather = 2; set local parallel_leader_participation = off; set local enable_indexscan = off; \
                    set local enable_bitmapscan = off; set local enable_indexonlyscan = off; ";
    let plan = intruder.sees(READER, &format!("{parallel}explain select count(*) from app.tasks"));
    assert!(plan.contains("Parallel Seq Scan"), "{plan}");
    assert_eq!(
        intruder.sees(
            READER,
            &format!("{parallel}select count(*), min(tenant_id::text) from app.tasks")
        ),
        format!("3000|{ACME}")
    );
    let bare = format!(
        "{parallel}select count(*) filter (where tenantdesk.session_tenant() = '{ACME}') from app.tasks where n > 0"
    );
    assert_eq!(intruder.sees(READER, &bare), "3000");
    let setting =
        format!("{parallel}set local app.tenant_id = '{BOLT}'; select count(*) from app.tasks");
    assert_eq!(intruder.sees(READER, &setting), "0");
    intruder.weaken("drop policy \"!tenantdesk\" on app.tasks");
    assert_eq!(intruder.sees(READER, &setting), "3000");
}

// guard.md 12
#[test]
fn copy_gives_own_rows_takes_none_and_reaches_no_file() {
    let intruder = Intruder::writing();
    let lines = |sql: &str| intruder.sees(READER, sql).lines().count();
    assert_eq!(lines("copy app.projects (id) to stdout"), 1000);
    let from = "copy app.projects (tenant_id, name) from stdin;\nbbbbbbbb-0000-0000-0000-000000000002\tx\n\\.\n";
    intruder.refused("tenantdesk_inserter", from, "0A000");
    let files = [
        "copy (select 1) to program 'cat >/dev/null'",
        &format!("copy (select 1) to '{}'", intruder.desk.cluster.base().join("taken").display()),
        "select pg_read_file('PG_VERSION')",
        "select count(*) > 5 from pg_ls_dir('.')",
    ];
    intruder.all_denied(READER, &files);
    intruder.weaken("alter table app.projects disable row level security");
    assert_eq!(lines("copy app.projects (id) to stdout"), 3000);
    intruder.weaken(&format!("grant pg_execute_server_program to {}", intruder.login));
    assert_eq!(intruder.sees("pg_execute_server_program", files[0]), "");
    intruder.weaken(&format!("grant pg_write_server_files to {0}; grant execute on function pg_read_file(text), pg_ls_dir(text) to {0}", intruder.login));
    assert_eq!(intruder.sees("pg_write_server_files", files[1]), "");
    let version = intruder.desk.cluster.version.to_string();
    assert_eq!(intruder.sees(&intruder.login, files[2]), version);
    assert_eq!(intruder.sees(&intruder.login, files[3]), "t");
}
