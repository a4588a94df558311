//! Writing: the role of each kind, RETURNING in text form, one transaction a statement, scripts.

use tenantdesk::failure::{Explain as _, Kind};
use tenantdesk::identity::Mode;
use tenantdesk::impersonation::{
    Ask, Cut, ImpersonationError, Limits, Script, prepare, run_script, split_statements,
};
use tenantdesk::progress::Progress;

use super::reading::VALUES;
use super::{cells, console, first, reader, request, run, writer};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

#[tokio::test]
async fn each_kind_of_change_works_and_is_committed_at_once() {
    let desk = Desk::product();
    let impersonation = writer(&desk).await;
    let insert = format!(
        "insert into app.projects (tenant_id, name) values ('{ACME}', 'new one') returning id, name, secret"
    );
    let outcome = run(&impersonation, &insert).await.unwrap();
    assert_eq!(outcome.rows_affected, Some(1));
    assert_eq!(cells(&outcome)[0][1..], ["new one", "∅"]);
    assert_eq!(outcome.rows.columns[1].name.raw(), "name");
    assert_eq!(
        desk.rows(SUPERUSER, "select count(*) from app.projects where name = 'new one'"),
        "1"
    );
    let outcome =
        run(&impersonation, "update app.projects set secret = 's' where name = 'new one'")
            .await
            .unwrap();
    assert_eq!((outcome.rows_affected, outcome.rows.columns.len()), (Some(1), 0));
    let outcome = run(&impersonation, "with gone as (delete from app.projects where name = 'new one' returning *) select count(*) from gone").await.unwrap();
    assert_eq!((outcome.rows_affected, first(&outcome)), (None, "1".to_owned()));
    assert_eq!(
        desk.rows(SUPERUSER, "select count(*) from app.projects where name = 'new one'"),
        "0"
    );
    // Through a guarded view.
    let note =
        format!("insert into notes (tenant_id, title) values ('{ACME}', 'hello') returning title");
    assert_eq!(first(&run(&impersonation, &note).await.unwrap()), "hello");
    assert_eq!(first(&run(&impersonation, "select count(*) from notes").await.unwrap()), "1001");
}

#[tokio::test]
async fn returning_gives_every_type_in_text_form_and_tells_its_cut() {
    let desk = Desk::product();
    let impersonation = writer(&desk).await;
    let named: Vec<String> =
        VALUES.iter().enumerate().map(|(n, value)| format!("{value} as c{n}")).collect();
    let columns = named.join(", ");
    let read = run(&impersonation, &format!("select {columns}")).await.unwrap();
    let written =
        format!("update app.projects set name = name where id = 3 returning {columns} -- end");
    let written = run(&impersonation, &written).await.unwrap();
    assert_eq!(cells(&read), cells(&written));
    assert_eq!(read.rows.columns, written.rows.columns);
    let limits = Limits { rows: 10, ..Limits::default() };
    let sql = "update app.projects set secret = secret returning id";
    let outcome = impersonation.run(&Ask { limits, ..Ask::new(sql) }).await.unwrap();
    assert_eq!(
        (outcome.rows_affected, outcome.rows.rows.len(), outcome.rows.cut),
        (Some(1_000), 10, Some(Cut::Rows))
    );
}

#[tokio::test]
async fn a_change_of_another_tenant_or_of_shared_rows_is_refused() {
    let desk = Desk::product();
    let impersonation = writer(&desk).await;
    for sql in [
        format!("insert into app.projects (tenant_id, name) values ('{BOLT}', 'planted')"),
        format!("update app.projects set tenant_id = '{BOLT}' where id = 3"),
        "update app.tenants set plan = 'enterprise'".to_owned(),
        "update app.users set password_hash = 'x'".to_owned(),
        "delete from app.flags".to_owned(),
        format!("insert into app.memberships values ('{ACME}', 4)"),
        format!(
            "insert into app.projects (id, tenant_id, name) values (3, '{ACME}', 'x') on conflict (id) do update set name = 'y'"
        ),
    ] {
        let error = run(&impersonation, &sql).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{sql}: {error:?}");
    }
    let foreign =
        run(&impersonation, "update app.projects set secret = 'x' where id = 1").await.unwrap();
    assert_eq!(foreign.rows_affected, Some(0));
    let own =
        run(&impersonation, "update app.projects set secret = 'x' where id = 3").await.unwrap();
    assert_eq!(
        own.rows_affected,
        Some(1),
        "the control: the same statement on a row of the tenant"
    );
    assert_eq!(
        desk.rows(SUPERUSER, "select secret from app.projects where id = 1"),
        "bolt-secret-1"
    );
}

#[tokio::test]
async fn a_read_session_changes_nothing_however_it_is_asked() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let error = run(&impersonation, "update app.projects set name = 'x'").await.unwrap_err();
    assert!(error.hints()[0].contains("--write"), "{error:?}");
    // A function that writes is stopped by READ ONLY and by the missing right.
    for sql in
        ["select app.log_event('x')", "select lo_create(0)", "select setval('app.note_seq', 1)"]
    {
        let result = run(&impersonation, sql).await;
        let major: u32 = desk.cluster.version;
        // PostgreSQL 15 lets READ ONLY make large objects: documented in docs/security.md.
        assert!(result.is_err() || (sql.contains("lo_create") && major < 16), "{sql}: {result:?}");
    }
}

#[tokio::test]
async fn a_failing_deferred_constraint_is_a_failed_statement() {
    let desk = Desk::product();
    desk.rows("app_owner", "alter table app.attachments add constraint paths unique (path) deferrable initially deferred");
    let impersonation = writer(&desk).await;
    let error = run(&impersonation, "update app.attachments set path = 'same'").await.unwrap_err();
    assert!(
        matches!(&error, ImpersonationError::Statement(e) if e.state() == Some("23505")),
        "{error:?}"
    );
    let outcomes = desk.rows(
        SUPERUSER,
        "select outcome from tenantdesk.ledger where action = 'statement' order by seq",
    );
    assert_eq!(outcomes, "intent\nfailed");
}

#[tokio::test]
async fn a_script_stops_at_the_first_failure_and_keeps_what_was_done() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("admin")).await;
    let plan = prepare(&console, request(Mode::Write)).await.unwrap();
    let text = "update app.projects set secret = 'one;two' where id = 3; -- then\n select nonsense; update app.projects set secret = 'never';";
    let script =
        Script { statements: split_statements(text), limits: Limits::default(), output: None };
    assert_eq!(script.statements.len(), 3);
    let report = run_script(&console, plan, script, &Progress::silent()).await.unwrap();
    assert_eq!(report.statements.len(), 1);
    assert_eq!(report.failure.unwrap().kind, Kind::Server);
    assert_eq!(desk.rows(SUPERUSER, "select secret from app.projects where id = 3"), "one;two");
    assert_eq!(
        desk.rows(SUPERUSER, "select count(*) from app.projects where secret = 'never'"),
        "0"
    );
    let live = "select count(*) from tenantdesk.tenant_sessions where ended_at is null";
    assert_eq!(desk.rows(SUPERUSER, live), "0");
}

#[tokio::test]
async fn a_script_that_is_cancelled_stops_on_the_server_and_ends_its_session() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("support")).await;
    let plan = prepare(&console, request(Mode::Read)).await.unwrap();
    let script = Script {
        statements: vec!["select pg_sleep(60)".into(), "select 2".into()],
        limits: Limits::default(),
        output: None,
    };
    let progress = Progress::silent();
    let running = run_script(&console, plan, script, &progress);
    let sleeping = "select count(*) > 0 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
    let cancel = async {
        super::until("it sleeps", || desk.rows(SUPERUSER, sleeping) == "t").await;
        progress.cancel();
    };
    let (report, ()) = tokio::join!(running, cancel);
    let report = report.unwrap();
    assert_eq!(report.failure.unwrap().kind, Kind::Interrupted);
    assert!(report.statements.is_empty());
    assert_eq!(desk.rows(SUPERUSER, sleeping), "f");
    let ended = "select end_reason from tenantdesk.tenant_sessions";
    assert_eq!(desk.rows(SUPERUSER, ended), "operator");
}
