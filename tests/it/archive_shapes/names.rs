//! Names that need quotes, several schemas, partitions, and tables that inherit from tables.

use super::{Schema, comes_back};
use crate::export::lines;
use crate::harness::cluster::SUPERUSER;

pub(super) static NAMES: Schema<'static> = Schema {
    extensions: "grant create on schema public to app_owner",
    tables: include_str!("../../fixtures/archive_names.sql"),
    rows: include_str!("../../fixtures/archive_names_rows.sql"),
    map: include_str!("../../fixtures/archive_names.toml"),
};

pub(super) const KUNDE: &str = "aaaaaaaa-0000-0000-0000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn names_schemas_partitions_and_heirs_come_back() {
    let yard = NAMES.yard().await;
    let deleted = r#"delete from "select"."ééééééééééééééééééééééééééééééé." where "Whose" = 'KUNDE' and no % 2 = 0; delete from "My Schema"."user" where "Id" = 'KUNDE' and "order" > 3;
        delete from public.notes where tenant = 'KUNDE' and id % 2 = 0; delete from audit.notes where tenant = 'KUNDE' and id % 3 = 0; delete from "select".notes where tenant = 'KUNDE';
        delete from audit.events where tenant = 'KUNDE' and id % 2 = 0; delete from audit.logs where tenant = 'KUNDE' and kind <> 'a';
        delete from audit.things where tenant = 'KUNDE' and id % 2 = 0; delete from audit.items where tenant = 'KUNDE' and id % 2 = 0; delete from audit.bits where id in (1003, 1004)"#;
    let changed = r#"update "My Schema"."user" set "quote""d" = null where "Id" = 'KUNDE'; update audit.events set at = at + 8, body = 'x' where tenant = 'KUNDE' and id < 115;
        update audit.big_things set size = 8 where tenant = 'KUNDE'; update audit.things set body = 'x' where tenant = 'KUNDE'; update audit.items set body = 'x' where tenant = 'KUNDE';
        insert into audit.logs values ('KUNDE', 'a', 'extra'); insert into audit.notes values ('KUNDE', 171, 'extra'); insert into "select".notes values ('KUNDE', 171, 'extra')"#;
    let [deleted, changed] = [deleted, changed].map(|sql| sql.replace("KUNDE", KUNDE));
    comes_back(&yard, KUNDE, &deleted, &changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_heirs_are_exported_once() {
    let yard = NAMES.yard().await;
    let archive = yard.open(&yard.take_out(KUNDE, "kunde.tenant").await);
    for (name, rows) in lines(&archive) {
        let sql = format!("select count(*) from {name} where tenant = '{KUNDE}'");
        let through_parent = match name.as_str() {
            "audit.things" | "audit.items" => {
                assert_eq!(yard.desk.rows(SUPERUSER, &sql), "10", "control: the parent shows both");
                5
            }
            "audit.big_things" | "audit.big_items" => 5,
            "audit.events" => 30,
            "audit.bits" | "audit.logs" => 9,
            _ => continue,
        };
        assert_eq!(rows.len(), through_parent, "{name}");
    }
}
