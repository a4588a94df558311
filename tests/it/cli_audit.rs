//! The ledger on the command line: statements can be read, one event is shown whole, heads can be
//! noted, and who follows misses nothing.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::binary::{text, wait_until};
use crate::harness::home::Home;
use crate::harness::pty::kill;

const INSIDE: [&str; 6] =
    ["impersonate", "acme", "--as", "ann@acme.test", "--reason", "ticket 4711: looking"];

/// Runs one statement inside `acme`.
fn look(home: &Home, sql: &str) {
    home.answer(&[&INSIDE[..], &["-c", sql]].concat());
}

/// The number of the newest statement in the chain of `acme`.
fn newest_statement(home: &Home) -> i64 {
    let found =
        "select max(seq) from tenantdesk.ledger where action = 'statement' and outcome = 'intent'";
    home.value(found).parse().unwrap()
}

#[test]
fn a_recorded_statement_can_be_read() {
    let home = Home::started();
    look(&home, "select name, 'secret' from workspaces where slug = 'x'");
    let seq = newest_statement(&home).to_string();
    let list = text(&home.run(&["audit", "list", "--tenant", "acme"]).stdout);
    let line = list.lines().find(|line| line.contains("statement") && line.contains("intent"));
    let line = line.unwrap_or_else(|| panic!("{list}"));
    assert!(line.trim_start().starts_with(&seq) && line.contains("acme"), "{line}");
    assert!(line.contains("select name") && !line.contains("secret"), "{line}");
    assert!(list.contains("ticket 4711: looking") && list.contains("0 rows"), "{list}");

    let shown = text(&home.run(&["audit", "show", &seq, "--tenant", "acme"]).stdout);
    for part in ["acme", "statement", "intent", "values", "request", "select name"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let event = home.answer(&["audit", "show", &seq, "--tenant", "acme"])["event"].clone();
    assert_eq!((&event["action"], &event["seq"].to_string()), (&"statement".into(), &seq));
    assert!(event["detail"]["sql"].as_str().unwrap().starts_with("select name"), "{event}");
    assert!(event["session"].is_i64() && event["request"].is_string(), "{event}");
}

#[test]
fn one_event_of_each_chain_is_shown_to_those_who_may_see_it() {
    let home = Home::started();
    home.answer(&["operator", "add", "ada", "--level", "viewer"]);
    let of_installation = home.answer(&["audit", "show", "1"])["event"].clone();
    assert_eq!(of_installation["chain"], "installation");
    let of_tenant = home.answer(&["audit", "show", "1", "--tenant", "acme"])["event"].clone();
    assert!(of_tenant["chain"].as_str().unwrap().starts_with("tenant:"), "{of_tenant}");
    let nothing = home.refused(3, &["audit", "show", "9999"]);
    assert!(nothing["error"]["hints"][0].as_str().unwrap().contains("--tenant"), "{nothing}");
    // A viewer sees what he did himself; what others did looks like nothing.
    let ada = home.answer(&["server", "url"])["url"].as_str().unwrap().replace("operator", "ada");
    let hidden = home.refused(3, &["audit", "show", "1", "--url", &ada]);
    assert_eq!(hidden["error"]["message"], "event 1 not found in the installation's chain");
}

#[test]
fn heads_can_be_noted_from_a_table_on_any_terminal() {
    let home = Home::started();
    let verified = home.answer(&["audit", "verify"]);
    let chains = verified["chains"].as_array().unwrap();
    let table = text(&home.run(&["audit", "verify"]).stdout);
    let mut pty = home.on_terminal(&["audit", "verify"]);
    assert_eq!(pty.gone(), 0);
    // A line that is longer than the screen is broken by the terminal.
    let screen = pty.text().replace('\n', "");
    for chain in chains {
        for part in [&chain["head"].to_string(), &chain["size"].to_string()] {
            let part = part.trim_matches('"');
            assert!(table.contains(part) && screen.contains(part), "{part}: {table}{screen}");
        }
    }
    assert_eq!(chains.len(), 2);
}

#[test]
fn who_follows_gets_each_event_once_until_he_leaves() {
    let home = Home::started();
    let words = ["audit", "list", "--follow", "--json", "--limit", "2"];
    let mut child = home.command(&words).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let place = |event: &Value| (event["chain"].to_string(), event["seq"].as_i64().unwrap());
    let mut told: Vec<Value> = vec![next(), next()];
    for round in 0..3 {
        look(&home, &format!("select {round}"));
        while told.iter().filter(|e| e["action"] == "impersonate.end").count() <= round {
            told.push(next());
        }
    }
    assert!(told.iter().all(|event| event["v"] == 1 && event["request_id"].is_string()));
    let mut places: Vec<_> = told.iter().map(place).collect();
    let tenant: Vec<_> = places.iter().filter(|(chain, _)| chain.contains("tenant")).collect();
    assert!(tenant.is_sorted(), "{tenant:?}");
    places.sort();
    places.dedup();
    assert_eq!(places.len(), told.len(), "each once");
    // Two to begin with, then start, statement, outcome and end of each session.
    assert_eq!(told.len(), 2 + 3 * 4);
    kill(child.id(), Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn who_follows_in_text_reads_lines_and_ends_with_his_reader() {
    let home = Home::started();
    let mut child = home.command(&["audit", "list", "--follow"]).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("SEQ") && line.contains("REASON OR STATEMENT"), "{line}");
    look(&home, "select 4711");
    while !line.contains("impersonate.end") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "it goes on");
        assert!(!line.contains("REASON OR STATEMENT"), "one heading");
    }
    // Nothing new comes, so nothing is written: it is noticed all the same.
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // A file has no reader that could leave.
    let file = std::fs::File::create(home.base().join("events")).unwrap();
    let mut command = home.command(&["audit", "list", "-f", "--tenant", "acme"]);
    let child = command.stdout(Stdio::from(file)).spawn().unwrap();
    let path = home.base().join("events");
    let written = |part: &str| std::fs::read_to_string(&path).unwrap().contains(part);
    wait_until("it writes", || written("select"));
    look(&home, "table projects");
    wait_until("it goes on", || written("table projects"));
    kill(child.id(), Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert!(text(&output.stderr).starts_with("error: interrupted"), "{}", text(&output.stderr));
}
