//! Attacks that only the host can stop: definitions that ask for no ownership, the shared lock
//! table, other databases, grants that make somebody else look powerful.

use crate::attack_intruder::{
    ARCHIVIST, Intruder, READER, as_operator, on_a_server_of_its_own, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

const HOST: &str = include_str!("../../src/startup/close_host.sql");
const POLICIES: &str =
    "select count(*) from pg_policy where 'tenantdesk_reader'::regrole = any (polroles)";

/// The product on a server whose superuser closed what only he can.
fn hosted() -> Desk {
    let desk = on_a_server_of_its_own();
    desk.rows(SUPERUSER, tenantdesk::isolation::guard::sources::REFUSE_DEFINITIONS);
    desk.rows(SUPERUSER, HOST);
    desk.rows(SUPERUSER, "delete from tenantdesk.exceptions where object = 'DROP OWNED'");
    desk
}

// The server asks for no ownership of the tables whose policies lose a role. A policy TO PUBLIC then
// stands alone, and shows the tenant that a setting names.
#[test]
fn nobody_drops_the_guard_with_the_roles_that_it_names() {
    let attack = format!(
        "set local role {READER}; drop owned by {READER}; select set_config('app.tenant_id', '{BOLT}', true); select count(*) from app.invoices"
    );
    let intruder = Intruder::enter(hosted(), "support", "impersonate", "read");
    let policies = intruder.truth(POLICIES);
    intruder.refused(READER, &attack, "42501");
    intruder.refused("tenantdesk_operator", "drop owned by tenantdesk_operator", "42501");
    assert_eq!(intruder.truth(POLICIES), policies);
    let own = intruder.desk.psql("app_user", "drop owned by app_user");
    assert_eq!(sqlstate(&own), "42501");
    // Without the event trigger no session opens ..
    intruder.weaken("drop event trigger tenantdesk_refuse_definitions");
    let login = intruder.desk.operator("support");
    let open =
        as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")));
    assert_eq!(sqlstate(&intruder.desk.psql(&login, &open)), "55000");
    // .. because it stands between an operator and the rows of others.
    assert!(intruder.sees(READER, &attack).ends_with("1000"));
    assert_ne!(intruder.truth(POLICIES), policies);
}

#[test]
fn an_operator_makes_no_function_and_no_default_right() {
    let export = Intruder::enter(hosted(), "admin", "export", "read");
    let (viewer, other) = (export.desk.operator("viewer"), export.desk.operator("support"));
    let function =
        "create function pg_temp.f() returns int language sql security definer as 'select 1'";
    let defaults = format!("alter default privileges grant select on tables to {other}");
    export.refused(ARCHIVIST, function, "42501");
    assert_eq!(sqlstate(&export.desk.psql(&viewer, &defaults)), "42501");
    // What a restore needs is let through.
    export.run(ARCHIVIST, "create temporary table stage on commit drop as select 1 as n; grant select on stage to tenantdesk_archive_inserter").rows();
    export.weaken("alter event trigger tenantdesk_refuse_definitions disable");
    export.run(ARCHIVIST, function).rows();
    export.desk.rows(&viewer, &defaults);
    // Also then nobody is kept out by what somebody else granted him.
    export.weaken("alter event trigger tenantdesk_refuse_definitions enable always");
    let open =
        as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")));
    assert_eq!(export.desk.rows(&other, &open), "1");
    export.weaken("create or replace function tenantdesk.is_passing(database oid, class oid, object oid) returns boolean language sql as 'select false'");
    let end =
        as_operator("select tenantdesk.end_session(max(id), null) from tenantdesk.sessions()");
    export.desk.rows(&other, &end);
    assert_eq!(sqlstate(&export.desk.psql(&other, &open)), "42501");
}

#[test]
fn a_temporary_object_of_the_application_shuts_no_door() {
    let desk = Desk::product();
    let support = desk.operator("support");
    let open =
        as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")));
    let mut line = crate::attack_intruder::Line::open(&desk, "app_user");
    line.say("create function pg_temp.f() returns int language sql as 'select 1'");
    line.say(&format!("grant execute on function pg_temp.f() to tenantdesk_reader, {support}"));
    assert_eq!(line.say("select pg_temp.f()").as_deref(), Some("1"));
    assert_eq!(desk.rows(&support, &open), "1");
}

#[test]
fn locks_and_other_databases_are_closed_to_operators() {
    let desk = hosted();
    let viewer = desk.operator("viewer");
    let lock = "select count(pg_try_advisory_lock(1, g)) from generate_series(1, 5) g";
    assert_eq!(sqlstate(&desk.psql(&viewer, lock)), "42501");
    assert_eq!(desk.rows("app_user", lock), "5");
    assert_ne!(desk.cluster.psql("postgres", &viewer, "select 1").code, 0);
    assert_eq!(desk.cluster.psql("postgres", "app_owner", "select 1").rows(), "1");
    desk.rows(SUPERUSER, "grant execute on function pg_try_advisory_lock(int, int) to public; grant connect on database postgres to public");
    assert_eq!(desk.rows(&viewer, lock), "5");
    assert_eq!(desk.cluster.psql("postgres", &viewer, "select 1").rows(), "1");
}
