//! Relations that refer to each other in a circle.

use tenantdesk::archive::restore::RestoreMode;
use tenantdesk::failure::Kind;

use super::{Schema, comes_back};
use crate::harness::cluster::SUPERUSER;

pub(super) static CIRCLES: Schema<'static> = Schema {
    extensions: "",
    tables: include_str!("../../fixtures/archive_cycles.sql"),
    rows: include_str!("../../fixtures/archive_cycles_rows.sql"),
    map: include_str!("../../fixtures/archive_cycles.toml"),
};

#[tokio::test(flavor = "multi_thread")]
async fn circles_of_every_sort_come_back() {
    let yard = CIRCLES.yard().await;
    comes_back(
        &yard,
        "acme",
        "delete from app.hens where tenant_id = 1 and id % 3 > 0; delete from app.eggs where tenant_id = 1 and id % 4 > 0;
         delete from app.a where tenant_id = 1; delete from app.b where tenant_id = 1; delete from app.c where tenant_id = 1 and id > 2;
         delete from app.posts where tenant_id = 1 and id % 4 > 0; delete from app.replies where post_id < 200 and id % 5 > 0;
         delete from app.carts where tenant_id = 1 and id % 4 > 0; delete from app.lines where cart_id < 200 and id % 5 > 0;
         delete from app.people where tenant_id = 1 and id % 2 = 0; delete from app.stores where tenant_id = 1 and id > 102",
        "update app.hens set egg_id = 101, note = 'x' where tenant_id = 1; update app.eggs set note = 'x' where tenant_id = 1;
         insert into app.hens values (1, 7001, 7001, 'extra'); insert into app.eggs values (1, 7001, 7001, 'extra');
         insert into app.a values (1, 71, 71, 'extra'); insert into app.b values (1, 71, 71, 'extra'); insert into app.c values (1, 71, 71, 'extra');
         insert into app.posts overriding system value values (1, 7001, 7001, 'extra'); insert into app.replies values (7001, 7001, 'extra');
         insert into app.carts values (1, 7001, 7001, 'extra'); insert into app.lines values (7001, 7001, 'extra');
         update app.posts set last_id = null where tenant_id = 1; update app.people set boss_id = null, mentor = code where tenant_id = 1",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_that_nothing_opens_is_named_with_the_key_that_would() {
    let yard = CIRCLES.yard().await;
    yard.desk.rows(SUPERUSER, "alter table app.carts alter constraint carts_first not deferrable");
    let archive = yard.take_out("acme", "acme.tenant").await;
    let before = yard.tables();
    let failure = yard.put_in(&archive, RestoreMode::Missing).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    assert!(failure.message.contains("app.carts, app.lines"), "{failure:?}");
    let hint = "alter table app.carts alter constraint carts_first deferrable";
    assert!(failure.hints.iter().any(|said| said.contains(hint)), "{failure:?}");
    assert_eq!(yard.tables(), before);
    yard.desk.rows(SUPERUSER, hint);
    yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_row_does_not_lose_what_it_refers_to() {
    let yard = CIRCLES.yard().await;
    yard.desk.rows(SUPERUSER, "alter table app.stores add unique (tenant_id, note)");
    let before = yard.tables();
    let archive = yard.take_out("acme", "acme.tenant").await;
    // Two names changed places: they can be put back by writing both rows anew, and not else.
    yard.damage("update app.stores set note = 'x' where id = 101; update app.stores set note = 'store 1' where id = 102; update app.stores set note = 'store 2' where id = 101");
    let damaged = yard.tables();
    let failure = yard.put_in(&archive, RestoreMode::Replace).await.unwrap_err();
    assert!(failure.message.contains("1 row of `app.tenants`"), "{failure:?}");
    assert_eq!(yard.tables(), damaged);
    let key = "alter table app.tenants drop constraint tenants_main, add constraint tenants_main foreign key (main_id) references app.stores deferrable";
    yard.desk.rows(SUPERUSER, key);
    yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.tables(), before, "control: a key that waits lets it through");
}
