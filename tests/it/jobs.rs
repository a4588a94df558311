//! Jobs: a tenant in them is never null.

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

#[test]
fn a_job_without_a_tenant_is_refused() {
    let desk = Desk::product();
    let enqueue = "select tenantdesk.enqueue_job('mail.send')";
    for setting in [
        "",
        "select set_config('app.tenant_id', '', true);",
        "select set_config('app.tenant_id', 'dddddddd-0000-0000-0000-000000000004', true);",
    ] {
        let refused = desk.psql("app_user", &format!("begin; {setting} {enqueue}"));
        assert!(
            refused.stderr.contains("22004") || refused.stderr.contains("P0002"),
            "{refused:?}"
        );
    }
    // With a tenant it is taken, for that tenant and no other.
    desk.rows(
        "app_user",
        &format!("begin; select set_config('app.tenant_id', '{ACME}', true); {enqueue}; commit"),
    );
    assert_eq!(
        desk.rows(SUPERUSER, "select tenant, kind from tenantdesk.jobs"),
        format!("{ACME}|mail.send")
    );
    // Not even the owner of the table can leave the tenant out.
    let bare = desk.psql(SUPERUSER, "insert into tenantdesk.jobs (kind) values ('mail.send')");
    assert!(bare.stderr.contains("23502"), "{bare:?}");
    // And the application cannot write around the function.
    let direct = desk.psql(
        "app_user",
        &format!("insert into tenantdesk.jobs (tenant, kind) values ('{ACME}', 'x')"),
    );
    assert!(direct.stderr.contains("42501"), "{direct:?}");
}
