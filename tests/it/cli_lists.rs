//! Lists of the command line: as many rows as were asked for, and a word where there are more.

use serde_json::Value;

use crate::harness::binary::text;
use crate::harness::home::Home;

/// Adds sessions that are as the first one of `acme`, but for what `changed` says.
fn add_sessions(home: &Home, count: u32, changed: &str) {
    home.value(&format!(
        "insert into tenantdesk.tenant_sessions (digest, operator, database, tenant, purpose, mode, reason, opened_at, opened_xid, expires_at, ended_at, end_reason) \
         select sha256(convert_to(gen_random_uuid()::text, 'UTF8')), s.operator, s.database, s.tenant, n.purpose, n.mode, s.reason, now(), s.opened_xid, now() + interval '1 hour', n.ended_at, n.end_reason \
         from tenantdesk.tenant_sessions s, generate_series(1, {count}), (values {changed}) n (purpose, mode, ended_at, end_reason) where s.id = 1"
    ));
}

fn ids(document: &Value) -> Vec<i64> {
    document["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_i64().unwrap()).collect()
}

#[test]
fn a_session_older_than_a_thousand_others_is_shown_listed_and_ended() {
    let home = Home::started();
    add_sessions(&home, 1, "('impersonate', 'read', null::timestamptz, null)");
    let live = 2;
    add_sessions(&home, 1_100, "('export', 'read', now(), 'done')");
    assert_eq!(home.answer(&["impersonation", "show", "1"])["session"]["id"], 1);
    assert_eq!(home.refused(3, &["impersonation", "show", "99999"])["error"]["kind"], "refused");

    let list = home.answer(&["impersonation", "list"]);
    assert_eq!((ids(&list), &list["truncated"]), (vec![live], &Value::Bool(false)));
    let all = home.answer(&["impersonation", "list", "--all"]);
    assert_eq!((ids(&all).len(), &all["truncated"]), (1_000, &Value::Bool(true)));
    let all = home.answer(&["impersonation", "list", "--all", "--limit", "2000"]);
    assert_eq!((ids(&all).len(), &all["truncated"]), (1_102, &Value::Bool(false)));
    let exactly = home.answer(&["impersonation", "list", "--all", "--limit", "1102"]);
    assert_eq!(exactly["truncated"], false);

    let said = text(&home.run(&["impersonation", "list", "--all", "--limit", "3"]).stderr);
    assert_eq!(said, "the newest 3 sessions; `--limit N` shows more\n");
    assert_eq!(home.answer(&["impersonation", "end"])["session"]["id"], live);
    assert_eq!(ids(&home.answer(&["impersonation", "list"])), Vec::<i64>::new());
}

#[test]
fn every_list_says_when_it_is_cut() {
    let home = Home::started();
    home.answer(&["tenant", "create", "Acme East", "--admin-email", "eve@acme.test"]);
    home.answer(&["operator", "add", "ada", "--level", "viewer"]);
    home.value("insert into app.tenant_memberships (tenant_id, user_id, role, state) select t.id, u.id, 'member', 'active' from app.tenants t, app.app_users u where t.slug = 'acme' and u.email = 'eve@acme.test'");
    home.answer(&["export", "acme"]);
    let second = home.paths.archives_dir.join("second.tenant");
    home.answer(&["export", "acme", "-o", second.to_str().unwrap()]);
    for (words, name) in [
        (&["tenant", "list"][..], "tenants"),
        (&["tenant", "find", "acme"], "tenants"),
        (&["member", "list", "acme"], "members"),
        (&["operator", "list"], "operators"),
        (&["tables", "list"], "relations"),
        (&["plan", "list"], "plans"),
        (&["usage"], "tenants"),
        (&["archive", "list"], "archives"),
        (&["audit", "list"], "events"),
    ] {
        let whole = home.answer(&[words, &["--limit", "1000"]].concat());
        assert_eq!(whole["truncated"], false, "{words:?}");
        assert!(whole[name].as_array().unwrap().len() > 1, "{words:?}: {whole}");
        let one = [words, &["--limit", "1"]].concat();
        let cut = home.answer(&one);
        assert_eq!(cut["truncated"], true, "{words:?}");
        assert_eq!(cut[name].as_array().unwrap().len(), 1, "{words:?}");
        let said = text(&home.run(&one).stderr);
        assert!(said.contains("`--limit N` shows more"), "{words:?}: {said}");
    }
}
