//! `usage` and `plan list`: what operators see.

use tenantdesk::console::Console;
use tenantdesk::tenant::directory;
use tenantdesk::usage::report::{MetricUsage, TenantUsage, of_tenant, overview};
use tenantdesk::usage::{LimitSource, LimitState, OverrideLimit, override_limit, plans};

use super::{Shop, TINY, add, id};
use crate::harness::cluster::SUPERUSER;

async fn console(shop: &Shop, level: &str) -> Console {
    Console::connect(shop.desk.endpoint(&shop.desk.operator(level))).await.unwrap()
}

fn metric<'u>(usage: &'u TenantUsage, name: &str) -> &'u MetricUsage {
    usage.metrics.iter().find(|metric| metric.metric.raw() == name).unwrap()
}

#[tokio::test]
async fn the_overview_shows_every_tenant_and_the_fullest_first() {
    let shop = Shop::with_tenants().await;
    shop.add_tenant(3, "zeta", "bespoke");
    shop.app(1, &add(1, "projects", 1)).rows();
    shop.app(2, &add(2, "projects", 3)).rows();
    shop.app(2, &add(2, "storage_bytes", 500)).rows();
    shop.app(3, &add(3, "projects", 99)).rows();
    let viewer = console(&shop, "viewer").await;
    let usage = overview(&viewer).await.unwrap();
    let order: Vec<&str> = usage.iter().map(|tenant| tenant.slug.raw()).collect();
    assert_eq!(order, ["bolt", "acme", "zeta"]);
    let states: Vec<LimitState> = usage.iter().map(TenantUsage::state).collect();
    assert_eq!(states, [LimitState::Hard, LimitState::Soft, LimitState::Ok]);
    let names: Vec<&str> = usage[0].metrics.iter().map(|metric| metric.metric.raw()).collect();
    assert_eq!(names, ["ai_runs", "projects", "storage_bytes", "users"]);
    let projects = metric(&usage[0], "projects");
    assert_eq!(
        (projects.used, projects.soft, projects.hard, projects.percent),
        (3, Some(1), Some(3), Some(100))
    );
    let storage = metric(&usage[0], "storage_bytes");
    assert_eq!((storage.used, storage.state, storage.unit.raw()), (500, LimitState::Soft, "bytes"));
    let bespoke = metric(&usage[2], "projects");
    assert_eq!((bespoke.used, bespoke.hard, bespoke.source), (99, None, LimitSource::None));
    for row in &usage {
        let tenant = directory::resolve(&viewer, row.slug.raw()).await.unwrap();
        assert_eq!(&of_tenant(&viewer, &tenant).await.unwrap(), row);
    }
}

#[tokio::test]
async fn what_is_shown_is_what_the_database_enforces() {
    let shop = Shop::with_tenants().await;
    shop.add_tenant(3, "zeta", "starter");
    let admin = console(&shop, "admin").await;
    for (tenant, metric, hard) in
        [(1, "projects", 8), (1, "users", 1), (3, "ai_runs", 777), (3, "storage_bytes", 0)]
    {
        let ask = OverrideLimit {
            tenant: tenantdesk::identity::TenantId::from_database(id(tenant)),
            metric: metric.to_owned(),
            hard,
            until: chrono::Utc::now() + chrono::TimeDelta::hours(1),
            reason: "a sale goes on".to_owned(),
        };
        override_limit(&admin, &ask).await.unwrap();
    }
    let shown = overview(&admin).await.unwrap();
    let mut compared = 0;
    for tenant in &shown {
        for (name, _) in TINY {
            let metric = metric(tenant, name);
            let plan = tenant.plan.as_ref().unwrap().raw();
            let holds = shop.desk.rows(
                SUPERUSER,
                &format!(
                    "select soft, hard, source from tenantdesk.limit_of('{}', '{plan}', '{name}')",
                    tenant.id
                ),
            );
            let number = |limit: Option<i64>| limit.map(|n| n.to_string()).unwrap_or_default();
            assert_eq!(
                holds,
                format!(
                    "{}|{}|{}",
                    number(metric.soft),
                    number(metric.hard),
                    metric.source.as_str()
                ),
                "{} {name}",
                tenant.slug.raw()
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
}

#[tokio::test]
async fn plans_are_loaded_once_and_shown_with_their_limits() {
    let shop = Shop::open().await;
    let manager = Console::connect(shop.desk.endpoint("app_owner")).await.unwrap();
    assert_eq!(plans::load(&manager).await.unwrap(), 0);
    let viewer = console(&shop, "viewer").await;
    let names: Vec<String> =
        plans::list(&viewer).await.unwrap().iter().map(|plan| plan.name.screen()).collect();
    assert_eq!(names, ["starter", "growth", "enterprise", "tiny"]);
    let starter = plans::show(&viewer, "starter").await.unwrap();
    let limits: Vec<(&str, Option<i64>, Option<i64>)> =
        starter.limits.iter().map(|limit| (limit.metric.raw(), limit.soft, limit.hard)).collect();
    assert_eq!(
        limits,
        [
            ("ai_runs", Some(400), Some(500)),
            ("projects", Some(16), Some(20)),
            ("storage_bytes", Some(858_993_459), Some(1_073_741_824)),
            ("users", Some(4), Some(5))
        ]
    );
    let missing = plans::show(&viewer, "gold").await.unwrap_err().to_string();
    assert_eq!(missing, "plan not found: `gold`");
    assert!(plans::load(&viewer).await.is_err());
}
