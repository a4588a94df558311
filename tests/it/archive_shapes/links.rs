//! How rows belong to a tenant: through people, pairs, several steps, references that nobody
//! declared; rows that are nobody's; and what lies between this tenant's rows and those of others.

use tenantdesk::archive::restore::RestoreMode;
use tenantdesk::failure::Kind;

use super::{Schema, comes_back, of};
use crate::export::lines;
use crate::harness::cluster::SUPERUSER;

pub(super) static LINKS: Schema<'static> = Schema {
    extensions: "",
    tables: include_str!("../../fixtures/archive_links.sql"),
    rows: include_str!("../../fixtures/archive_links_rows.sql"),
    map: include_str!("../../fixtures/archive_links.toml"),
};

#[tokio::test(flavor = "multi_thread")]
async fn people_pairs_and_several_steps_come_back() {
    let yard = LINKS.yard().await;
    comes_back(
        &yard,
        "acme",
        "delete from app.comments where subject_id in (select id::text from app.projects where tenant_id = 1 and id % 2 = 0) or subject_id in (select id::text from app.docs where tenant_id = 1);
         delete from app.steps where task_id < 2000 and id % 2 = 0; delete from app.tasks where project_id < 200 and id % 4 = 0; delete from app.steps where task_id % 4 = 0 and task_id < 2000;
         delete from app.docs where tenant_id = 1 and id::text like '%5'; delete from app.reviews where id in (2, 4);
         delete from app.users where id in (1, 4); delete from app.addresses where id in (1, 7); delete from app.memberships where tenant_id = 1 and user_id in (1, 4);
         delete from app.templates where tenant_id = 1; delete from app.legacy where tenant_id = 1; delete from app.history where tenant_id = 1 and id > 102; delete from app.ledger where tenant_id = 1 and id > 102",
        "update app.comments set note = 'x' where id < 4; update app.tasks set note = 'x' where project_id < 200; update app.reviews set note = 'x' where id = 6;
         insert into app.comments (subject_type, subject_id, note) values ('Project', '101', 'extra'); insert into app.steps values (7, 1011, 'extra')",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_in_the_archive_once_and_rows_without_a_key_in_none() {
    let yard = LINKS.yard().await;
    let archive = yard.open(&yard.take_out("acme", "acme.tenant").await);
    let expected = [
        ("app.comments", 18),
        ("app.tasks", 18),
        ("app.steps", 36),
        // Three projects have the code of each.
        ("app.reviews", 6),
        ("app.templates", 3),
        ("app.legacy", 3),
        ("app.users", 6),
        ("app.addresses", 6),
    ];
    let found = lines(&archive);
    for (name, count) in expected {
        let rows = &found.iter().find(|(found, _)| found == name).unwrap().1;
        assert_eq!(rows.len(), count, "{name}");
    }
    let manifest = archive.manifest();
    for (name, word) in [("app.templates", "everybody's"), ("app.legacy", "no tenant's")] {
        let left = manifest.omitted.iter().find(|left| left.name == name).unwrap();
        assert_eq!(left.class, "shared");
        assert!(left.reason.as_ref().unwrap().contains(word), "{left:?}");
    }
    assert!(!manifest.omitted.iter().any(|left| left.name == "app.docs"), "control: NOT NULL");
    let comments = manifest.relations.iter().find(|one| one.table == "comments").unwrap();
    assert_eq!(
        comments.ways.iter().map(|way| way.word.as_str()).collect::<Vec<_>>(),
        ["Project", "app/doc"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_are_there_stay_as_they_are() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    yard.damage("update app.users set note = 'newer' where id = 1; delete from app.memberships where user_id = 4; update app.users set note = 'newer' where id = 4");
    for mode in [RestoreMode::Missing, RestoreMode::Replace] {
        yard.put_in(&archive, mode).await.unwrap();
    }
    let newer = "select count(*) from app.users where note = 'newer'";
    assert_eq!(yard.desk.rows(SUPERUSER, newer), "2");
    assert_eq!(
        yard.desk.rows(SUPERUSER, "select count(*) from app.memberships where user_id = 4"),
        "1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_refer_to_nothing_stay_and_cannot_be_written_again() {
    let yard = LINKS.yard().await;
    let before = yard.tables();
    let archive = yard.take_out("acme", "acme.tenant").await;
    yard.damage("delete from app.pins where tenant_id = 1 and id < 104; update app.pins set note = 'x' where id = 190");
    yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.tables(), before);
    yard.damage("delete from app.pins where id = 191");
    let damaged = yard.tables();
    for mode in [RestoreMode::Missing, RestoreMode::Replace] {
        let failure = yard.put_in(&archive, mode).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Refused);
        assert!(failure.message.contains("app.pins"), "{failure:?}");
        assert!(failure.hints.iter().any(|hint| hint.contains("pins_project")), "{failure:?}");
        assert_eq!(yard.tables(), damaged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_tenants_are_neither_taken_along_nor_passed_over() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    for (other, word) in [
        ("insert into app.pins values (2, 7001, 7001)", "another row refers to it"),
        ("insert into app.shares values (2, 7001, 7001)", "1 row of `app.shares`"),
    ] {
        yard.damage(&format!("insert into app.projects values (1, 7001, 'extra'); {other}"));
        let damaged = yard.tables();
        let failure = yard.put_in(&archive, RestoreMode::Replace).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Refused);
        assert!(failure.message.contains(word), "{failure:?}");
        assert_eq!(yard.tables(), damaged);
        yard.damage("delete from app.shares where id = 7001; delete from app.pins where id = 7001");
        yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
        assert_ne!(yard.tables(), damaged, "control: without the other tenant's row it goes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_carry_the_key_themselves_come_back() {
    let map = "model = 'shared'\ntenant_setting = 'app.t'\napplication_role = 'app_user'\nsearch_path = ['app']\n[root]\ntable = 'app.firms'\nkey = 'id'\n\
        [members]\ntable = 'app.people'\ntenant = 'firm'\nmember = 'id'\n[users]\ntable = 'app.people'\nid = 'id'\nemail = 'email'\n\
        [[relation]]\nname = 'app.people'\nclass = 'keyed'\nkey = 'firm'\n";
    let schema = Schema {
        extensions: "",
        tables: "create schema app; create table app.firms(id int primary key); create table app.people(id int primary key, firm int references app.firms, email text, boss int references app.people);
          grant usage on schema app to app_user; grant all on all tables in schema app to app_user",
        rows: "insert into app.firms values (1), (2); insert into app.people select n, 1 + n % 2, n || '@example.com', case when n > 3 then n - 2 end from generate_series(2, 19) n;",
        map,
    };
    let yard = schema.yard().await;
    comes_back(
        &yard,
        "1",
        "delete from app.people where firm = 1 and id % 3 = 0",
        "update app.people set email = 'x' where firm = 1",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_setup_is_said_before_anything_happens() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    let before = yard.tables();
    for (change, undo, word) in [
        (
            "alter table app.reviews rename to gone",
            "alter table app.gone rename to reviews",
            "app.reviews",
        ),
        (
            "alter table app.tasks rename column project_id to gone",
            "alter table app.tasks rename column gone to project_id",
            "project_id",
        ),
        (
            "alter table app.comments rename column subject_type to gone",
            "alter table app.comments rename column gone to subject_type",
            "subject_type",
        ),
        (
            "alter table app.docs rename column tenant_id to gone",
            "alter table app.docs rename column gone to tenant_id",
            "tenant_id",
        ),
        ("alter table app.docs add more int", "alter table app.docs drop more", "more"),
    ] {
        yard.desk.rows(SUPERUSER, change);
        let exported = yard.export("acme", "again.tenant").await.unwrap_err();
        let restored = yard.put_in(&archive, RestoreMode::Replace).await.unwrap_err();
        for failure in [exported, restored] {
            assert_eq!(failure.kind, Kind::Refused, "{failure:?}");
            let said = format!("{} {}", failure.message, failure.causes.join(" "));
            assert!(said.contains(word), "{change}: {failure:?}");
        }
        assert!(!yard.home.path().join("again.tenant").exists());
        yard.desk.rows(SUPERUSER, undo);
    }
    assert_eq!(yard.tables(), before);
    let comments = yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(of(&comments, "app.comments").changed, 0, "control: undone, it goes");
}
