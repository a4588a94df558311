//! What an installation leaves behind: one transaction, the owner's rows as they were, his dumps.

use crate::attack_intruder::{Intruder, READER, on_a_server_of_its_own};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk, install_guard};
use tenantdesk::isolation::guard::Consent;
use tenantdesk::isolation::map::RelationMap;

/// What the owner of the tables sees: of what he owns, without a tenant and in one.
fn as_owner(desk: &Desk) -> String {
    let tables = [
        "tenants",
        "users",
        "memberships",
        "projects",
        "tasks",
        "comments",
        "invoices",
        "attachments",
        "events",
        "event_log",
        "docs",
        "templates",
        "notes",
        "note_lines",
        "flags",
        "countries",
    ];
    let counts = tables.map(|table| format!("(select count(*) from app.{table})")).join(", ");
    desk.rows("app_owner", &format!("select {counts}; begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect {counts}; commit"))
}

/// The policies and rights of the target that are not ours, as the catalogs tell them.
const FOREIGN: &str = "select p.polname, p.polrelid::regclass, p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), \
    (select string_agg(case when r = 0 then 'public' else pg_get_userbyid(r) end, ',' order by o) from unnest(p.polroles) with ordinality u (r, o) where r = 0 or pg_get_userbyid(r) !~ '^tenantdesk_') \
  from pg_policy p where p.polname !~ '^!?tenantdesk' order by 2, 1; \
  select c.oid::regclass, pg_get_userbyid(a.grantee), string_agg(a.privilege_type, ',' order by a.privilege_type) from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a \
  where n.nspname = 'app' and (a.grantee = 0 or pg_get_userbyid(a.grantee) !~ '^tenantdesk_') group by 1, 2 order by 1, 2";

/// A database with the product and without the guard.
fn unguarded(with_membership: bool) -> (Desk, String, String) {
    let guarded = on_a_server_of_its_own();
    let desk =
        Desk { cluster: guarded.cluster, database: guarded.cluster.create_database("plain") };
    desk.rows(SUPERUSER, &format!("alter database {} owner to app_owner", desk.database));
    desk.rows("app_owner", include_str!("../fixtures/schema/product.sql"));
    desk.rows(SUPERUSER, include_str!("../fixtures/schema/product_data.sql"));
    desk.rows("app_owner", "alter table app.projects no force row level security; alter table app.docs no force row level security");
    // What the owner sees of rows that the policies do not keep from him.
    desk.rows("app_owner", "alter table app.invoices force row level security; create policy mine on app.tasks to app_owner using (true)");
    let before = (as_owner(&desk), desk.rows(SUPERUSER, FOREIGN));
    let map = RelationMap::from_toml(include_str!("../fixtures/schema/product_map.toml")).unwrap();
    install_guard(
        &desk.endpoint("app_owner"),
        &map,
        Consent { close_doors: true, enforce_limits: true, pin_public: false },
    );
    if with_membership {
        let inherit = if desk.cluster.version >= 16 { " with inherit true" } else { "" };
        desk.rows(SUPERUSER, &format!("grant tenantdesk_reader to app_owner{inherit}"));
    }
    (desk, before.0, before.1)
}

// guard.md 68, list 15
#[test]
fn the_owner_sees_the_same_rows_and_the_applications_policies_stand() {
    let (desk, rows, foreign) = unguarded(false);
    assert_eq!(as_owner(&desk), rows);
    assert_eq!(desk.rows(SUPERUSER, FOREIGN), foreign);
    assert!(rows.contains("3000"), "{rows}");
    let held = "select count(*) from pg_auth_members m where m.member = 'app_owner'::regrole and m.roleid in (select oid from pg_roles where rolname ~ '^tenantdesk_' and rolname <> 'tenantdesk_operator') and COLUMN";
    let column =
        if desk.cluster.version >= 16 { "(m.inherit_option or m.set_option)" } else { "true" };
    assert_eq!(desk.rows(SUPERUSER, &held.replace("COLUMN", column)), "0");
}

// guard.md 68: the control
#[test]
fn an_owner_who_keeps_a_role_that_a_policy_names_loses_his_rows() {
    let (desk, rows, _) = unguarded(true);
    assert_ne!(as_owner(&desk), rows);
}

// guard.md 67
#[test]
fn an_installation_is_one_transaction_and_one_that_fails_leaves_nothing() {
    let desk = Desk::product();
    let transactions = "select count(distinct x) from (select xmin::text as x from pg_policy where polname ~ '^!?tenantdesk' union all select xmin::text from tenantdesk.guard_grants \
         union all select xmin::text from tenantdesk.guard_policies union all select xmin::text from tenantdesk.relations union all select xmin::text from tenantdesk.migrations) t";
    assert_eq!(desk.rows(SUPERUSER, transactions), "1");
    desk.rows(SUPERUSER, "alter policy \"!tenantdesk\" on app.projects rename to x; alter policy x on app.projects rename to \"!tenantdesk\"");
    assert_eq!(desk.rows(SUPERUSER, transactions), "2");

    let (plain, _, _) = unguarded(false);
    let before = plain.rows(
        SUPERUSER,
        "select count(*), (select count(*) from tenantdesk.guard_grants) from pg_policy",
    );
    let broken = include_str!("../fixtures/schema/product_map.toml")
        .replace("references = \"app.notes\"", "references = \"app.tasks\"")
        .replace("referenced = \"id\"", "referenced = \"nothing\"");
    let map = RelationMap::from_toml(&broken).unwrap();
    let endpoint = plain.endpoint("app_owner");
    let failed = std::panic::catch_unwind(|| {
        install_guard(
            &endpoint,
            &map,
            Consent { close_doors: true, enforce_limits: false, pin_public: false },
        );
    });
    assert!(failed.is_err());
    assert_eq!(
        plain.rows(
            SUPERUSER,
            "select count(*), (select count(*) from tenantdesk.guard_grants) from pg_policy"
        ),
        before
    );
    assert_eq!(plain.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
}

// list 16: the dump; migrations around guarded views are `setup --suspend`, not built yet
#[test]
fn the_owner_dumps_while_the_guard_is_installed() {
    let intruder = Intruder::reading();
    let desk = &intruder.desk;
    let dump = desk.cluster.bin_dir.join("pg_dump");
    if !dump.exists() {
        eprintln!("this server comes without pg_dump: not tried");
        return;
    }
    let run = || {
        let mut command = std::process::Command::new(&dump);
        command.env_clear().arg("-h").arg(&desk.cluster.socket_dir).args([
            "-p",
            &desk.cluster.port.to_string(),
            "-U",
            "app_owner",
            "--enable-row-security",
            "-f",
            "/dev/null",
            &desk.database,
        ]);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(), (true, String::new()));
    desk.rows(SUPERUSER, "revoke select on tenantdesk.tenant_sessions from app_owner");
    assert!(run().1.contains("tenant_sessions"));
    assert_eq!(intruder.sees(READER, "select count(*) from app.projects"), "1000");
}
