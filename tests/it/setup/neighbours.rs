//! Two databases of one server, several setups at once, and the owner's own tools beside the guard.

use std::io::Write as _;

use super::{CYCLES, HIERARCHY, MIXED_CASE, NO_FOREIGN_KEYS, Target, with_hosts_roles};
use crate::harness::binary::wait_until;
use crate::harness::cluster::SUPERUSER;

#[test]
fn two_databases_of_one_server_do_not_know_each_others_operators_and_the_last_takes_the_roles() {
    let cluster = Box::leak(Box::new(with_hosts_roles()));
    let one = Target::on(cluster, MIXED_CASE);
    let other = Target::on(cluster, NO_FOREIGN_KEYS);
    let roles = "select count(*) from pg_roles where rolname ~ '^(tenantdesk|ada|bob)'";
    assert_eq!(one.rows(SUPERUSER, roles), "0");
    let (before_one, before_other) = (one.catalogs(), other.catalogs());
    one.set_up();
    other.set_up();
    let ada = one.operator("ada", "admin");
    let bob = other.operator("bob", "admin");
    one.answer(&ada, &["tenant", "list"]);
    assert_eq!(other.run(&ada, &["tenant", "list"]).0, 3, "nobody of that name is known there");
    assert_eq!(one.run(&bob, &["tenant", "list"]).0, 3);
    let removed = one.answer("app_owner", &["setup", "--remove", "--confirm", &one.database]);
    assert_eq!(removed["removed"]["shared"], true, "{removed:#}");
    assert_eq!(one.catalogs(), before_one);
    // The neighbour works as before.
    let tenants = other.answer(&bob, &["tenant", "list"]);
    let id = tenants["tenants"][0]["id"].as_str().unwrap();
    other.answer(&bob, &["export", id, "-o", "x.tenant"]);
    let removed = other.answer("app_owner", &["setup", "--remove", "--confirm", &other.database]);
    assert_eq!(removed["removed"]["shared"], false, "{removed:#}");
    assert_eq!(other.catalogs(), before_other);
    assert_eq!(other.rows(SUPERUSER, roles), "0", "no role is left behind");
    let ledger = removed["ledger"].as_str().unwrap();
    let text = std::fs::read_to_string(ledger).unwrap();
    assert!(text.lines().count() > 3 && text.contains("operator.add"), "{text}");
}

#[test]
fn a_removal_wants_the_name_of_the_database() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let error = target.refused("app_owner", &["setup", "--remove", "--confirm", "another"]);
    assert!(error.to_string().contains(&target.database), "{error:#}");
    assert_eq!(target.run("app_owner", &["setup", "--remove"]).0, 2, "nobody can be asked");
    assert_eq!(target.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
}

#[test]
fn several_setups_at_once_wait_for_each_other() {
    let (one, other) = (Target::of(MIXED_CASE), Target::of(CYCLES));
    one.decide();
    other.decide();
    let run = |target: &Target| {
        let code = target.run("app_owner", &["setup", "--yes", "--pin-public"]).0;
        assert!(code == 0 || code == 1, "{code}");
    };
    std::thread::scope(|scope| {
        for target in [&one, &one, &other, &other] {
            scope.spawn(move || run(target));
        }
    });
    for target in [&one, &other] {
        let faults = target.rows(SUPERUSER, "select object, fault from tenantdesk.faults()");
        assert!(faults.lines().all(|line| line.starts_with("function ")), "{faults}");
    }
}

#[test]
fn the_owner_sees_and_dumps_what_he_saw_and_dumped_before() {
    let target = Target::of(CYCLES);
    let counts = |login: &str| {
        let sql = "select string_agg(format('(select count(*) from %s)', c.oid::regclass), ',' order by c.oid::regclass::text) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema|tenantdesk)' and has_table_privilege(c.oid, 'select')";
        let columns = target.rows(login, sql);
        target.rows(login, &format!("select {columns}"))
    };
    let before = (counts("app_owner"), counts("app_user"));
    target.set_up();
    assert_eq!((counts("app_owner"), counts("app_user")), before);
    let dump = target.cluster.bin_dir.join("pg_dump");
    if !dump.exists() {
        // The server of npm comes without clients.
        return;
    }
    let output = std::process::Command::new(dump)
        .args([
            "--dbname",
            &target.url("app_owner"),
            "--enable-row-security",
            "--file",
            "/dev/null",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_setup_waits_shortly_for_a_lock_and_changes_nothing_where_it_does_not_get_it() {
    let target = Target::of(HIERARCHY);
    target.decide();
    let before = target.catalogs();
    let mut holder = target.cluster.psql_command(&target.database, SUPERUSER);
    let mut holder = holder.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut words = holder.stdin.take().unwrap();
    words.write_all(b"begin; lock table site.organizations in access share mode;\n").unwrap();
    words.flush().unwrap();
    let waits = "select count(*) > 0 from pg_locks l where l.relation = 'site.organizations'::regclass and l.granted";
    wait_until("the lock is held", || target.rows(SUPERUSER, waits) == "t");
    let (code, document) = target.run("app_owner", &["setup", "--yes"]);
    assert_eq!(code, 4, "{document:#}");
    assert!(document.to_string().contains("lock"), "{document:#}");
    assert_eq!(target.catalogs(), before);
    drop(words);
    holder.wait().unwrap();
    target.set_up();
}
