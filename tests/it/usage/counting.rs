//! The counters are what the tables hold, whatever kind of statement changed them.

use tenantdesk::isolation::guard::Consent;
use tenantdesk::isolation::map::RelationMap;

use super::refusals::refused;
use super::{Shop, add, id};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::install_guard;

#[tokio::test]
async fn every_kind_of_statement_is_counted_once_from_the_first_write_on() {
    let shop = Shop::with_tenants().await;
    let one = id(1);
    let project = |name: &str| format!("('{one}', '{one}', '{name}')");
    let insert = "insert into app.projects (tenant_id, workspace_id, name) values";
    // Two changes of one statement, both before the counter's first row.
    shop.app(
        1,
        &format!("with first as ({insert} {} returning 1) {insert} {}", project("a"), project("b")),
    )
    .rows();
    assert_eq!(shop.counter(1, "projects"), "2");
    shop.app(1, &format!("{insert} {}, {} on conflict (tenant_id, workspace_id, name) do update set status = 'done'", project("b"), project("c"))).rows();
    assert_eq!(shop.counter(1, "projects"), "3");
    shop.app(1, &format!("{insert} {} on conflict do nothing", project("c"))).rows();
    shop.app(
        1,
        &format!(
            "merge into app.files f using (values (1)) v (n) on false when not matched then {}",
            add(1, "storage_bytes", 70)
                .split_once("values")
                .map(|(head, row)| head.replace("insert into app.files", "insert") + "values" + row)
                .unwrap()
        ),
    )
    .rows();
    shop.app(1, "merge into app.files f using (values (1)) v (n) on true when matched then update set bytes = 90").rows();
    assert_eq!(shop.counter(1, "storage_bytes"), "90");
    shop.app(1, "merge into app.files f using (values (1)) v (n) on true when matched then delete")
        .rows();
    assert_eq!(shop.counter(1, "storage_bytes"), "0");
    // A first write that changes rows which the counter has not seen.
    shop.app(
        1,
        &(add(1, "users", 1) + " on conflict (tenant_id, user_id) do update set state = 'active'"),
    )
    .rows();
    assert_eq!(shop.counter(1, "users"), "1");
    shop.app(1, "update app.projects set name = name where false").rows();
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn what_is_rolled_back_was_never_counted() {
    let shop = Shop::with_tenants().await;
    shop.app(1, &format!("{}; rollback; begin", add(1, "projects", 3))).rows();
    assert_eq!(shop.counter(1, "projects"), "");
    shop.app(1, &format!("{0}; savepoint s; {0}; rollback to s; {0}", add(1, "projects", 1)))
        .rows();
    assert_eq!(shop.counter(1, "projects"), "2");
    // A refusal that the application survives.
    let survived = shop.desk.cluster.psql_with(&shop.desk.database, "app_user", &[], &format!(
        "begin; select set_config('app.tenant_id', '{}', true); savepoint s; {}; rollback to s; {}; commit;", id(1), add(1, "projects", 2), add(1, "projects", 1)));
    assert!(survived.stderr.contains("PT402"), "{survived:?}");
    assert_eq!(shop.counter(1, "projects"), "3");
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn deleting_frees_also_by_cascade_and_truncate() {
    let shop = Shop::with_tenants().await;
    shop.app(1, &add(1, "projects", 3)).rows();
    refused(&shop.app(1, &add(1, "projects", 1)));
    shop.app(1, "delete from app.projects where id = (select id from app.projects limit 1)").rows();
    shop.app(1, &add(1, "projects", 1)).rows();
    // Workspaces take their projects along.
    shop.app(1, "delete from app.workspaces").rows();
    assert_eq!(shop.counter(1, "projects"), "0");
    shop.app(2, &add(2, "projects", 3)).rows();
    shop.app(2, &add(2, "ai_runs", 1)).rows();
    shop.desk.rows("app_owner", "truncate app.projects cascade");
    assert_eq!(
        (shop.counter(2, "projects"), shop.counter(2, "ai_runs")),
        (String::new(), "1".to_owned())
    );
    shop.app(2, &add(2, "projects", 3)).rows();
    refused(&shop.app(2, &add(2, "projects", 1)));
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_row_that_moves_to_another_tenant_is_counted_there() {
    let shop = Shop::with_tenants().await;
    shop.app(1, &add(1, "ai_runs", 3)).rows();
    shop.app(2, &add(2, "ai_runs", 2)).rows();
    shop.desk.rows(SUPERUSER, &format!("update app.ai_runs set tenant_id = '{}', id = default where id in (select id from app.ai_runs where tenant_id = '{}' limit 2)", id(2), id(1)));
    assert_eq!((shop.counter(1, "ai_runs"), shop.counter(2, "ai_runs")), ("1".into(), "4".into()));
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_month_counts_for_itself_whatever_the_time_zone() {
    let shop = Shop::with_tenants().await;
    let at = |moment: &str, count: i64| {
        add(1, "ai_runs", count)
            .replace("output_tokens)", "output_tokens, created_at)")
            .replace("'p', 1, 1", &format!("'p', 1, 1, {moment}"))
    };
    let month = "date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'";
    let (before, first, next) = (
        format!("{month} - interval '1 microsecond'"),
        month.to_owned(),
        format!("({month}) + interval '1 month'"),
    );
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let local = |sql: String| format!("set local timezone = '{zone}'; {sql}");
        shop.app(1, &local(at(&before, 2))).rows();
        shop.app(1, &local(at(&first, 2))).rows();
        shop.app(1, &local(at(&next, 2))).rows();
    }
    for moment in [&before, &first, &next] {
        assert_eq!(refused(&shop.app(1, &at(moment, 1)))["nextUsage"], 5);
    }
    assert_eq!(shop.counter(1, "ai_runs"), "4");
    let viewer = shop.desk.operator("viewer");
    assert_eq!(shop.rows(&viewer, "select used from tenantdesk.measure('ai_runs')"), "4");
    // The month is over: its counter stays behind, the new one begins with what was entered for it.
    shop.desk.rows(SUPERUSER, "update tenantdesk.usage_counters set period_start = period_start - interval '1 month' where metric = 'ai_runs'; update app.ai_runs set id = default, created_at = created_at - interval '1 month' where false");
    assert_eq!(shop.counter(1, "ai_runs"), "4");
    shop.desk.rows(SUPERUSER, "delete from tenantdesk.usage_counters where metric = 'ai_runs'");
    shop.app(1, &at("now()", 4)).rows();
    refused(&shop.app(1, &at("now()", 1)));
}

#[tokio::test]
async fn setup_counts_what_is_there_and_a_recount_mends_what_passed_by() {
    let shop = Shop::with_tenants().await;
    let replica =
        |sql: &str| format!("begin; set local session_replication_role = replica; {sql}; commit");
    shop.desk.rows(SUPERUSER, &replica(&add(1, "projects", 2)));
    assert_eq!(shop.counter(1, "projects"), "");
    let map = RelationMap::from_toml(include_str!("../../../assets/starter/map.toml")).unwrap();
    let consent = Consent { close_doors: true, enforce_limits: true, pin_public: false };
    install_guard(&shop.desk.endpoint("app_owner"), &map, consent);
    assert_eq!(shop.counter(1, "projects"), "2");
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 2)))["nextUsage"], 4);

    shop.desk.rows(SUPERUSER, &replica(&add(1, "projects", 4)));
    shop.desk.rows(SUPERUSER, &replica(&add(2, "users", 1)));
    shop.desk.rows(
        SUPERUSER,
        "insert into tenantdesk.usage_counters values ('gone', 'users', '2000-01-01', 7)",
    );
    let admin = "app_owner";
    assert_eq!(shop.rows(admin, "select tenantdesk.recount_usage(null)"), "3");
    assert_eq!((shop.counter(1, "projects"), shop.counter(2, "users")), ("6".into(), "1".into()));
    assert_eq!(shop.drift(), "");
    assert_eq!(shop.rows(admin, "select tenantdesk.recount_usage(null)"), "0");
    let recorded = shop.rows(admin, "select object, actor = session_user from tenantdesk.ledger_events(null, null, 'usage', null, null, 10) order by seq");
    assert_eq!(recorded, "3 counters corrected|t\n0 counters corrected|t");
    let old_snapshot = shop.desk.psql(
        admin,
        "begin isolation level repeatable read; set local role tenantdesk_operator; select tenantdesk.recount_usage(null)",
    );
    assert!(old_snapshot.stderr.contains("25001"), "{old_snapshot:?}");
}
