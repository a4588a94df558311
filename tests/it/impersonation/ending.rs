//! Every way it ends, from the database's side: by another operator, by time, by the tripwire.

use chrono::TimeDelta;
use tenantdesk::failure::{Explain as _, Kind};
use tenantdesk::identity::Mode;
use tenantdesk::impersonation::{Ask, Impersonation, ImpersonationError, Limits};
use tenantdesk::tenant::sessions;

use super::{cells, console, first, reader, request, run, try_start, until, writer};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{BOLT, Desk};

/// Runs a statement while an approver ends the session, once `begun` holds.
async fn ended_in_the_middle(
    desk: &Desk,
    impersonation: &Impersonation,
    ask: Ask,
    begun: &str,
) -> ImpersonationError {
    let approver = console(desk, &desk.operator("approver")).await;
    let id = impersonation.id();
    let end = async {
        until("the statement runs", || desk.rows(SUPERUSER, begun) == "t").await;
        assert!(sessions::end(&approver, id, None).await.unwrap());
    };
    let (result, ()) = tokio::join!(impersonation.run(&ask), end);
    result.unwrap_err()
}

#[tokio::test]
async fn an_end_by_an_approver_stops_a_running_query_and_says_who() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let begun = "select count(*) > 0 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
    let error =
        ended_in_the_middle(&desk, &impersonation, Ask::new("select pg_sleep(60)"), begun).await;
    let ImpersonationError::Ended(ending) = &error else { panic!("{error:?}") };
    assert!(ending.by.as_deref().is_some_and(|by| by.starts_with("op_approver")), "{ending}");
    assert_eq!((ending.why.as_str(), error.kind()), ("revoked", Kind::Refused));
    until("the connection is closed", || impersonation.is_closed()).await;
    // Whatever comes next says the same, and the outcome of the lost statement is recorded.
    let error = run(&impersonation, "select 1").await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Ended(_)), "{error:?}");
    let outcomes = desk.rows(SUPERUSER, "select outcome from tenantdesk.ledger where action in ('statement', 'impersonate.end') order by seq");
    assert_eq!(outcomes, "intent\nrevoked\nlost");
    assert_eq!(impersonation.end("operator").await.map_err(|e| e.to_string()), Ok(()));
}

#[tokio::test]
async fn an_end_by_an_approver_stops_a_cursor_that_is_being_read() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let limits = Limits { rows: 1_000_000, ..Limits::default() };
    let sql = "select g, pg_sleep(0.01) from generate_series(1, 100000) g, (select count(*) from app.projects) p";
    let begun = "select count(*) > 0 from pg_stat_activity where query like 'fetch forward%' and state = 'active' and datname = current_database()";
    let ask = Ask { limits, ..Ask::new(sql) };
    let error = ended_in_the_middle(&desk, &impersonation, ask, begun).await;
    assert!(matches!(error, ImpersonationError::Ended(_)), "{error:?}");
}

#[tokio::test]
async fn an_operator_who_is_only_support_cannot_end_anothers_session() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let other = console(&desk, &desk.operator("support")).await;
    let refused = sessions::end(&other, impersonation.id(), None).await.unwrap_err();
    assert!(refused.to_string().contains("not found"), "{refused}");
    assert_eq!(first(&run(&impersonation, "select 1").await.unwrap()), "1");
}

#[tokio::test]
async fn expiry_ends_a_running_query_and_refuses_the_next() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("support")).await;
    let mut short = request(Mode::Read);
    short.duration = Some(TimeDelta::seconds(2));
    let impersonation = try_start(&console, short).await.unwrap();
    assert_eq!(first(&run(&impersonation, "select 1").await.unwrap()), "1");
    let error = run(&impersonation, "select pg_sleep(60)").await.unwrap_err();
    let ImpersonationError::Ended(ending) = &error else { panic!("{error:?}") };
    assert_eq!(ending.why, "expired");
    let error = run(&impersonation, "select 1").await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Ended(_)), "{error:?}");
}

#[tokio::test]
async fn a_sweep_from_elsewhere_closes_what_has_expired() {
    let desk = Desk::product();
    let gate = console(&desk, &desk.operator("support")).await;
    let other = console(&desk, &desk.operator("viewer")).await;
    let mut short = request(Mode::Read);
    short.duration = Some(TimeDelta::seconds(4));
    let impersonation = try_start(&gate, short).await.unwrap();
    let mut swept = sessions::sweep(&other).await.unwrap();
    assert_eq!((swept, impersonation.is_closed()), (0, false), "the control: not before its time");
    while swept == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        swept = sessions::sweep(&other).await.unwrap();
    }
    until("the connection is closed", || impersonation.is_closed()).await;
    let error = run(&impersonation, "select 1").await.unwrap_err();
    assert_eq!(error.to_string(), format!("the impersonation {} has expired", impersonation.id()));
    // And the operator can start another.
    try_start(&gate, request(Mode::Read)).await.unwrap();
}

#[tokio::test]
async fn the_tripwire_stops_the_session_when_the_guard_is_gone() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    desk.rows("app_owner", "alter table app.projects disable row level security");
    // The control: without the tenant key among the columns, nothing but the guard would have helped.
    let foreign =
        run(&impersonation, "select distinct secret like 'bolt%' from app.projects").await.unwrap();
    assert_eq!(cells(&foreign).len(), 2);
    let error = run(&impersonation, "select name, tenant_id from app.projects").await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Leak(_)), "{error:?}");
    assert_eq!(error.kind(), Kind::Refused);
    let next = run(&impersonation, "select 1").await.unwrap_err();
    assert!(matches!(next, ImpersonationError::Leak(_)), "{next:?}");
    let recorded = desk.rows(
        SUPERUSER,
        "select action, outcome from tenantdesk.ledger where chain like 'tenant:%' order by seq",
    );
    assert_eq!(
        recorded.lines().skip(3).collect::<Vec<_>>(),
        [
            "statement|intent",
            "security.cross_tenant_leak_prevented|alarm",
            "impersonate.end|cross_tenant_leak_prevented",
            "statement|stopped",
        ]
    );
}

#[tokio::test]
async fn the_tripwire_stops_a_change_before_it_is_committed() {
    let desk = Desk::product();
    let impersonation = writer(&desk).await;
    desk.rows("app_owner", "alter table app.tasks disable row level security");
    let error = run(&impersonation, "update app.tasks set title = 'x' returning tenant_id")
        .await
        .unwrap_err();
    assert!(matches!(error, ImpersonationError::Leak(_)), "{error:?}");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from app.tasks where title = 'x'"), "0");
}

#[tokio::test]
async fn another_key_under_the_name_of_the_tenant_key_is_a_false_alarm_that_stops_as_well() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    run(&impersonation, "select tenant_id from app.projects limit 1").await.unwrap();
    run(&impersonation, "select null as tenant_id").await.unwrap();
    run(&impersonation, &format!("select '{BOLT}' as other")).await.unwrap();
    let error =
        run(&impersonation, &format!("select '{BOLT}'::uuid as tenant_id")).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Leak(_)), "{error:?}");
}
