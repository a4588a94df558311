//! The guard is generated from a map and installed by an owner who is no superuser.

use crate::harness::desk::{ACME, Desk};

/// What an operator types to enter a tenant by hand.
fn enter(tenant: &str, mode: &str) -> String {
    format!(
        "begin; set local role tenantdesk_operator; \
         select id from tenantdesk.open_session(sha256(convert_to('tok', 'UTF8')), '{tenant}', 'impersonate', '{mode}', 'ticket 4711 asks', null, \
           (select id from tenantdesk.members('{tenant}') limit 1), interval '15 min', null); commit; \
         begin; set local role tenantdesk_reader; select set_config('tenantdesk.session', 'tok', true), set_config('app.tenant_id', '{tenant}', true);"
    )
}

#[test]
fn an_operator_sees_one_tenant_and_only_while_a_session_lives() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    let denied = desk.psql(&operator, "select count(*) from app.projects");
    assert!(denied.stderr.contains("42501"), "{denied:?}");
    let seen = desk.rows(&operator, &(enter(ACME, "read") + "\\echo seen\nselect count(*), count(*) filter (where tenant_id = '" + ACME + "') from app.projects; select count(*) from tenantdesk_read.notes; select count(*) from app.comments"));
    let after = seen.split("seen\n").nth(1).unwrap();
    assert_eq!(after, "1000|1000\n1000\n6667", "{seen}");
    assert_eq!(desk.rows("app_owner", "select count(*) from tenantdesk.faults()"), "0");
}
