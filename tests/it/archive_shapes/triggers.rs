//! Triggers of the application: what they refuse, rewrite, add and count.

use tenantdesk::archive::restore::RestoreMode;
use tenantdesk::failure::Kind;

use super::links::LINKS;
use super::of;
use crate::harness::cluster::SUPERUSER;

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_trigger_rewrites_are_named_and_nothing_changes() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    for (function, said) in [
        ("new.note := 'rewritten'; return new", "id 4 differs in note"),
        ("new.id := 7000 + new.id; return new", "id 4 is not there"),
        ("new.id := nextval('app.comments_id_seq'); return new", "id 4 is not there"),
        ("return null", "id 4 is not there"),
    ] {
        for table in ["app.templates", "app.legacy"] {
            yard.desk.rows(SUPERUSER, &format!("create or replace function app.rewrite() returns trigger language plpgsql as $$ begin {function}; end $$; create trigger rewrite before insert on {table} for each row execute function app.rewrite()"));
            yard.damage(&format!("delete from {table} where id = 4"));
            let damaged = yard.tables();
            for mode in [RestoreMode::Missing, RestoreMode::Replace] {
                let failure = yard.put_in(&archive, mode).await.unwrap_err();
                assert_eq!(failure.kind, Kind::Negative, "{function}: {failure:?}");
                assert!(failure.message.contains(table), "{failure:?}");
                assert!(failure.message.contains(said), "{failure:?}");
                assert_eq!(yard.tables(), damaged);
            }
            yard.desk.rows(SUPERUSER, &format!("drop trigger rewrite on {table}"));
            yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_added_to_and_what_refuses_more_is_told() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    let before = yard.tables();
    // A replacement that has nothing to do there does not touch it, not even with an empty statement.
    yard.damage("delete from app.history where id = 105; delete from app.ledger where id = 105; update app.projects set note = 'x' where tenant_id = 1; insert into app.projects values (1, 7001, 'extra')");
    yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.tables(), before);
    for (table, change) in [
        ("app.history", "update app.history set note = 'x' where id = 101"),
        ("app.ledger", "insert into app.ledger values (1, 7001, 'extra')"),
    ] {
        yard.damage(change);
        let damaged = yard.tables();
        let failure = yard.put_in(&archive, RestoreMode::Replace).await.unwrap_err();
        assert!(
            failure.message.contains("a trigger refused") && failure.message.contains(table),
            "{failure:?}"
        );
        assert!(
            failure.causes.iter().any(|said| said.contains("history is only added to")),
            "{failure:?}"
        );
        assert_eq!(yard.tables(), damaged);
        yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
        yard.damage(
            "update app.history set note = 'history'; delete from app.ledger where id = 7001",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_and_records_that_triggers_keep_are_put_back() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    let before = yard.tables();
    yard.desk.rows(
        SUPERUSER,
        "create function app.counted() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$ begin
           update app.projects set note = note || '!' where id = new.project_id;
           insert into app.docs values (1, gen_random_uuid(), 'a task came back'); return null; end $$;
         create trigger counted after insert on app.tasks for each row execute function app.counted();
         revoke execute on function app.counted() from public",
    );
    yard.damage("delete from app.tasks where id in (1011, 1012); delete from app.steps where task_id in (1011, 1012)");
    let restored = yard.put_in(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(of(&restored, "app.tasks").missing, 2);
    assert_eq!(yard.tables(), before);
    // What was added stays where only missing rows are asked for; what was there is as it was.
    yard.damage("delete from app.tasks where id in (1011, 1012); delete from app.steps where task_id in (1011, 1012)");
    yard.put_in(&archive, RestoreMode::Missing).await.unwrap();
    let added = yard
        .desk
        .rows(SUPERUSER, "delete from app.docs where note = 'a task came back' returning 1");
    assert_eq!(added, "1\n1");
    assert_eq!(yard.tables(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_without_the_right_to_do_its_work_is_not_taken_for_another_tenants_row() {
    let yard = LINKS.yard().await;
    let archive = yard.take_out("acme", "acme.tenant").await;
    yard.desk.rows(
        SUPERUSER,
        "create function app.counted() returns trigger language plpgsql as $$ begin
           update app.projects set note = 'counted' where id = new.project_id; return null; end $$;
         create trigger counted after insert on app.tasks for each row execute function app.counted()",
    );
    yard.damage(
        "delete from app.steps where task_id = 1011; delete from app.tasks where id = 1011",
    );
    let damaged = yard.tables();
    let failure = yard.put_in(&archive, RestoreMode::Missing).await.unwrap_err();
    assert!(failure.message.contains("asks for a right"), "{failure:?}");
    assert!(failure.hints.iter().any(|hint| hint.contains("SECURITY DEFINER")), "{failure:?}");
    assert_eq!(yard.tables(), damaged);
}
