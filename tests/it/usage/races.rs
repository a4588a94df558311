//! Many writers at once: nobody passes the cap, and nobody waits for ever.

use std::time::{Duration, Instant};

use tenantdesk::postgres::{Link, connect};

use super::{Shop, add, id};
use crate::harness::cluster::SUPERUSER;

/// A connection of the application inside a transaction of a tenant.
async fn inside(shop: &Shop, tenant: u8, begin: &str) -> Link {
    let link = connect(&shop.desk.endpoint("app_user"), "race").await.unwrap();
    let tenant = id(tenant);
    run(&link, &format!("{begin}; select set_config('app.tenant_id', '{tenant}', true)"))
        .await
        .unwrap();
    link
}

/// Runs statements and gives the SQLSTATE of a refusal.
async fn run(link: &Link, sql: impl AsRef<str>) -> Result<(), String> {
    let done = link.client().batch_execute(sql.as_ref()).await;
    done.map_err(|error| error.code().map(|state| state.code().to_owned()).unwrap_or_default())
}

/// Waits until so many connections of the race wait for a lock.
async fn until_waiting(shop: &Shop, count: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let sql = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and application_name = 'race' and wait_event_type = 'Lock'",
        shop.desk.database
    );
    while shop.desk.rows(SUPERUSER, &sql) != count.to_string() {
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two transactions each add two projects, of which three fit, before either commits.
async fn two_at_once(shop: &Shop) -> (Result<(), String>, Result<(), String>) {
    let (first, second) = (inside(shop, 1, "begin").await, inside(shop, 1, "begin").await);
    let two = add(1, "projects", 2);
    run(&first, &two).await.unwrap();
    let (in_second, in_first) = tokio::join!(
        async {
            run(&second, &two).await?;
            run(&second, "commit").await
        },
        async {
            // The second waits for the first, where there is something to wait for.
            tokio::time::sleep(Duration::from_millis(300)).await;
            run(&first, "commit").await
        }
    );
    (in_first, in_second)
}

#[tokio::test]
async fn two_writers_at_the_cap_cannot_both_pass() {
    let shop = Shop::with_tenants().await;
    let (first, second) = two_at_once(&shop).await;
    assert_eq!((first, second), (Ok(()), Err("PT402".to_owned())));
    assert_eq!(shop.counter(1, "projects"), "2");
}

#[tokio::test]
async fn without_the_held_counter_they_both_pass() {
    let shop = Shop::with_tenants().await;
    // The control: the limit checked by counting, as an application would.
    shop.desk.rows(SUPERUSER, "create or replace function tenantdesk.count_usage(tenant text, metric text, period_start date, change bigint) returns void language plpgsql as $$
        begin
          if (select count(*) from app.projects p where p.tenant_id = count_usage.tenant::uuid) > 3 then
            raise exception 'the plan allows 3 projects' using errcode = 'PT402';
          end if;
        end $$");
    assert_eq!(two_at_once(&shop).await, (Ok(()), Ok(())));
    assert_eq!(shop.desk.rows(SUPERUSER, "select count(*) from app.projects"), "4");
    // Alone it does refuse: what fails is only the race.
    assert!(shop.app(1, &add(1, "projects", 1)).stderr.contains("PT402"));
}

#[tokio::test]
async fn of_many_writers_exactly_the_cap_passes() {
    let shop = Shop::with_tenants().await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let link = inside(&shop, 1, "begin").await;
        writers.spawn(async move {
            run(&link, &add(1, "ai_runs", 1)).await?;
            run(&link, "commit").await
        });
    }
    let results = writers.join_all().await;
    let passed = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(passed, 4, "{results:?}");
    assert!(results.iter().all(|r| r.as_ref().err().is_none_or(|state| state == "PT402")));
    assert_eq!(shop.counter(1, "ai_runs"), "4");
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_writer_who_gives_up_frees_the_place_for_the_one_who_waits() {
    let shop = Shop::with_tenants().await;
    let (first, second) = (inside(&shop, 1, "begin").await, inside(&shop, 1, "begin").await);
    run(&first, &add(1, "projects", 3)).await.unwrap();
    let (waited, ()) = tokio::join!(run(&second, add(1, "projects", 3) + "; commit"), async {
        until_waiting(&shop, 1).await;
        run(&first, "rollback").await.unwrap();
    });
    assert_eq!(waited, Ok(()));
    assert_eq!(shop.counter(1, "projects"), "3");
}

#[tokio::test]
async fn an_old_snapshot_is_told_to_try_again() {
    let shop = Shop::with_tenants().await;
    for tenant in [1, 2] {
        let old = inside(&shop, tenant, "begin isolation level repeatable read").await;
        shop.app(tenant, &add(tenant, "projects", 2)).rows();
        assert_eq!(run(&old, &add(tenant, "projects", 1)).await, Err("40001".to_owned()));
    }
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn transactions_that_count_crosswise_end_with_one_winner() {
    let shop = Shop::with_tenants().await;
    let (first, second) = (inside(&shop, 1, "begin").await, inside(&shop, 1, "begin").await);
    run(&first, &add(1, "projects", 1)).await.unwrap();
    run(&second, &add(1, "ai_runs", 1)).await.unwrap();
    let (one, other) = tokio::join!(
        run(&first, add(1, "ai_runs", 1) + "; commit"),
        run(&second, add(1, "projects", 1) + "; commit")
    );
    let mut ends = [one, other];
    ends.sort();
    assert_eq!(ends, [Ok(()), Err("40P01".to_owned())]);
    assert_eq!((shop.counter(1, "projects"), shop.counter(1, "ai_runs")), ("1".into(), "1".into()));
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn statements_that_touch_many_tenants_never_wait_in_a_circle() {
    let shop = Shop::with_tenants().await;
    let rows = |first: u8, second: u8| {
        format!(
            "insert into app.ai_runs (tenant_id, model, purpose, input_tokens, output_tokens) values ('{}', 'm', 'p', 1, 1), ('{}', 'm', 'p', 1, 1); delete from app.ai_runs where id < 0",
            id(first),
            id(second)
        )
    };
    shop.desk.rows(
        "app_owner",
        "select tenantdesk.plan_set('tiny', null, 'ai_runs', null, 100000, null)",
    );
    let mut writers = tokio::task::JoinSet::new();
    for sql in [rows(1, 2), rows(2, 1)] {
        let link = connect(&shop.desk.endpoint(SUPERUSER), "race").await.unwrap();
        writers.spawn(async move {
            for _ in 0..100 {
                run(&link, &sql).await?;
            }
            Ok::<(), String>(())
        });
    }
    assert_eq!(writers.join_all().await, [Ok(()), Ok(())]);
    assert_eq!(shop.counter(1, "ai_runs"), "200");
}

#[tokio::test]
async fn a_recount_waits_for_writers_and_misses_none() {
    let shop = Shop::with_tenants().await;
    let writer = inside(&shop, 1, "begin").await;
    run(&writer, &add(1, "projects", 2)).await.unwrap();
    let recounter = connect(&shop.desk.endpoint("app_owner"), "race").await.unwrap();
    let (counted, ()) = tokio::join!(
        run(
            &recounter,
            "begin; set local role tenantdesk_operator; select tenantdesk.recount_usage(null); commit"
        ),
        async {
            until_waiting(&shop, 1).await;
            run(&writer, "commit").await.unwrap();
        }
    );
    assert_eq!(counted, Ok(()));
    // And the other way round: a writer who has not counted yet adds to the new count.
    run(
        &recounter,
        "begin; set local role tenantdesk_operator; select tenantdesk.recount_usage(null)",
    )
    .await
    .unwrap();
    let late = inside(&shop, 1, "begin").await;
    let (added, ()) = tokio::join!(run(&late, add(1, "projects", 1) + "; commit"), async {
        until_waiting(&shop, 1).await;
        run(&recounter, "commit").await.unwrap();
    });
    assert_eq!(added, Ok(()));
    assert_eq!(shop.counter(1, "projects"), "3");
    assert_eq!(shop.drift(), "");
}
