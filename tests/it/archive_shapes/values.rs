//! Values of every type, rows that nothing tells apart, and keys that draw from sequences.

use tenantdesk::archive::restore::RestoreMode;

use super::{Schema, comes_back};
use crate::harness::cluster::SUPERUSER;

pub(super) static TYPES: Schema<'static> = Schema {
    extensions: "create extension citext; create extension hstore",
    tables: include_str!("../../fixtures/archive_types.sql"),
    rows: include_str!("../../fixtures/archive_types_rows.sql"),
    map: include_str!("../../fixtures/archive_types.toml"),
};

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_come_back() {
    let yard = TYPES.yard().await;
    comes_back(
        &yard,
        "eu/acme",
        "delete from app.every where id in (1, 3, 5); delete from app.tickets where tenant_id = 'eu/acme' and code > 'T-3';
         delete from app.mails where address > 'Acme2' and tenant_id = 'eu/acme'; delete from app.marks where tenant_id = 'eu/acme'",
        "update app.every set c_text = 'changed', c_json = '{\"b\": 1, \"a\": [1, 1.0], \"b\": 2}', c_double = 0, c_pairs = null where id in (2, 4, 6);
         insert into app.marks values ('eu/acme', '2030-01-01'); update app.mails set note = 'changed', address = upper(address) where tenant_id = 'eu/acme'",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nothing_tells_apart_are_counted() {
    let yard = TYPES.yard().await;
    let before = yard.tables();
    let archive = yard.take_out("eu/acme", "acme.tenant").await;
    // Two of three equal rows: as many as are gone come back.
    let two = "delete from app.bag where ctid in (select ctid from app.bag where tenant_id = 'eu/acme' and note = '{\"a\":1}' limit 2)";
    yard.damage(two);
    yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
    assert_eq!(yard.tables(), before);
    // One more than there were: `missing` leaves it, `replace` takes it away.
    let more = "insert into app.bag select * from app.bag where tenant_id = 'eu/acme' limit 1";
    yard.damage(&format!(
        "{two}; {more}; update app.bag set note = 'x' where tenant_id = 'eu/acme' and doc is null"
    ));
    let restored = yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
    let bag = restored.relations.iter().find(|one| one.name == "app.bag").unwrap();
    assert_eq!((bag.in_archive, bag.changed), (9, 0), "{bag:?}");
    assert_eq!(bag.in_target + bag.missing - bag.extra, 9, "{bag:?}");
    let count = "select count(*) from app.bag where tenant_id = 'eu/acme'";
    assert_eq!(yard.desk.rows(SUPERUSER, count), (9 + bag.extra).to_string());
    yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.tables(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_key_does_as_well_as_a_primary_one() {
    let yard = TYPES.yard().await;
    comes_back(
        &yard,
        "eu/acme",
        "delete from app.tagged where tenant_id = 'eu/acme' and n % 3 = 0; delete from app.tags where label = 'Acme3'; delete from app.tagged where label = 'Acme3'",
        "update app.tags set doc = '[]' where label = 'Acme1'; insert into app.tags values ('eu/acme', 'extra', null)",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_an_awkward_key_has_a_plain_name() {
    let yard = TYPES.yard().await;
    for (tenant, name) in [("eu/acme", "eu_acme-"), ("it's \"bolt\" \\ ☃", "it_s__bolt_____-")] {
        let exported = yard.export_into(tenant).await;
        let file = exported.file_name().unwrap().to_str().unwrap();
        assert!(file.starts_with(name), "{file}");
        // Each archive brings back its own tenant only.
        let before = yard.tables();
        let own = tenant.replace('\'', "''");
        yard.damage(&format!("delete from app.tickets where tenant_id = '{own}'"));
        yard.put_in(&exported, RestoreMode::Missing).await.unwrap();
        assert_eq!(yard.tables(), before);
    }
}
