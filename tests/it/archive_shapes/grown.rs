//! The fixtures of discovery, with the traits of real products: whatever map is found, a tenant goes out
//! and comes back.

use tenantdesk::tenant::directory;

use super::property::holds_on;
use crate::export::Yard;
use crate::harness::cluster::{SUPERUSER, cluster};
use crate::harness::desk::Desk;

async fn goes_out_and_comes_back(
    extensions: &'static str,
    tables: &'static str,
    rows: &'static str,
) {
    let group = "do $$ begin if not exists (select from pg_roles where rolname = 'app_group') then create role app_group; grant app_group to app_user; end if; end $$";
    let desk = tokio::task::spawn_blocking(move || {
        let _ready = Desk::product();
        cluster().psql("postgres", SUPERUSER, group).rows();
        let desk = Desk::discovered(extensions, tables, rows);
        // Somebody has looked at the functions that operators need to run.
        desk.rows(SUPERUSER, "insert into tenantdesk.exceptions (object, reason) select object, 'looked at by a person' from tenantdesk.lent_functions on conflict do nothing");
        desk
    });
    let yard = Yard::with(desk.await.unwrap()).await;
    // Rows that broke a foreign key before it held, and rows that triggers rewrite as they come in,
    // do not come back: links.rs and triggers.rs say what is told then.
    let orphans = r#"do $$ declare t regclass; begin
        for t in select oid from pg_class where relnamespace = to_regnamespace('"Haus & Hof"') and relkind in ('r', 'p') loop
          execute format('alter table %s disable trigger user', t); end loop;
        if to_regclass('"Haus & Hof".keys_handed') is not null then delete from "Haus & Hof".keys_handed where lease_id = 999; end if; end $$"#;
    yard.damage(orphans);
    let tenants = directory::list(&yard.console).await.unwrap();
    assert!(tenants.len() >= 2, "{tenants:?}");
    let tenant = tenants[0].id.to_string();
    holds_on(yard, &tenant).await;
}

macro_rules! goes_out_and_comes_back {
    ($test:ident, $name:literal, $extensions:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            goes_out_and_comes_back(
                $extensions,
                include_str!(concat!("../../fixtures/schemas/", $name, ".sql")),
                include_str!(concat!("../../fixtures/schemas/", $name, "_data.sql")),
            )
            .await;
        }
    };
}

goes_out_and_comes_back!(
    awkward,
    "awkward",
    include_str!("../../fixtures/schemas/awkward.extensions.sql")
);
goes_out_and_comes_back!(cycles, "cycles", "");
goes_out_and_comes_back!(
    hierarchy,
    "hierarchy",
    include_str!("../../fixtures/schemas/hierarchy.extensions.sql")
);
goes_out_and_comes_back!(mixed_case, "mixed_case", "");
goes_out_and_comes_back!(no_foreign_keys, "no_foreign_keys", "");
goes_out_and_comes_back!(partitions, "partitions", "");
goes_out_and_comes_back!(postgrest, "postgrest", "");
goes_out_and_comes_back!(rootless, "rootless", "");
