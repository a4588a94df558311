//! Attacks by holding on: transactions left open, chains that others need, programs that are gone.

use std::time::{Duration, Instant};

use crate::attack_ending::{revoke, second};
use crate::attack_intruder::{
    Intruder, Line, READER, as_operator, on_a_server_of_its_own, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

// He ends as well as expires at the moment of his own choice, and closes himself in a transaction left open.
#[test]
fn nobody_keeps_a_cursor_by_closing_himself() {
    let stays = |weaken: &str| {
        let intruder = Intruder::enter(on_a_server_of_its_own(), "support", "impersonate", "read");
        let mut line = intruder.line();
        line.say(&intruder.preamble(READER));
        line.say("declare c cursor for select id from app.projects order by id");
        assert!(line.say("fetch 1 from c").is_some_and(|rows| !rows.is_empty()));
        revoke(&intruder, false);
        if !weaken.is_empty() {
            intruder.weaken(weaken);
        }
        line.say("set local role tenantdesk_operator");
        line.say(&format!("select tenantdesk.terminate({})", intruder.session));
        let (desk, approver) = second(&intruder.desk, "approver");
        let close = as_operator(&format!("select tenantdesk.terminate({})", intruder.session));
        let closed = desk.psql(&approver, &close);
        (sqlstate(&closed), line.say("fetch 1 from c").is_some())
    };
    assert_eq!(stays(""), (String::new(), false));
    // Control: the record before the end, which waits for whoever holds it.
    let first = "do $do$ declare body text := pg_get_functiondef('tenantdesk.terminate'::regproc); begin \
        execute replace(body, 'closing := coalesce', 'update tenantdesk.tenant_sessions s set closed_at = s.closed_at where s.id = terminate.id; closing := coalesce'); end $do$";
    assert_eq!(stays(first), ("55P03".to_owned(), true));
}

// The next opening of his, or anybody's sweep, ends what a killed program left.
#[test]
fn a_session_whose_program_is_gone_ends_and_one_opened_by_hand_does_not() {
    let desk = Desk::product();
    let support = desk.operator("support");
    let open = |token: &str, request: &str| {
        let call = open_call(token, ACME, "impersonate", "read");
        let call = call.strip_suffix("null)").unwrap().to_owned() + request + ")";
        as_operator(&format!("select 1 from {call}"))
    };
    let age = "update tenantdesk.tenant_sessions set opened_at = opened_at - interval '5 min', expires_at = expires_at - interval '5 min' where ended_at is null";
    let ended = "select coalesce(end_reason, 'lives') from tenantdesk.tenant_sessions order by id desc limit 1";
    let sweep = || desk.psql(&support, &as_operator("select from tenantdesk.sweep()")).code;
    desk.rows(&support, &open("by hand", "null"));
    desk.rows(SUPERUSER, age);
    assert_eq!(sweep(), 0);
    assert_eq!(desk.rows(SUPERUSER, ended), "lives");
    desk.rows(&support, &as_operator("select tenantdesk.end_session(1, null)"));
    desk.rows(&support, &open("tool", "gen_random_uuid()"));
    assert_eq!(sweep(), 0);
    assert_eq!(desk.rows(SUPERUSER, ended), "lives");
    // Somebody else's connection of that name keeps nothing alive.
    let (same, other) = second(&desk, "support");
    let mut line = Line::open(&same, &other);
    line.say("set application_name = 'tenantdesk/2'");
    desk.rows(SUPERUSER, age);
    assert_eq!(sweep(), 0);
    assert_eq!(desk.rows(SUPERUSER, ended), "connection lost");
}

// The program does by itself what it would else have to tell people to do.
#[tokio::test]
async fn an_operation_frees_the_chain_that_an_idle_transaction_holds() {
    let desk = tokio::task::spawn_blocking(on_a_server_of_its_own).await.unwrap();
    let (ann, bob) = (desk.operator("support"), desk.operator("support"));
    let mut holder = Line::open(&desk, &ann);
    let call = open_call("a", ACME, "impersonate", "read");
    holder.say(&as_operator(&format!("select 1 from {call}")).replace("commit;", ""));
    let console = tenantdesk::console::Console::connect(desk.endpoint(&bob)).await.unwrap();
    let map = tenantdesk::isolation::relations::installed_map(&console).await.unwrap();
    let ask = tenantdesk::tenant::session::OpenSession::impersonate(
        tenantdesk::identity::TenantId::from_database(ACME),
        Some("1".to_owned()),
        tenantdesk::identity::Mode::Read,
        "ticket 4711 asks".parse().unwrap(),
        None,
        chrono::TimeDelta::minutes(5),
    );
    let session = tenantdesk::tenant::session::open(&console, &map, ask).await.unwrap();
    assert_eq!(holder.say("select 1"), None);
    session.end("done").await.unwrap();
}

// guard.md 37, 38, 39, list 12
#[test]
fn a_chain_that_is_held_is_freed_and_no_advisory_lock_holds_one() {
    let desk = on_a_server_of_its_own();
    let (ann, bob) = (desk.operator("support"), desk.operator("support"));
    let mut holder = Line::open(&desk, &ann);
    holder.say("select pg_advisory_lock(g) from generate_series(0, 500) g");
    let open = |token: &str| {
        as_operator(&format!("select 1 from {}", open_call(token, ACME, "impersonate", "read")))
    };
    desk.rows(&bob, &open("b1"));
    desk.rows(&bob, &as_operator("select tenantdesk.end_session(1, null)"));
    holder.say(&open("a1").replace("commit;", ""));
    assert_eq!(sqlstate(&desk.psql(&bob, &open("b2"))), "55P03");
    // From 16 on what is held is more: the role that the opening grants.
    let elsewhere = sqlstate(&desk.psql(&bob, &open("b3").replace(ACME, BOLT)));
    assert_eq!(elsewhere, if desk.cluster.version == 15 { "" } else { "55P03" });
    assert_eq!(desk.rows(&bob, &as_operator("select tenantdesk.unblock()")), "1");
    assert_eq!(holder.say("select 1"), None);
    desk.rows(
        &bob,
        &as_operator("select tenantdesk.end_session(max(id), null) from tenantdesk.sessions()"),
    );
    assert_eq!(desk.rows(&bob, &open("b4")), "1");
    // Control: without a limit to its waiting, the opening hangs for as long as the holder likes.
    let mut holder = Line::open(&desk, &ann);
    holder.say(&open("a2").replace("commit;", ""));
    let bobs =
        as_operator("select tenantdesk.end_session(max(id), null) from tenantdesk.sessions()");
    let patient = "alter function tenantdesk.append(text, text, text, text, text, bigint, uuid, text) reset lock_timeout; \
        alter function tenantdesk.end_session(bigint, text) reset lock_timeout; alter function tenantdesk.set_rights(text) reset lock_timeout";
    desk.rows(SUPERUSER, patient);
    let waits = format!("set statement_timeout = '6s'; {bobs}");
    assert_eq!(sqlstate(&desk.psql(&bob, &waits)), "57014");
    assert_eq!(desk.rows(&bob, &as_operator("select tenantdesk.unblock()")), "1");
    // What survives the connection is refused by the server's configuration; doctor looks at it.
    let prepared = desk.psql(&bob, "begin; prepare transaction 'x'");
    assert_eq!(sqlstate(&prepared), "55000", "{prepared:?}");
}

#[test]
fn an_end_that_is_held_open_does_not_stop_the_sweep_for_ever() {
    let intruder = Intruder::enter(on_a_server_of_its_own(), "support", "impersonate", "read");
    let mut holder = intruder.line();
    holder.say("begin; set local role tenantdesk_operator");
    holder.say(&format!("select tenantdesk.end_session({}, null)", intruder.session));
    let (desk, approver) = second(&intruder.desk, "approver");
    let started = Instant::now();
    let end = desk.psql(
        &approver,
        &as_operator(&format!("select tenantdesk.end_session({}, null)", intruder.session)),
    );
    assert!(sqlstate(&end) == "55P03" && started.elapsed() < Duration::from_secs(20), "{end:?}");
    assert_eq!(desk.rows(&approver, &as_operator("select tenantdesk.unblock()")), "1");
    assert_eq!(
        desk.rows(
            &approver,
            &as_operator(&format!("select tenantdesk.end_session({}, null)", intruder.session))
        ),
        "t"
    );
}

// Each end looks at what the login still needs: two at once would each leave to the other what neither takes away.
#[test]
fn many_sessions_of_one_operator_that_open_and_end_at_once_leave_no_right_behind() {
    let desk = Desk::product();
    let login = desk.operator("admin");
    let psql = desk.psql_later();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (psql, login) = (&psql, &login);
            scope.spawn(move || {
                for round in 0..8 {
                    let open = format!(
                        "begin; set local role tenantdesk_operator; select id as s from tenantdesk.open_session(sha256('{thread}.{round}'), '{ACME}', 'export', 'read', 'many at once, of one operator', null, null, '1 min', null) \\gset\ncommit; \
                         begin; set local role tenantdesk_operator; select tenantdesk.end_session(:s, 'done'); commit"
                    );
                    let output = psql(login, &open);
                    assert_eq!(output.code, 0, "{output:?}");
                }
            });
        }
    });
    let held = format!(
        "select count(*) from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = '{login}'::regrole and g.rolname ~ '^tenantdesk_(reader|archivist)'"
    );
    assert_eq!(desk.rows(SUPERUSER, &held), "0");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
}
