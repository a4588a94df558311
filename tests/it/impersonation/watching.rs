//! Live control: who is in which tenant, on which connection, and what he does; and what the ledger has of it.

use tenantdesk::identity::Mode;
use tenantdesk::impersonation::{Ask, told_statements};
use tenantdesk::tenant::{live, sessions};

use super::{console, reader, request, run, try_start, until};
use crate::attack_intruder::{Intruder, as_operator, open_call, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

#[tokio::test]
async fn an_approver_sees_who_runs_what_in_which_tenant_and_ends_it_in_the_middle() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let id = impersonation.id();
    run(&impersonation, "select id, 'a secret' from app.projects limit 7").await.unwrap();
    let approver = console(&desk, &desk.operator("approver")).await;
    let idle = live::activity(&approver, id).await.unwrap().unwrap();
    let last = idle.last.clone().unwrap();
    assert_eq!((idle.statements, idle.rows, last.outcome.as_deref()), (1, 7, Some("ok")));
    assert!(
        idle.bytes > 0 && idle.backends.len() == 1 && !idle.backends[0].is_running(),
        "{idle:?}"
    );
    let sql = last.sql.unwrap();
    assert!(sql.raw().contains("app.projects") && !sql.raw().contains("a secret"), "{sql:?}");

    let ask = Ask::new("select pg_sleep(60)");
    let watch = async {
        let mut seen = Vec::new();
        until("the statement runs", || {
            desk.rows(SUPERUSER, "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()") == "1"
        })
        .await;
        seen.extend(live::list(&approver, 10).await.unwrap());
        assert!(sessions::end(&approver, id, None).await.unwrap());
        seen
    };
    let (ended, seen) = tokio::join!(impersonation.run(&ask), watch);
    let [one] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((one.session.id, one.session.tenant.as_str()), (id, ACME));
    let backend = &one.activity.backends[0];
    assert!(backend.is_running() && backend.since.is_some(), "{backend:?}");
    assert_eq!(backend.wait.as_deref(), Some("Timeout:PgSleep"));
    assert_eq!(one.activity.last.as_ref().unwrap().outcome, None, "it runs");
    assert!(ended.is_err());
    assert_eq!(live::list(&approver, 10).await.unwrap(), []);
    assert_eq!(live::activity(&approver, id).await.unwrap(), None);
    let told = told_statements(&live::events(&approver, id, 0, 100).await.unwrap());
    let outcomes: Vec<_> = told.iter().map(|one| one.outcome.as_deref()).collect();
    assert_eq!(outcomes, [Some("ok"), Some("lost")]);
}

// The level decides what is seen; without the question everybody would see all.
#[tokio::test]
async fn nobody_below_approver_sees_the_sessions_of_others() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    run(&impersonation, "select 1").await.unwrap();
    let own = console(&desk, impersonation.operator().as_str()).await;
    assert_eq!(live::list(&own, 10).await.unwrap().len(), 1);
    let events = live::events(&own, impersonation.id(), 0, 100).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["impersonate.start", "statement", "statement"]);
    let other = console(&desk, &desk.operator("support")).await;
    assert_eq!(live::list(&other, 10).await.unwrap(), []);
    assert_eq!(live::activity(&other, impersonation.id()).await.unwrap(), None);
    assert_eq!(live::events(&other, impersonation.id(), 0, 100).await.unwrap().len(), 0);
    for (function, condition) in [
        ("live_sessions", "(sees_all or s.operator = session_user)"),
        (
            "chain_of_session",
            "(s.operator = session_user or tenantdesk.rank(tenantdesk.level()) >= 3)",
        ),
    ] {
        desk.rows(
            SUPERUSER,
            &format!("do $do$ declare body text := pg_get_functiondef('tenantdesk.{function}'::regproc); begin execute replace(body, '{condition}', 'true'); end $do$"),
        );
    }
    assert_eq!(live::list(&other, 10).await.unwrap().len(), 1);
    assert_eq!(live::events(&other, impersonation.id(), 0, 100).await.unwrap().len(), 3);
}

// A name is a label: who renames his connection is counted, and who takes another's name is not his.
#[tokio::test]
async fn a_connection_with_a_false_name_is_nobodys_and_one_without_is_counted() {
    let desk = tokio::task::spawn_blocking(Desk::product).await.unwrap();
    let login = desk.operator("support");
    let intruder = Intruder::with_login(desk, login, ACME, "impersonate", "read");
    let mut line = intruder.line();
    assert_eq!(line.say("select 1").as_deref(), Some("1"));
    let approver = console(&intruder.desk, &intruder.desk.operator("approver")).await;
    let id = intruder.session.parse().unwrap();
    let seen = live::activity(&approver, id).await.unwrap().unwrap();
    assert_eq!((seen.backends.len(), seen.unnamed), (0, 1), "{seen:?}");
    line.say(&format!("set application_name = 'tenantdesk/{id}'"));
    let seen = live::activity(&approver, id).await.unwrap().unwrap();
    assert_eq!((seen.backends.len(), seen.unnamed), (1, 0), "{seen:?}");
    // Another operator who takes the name shows up under his own session only.
    let other = intruder.desk.operator("support");
    let call = open_call("theirs", ACME, "impersonate", "read");
    intruder.desk.rows(&other, &as_operator(&format!("select 1 from {call}")));
    let mut liar = crate::attack_intruder::Line::open(&intruder.desk, &other);
    liar.say(&format!("set application_name = 'tenantdesk/{id}'"));
    let listed = live::list(&approver, 10).await.unwrap();
    let counts: Vec<_> = listed
        .iter()
        .map(|one| {
            (one.session.operator == other, one.activity.backends.len(), one.activity.unnamed)
        })
        .collect();
    assert_eq!(counts, [(true, 0, 1), (false, 1, 0)]);
    // The control: nobody but the killer sees them, so the operator himself could not have asked.
    let own = "select count(*) from pg_stat_activity where state is not null and usename <> session_user and usename like 'op_%'";
    assert_eq!(intruder.desk.rows(&other, own), "0");
}

// What the client claims of rows and bytes cannot break the list for those who watch him.
#[tokio::test]
async fn claimed_numbers_do_not_blind_the_list() {
    let desk = tokio::task::spawn_blocking(Desk::product).await.unwrap();
    let login = desk.operator("support");
    let intruder = Intruder::with_login(desk, login, ACME, "impersonate", "read");
    let most = i64::MAX;
    for _ in 0..3 {
        let claim = format!(
            "select tenantdesk.statement_outcome(tenantdesk.statement_intent('select 1', '{{}}', null), 'ok', {most}, {most}, 1, null)"
        );
        let output = intruder.run("tenantdesk_operator", &claim);
        assert_eq!(sqlstate(&output), "", "{output:?}");
    }
    let approver = console(&intruder.desk, &intruder.desk.operator("approver")).await;
    let seen = live::list(&approver, 10).await.unwrap();
    assert_eq!((seen[0].activity.statements, seen[0].activity.rows), (3, most));
    intruder.weaken("do $do$ declare body text := pg_get_functiondef('tenantdesk.tallies'::regproc); begin execute replace(replace(body, 'least(', '('), ', most)', ')'); end $do$");
    assert!(live::list(&approver, 10).await.is_err());
}

#[tokio::test]
async fn the_list_says_no_more_than_was_asked_for() {
    let desk = Desk::product();
    let mut open = Vec::new();
    for _ in 0..3 {
        let gate = console(&desk, &desk.operator("support")).await;
        open.push(try_start(&gate, request(Mode::Read)).await.unwrap());
    }
    let approver = console(&desk, &desk.operator("approver")).await;
    let listed = live::list(&approver, 2).await.unwrap();
    let newest: Vec<_> = listed.iter().map(|one| one.session.id).collect();
    assert_eq!(newest, [open[2].id(), open[1].id()]);
    assert!(listed.iter().all(|one| one.activity.backends.len() == 1), "{listed:?}");
}
