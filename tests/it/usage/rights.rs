//! Who may count, and that nobody can bend what counts.

use super::{Shop, TINY, add, id};
use crate::harness::cluster::SUPERUSER;

#[tokio::test]
async fn every_operator_and_the_manager_may_measure_and_nobody_else() {
    let shop = Shop::with_tenants().await;
    shop.app(1, &add(1, "projects", 2)).rows();
    let tenant = id(1);
    let measure = "select * from tenantdesk.measure('projects')";
    let one = format!("select tenantdesk.measure_tenant('projects', '{tenant}')");
    let (viewer, support) = (shop.desk.operator("viewer"), shop.desk.operator("support"));
    for login in [&viewer, &support, "app_owner"] {
        assert_eq!(shop.rows(login, measure), format!("{tenant}|2"));
        assert_eq!(shop.rows(login, &one), "2");
        assert!(shop.ask(login, "select * from tenantdesk.measure('x')").stderr.contains("P0002"));
    }
    shop.desk.rows("app_owner", &format!("select tenantdesk.operator_remove('{viewer}', null)"));
    shop.desk
        .rows(SUPERUSER, "create role nobody_here login noinherit in role tenantdesk_operator");
    for login in [viewer.as_str(), "nobody_here", "app_user"] {
        for sql in [measure, &one] {
            let refused = shop.ask(login, sql);
            let shut = ["42501", "is not permitted to log in"]
                .iter()
                .any(|word| refused.stderr.contains(word));
            assert!(shut, "{login}: {refused:?}");
        }
    }
    shop.desk.rows(SUPERUSER, "drop role nobody_here");
}

#[tokio::test]
async fn plans_limits_and_counters_are_changed_by_admins_through_functions_only() {
    let shop = Shop::with_tenants().await;
    let tenant = id(1);
    let verbs = [
        format!(
            "select tenantdesk.limit_override('{tenant}', 'users', 9, now() + interval '1 hour', 'because', null)"
        ),
        "select tenantdesk.plan_set('tiny', null, 'users', 1, 9, null)".to_owned(),
        "select tenantdesk.plans_load('[]', null)".to_owned(),
    ];
    let inner = [
        "select tenantdesk.count_usage('x', 'users', '2000-01-01', 1)",
        "select tenantdesk.refill_counters()",
        "select * from tenantdesk.count_metric('users')",
        "select tenantdesk.limit_users()",
        "select * from tenantdesk.usage_counters",
        "update tenantdesk.usage_counters set used = 0",
        "update tenantdesk.plan_limits set hard = 9",
        "insert into tenantdesk.limit_overrides values ('x', 'users', 1, now(), 'x')",
    ];
    let (approver, admin) = (shop.desk.operator("approver"), shop.desk.operator("admin"));
    for login in [&approver, "app_user"] {
        for sql in &verbs {
            let refused = shop.ask(login, sql);
            assert!(refused.stderr.contains("42501"), "{login}: {refused:?}");
        }
    }
    for login in [&approver, &admin, "app_user"] {
        for sql in inner {
            let refused = shop.ask(login, sql);
            assert!(refused.stderr.contains("42501"), "{login}: {sql}: {refused:?}");
        }
    }
    // The trigger function takes no orders from a table of the caller's own.
    let hijack = shop.desk.psql("app_user", "create temporary table fresh (tenant_id uuid, state text); create trigger t after insert on fresh referencing new table as fresh for each statement execute function tenantdesk.limit_users()");
    assert!(hijack.stderr.contains("42501"), "{hijack:?}");
    for sql in &verbs {
        shop.rows(&admin, sql);
    }
}

#[tokio::test]
async fn names_in_front_of_ours_change_nothing() {
    let shop = Shop::with_tenants().await;
    // A temporary table and a search path of the application's choice, with the names that the functions use.
    let trap = "create temporary table usage_counters (tenant text, metric text, period_start date, used bigint); create temporary table plan_limits (plan text, metric text, soft bigint, hard bigint);
        create temporary table fresh (tenant_id uuid); create temporary table gone (tenant_id uuid); set local search_path = pg_temp, app, tenantdesk, pg_catalog";
    for (metric, hard) in TINY {
        let refused = shop.app(1, &format!("{trap}; {}", add(1, metric, hard + 1)));
        assert!(refused.stderr.contains("PT402"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_plan_is_set_in_parts_and_each_part_is_recorded() {
    let shop = Shop::open().await;
    let admin = shop.desk.operator("admin");
    let set = |arguments: &str| {
        shop.ask(&admin, &format!("select tenantdesk.plan_set({arguments}, null)"))
    };
    set("'gold', 'Gold', null, null, null").rows();
    set("'gold', null, 'users', 1, 7").rows();
    set("'gold', 'Golden', 'users', null, 8").rows();
    set("'gold', null, 'projects', 1, 2").rows();
    set("'gold', null, 'projects', null, null").rows();
    let listed = shop.rows(&admin, "select * from tenantdesk.plan_list() where plan = 'gold'");
    assert_eq!(listed, "gold|Golden|users|count|total||8");
    for (bad, state) in [
        ("'Gold', null, null, null, null", "22023"),
        ("null, null, null, null, null", "22023"),
        ("'gold', null, 'x', 1, 2", "P0002"),
        ("'gold', null, 'users', 3, 2", "23514"),
        ("'gold', null, 'users', -1, 2", "23514"),
    ] {
        let refused = set(bad);
        assert!(refused.stderr.contains(state), "{bad}: {refused:?}");
    }
    let events = shop.desk.rows("app_owner", "select action, object from tenantdesk.ledger_events(null, null, 'plan', null, null, 100) where object not like 'tiny' order by seq");
    assert_eq!(events, "plan.load|3 plans\n".to_owned() + &["plan.set|gold"; 5].join("\n"));
}
