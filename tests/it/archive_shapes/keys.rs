//! Tenant keys of every type that keys have, and databases without a table of tenants.

use tenantdesk::archive::restore::RestoreMode;
use tenantdesk::tenant::directory::{self, DirectoryError};

use super::{Schema, comes_back};

const TABLES: &str = "
create schema app;
create type app.region as enum ('eu', 'us', 'Asia ''x');
create domain app.account as varchar(20) check (value ~ '^[a-z]');
create domain app.number as int check (value > 0);
create table app.owners(id KEY primary key, name text not null);
create table app.items(owner KEY not null references app.owners, id int not null, note text, primary key (owner, id));
create table app.parts(id int primary key, owner KEY not null, item int not null, note text, foreign key (owner, item) references app.items on delete cascade);
create table app.plain(id int primary key, owner KEY not null, note text);
create table app.lines(plain_id int not null references app.plain, note text);
alter table app.owners enable row level security;
create policy own on app.owners to app_user using (id::text = current_setting('app.owner', true));
alter table app.items enable row level security;
create policy own on app.items to app_user using (owner::text = current_setting('app.owner', true));
alter table app.parts enable row level security;
create policy own on app.parts to app_user using (exists (select from app.items i where (i.owner, i.id) = (parts.owner, parts.item)));
grant usage on schema app to app_user;
grant all on all tables in schema app to app_user;";

const ROWS: &str = "
insert into app.owners values (VALUE1, 'first'), (VALUE2, 'second');
insert into app.items select o.id, n, 'item ' || n from app.owners o, generate_series(1, 5) n;
insert into app.parts select n * 2 + case o.name when 'first' then 1 else 0 end, o.id, n % 5 + 1, 'part ' || n from app.owners o, generate_series(1, 9) n;
insert into app.plain select n * 2 + case o.name when 'first' then 1 else 0 end, o.id, 'plain' from app.owners o, generate_series(1, 5) n;
insert into app.lines select p.id, 'line ' || n from app.plain p, generate_series(1, 3) n;";

const MAP: &str = r#"
model = "shared"
tenant_setting = "app.owner"
application_role = "app_user"
search_path = ["app"]
[root]
ROOT
[[relation]]
name = "app.items"
class = "keyed"
key = "owner"
[[relation]]
name = "app.parts"
class = "derived"
path = [{ column = ["item", "owner"], references = "app.items", referenced = ["id", "owner"] }]
[[relation]]
name = "app.plain"
class = "keyed"
key = "owner"
[[relation]]
name = "app.lines"
class = "derived"
path = [{ column = "plain_id", references = "app.plain", referenced = "id" }]
"#;

const ROOT: &str = "table = \"app.owners\"\nkey = \"id\"\nname = \"name\"";
const ROOTLESS: &str = "[[relation]]\nname = \"app.owners\"\nclass = \"keyed\"\nkey = \"id\"";

const KEYS: [(&str, &str, &str); 12] = [
    ("int", "7", "-8"),
    ("bigint", "9223372036854775807", "1"),
    ("smallint", "7", "8"),
    ("numeric", "7", "8"),
    ("uuid", "'aaaaaaaa-0000-0000-0000-000000000001'", "'bbbbbbbb-0000-0000-0000-000000000002'"),
    ("text", "'eu/acme ü''\"\\'", "'eu/acme'"),
    ("varchar(12)", "'größe 日本'", "' x'"),
    ("char(10)", "'acme'", "'acm'"),
    ("public.citext", "'Acme'", "'bolt'"),
    ("app.region", "'Asia ''x'", "'eu'"),
    ("app.account", "'acme'", "'bolt'"),
    ("app.number", "7", "8"),
];

async fn key_comes_back(key: &str, first: &str, second: &str, root: &str) {
    let tables = TABLES.replace("KEY", key);
    let rows = ROWS.replace("VALUE1", first).replace("VALUE2", second);
    let map = if root == ROOTLESS {
        format!("{}{ROOTLESS}", MAP.replace("ROOT", ""))
    } else {
        MAP.replace("ROOT", root)
    };
    let schema =
        Schema { extensions: "create extension citext", tables: &tables, rows: &rows, map: &map };
    let yard = schema.yard().await;
    let tenant = yard.desk.rows(
        crate::harness::cluster::SUPERUSER,
        "select id::text from app.owners where name = 'first'",
    );
    // A word that the type of the key refuses, or a domain, is no tenant's.
    let nobody = directory::resolve(&yard.console, "7 ☃").await.unwrap_err();
    assert!(matches!(nobody, DirectoryError::NotFound(_)), "{key}: {nobody:?}");
    comes_back(
        &yard,
        &tenant,
        &format!("delete from app.items where owner = {first} and id > 2; delete from app.parts where owner = {first} and id % 3 = 0; delete from app.lines where ctid in (select ctid from app.lines where plain_id % 2 = 1 limit 5)"),
        &format!("update app.items set note = 'x' where owner = {first}; insert into app.plain values (71, {first}, 'extra'); insert into app.lines values (71, 'extra')"),
    )
    .await;
    // All rows of the tenant are gone but the one that says who it is.
    let before = yard.tables();
    let archive = yard.take_out(&tenant, "whole.tenant").await;
    yard.damage(&format!("delete from app.lines where plain_id % 2 = 1; delete from app.parts where owner = {first}; delete from app.plain where owner = {first}; delete from app.items where owner = {first}"));
    yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
    assert_eq!(yard.tables(), before, "{key}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_type_come_back() {
    for (key, first, second) in KEYS {
        key_comes_back(key, first, second, ROOT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_without_a_table_of_theirs_come_back() {
    for (key, first, second) in [KEYS[0], KEYS[5], KEYS[9]] {
        key_comes_back(key, first, second, ROOTLESS).await;
    }
}
