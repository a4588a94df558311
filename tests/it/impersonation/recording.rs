//! The record: before and after each statement, without literals, or the statement does not run.

use std::io::Write as _;
use std::process::Stdio;

use tenantdesk::identity::{Mode, RequestId};
use tenantdesk::impersonation::{Ask, ImpersonationError, ResultExport, ResultOf};

use super::{console, first, reader, request, run, try_start, until, writer};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

/// Statements in the ledger: outcome and what is recorded with it.
fn statements(desk: &Desk) -> Vec<(String, serde_json::Value)> {
    let rows = desk.rows(
        SUPERUSER,
        "select l.outcome || '|' || d.body from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) \
         where l.action = 'statement' order by l.seq",
    );
    rows.lines()
        .map(|line| {
            let (outcome, body) = line.split_once('|').unwrap();
            (outcome.to_owned(), serde_json::from_str(body).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn each_statement_has_an_intent_and_an_outcome_also_when_it_fails() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    run(&impersonation, "select id from app.projects where name <> 'x'").await.unwrap();
    run(&impersonation, "select 1/0").await.unwrap_err();
    run(&impersonation, "drop table app.projects").await.unwrap_err();
    let recorded = statements(&desk);
    let outcomes: Vec<&str> = recorded.iter().map(|(outcome, _)| outcome.as_str()).collect();
    // What is refused before it runs reached nothing, so there is nothing to record.
    assert_eq!(outcomes, ["intent", "ok", "intent", "failed"]);
    assert_eq!(recorded[0].1["sql"], "select id from app.projects where name <> ?");
    assert_eq!(recorded[0].1["literals"].as_array().unwrap().len(), 1);
    assert_eq!(recorded[1].1["rows"], 1_000);
    assert!(recorded[1].1["bytes"].as_i64().unwrap() > 1_000);
    assert_eq!(recorded[3].1["sqlstate"], "22012");
    assert!(recorded[3].1["intent"].as_i64().unwrap() > recorded[1].1["intent"].as_i64().unwrap());
}

#[tokio::test]
async fn literals_are_never_in_the_ledger_but_their_keyed_digests_are() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("admin")).await;
    let mut request = request(Mode::Write);
    request.reason = "find this CONTROLWORD here".parse().unwrap();
    let impersonation = try_start(&console, request).await.unwrap();
    for sql in [
        "select 'CANARY1', E'CANARY\\x32', $$CANARY3$$, \"CANARY 4\" from app.projects -- CANARY5",
        "select * from app.users where email = 'CANARY6@x.de' /* CANARY7 */",
        "update app.projects set secret = 'CANARY8' where id = 3",
        "select 'CANARY9",
        "select 'CANARY10'::int",
    ] {
        let _any = run(&impersonation, sql).await;
    }
    let mut page = tenantdesk::impersonation::PageAsk::new("app.projects", 5);
    page.filter = Some(tenantdesk::impersonation::Filter {
        column: "secret".into(),
        operator: tenantdesk::impersonation::FilterOperator::Equal,
        value: "CANARY8".into(),
    });
    assert_eq!(impersonation.page(&page).await.unwrap().rows.len(), 1);
    let count = |word: &str| {
        desk.rows(
            SUPERUSER,
            &format!("select count(*) from (select l::text as t from tenantdesk.ledger l union all select body from tenantdesk.ledger_details) x where t like '%{word}%'"),
        )
    };
    assert_eq!(count("CANARY"), "0");
    assert_eq!(count("CONTROLWORD"), "1", "the search itself finds what is there");
    // Whoever has the tenant's key can ask whether it was this value.
    let digest = desk.rows(
        SUPERUSER,
        &format!("select (tenantdesk.keyed_digests('tenant:{ACME}', array['CANARY8']))[1]"),
    );
    let intents =
        statements(&desk).iter().filter(|(_, body)| body.to_string().contains(&digest)).count();
    assert_eq!(intents, 2);
}

#[tokio::test]
async fn the_intent_is_there_before_the_statement_ends() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let canceller = impersonation.canceller();
    let slow = Ask::new("select pg_sleep(60)");
    let look = async {
        until("the intent is in the ledger", || statements(&desk).len() == 1).await;
        let sleeping = "select count(*) > 0 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
        until("it runs", || desk.rows(SUPERUSER, sleeping) == "t").await;
        canceller.cancel().await.unwrap();
    };
    let (result, ()) = tokio::join!(impersonation.run(&slow), look);
    assert!(matches!(result, Err(ImpersonationError::Cancelled)), "{result:?}");
    let outcomes: Vec<String> = statements(&desk).into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["intent", "cancelled"]);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_run() {
    let desk = Desk::product();
    let impersonation = writer(&desk).await;
    // Somebody holds the chain of this tenant.
    let mut holder = desk
        .cluster
        .psql_command(&desk.database, SUPERUSER)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = holder.stdin.take().unwrap();
    writeln!(
        pipe,
        "begin; select seq from tenantdesk.chains where chain = 'tenant:{ACME}' for update;"
    )
    .unwrap();
    let held = "select count(*) > 0 from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like '%for update%'";
    until("the chain is held", || desk.rows(SUPERUSER, held) == "t").await;
    let error =
        run(&impersonation, "update app.projects set secret = 'unrecorded'").await.unwrap_err();
    assert!(matches!(error, ImpersonationError::NotRecorded(_)), "{error:?}");
    let count = "select count(*) from app.projects where secret = 'unrecorded'";
    assert_eq!(desk.rows(SUPERUSER, count), "0");
    // The control: once the chain is free, the same statement runs.
    drop(pipe);
    holder.wait().unwrap();
    run(&impersonation, "update app.projects set secret = 'unrecorded'").await.unwrap();
    assert_eq!(desk.rows(SUPERUSER, count), "1000");
}

#[tokio::test]
async fn request_ids_run_through() {
    let desk = Desk::product();
    let gate = console(&desk, &desk.operator("support")).await;
    let (opening, asking) = (RequestId::draw(), RequestId::draw());
    let impersonation = try_start(&gate.for_request(opening), request(Mode::Read)).await.unwrap();
    let mut ask = Ask::new("select 1");
    ask.request = Some(asking);
    assert_eq!(first(&impersonation.run(&ask).await.unwrap()), "1");
    impersonation.end("operator").await.unwrap();
    let recorded = desk.rows(SUPERUSER, "select action || ' ' || outcome || ' ' || request from tenantdesk.ledger where chain like 'tenant:%' order by seq");
    assert_eq!(
        recorded.lines().collect::<Vec<_>>(),
        [
            format!("impersonate.start ok {opening}"),
            format!("statement intent {asking}"),
            format!("statement ok {asking}"),
            format!("impersonate.end operator {opening}"),
        ]
    );
}

/// A result that goes to a file of a directory.
fn to_file(path: std::path::PathBuf) -> ResultExport {
    ResultExport {
        of: ResultOf::Statement("select 'CANARY' as word".into()),
        columns: vec!["word".into()],
        rows: vec![vec![Some("CANARY".into())], vec![None]],
        truncated: false,
        path,
    }
}

#[tokio::test]
async fn an_export_is_in_the_ledger_before_the_file_is_there_and_without_its_rows() {
    let desk = Desk::product();
    let inside = reader(&desk).await;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rows.json");
    let written = inside.export_result(to_file(path.clone()), None).await.unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(written.bytes, std::fs::metadata(&path).unwrap().len());
    let seen = "select string_agg(l.outcome || ' ' || l.object || ' ' || d.body, e'\\n' order by l.seq) from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) where l.action = 'result.export'";
    let recorded = desk.rows(SUPERUSER, seen);
    let lines: Vec<&str> = recorded.lines().collect();
    assert!(lines[0].starts_with("intent read") && lines[0].contains("select ? as word"));
    assert!(lines[0].contains("\"format\": \"json\""), "{recorded}");
    assert!(lines[1].starts_with("ok read") && lines[1].contains("\"rows\": 2"), "{recorded}");
    assert!(!recorded.contains("CANARY"));
    // Nothing is written over, and a slip is no export.
    for path in [path, home.path().join("rows.txt")] {
        inside.export_result(to_file(path), None).await.unwrap_err();
    }
    assert_eq!(desk.rows(SUPERUSER, seen), recorded);
    // What could not be written is recorded as that.
    let nowhere = home.path().join("nowhere/rows.csv");
    inside.export_result(to_file(nowhere), None).await.unwrap_err();
    assert!(desk.rows(SUPERUSER, seen).lines().last().unwrap().starts_with("failed"));
}

#[tokio::test]
async fn without_a_record_no_file_is_written() {
    let desk = Desk::product();
    let inside = reader(&desk).await;
    let home = tempfile::tempdir().unwrap();
    desk.rows(
        SUPERUSER,
        "revoke execute on function tenantdesk.result_intent from tenantdesk_operator",
    );
    let path = home.path().join("rows.csv");
    inside.export_result(to_file(path.clone()), None).await.unwrap_err();
    assert!(!path.exists());
    desk.rows(
        SUPERUSER,
        "grant execute on function tenantdesk.result_intent to tenantdesk_operator",
    );
    inside.export_result(to_file(path.clone()), None).await.unwrap();
    assert!(path.exists(), "control");
    // From psql: no outcome without an intent of the same session, and no session without its token.
    let operator = inside.operator().to_string();
    let refused = desk.psql(
        &operator,
        "set role tenantdesk_operator; select tenantdesk.result_intent('x', 'csv', 1, null)",
    );
    assert!(refused.stderr.contains("no live impersonation"), "{}", refused.stderr);
    let refused = desk.psql(
        &operator,
        "set role tenantdesk_operator; select tenantdesk.result_outcome(1, 'ok', 1, 1)",
    );
    assert!(refused.stderr.contains("no such impersonation"), "{}", refused.stderr);
}
