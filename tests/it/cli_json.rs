//! The JSON that scripts rely on: names and types of each document of the shipped binary, as
//! docs and design promise them. More fields may be added, none renamed.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::binary::text;
use crate::harness::home::Home;

const REASON: &str = "ticket 4711: looking";
const INSIDE: [&str; 6] = ["impersonate", "acme", "--as", "ann@acme.test", "--reason", REASON];

/// What is wrong with a value, against a shape: an object of shapes (more fields are allowed), an
/// array with the shape of each element, or the name of a type, with `?` where it may be null.
fn faults(place: &str, value: &Value, shape: &Value) -> Vec<String> {
    match shape {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, shape)| match value.get(name) {
                Some(value) => faults(&format!("{place}.{name}"), value, shape),
                None => vec![format!("{place}.{name} is missing")],
            })
            .collect(),
        Value::Array(element) => match value.as_array() {
            Some(values) => values
                .iter()
                .zip(0..)
                .flat_map(|(value, index)| faults(&format!("{place}[{index}]"), value, &element[0]))
                .collect(),
            None => vec![format!("{place} is no array: {value}")],
        },
        Value::String(name) if is_a(value, name) => Vec::new(),
        other => vec![format!("{place} is no {other}: {value}")],
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    if let Some(name) = name.strip_suffix('?') {
        return value.is_null() || is_a(value, name);
    }
    let text = value.as_str().unwrap_or_default();
    match name {
        "text" => value.is_string(),
        // Beyond 2^53 a number is a text, so that every reader keeps it.
        "number" => value.as_i64().is_some_and(|number| number.abs() <= 1 << 53),
        "bool" => value.is_boolean(),
        "time" => chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z'),
        "digest" => text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64),
        "path" => Path::new(text).is_absolute(),
        "anything" => true,
        _ => panic!("no type `{name}`"),
    }
}

/// A document of the contract: its frame and its shape.
#[track_caller]
fn holds(document: &Value, shape: &Value) {
    let frame = json!({ "request_id": "text" });
    let found = [faults("", document, &frame), faults("", document, shape)].concat();
    assert!(found.is_empty(), "{found:#?}: {document:#}");
    assert_eq!(document["v"], 1);
    assert_eq!(document["request_id"].as_str().unwrap().len(), 36);
}

/// Runs a verb that must succeed, whose document must have this shape.
#[track_caller]
fn check(home: &Home, words: &[&str], shape: &Value) -> Value {
    let document = home.answer(words);
    holds(&document, shape);
    document
}

fn tenant() -> Value {
    json!({ "id": "text", "slug": "text?", "name": "text?", "plan": "text?", "status": "text?", "created_at": "time?" })
}

fn session() -> Value {
    json!({
        "id": "number", "operator": "text", "tenant": "text", "member": "text?", "mode": "text", "reason": "text",
        "ticket": "text?", "expires_at": "time",
    })
}

#[test]
fn a_wrong_shape_is_found() {
    let shape = json!({ "rows": [["text?"]], "at": "time", "n": "number" });
    let good = json!({ "rows": [["a", null]], "at": "2026-01-01T00:00:00Z", "n": 1, "more": true });
    assert_eq!(faults("", &good, &shape), Vec::<String>::new());
    for bad in [
        json!({ "rows": [[1]], "at": "2026-01-01T00:00:00Z", "n": 1 }),
        json!({ "rows": [], "at": "2026-01-01T00:00:00+01:00", "n": 1 }),
        json!({ "rows": {}, "at": "2026-01-01T00:00:00Z", "n": 1 }),
        json!({ "rows": [], "at": "2026-01-01T00:00:00Z", "n": (1_i64 << 53) + 1 }),
        json!({ "rows": [], "at": "2026-01-01T00:00:00Z" }),
    ] {
        assert_eq!(faults("", &bad, &shape).len(), 1, "{bad}");
    }
}

#[test]
fn tenants_and_members() {
    let home = Home::started();
    let create = ["tenant", "create", "Globex", "--admin-email", "gil@globex.test"];
    let created = json!({
        "tenant": tenant(), "admin": { "email": "text", "temporary_password": "text" }, "welcome": "text",
    });
    check(&home, &create, &created);
    let known = ["tenant", "create", "Initech", "--admin-email", "gil@globex.test"];
    let linked = check(&home, &known, &json!({ "tenant": tenant(), "welcome": "text" }));
    assert_eq!(linked["admin"]["temporary_password"], Value::Null, "a known person keeps his own");

    let listed = check(&home, &["tenant", "list"], &json!({ "tenants": [tenant()] }));
    assert_eq!(listed["tenants"].as_array().unwrap().len(), 3);
    check(&home, &["tenant", "find", "glob"], &json!({ "tenants": [tenant()] }));
    check(&home, &["tenant", "show", "globex"], &json!({ "tenant": tenant() }));
    let member = json!({ "id": "text", "email": "text", "name": "text?", "role": "text?", "state": "text?" });
    let members = check(&home, &["member", "list", "acme"], &json!({ "members": [member] }));
    assert_eq!(members["members"][0]["email"], "ann@acme.test");
}

#[test]
fn the_installation_and_its_server() {
    let home = Home::started();
    let added = json!({ "operator": { "name": "text", "level": "text" }, "url": "text", "password": "text?" });
    let added = check(&home, &["operator", "add", "ada", "--level", "viewer"], &added);
    let url = added["url"].as_str().unwrap();
    check(&home, &["tenant", "list", "--url", url], &json!({ "tenants": [tenant()] }));
    let operator =
        json!({ "name": "text", "level": "text", "added_at": "time", "added_by": "text" });
    check(&home, &["operator", "list"], &json!({ "operators": [operator] }));

    let relation = json!({
        "name": "text", "class": "text", "key": "text?", "path": "anything", "reason": "text?", "guard": "text",
        "rows_estimate": "number?",
    });
    let tables = check(&home, &["tables", "list"], &json!({ "relations": [relation] }));
    let names = tables["relations"].as_array().unwrap().iter();
    assert!(names.clone().count() > 10);
    assert!(names.clone().all(|one| one["name"].as_str().unwrap().contains('.')), "{tables}");

    let address = check(&home, &["server", "url", "--role", "app"], &json!({ "url": "text" }));
    assert!(address["url"].as_str().unwrap().starts_with("postgresql:///"), "{address}");
    let status = json!({
        "state": "text", "version": "text", "port": "number", "socket_dir": "path", "data_dir": "path", "fsync": "bool",
    });
    let status = check(&home, &["server", "status"], &status);
    assert_eq!((&status["state"], &status["fsync"]), (&"running".into(), &true.into()));
    let paths = json!({
        "home": "path", "data_dir": "path", "socket_dir": "path", "archives_dir": "path", "receipts_dir": "path",
        "keys_dir": "path", "logs_dir": "path", "config_file": "path",
    });
    check(&home, &["paths"], &json!({ "paths": paths }));
}

#[test]
fn plans_and_usage() {
    let home = Home::started();
    let limit = json!({ "metric": "text", "unit": "text", "period": "text", "soft": "number?", "hard": "number?" });
    let plan = json!({ "name": "text", "title": "text?", "limits": [limit] });
    check(&home, &["plan", "list"], &json!({ "plans": [plan] }));
    check(&home, &["plan", "show", "starter"], &json!({ "plan": plan }));
    let metric = json!({
        "metric": "text", "used": "number", "soft": "number?", "hard": "number?", "unit": "text", "source": "text",
        "state": "text",
    });
    let usage = json!({ "slug": "text", "plan": "text?", "metrics": [metric] });
    let found = check(&home, &["usage"], &json!({ "tenants": [usage] }));
    let states = found["tenants"][0]["metrics"].as_array().unwrap().iter();
    assert!(states.clone().count() > 2);
    assert!(
        states.clone().all(|one| ["ok", "soft", "hard"].contains(&one["state"].as_str().unwrap()))
    );
    check(&home, &["usage", "acme"], &json!({ "tenants": [usage] }));
    let output = home.run(&["usage", "--format", "jsonl"]);
    for line in text(&output.stdout).lines() {
        holds(&serde_json::from_str(line).unwrap(), &usage);
    }
    let words = ["limit", "override", "acme", "projects", "--hard", "9", "--until", "2099-01-31"];
    let overridden = json!({ "override": { "tenant": "text", "metric": "text", "hard": "number", "until": "time", "reason": "text" } });
    check(&home, &[&words[..], &["--reason", REASON]].concat(), &overridden);
}

#[test]
fn statements_and_sessions() {
    let home = Home::started();
    let statement = json!({
        "sql": "text", "rows_affected": "number?", "columns": ["text"], "rows": [["text?"]], "truncated": "bool",
    });
    let shape = json!({ "session": session(), "statements": [statement] });
    let read = ["-c", "select 1 as one, null as nothing, '' as empty", "-c", "table workspaces"];
    let read = check(&home, &[&INSIDE[..], &read].concat(), &shape);
    let first = &read["statements"][0];
    assert_eq!(first["columns"], json!(["one", "nothing", "empty"]));
    assert_eq!(first["rows"], json!([["1", null, ""]]), "text or null");
    assert_eq!(read["session"]["member"], "ann@acme.test");
    let changed = ["--write", "-c", "update workspaces set name = 'New'"];
    let changed = check(&home, &[&INSIDE[..], &changed].concat(), &shape);
    assert_eq!(changed["statements"][0]["rows_affected"], 1);
    let cut = ["-c", "select generate_series(1, 9)", "--limit", "2"];
    let cut = check(&home, &[&INSIDE[..], &cut].concat(), &shape);
    assert_eq!(cut["statements"][0]["truncated"], true);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rows.csv");
    let wanted = ["-c", "select 1 as one, '=1+1' as sum", "-o", file.to_str().unwrap()];
    let mut shape = shape.clone();
    shape["exported"] = json!({ "path": "path", "rows": "number", "bytes": "number" });
    check(&home, &[&INSIDE[..], &wanted].concat(), &shape);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "\"one\",\"sum\"\n\"1\",\"'=1+1\"\n");
    let again = home.run(&[&INSIDE[..], &wanted].concat());
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));

    let mut seen = session();
    seen["live"] = "bool".into();
    seen["opened_at"] = "time".into();
    seen["ended_at"] = "time?".into();
    let list = json!({ "sessions": [seen], "truncated": "bool" });
    let list = check(&home, &["impersonation", "list", "--all"], &list);
    let id = list["sessions"][0]["id"].to_string();
    check(&home, &["impersonation", "show", &id], &json!({ "session": seen }));
    let ended = json!({ "session": { "id": "number" }, "ended": "bool" });
    check(&home, &["impersonation", "end", &id], &ended);
}

#[test]
fn one_record_and_its_neighbours() {
    let home = Home::started();
    let field = json!({ "column": "text", "value": "text?", "truncated": "bool" });
    let parent = json!({ "relation": "text", "columns": ["text"], "key": "anything" });
    let mut child = parent.clone();
    child["rows"] = "number?".into();
    child["more"] = "bool".into();
    let record =
        json!({ "relation": "text", "fields": [field], "parents": [parent], "children": [child] });
    let shape = json!({ "session": session(), "record": record });
    let read = ["-c", "select tenant_id, id from workspaces"];
    let rows = home.answer(&[&INSIDE[..], &read].concat());
    let row = &rows["statements"][0]["rows"][0];
    let key = |separator: &str| {
        format!("workspaces:{}{separator}{}", row[0].as_str().unwrap(), row[1].as_str().unwrap())
    };
    let found = check(&home, &[&INSIDE[..], &["--record", &key(",")]].concat(), &shape);
    assert_eq!(found["record"]["relation"], "app.workspaces");
    let parents = found["record"]["parents"].as_array().unwrap();
    assert!(parents.iter().any(|one| one["relation"] == "app.tenants"), "{parents:?}");
    // The tenant's part of the key need not be said.
    let short = format!("workspaces:{}", row[1].as_str().unwrap());
    let again = home.answer(&[&INSIDE[..], &["--record", &short]].concat());
    assert_eq!(again["record"], found["record"]);
    let wrong = [("workspaces:1", 3), ("nothing:1", 3), (&key("x,"), 3), ("workspaces:1,2,3", 2)];
    for (wrong, code) in wrong {
        let refused = home.run(&[&INSIDE[..], &["--record", wrong]].concat());
        assert_eq!(refused.status.code(), Some(code), "{wrong}: {}", text(&refused.stderr));
    }
}

#[test]
fn a_file_that_is_there_is_said_before_a_session_opens() {
    let home = Home::started();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rows.csv");
    let write = [&INSIDE[..], &["-c", "select 1", "-o", file.to_str().unwrap()]].concat();
    let opened = || {
        let all = home.answer(&["impersonation", "list", "--all"]);
        all["sessions"].as_array().unwrap().len()
    };
    let before = opened();
    assert_eq!(home.run(&write).status.code(), Some(0));
    assert_eq!(opened(), before + 1, "the control");
    let refused = home.run(&write);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
    assert_eq!(opened(), before + 1);
}

#[test]
fn archives_and_restores() {
    let home = Home::started();
    let archive = json!({ "path": "text", "tenant": "text", "rows": "number", "bytes": "number", "digest": "digest" });
    let receipt = json!({ "document": "text", "key": "text", "signature": "text" });
    let export = json!({ "archive": archive, "receipt": receipt, "receipt_path": "path" });
    let exported = check(&home, &["export", "acme"], &export);
    let path = exported["archive"]["path"].as_str().unwrap();
    let inspected = json!({
        "manifest": { "format": "text", "version": "number", "relations": ["anything"] }, "digest": "digest",
    });
    let inspected = check(&home, &["archive", "inspect", path], &inspected);
    assert_eq!(inspected["digest"], exported["archive"]["digest"]);
    let verify = json!({ "ok": "bool", "faults": ["text"], "signer_judged": "bool" });
    assert_eq!(check(&home, &["archive", "verify", path], &verify)["ok"], true);
    let listed = json!({ "path": "path", "bytes": "number", "tenant": "text?", "taken_at": "time?", "fault": "text?" });
    check(&home, &["archive", "list"], &json!({ "archives": [listed] }));

    let relation = json!({
        "name": "text", "in_archive": "number", "in_target": "number", "missing": "number", "changed": "number",
        "extra": "number", "conflicts": "number", "collisions": "number",
    });
    let plan = json!({ "relations": [relation], "warnings": ["text"] });
    let dry =
        json!({ "plan": plan, "applied": "anything", "verified": "bool", "receipt": "anything" });
    let dry = check(&home, &["restore", path, "--dry-run"], &dry);
    assert_eq!((&dry["applied"], &dry["receipt"]), (&Value::Null, &Value::Null));
    let applied = json!({ "inserted": "number", "updated": "number", "deleted": "number" });
    let done = json!({
        "plan": plan, "applied": applied, "verified": "bool", "receipt": receipt, "receipt_path": "path",
    });
    let done = check(&home, &["restore", path, "--confirm", "acme", "--reason", REASON], &done);
    assert_eq!(done["verified"], true);

    let mut damaged = std::fs::read(path).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(path, damaged).unwrap();
    let (code, document) = home.answer_with_code(&["archive", "verify", path]);
    holds(&document, &verify);
    assert_eq!((code, &document["ok"]), (1, &false.into()));
    assert!(!document["faults"].as_array().unwrap().is_empty());
}

#[test]
fn the_ledger() {
    let home = Home::started();
    let event = json!({
        "seq": "number", "at": "time", "tenant": "text?", "actor": "text", "action": "text", "object": "text",
        "outcome": "text", "reason": "text?",
    });
    let list = json!({ "events": [event], "truncated": "bool" });
    let list = check(&home, &["audit", "list"], &list);
    assert!(list["events"].as_array().unwrap().len() > 3);
    let shown = check(&home, &["audit", "show", "1"], &json!({ "event": event }));
    assert_eq!(shown["event"]["seq"], 1);
    let chain = json!({ "tenant": "text?", "size": "number", "head": "digest", "ok": "bool", "fault": "text?" });
    check(&home, &["audit", "verify"], &json!({ "chains": [chain] }));
}

#[test]
fn errors_and_exit_codes() {
    let home = Home::started();
    let error = json!({ "error": { "kind": "text", "message": "text", "hints": ["text"] } });
    let sql = [&INSIDE[..], &["-c", "select no_such_column from projects"]].concat();
    let denied = [&INSIDE[..], &["-c", "select * from tenantdesk.operators"]].concat();
    for (code, kind, words) in [
        (1, "negative", &["archive", "inspect", "/etc/hostname"][..]),
        (2, "usage", &["tenant", "create"]),
        (2, "usage", &["impersonate", "acme", "--reason", REASON, "-c", "select 1"]),
        (3, "refused", &["tenant", "show", "nobody"]),
        (3, "refused", &["operator", "add", "app_user", "--level", "viewer"]),
        (3, "refused", &denied),
        (4, "server", &sql),
        (4, "server", &["tenant", "list", "--url", "postgresql:///app?host=/nowhere&user=ada"]),
    ] {
        let refused = home.refused(code, words);
        holds(&refused, &error);
        assert_eq!(refused["error"]["kind"], kind, "{words:?}");
    }
    // What ran before the statement that failed is told all the same.
    let output =
        home.run(&[&INSIDE[..], &["-c", "select 1", "-c", "select 1 / 0", "--json"]].concat());
    assert_eq!(output.status.code(), Some(4));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    holds(&document, &json!({ "session": session(), "statements": ["anything"] }));
    assert_eq!(document["statements"].as_array().unwrap().len(), 1);
    holds(&serde_json::from_slice(&output.stderr).unwrap(), &error);
}
