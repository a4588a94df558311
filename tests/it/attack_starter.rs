//! The leak tests of the seed guides on the starter schema, for the application and for operators,
//! and attacks on its limits. A job without a tenant is to be refused as well: jobs are tried in jobs.rs.

use crate::attack_intruder::{CHANGER, INSERTER, Intruder, READER, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// Two tenants, each with one person, one workspace and one project with the same last digits.
const ROWS: &str = "
insert into app.tenants (id, slug, name, subdomain) values ('aaaaaaaa-0000-0000-0000-000000000001', 'acme', 'Acme', 'acme'), ('bbbbbbbb-0000-0000-0000-000000000002', 'bolt', 'Bolt', 'bolt');
insert into app.app_users (id, email, name, password_hash) select u::uuid, e, e, '$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA' from (values
  ('aaaaaaaa-0000-0000-0000-0000000000aa', 'ann@acme.test'), ('bbbbbbbb-0000-0000-0000-0000000000bb', 'ben@bolt.test')) v (u, e);
insert into app.tenant_memberships (tenant_id, user_id, role, state) values
  ('aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0000-0000000000aa', 'owner', 'active'), ('bbbbbbbb-0000-0000-0000-000000000002', 'bbbbbbbb-0000-0000-0000-0000000000bb', 'owner', 'active');
insert into app.workspaces (tenant_id, id, slug, name, is_default) select t.id, t.id, 'default', 'Default', true from app.tenants t;
insert into app.projects (tenant_id, id, workspace_id, name) select t.id, t.id, t.id, t.slug || ' project' from app.tenants t;
insert into app.tasks (tenant_id, id, project_id, title) select t.id, t.id, t.id, t.slug || ' task' from app.tenants t;
insert into app.comments (task_id, author_name, body) select t.id, 'x', t.slug || ' comment' from app.tenants t;
";

const TABLES: [&str; 6] =
    ["tenants", "app_users", "tenant_memberships", "projects", "tasks", "comments"];

fn desk() -> Desk {
    let desk = Desk::starter();
    desk.rows(SUPERUSER, ROWS);
    desk
}

/// The application in a tenant, or without one.
fn application(desk: &Desk, tenant: &str, sql: &str) -> String {
    let set = format!(
        "begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{tenant}', true);\n\\o\n"
    );
    let output = desk.psql("app_user", &format!("{set}{sql}; commit"));
    sqlstate(&output) + output.stdout.trim_end()
}

#[test]
fn the_application_in_one_tenant_reads_and_changes_nothing_of_another() {
    let desk = desk();
    for table in TABLES {
        let all = application(&desk, BOLT, &format!("select count(*) from app.{table}"));
        assert_eq!(all, "1", "{table}");
        for none in ["", "11111111-0000-0000-0000-000000000001"] {
            assert_eq!(
                application(&desk, none, &format!("select count(*) from app.{table}")),
                "0",
                "{table} without a tenant"
            );
        }
    }
    desk.rows(SUPERUSER, "alter table app.projects disable row level security");
    assert_eq!(application(&desk, BOLT, "select count(*) from app.projects"), "2");
}

// A row of another tenant and one that is not there look the same: by id, changed, deleted.
#[test]
fn a_foreign_row_looks_to_the_application_as_one_that_is_not_there() {
    let desk = desk();
    for id in [ACME, "99999999-0000-0000-0000-000000000009"] {
        assert_eq!(
            application(&desk, BOLT, &format!("select name from app.projects where id = '{id}'")),
            ""
        );
        assert_eq!(
            application(
                &desk,
                BOLT,
                &format!("update app.projects set name = 'x' where id = '{id}' returning 1")
            ),
            ""
        );
        assert_eq!(
            application(
                &desk,
                BOLT,
                &format!("delete from app.tasks where id = '{id}' returning 1")
            ),
            ""
        );
        assert_eq!(
            application(
                &desk,
                BOLT,
                &format!(
                    "insert into app.comments (task_id, author_name, body) values ('{id}', 'x', 'x')"
                )
            ),
            "42501"
        );
    }
    assert_eq!(
        application(
            &desk,
            BOLT,
            &format!(
                "insert into app.workspaces (tenant_id, slug, name) values ('{ACME}', 'x', 'x')"
            )
        ),
        "42501"
    );
    assert_eq!(
        application(&desk, BOLT, &format!("update app.projects set tenant_id = '{ACME}'")),
        "42501"
    );
    desk.rows(SUPERUSER, "alter table app.projects disable row level security");
    assert_eq!(
        application(&desk, BOLT, &format!("select name from app.projects where id = '{ACME}'")),
        "acme project"
    );
}

#[test]
fn an_operator_in_one_tenant_reads_and_changes_nothing_of_another() {
    let desk = desk();
    let login = desk.operator("admin");
    let intruder = Intruder::with_login(desk, login, BOLT, "impersonate", "write");
    for table in TABLES {
        assert_eq!(
            intruder.sees(READER, &format!("select count(*) from app.{table}")),
            "1",
            "{table}"
        );
    }
    for id in [ACME, "99999999-0000-0000-0000-000000000009"] {
        for setting in [ACME, BOLT] {
            let set = format!("set local app.tenant_id = '{setting}'; ");
            assert_eq!(
                intruder
                    .sees(READER, &format!("{set}select name from app.projects where id = '{id}'")),
                ""
            );
            assert_eq!(
                intruder.sees(
                    CHANGER,
                    &format!(
                        "{set}update app.projects set name = 'x' where id = '{id}' returning 1"
                    )
                ),
                ""
            );
            assert_eq!(
                intruder.sees(
                    CHANGER,
                    &format!("{set}delete from app.tasks where id = '{id}' returning 1")
                ),
                ""
            );
            intruder.refused(INSERTER, &format!("{set}insert into app.comments (task_id, author_name, body) values ('{id}', 'x', 'x')"), "42501");
        }
    }
    intruder.refused(INSERTER, &format!("set local app.tenant_id = '{ACME}'; insert into app.workspaces (tenant_id, slug, name) values ('{ACME}', 'x', 'x')"), "42501");
    // No tenant of its own: the policies of the application still want the setting.
    assert_eq!(
        intruder.sees(READER, "set local app.tenant_id = ''; select count(*) from app.projects"),
        "0"
    );
    intruder.weaken("drop policy \"!tenantdesk\" on app.projects");
    assert_eq!(intruder.sees(READER, &format!("set local app.tenant_id = '{ACME}'; select name from app.projects where id = '{ACME}'")), "acme project");
}

/// A plan of two projects.
fn limited() -> Desk {
    let desk = desk();
    desk.rows(SUPERUSER, "insert into tenantdesk.plans (name, title) values ('starter', 'Starter') on conflict do nothing; \
         insert into tenantdesk.plan_limits (plan, metric, soft, hard) values ('starter', 'projects', 1, 2) on conflict (plan, metric) do update set soft = 1, hard = 2");
    desk
}

const ADD: &str = "insert into app.projects (tenant_id, workspace_id, name) select w.tenant_id, w.id, gen_random_uuid()::text from app.workspaces w, generate_series(1, N) g";

#[test]
fn nobody_passes_or_moves_a_limit() {
    let desk = limited();
    // Tables in the place of those that the trigger names, by whoever may make temporary ones.
    let stand_ins = "create temp table fresh (tenant_id uuid); create temp table gone (tenant_id uuid); create temp table usage_counters (tenant text, used bigint); \
                     create temp table plan_limits (plan text, metric text, soft bigint, hard bigint); create temp table limit_of (x int); ";
    assert_eq!(application(&desk, BOLT, &format!("{stand_ins}{}", ADD.replace('N', "2"))), "PT402");
    assert_eq!(application(&desk, BOLT, &ADD.replace('N', "1")), "");
    assert_eq!(application(&desk, BOLT, &ADD.replace('N', "1")), "PT402");
    for sql in [
        "select * from tenantdesk.usage_counters",
        "update tenantdesk.usage_counters set used = 0",
        "select tenantdesk.limit_projects()",
        "select tenantdesk.count_usage('x', 'projects', now()::date, -5)",
        "alter table app.projects disable trigger all",
        "set session_replication_role = replica",
        "create temp table t (tenant_id uuid); create trigger x after delete on t referencing old table as gone for each statement execute function tenantdesk.limit_projects()",
    ] {
        assert_eq!(application(&desk, BOLT, sql), "42501", "{sql}");
    }
    // The count is of the tenant of the row, never of the setting.
    assert_eq!(desk.rows(SUPERUSER, "select tenant, used from tenantdesk.usage_counters where metric = 'projects' and used > 1"), format!("{BOLT}|2"));
    let login = desk.operator("admin");
    let intruder = Intruder::with_login(desk, login, BOLT, "impersonate", "write");
    intruder.refused(INSERTER, &ADD.replace('N', "1"), "PT402");
    intruder.all_denied(
        CHANGER,
        &[
            "update tenantdesk.plan_limits set hard = 99",
            "delete from tenantdesk.usage_counters",
            "alter table app.projects disable trigger all",
        ],
    );
    intruder.weaken("drop trigger \"!tenantdesk limit projects insert\" on app.projects");
    assert_eq!(intruder.run(INSERTER, &ADD.replace('N', "3")).code, 0);
}

#[test]
fn two_writers_at_the_limit_do_not_both_pass() {
    let desk = limited();
    let tries = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| application(&desk, ACME, &ADD.replace('N', "1"))))
            .collect();
        writers.into_iter().map(|w| w.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(tries.iter().filter(|t| t.is_empty()).count(), 1, "{tries:?}");
    assert_eq!(
        desk.rows(
            SUPERUSER,
            &format!("select count(*) from app.projects where tenant_id = '{ACME}'")
        ),
        "2"
    );
}
