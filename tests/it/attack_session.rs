//! Attacks on opening a session: its arguments, a race, and the transaction that opens it.

use crate::attack_intruder::{Intruder, READER, as_operator, drop_condition, open_call, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// The named arguments of an opening, of which an attack replaces one.
const GOOD: [(&str, &str); 9] = [
    ("digest", "sha256('t')"),
    ("tenant", "'aaaaaaaa-0000-0000-0000-000000000001'"),
    ("purpose", "'impersonate'"),
    ("mode", "'read'"),
    ("reason", "'ticket 4711 asks'"),
    ("ticket", "null"),
    ("member", "'3'"),
    ("duration", "interval '15 min'"),
    ("request", "null"),
];

fn opening(replaced: &[(&str, &str)]) -> String {
    let arguments: Vec<String> = GOOD
        .iter()
        .map(|(name, good)| {
            let value = replaced.iter().find(|(n, _)| n == name).map_or(*good, |(_, v)| *v);
            format!("{name} => {value}")
        })
        .collect();
    as_operator(&format!("select 1 from tenantdesk.open_session({})", arguments.join(", ")))
}

// guard.md 29, list 10
#[test]
fn a_session_without_a_reason_a_time_or_a_level_is_refused_by_the_database() {
    let desk = Desk::product();
    let support = desk.operator("support");
    let spaces =
        ["' '", "chr(160)", "chr(8203)", "chr(12644)", "chr(8294)", "chr(917536)", "chr(10240)"]
            .map(|filler| format!("repeat({filler}, 12)"));
    for reason in spaces.iter().map(String::as_str).chain(["'short'", "repeat('x', 2001)"]) {
        let output = desk.psql(&support, &opening(&[("reason", reason)]));
        assert_eq!(sqlstate(&output), "23514", "{reason}: {output:?}");
    }
    for (name, value, state) in [
        ("reason", "null", "23502"),
        ("duration", "null", "23502"),
        ("duration", "interval '-5 min'", "23514"),
        ("duration", "interval '61 min'", "22023"),
        ("digest", "null", "23502"),
        ("digest", "'\\x00'", "23514"),
        ("digest", "sha256('')", "23514"),
        ("tenant", "null", "P0002"),
        ("tenant", "'no such tenant'", "P0002"),
        ("tenant", "'11111111-0000-0000-0000-000000000001'", "P0002"),
        ("member", "null", "22004"),
        ("member", "'1'", ""),
        ("member", "'2'", "P0002"),
        ("member", "'no such member'", "P0002"),
        ("ticket", "''", "23514"),
        ("mode", "'write'", "42501"),
        ("mode", "null", "42501"),
        ("purpose", "null", "42501"),
        ("purpose", "'any'", "42501"),
        ("purpose", "'export'", "42501"),
        ("purpose", "'restore'", "42501"),
        ("purpose", "'erase'", "42501"),
        ("purpose", "'provision'", "23505"),
    ] {
        let output = desk.psql(&support, &opening(&[(name, value)]).replace("commit", "rollback"));
        assert_eq!(sqlstate(&output), state, "{name} {value}: {output:?}");
    }
    let viewer = desk.operator("viewer");
    assert_eq!(sqlstate(&desk.psql(&viewer, &opening(&[]))), "42501");
    let admin = desk.operator("admin");
    for (purpose, state) in [("null", "23502"), ("'any'", "23514")] {
        assert_eq!(sqlstate(&desk.psql(&admin, &opening(&[("purpose", purpose)]))), state);
    }
    desk.rows(SUPERUSER, "alter table tenantdesk.tenant_sessions drop constraint tenant_sessions_reason_says_something");
    assert_eq!(desk.rows(&support, &opening(&[("reason", &spaces[2])])), "1");
}

// Controls of the test above: without its rule each attack opens a session.
#[test]
fn a_time_a_purpose_and_a_level_are_refused_by_a_rule_each() {
    let without = |rule: &str, login: &str, name: &str, value: &str| {
        let desk = Desk::product();
        let login = desk.operator(login);
        desk.rows(SUPERUSER, rule);
        desk.rows(&login, &opening(&[(name, value)]))
    };
    let level = "do $do$ declare body text := pg_get_functiondef('tenantdesk.require'::regproc); begin execute replace(body, 'if tenantdesk.rank(have) >= tenantdesk.rank(require.level) then', 'if true then'); end $do$";
    let longest = "do $do$ declare body text := pg_get_functiondef('tenantdesk.open_session'::regproc); begin execute replace(body, 'if ends > begins + longest then', 'if false then'); end $do$";
    for (rule, login, name, value) in [
        (
            "alter table tenantdesk.tenant_sessions drop constraint tenant_sessions_duration",
            "support",
            "duration",
            "interval '-5 min'",
        ),
        (longest, "support", "duration", "interval '61 min'"),
        (level, "viewer", "mode", "'read'"),
        (level, "support", "mode", "'write'"),
        (
            "alter table tenantdesk.tenant_sessions drop constraint tenant_sessions_purpose, drop constraint tenant_sessions_mode_fits_purpose",
            "admin",
            "purpose",
            "'any'",
        ),
    ] {
        assert_eq!(without(rule, login, name, value), "1", "{rule}");
    }
}

#[test]
fn a_time_zone_of_ones_own_does_not_lengthen_a_session() {
    let desk = Desk::product();
    let support = desk.operator("support");
    // In this zone the clock goes back seven hours at its next midnight, so that a day minus 24 hours is
    // seven hours. Its days are counted from 0 and include 29 February.
    let zone = "select set_config('timezone', 'AAA0BBB-7,' || extract(doy from here - interval '9 day')::int - 1 || '/0,' || extract(doy from here + interval '1 day')::int - 1 || '/0', false) \
        from (select now() at time zone 'UTC' + interval '7 hours') as x (here);\n";
    let attack = format!("{zone}{}", opening(&[("duration", "interval '1 day -24 hours 59 min'")]));
    assert_eq!(sqlstate(&desk.psql(&support, &attack)), "22023");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from tenantdesk.tenant_sessions"), "0");
    desk.rows(
        SUPERUSER,
        "do $do$ declare body text := pg_get_functiondef('tenantdesk.open_session'::regproc); begin \
         execute replace(body, 'if ends > begins + longest then', 'if open_session.duration > longest then'); end $do$",
    );
    desk.rows(&support, &attack);
    let length = "select extract(hour from expires_at - opened_at) from tenantdesk.tenant_sessions";
    assert_eq!(desk.rows(SUPERUSER, length), "7");
}

// guard.md 28, list 2
#[test]
fn a_session_that_is_rolled_back_has_shown_nothing() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    let attack = |before: &str, after: &str| {
        format!(
            "begin; {before} set local role tenantdesk_operator;\n\\o /dev/null\nselect * from {}; {after} set local role {READER}; \
             select set_config('tenantdesk.session', 'tok', true), set_config('app.tenant_id', '{ACME}', true);\n\\o\n\
             select count(*) from app.projects; rollback; ",
            open_call("tok", ACME, "impersonate", "read")
        )
    };
    assert_eq!(desk.rows(&operator, &attack("", "")), "0");
    assert_eq!(desk.rows(&operator, &attack("savepoint s;", "")), "0");
    assert_eq!(desk.rows(&operator, &attack("savepoint s;", "release s;")), "0");
    drop_condition(
        &desk,
        "session_tenant()",
        "pg_catalog.pg_xact_status(s.opened_xid) = 'committed'",
    );
    assert_eq!(desk.rows(&operator, &attack("", "")), "1000");
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from tenantdesk.tenant_sessions"), "0");
}

// guard.md 30, list 10
#[test]
fn two_impersonations_at_once_are_one() {
    let desk = Desk::product();
    let race = || {
        let operator = desk.operator("support");
        let opened: Vec<bool> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|i| {
                    let (desk, operator) = (&desk, &operator);
                    scope.spawn(move || {
                        let token = format!("{operator}-{i}");
                        let call = open_call(
                            &token,
                            if i % 2 == 0 { ACME } else { BOLT },
                            "impersonate",
                            "read",
                        );
                        desk.psql(operator, &as_operator(&format!("select 1 from {call}"))).code
                            == 0
                    })
                })
                .collect();
            tries.into_iter().map(|t| t.join().unwrap()).collect()
        });
        opened.into_iter().filter(|o| *o).count()
    };
    assert_eq!(race(), 1);
    desk.rows(SUPERUSER, "drop index tenantdesk.tenant_sessions_one_live_impersonation");
    assert!(race() > 1);
}

#[test]
fn a_digest_that_is_taken_opens_nothing_and_tells_nobodys_tenant() {
    let victim = Intruder::reading();
    let bob = victim.desk.operator("support");
    let digest = format!("sha256('{}')", victim.token);
    let output = victim.desk.psql(&bob, &opening(&[("digest", &digest)]));
    assert_eq!(sqlstate(&output), "23505", "{output:?}");
    assert!(!output.stdout.contains(ACME) && !output.stderr.contains(&victim.login), "{output:?}");
}

#[test]
fn every_spelling_of_a_tenant_is_the_same_tenant_and_the_same_chain() {
    let desk = Desk::product();
    let spellings = ["upper", "replace('-', '')", "braces"];
    for spelling in spellings {
        let operator = desk.operator("support");
        let tenant = match spelling {
            "upper" => ACME.to_uppercase(),
            "braces" => format!("{{{ACME}}}"),
            _ => ACME.replace('-', ""),
        };
        let output = desk.psql(
            &operator,
            &opening(&[
                ("tenant", &format!("'{tenant}'")),
                ("digest", &format!("sha256('{operator}')")),
            ]),
        );
        assert_eq!(output.rows(), "1");
    }
    assert_eq!(
        desk.rows(SUPERUSER, "select distinct tenant from tenantdesk.tenant_sessions"),
        ACME
    );
    assert_eq!(
        desk.rows(
            SUPERUSER,
            "select distinct chain from tenantdesk.ledger where action like 'impersonate%'"
        ),
        format!("tenant:{ACME}")
    );
}
