//! Attacks by whoever's level was taken away while he was at it, and by sheer number.

use crate::attack_intruder::{
    CHANGER, Intruder, Line, READER, as_operator, drop_condition, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

const COUNT: &str = "select count(*) from app.projects";
/// What a session needs of the level, as the guard's functions ask it.
const LEVEL: &str = "(o.level = 'admin' or o.level in ('support', 'approver') and (s.purpose in ('provision', 'manage') or s.purpose = 'impersonate' and s.mode = 'read'))";

/// Gives another level, as the manager does, and closes nothing.
fn demote(desk: &Desk, login: &str, level: &str) {
    let call = format!("select tenantdesk.operator_level('{login}', '{level}', null)");
    desk.rows("app_owner", &call);
}

/// An opening whose transaction is left open.
fn opening(desk: &Desk, login: &str) -> Line {
    let mut line = Line::open(desk, login);
    line.say("begin isolation level read committed; set local role tenantdesk_operator");
    let call = open_call("late", ACME, "impersonate", "write");
    assert_eq!(line.say(&format!("select 1 from {call}")).as_deref(), Some("1"));
    line
}

/// What the token shows on a connection.
fn shows(line: &mut Line, role: &str, sql: &str) -> String {
    line.say(&format!("begin isolation level read committed; set local role {role}"));
    line.say(&format!(
        "do $$ begin perform set_config('tenantdesk.session', 'late', true), set_config('app.tenant_id', '{ACME}', true); end $$"
    ));
    let seen = line.say(sql).unwrap_or_default();
    line.say("commit");
    seen
}

#[test]
fn an_opening_that_is_committed_after_the_level_is_gone_opens_nothing() {
    let late = |weakened: bool| {
        let desk = Desk::product();
        let admin = desk.operator("admin");
        if weakened {
            drop_condition(&desk, "session_tenant()", LEVEL);
            drop_condition(&desk, "writing_tenant()", LEVEL);
        }
        let mut line = opening(&desk, &admin);
        demote(&desk, &admin, "viewer");
        line.say("commit");
        let count = shows(&mut line, READER, COUNT);
        let change =
            "with x as (update app.projects set n = n returning id) select count(*) from x"
                .replace("n = n", "name = name");
        (count, shows(&mut line, CHANGER, &change))
    };
    assert_eq!(late(false), ("0".to_owned(), "0".to_owned()));
    assert_eq!(late(true), ("1000".to_owned(), "1000".to_owned()));
}

#[test]
fn an_opening_that_came_too_late_is_swept_with_its_rights() {
    let held = |weakened: bool| {
        let desk = Desk::product();
        let admin = desk.operator("admin");
        if weakened {
            desk.rows(SUPERUSER, "create or replace function tenantdesk.is_entitled(s tenantdesk.tenant_sessions) returns boolean language sql as 'select true'");
        }
        let mut line = opening(&desk, &admin);
        demote(&desk, &admin, "viewer");
        line.say("commit");
        let viewer = desk.operator("viewer");
        desk.psql(&viewer, &as_operator("select from tenantdesk.sweep()"));
        let ended = desk.rows(
            SUPERUSER,
            "select coalesce(end_reason, 'lives') from tenantdesk.tenant_sessions",
        );
        let role = format!("select pg_has_role('{admin}', 'tenantdesk_changer', 'member')");
        (ended, desk.rows(SUPERUSER, &role))
    };
    assert_eq!(held(false), ("level changed".to_owned(), "f".to_owned()));
    assert_eq!(held(true), ("lives".to_owned(), "t".to_owned()));
}

#[test]
fn an_operator_who_was_removed_reads_nothing_with_an_opening_that_comes_late() {
    let late = |weakened: bool| {
        let desk = Desk::product();
        let admin = desk.operator("admin");
        if weakened {
            drop_condition(&desk, "session_tenant()", "o.disabled_at is null");
        }
        let mut line = opening(&desk, &admin);
        // A removal ends the connection with which he would read: this is the moment before.
        let disable = "update tenantdesk.operators set disabled_at = now() where name";
        desk.rows(SUPERUSER, &format!("{disable} = '{admin}'"));
        line.say("commit");
        shows(&mut line, READER, COUNT)
    };
    assert_eq!(late(false), "0");
    assert_eq!(late(true), "1000");
}

#[test]
fn an_old_snapshot_does_not_remember_a_level() {
    let late = |desk: &Desk| {
        let login = desk.operator("admin");
        let mut line = Line::open(desk, &login);
        line.say("begin isolation level repeatable read; set local role tenantdesk_operator");
        line.say("select 1 from tenantdesk.whoami()");
        demote(desk, &login, "viewer");
        let call = open_call("old", ACME, "export", "read");
        let call =
            call.replace(&format!("(select id from tenantdesk.members('{ACME}') limit 1)"), "null");
        line.say(&format!("select 1 from {call}")).unwrap_or_default()
    };
    assert_eq!(late(&Desk::product()), "25001");
    // What only reads may have an older snapshot: lists are shown from one.
    let desk = Desk::product();
    let list = "begin isolation level repeatable read, read only; set local role tenantdesk_operator; select count(*) from tenantdesk.directory(); commit";
    assert_eq!(desk.rows(&desk.operator("viewer"), list), "3");
    let condition = "pg_catalog.current_setting('transaction_isolation') <> 'read committed' and";
    drop_condition_for(&desk, condition);
    assert_eq!(late(&desk), "1");
}

/// Takes a condition out of `require`.
fn drop_condition_for(desk: &Desk, condition: &str) {
    desk.rows(SUPERUSER, &format!("do $do$ declare body text := pg_get_functiondef('tenantdesk.require'::regproc); begin \
        if position($c${condition}$c$ in body) = 0 then raise exception 'no such condition'; end if; execute replace(body, $c${condition}$c$, 'false and'); end $do$"));
}

#[test]
fn one_operator_takes_no_more_than_his_share_of_the_connections() {
    let desk = Desk::product();
    let viewer = desk.operator("viewer");
    let take = |n: usize| {
        let mut lines: Vec<Line> = (0..n).map(|_| Line::open(&desk, &viewer)).collect();
        lines.iter_mut().filter_map(|line| line.say("select 1")).count()
    };
    assert_eq!(take(18), 16);
    desk.rows(SUPERUSER, &format!("alter role {viewer} connection limit -1"));
    assert_eq!(take(18), 18);
}

// The name of an operator who was removed may be somebody else's by now.
#[test]
fn a_role_that_took_over_a_name_is_not_dropped_for_its_predecessor() {
    let desk = Desk::product();
    let name = desk.operator("viewer");
    let step = |call: String| desk.rows("app_owner", &format!("select tenantdesk.{call}"));
    step(format!("operator_remove('{name}', null)"));
    step(format!("operator_drop('{name}')"));
    let there = format!("select count(*) from pg_roles where rolname = '{name}'");
    assert_eq!(desk.rows(SUPERUSER, &there), "0");
    let successor = if desk.cluster.version >= 16 {
        format!("create role {name}; grant {name} to tenantdesk_registrar with admin option")
    } else {
        format!("create role {name}")
    };
    desk.rows(SUPERUSER, &successor);
    step(format!("operator_drop('{name}')"));
    assert_eq!(desk.rows(SUPERUSER, &there), "1");
    desk.rows(
        SUPERUSER,
        &format!("update tenantdesk.operators set login = '{name}'::regrole where name = '{name}'"),
    );
    step(format!("operator_drop('{name}')"));
    assert_eq!(desk.rows(SUPERUSER, &there), "0");
}

#[test]
fn a_level_that_shrinks_ends_the_session_and_says_which() {
    let intruder = Intruder::writing();
    let call = format!("select tenantdesk.operator_level('{}', 'support', null)", intruder.login);
    assert_eq!(intruder.desk.rows("app_owner", &call), intruder.session);
    let again = format!("select 1 from {}", open_call("w", ACME, "impersonate", "write"));
    let reopened = intruder.desk.psql(&intruder.login, &as_operator(&again));
    assert_eq!(sqlstate(&reopened), "42501");
}
