//! The demo: rows that look real and are consistent, on a server of its own that the shipped
//! binary fills; and what can only be tried there: smoke tests by hand, hosts, logs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::cluster::{SUPERUSER, client_program, output_of, server_programs};
use crate::harness::home::Home;

const TENANTS: u32 = 24;
const ROWS: u32 = 12_000;
/// The suspended one is the 13th.
const SUSPENDED: &str = "select slug from app.tenants where status = 'suspended'";

/// A home whose server runs until the tests end, filled once.
static FILLED: LazyLock<Home> = LazyLock::new(|| {
    let home = Home::new();
    assert!(run(&home, &["server", "start"]).status.success());
    let (tenants, rows) = (TENANTS.to_string(), ROWS.to_string());
    let output = run(&home, &["demo", "--tenants", &tenants, "--rows", &rows, "--no-console"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    home
});

fn run(home: &Home, words: &[&str]) -> Output {
    let surroundings = [
        ("TENANTDESK_HOME", home.paths.home.clone()),
        ("TENANTDESK_POSTGRES_DIR", server_programs().0),
        ("HOME", home.base().to_owned()),
        ("PATH", PathBuf::from("/usr/bin:/bin:/usr/sbin:/sbin")),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantdesk"));
    command.args(words).env_clear().envs(surroundings).current_dir(home.base());
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn answer(words: &[&str]) -> Value {
    let output = run(&FILLED, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn value(sql: &str) -> String {
    FILLED.psql("app", SUPERUSER, sql).rows().to_owned()
}

/// Every table of a tenant, added up.
fn rows_where(condition: &str) -> String {
    value(&format!(
        "select sum((xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s x where {condition}', r.name), false, true, '')))[1]::text::bigint) \
         from tenantdesk.relations r where r.class = 'keyed'"
    ))
}

#[test]
fn the_rows_are_as_many_as_asked_and_every_reference_is_true() {
    assert_eq!(value("select count(*) from app.tenants"), TENANTS.to_string());
    let all = "select (select sum(n) from (select (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', r.name), false, true, '')))[1]::text::bigint n \
        from tenantdesk.relations r where r.class in ('root', 'keyed', 'derived')) x)";
    // People belong to several tenants and are nobody's rows.
    assert_eq!(value(all), ROWS.to_string());
    FILLED.psql("app", SUPERUSER, include_str!("../../assets/demo/verify.sql")).rows();
    // Control: the same check on a row that refers to nothing.
    let orphan = "begin; set local session_replication_role = replica; \
        update app.tasks set project_id = gen_random_uuid() where id = (select id from app.tasks limit 1);";
    let checked = format!("{orphan} {} rollback;", include_str!("../../assets/demo/verify.sql"));
    assert_eq!(FILLED.psql("app", SUPERUSER, &checked).code, 3);
}

#[test]
fn acme_is_the_largest_and_has_a_quarter_of_the_rows() {
    let acme = "(select id from app.tenants where slug = ''acme'')";
    let its: f64 = rows_where(&format!("x.tenant_id = {acme}")).parse().unwrap();
    let all: f64 = rows_where("true").parse().unwrap();
    assert!((its / all - 0.25).abs() < 0.03, "{its} of {all}");
}

#[test]
fn there_are_three_kinds_of_tenant_shared_staff_and_one_that_is_suspended() {
    let kinds = value(
        "select count(*), min(n) from (select count(*) n from app.tenant_settings group by kind) k",
    );
    assert_eq!(kinds, "3|8");
    let shared = "select count(*) > 0 from (select user_id from app.tenant_memberships m join app.tenant_settings s using (tenant_id) \
        where s.kind = 'client_portal' group by user_id having count(*) > 1) x";
    assert_eq!(value(shared), "t");
    assert_eq!(value("select count(*) from app.tenants where status = 'suspended'"), "1");
    let scripts = "select count(*) from (values ('[a-z]'), ('[\\u0900-\\u097F]'), ('[\\u4e00-\\u9fff]'), ('[\\u0590-\\u06ff]')) s (script) \
        where exists (select from app.tenants t where t.name ~ s.script)";
    assert_eq!(value(scripts), "4");
}

#[test]
fn some_tenants_are_near_or_over_a_limit_and_the_counters_are_true() {
    let usage = answer(&["usage", "--json", "--limit", "100"]);
    let metrics = usage["tenants"].as_array().unwrap().iter().flat_map(|tenant| {
        tenant["metrics"].as_array().unwrap().iter().map(|m| m["state"].as_str().unwrap())
    });
    let states: Vec<&str> = metrics.collect();
    for state in ["ok", "soft", "hard"] {
        assert!(states.contains(&state), "no metric is {state}");
    }
    assert_eq!(value("begin; select tenantdesk.refill_counters(); rollback"), "0");
}

#[test]
fn one_entry_in_the_ledger_tells_of_the_fill() {
    let entries = "select string_agg(outcome, ', ' order by seq) from tenantdesk.ledger where action = 'demo.fill'";
    assert_eq!(value(entries), "intent, ok, told by the client");
}

#[test]
fn a_second_fill_changes_nothing_and_a_reset_needs_a_yes() {
    let output = run(&FILLED, &["demo", "--no-console", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["filled"], &document["tenants"]), (&false.into(), &TENANTS.into()));
    let refused = run(&FILLED, &["demo", "--reset", "--no-console"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--yes"));
    assert_eq!(value("select count(*) from app.tenants"), TENANTS.to_string());
}

#[test]
fn the_smoke_tests_pass_for_the_application_and_fail_without_the_policies() {
    let smoke = include_str!("../../assets/starter/smoke.sql");
    let passed = FILLED.psql("app", "app_user", smoke);
    assert!(passed.code == 0 && passed.stdout.contains("PASS"), "{passed:?}");
    assert!(!passed.stdout.contains("FAIL"), "{passed:?}");
    // Control: without row level security on one table they fail. The script's own transaction is
    // rolled back, so this one is taken around it.
    let open = "begin; alter table app.projects disable row level security;";
    let body = smoke.replacen("\nbegin;", &format!("\n{open}"), 1);
    assert!(body.contains(open));
    let failed = FILLED.psql("app", SUPERUSER, &body);
    assert!(failed.code == 3 && failed.stderr.contains("FAIL"), "{failed:?}");
}

#[test]
fn a_host_tells_unknown_from_suspended() {
    let state = |host: &str| {
        let sql = format!(
            "select coalesce(slug, '-') || ' ' || state from app.resolve_tenant('{host}', 'example.com')"
        );
        FILLED.psql("app", "app_user", &sql).rows().to_owned()
    };
    let suspended = value(SUSPENDED);
    assert_eq!(state("acme.example.com:8443"), "acme active");
    assert_eq!(state(&format!("{suspended}.example.com")), format!("{suspended} suspended"));
    assert_eq!(state("nobody.example.com"), "- unknown");
    let portal = value(
        "select slug || ' ' || custom_domain from app.tenants where custom_domain is not null and status = 'active' limit 1",
    );
    let (slug, host) = portal.split_once(' ').unwrap();
    assert_eq!(state(host), format!("{slug} active"));
}

#[test]
fn a_tenant_is_found_by_each_of_its_names() {
    let row = value(
        "select t.slug, t.id, t.name, t.custom_domain, t.subdomain, (select email from app.app_users u join app.tenant_memberships m on m.user_id = u.id where m.tenant_id = t.id limit 1) \
        from app.tenants t where custom_domain is not null order by slug limit 1",
    );
    let fields: Vec<&str> = row.split('|').collect();
    let slug = fields[0];
    let id_fragment = &fields[1][..13];
    for (text, by) in [
        (slug, "exact"),
        (fields[1], "exact"),
        (id_fragment, "id"),
        (fields[2], "name"),
        (fields[3], "domain"),
        (fields[5], "email"),
    ] {
        let found = answer(&["tenant", "find", text, "--json"]);
        let tenants = found["tenants"].as_array().unwrap();
        let it = tenants.iter().find(|tenant| tenant["slug"] == slug);
        let it = it.unwrap_or_else(|| panic!("`{text}` does not find {slug}: {found}"));
        assert!(it["matched_by"] == by || by == "name", "{text}: {it}");
    }
    for text in ["%", "_", "nobody@nowhere.test", "portal.nobody.example"] {
        let output = run(&FILLED, &["tenant", "find", text, "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(found["tenants"].as_array().map_or(0, Vec::len), 0, "{text}");
    }
}

#[test]
fn no_value_of_a_row_reaches_a_log() {
    let statement =
        "select password_hash::int from app_users where password_hash like '$argon2id$%' limit 1";
    let member = value(
        "select email from app.app_users u join app.tenant_memberships m on m.user_id = u.id join app.tenants t on t.id = m.tenant_id where t.slug = 'acme' and m.state = 'active' limit 1",
    );
    let reason = "ticket 4711: what is logged";
    let words = ["impersonate", "acme", "--as", &member, "--reason", reason, "-c", statement];
    let output = run(&FILLED, &words);
    assert_eq!(output.status.code(), Some(4));
    // Control: whoever typed it sees the value, so there is something to be kept out of the logs.
    assert!(String::from_utf8_lossy(&output.stderr).contains("$argon2id$"));
    let mut logs = vec![FILLED.paths.server_log.clone()];
    let entries = std::fs::read_dir(&FILLED.paths.logs_dir).unwrap();
    logs.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    let texts: Vec<String> = logs.iter().map(|log| std::fs::read_to_string(log).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("SQLSTATE 22P02")), "it is logged at all");
    for (log, text) in logs.iter().zip(&texts) {
        assert!(!text.contains("$argon2id$"), "{}", log.display());
    }
}

#[test]
fn an_application_comes_in_over_the_loopback_with_the_password_of_a_file() {
    let home = Home::new();
    let started = run(&home, &["server", "start", "--tcp", "--json"]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let document: Value = serde_json::from_slice(&started.stdout).unwrap();
    let (url, passfile) =
        (document["tcp_url"].as_str().unwrap(), document["passfile"].as_str().unwrap());
    let come_in = |passfile: &str| {
        let mut client = Command::new(client_program(&server_programs().0));
        client.args(["-XAtw", "-d", url]).env_clear().env("PGPASSFILE", passfile);
        output_of(&mut client, "select session_user || ' ' || count(*) from app.countries")
    };
    assert!(come_in(passfile).rows().starts_with("app_user "));
    assert_ne!(come_in("/dev/null").code, 0);
    let mode = std::fs::metadata(passfile).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // No output and no log has the password, and a second start keeps it.
    let password = std::fs::read_to_string(passfile).unwrap();
    let secret = password.trim().rsplit(':').next().unwrap();
    let again = run(&home, &["server", "start", "--tcp", "--verbose"]);
    assert_eq!(std::fs::read_to_string(passfile).unwrap(), password);
    let printed = [started.stdout, started.stderr, again.stdout, again.stderr].concat();
    let mut texts = vec![String::from_utf8(printed).unwrap()];
    texts.push(std::fs::read_to_string(&home.paths.server_log).unwrap());
    for text in texts {
        assert!(!text.contains(secret));
    }
    assert!(run(&home, &["server", "stop", "--yes"]).status.success());
}
