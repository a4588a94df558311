//! SQL is source code: each file of a query is prepared on a real server, each script of the guard
//! and the starter schema is what an installation ran; and the starter schema is nobody's business
//! but of those who make it.

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

/// The queries, each in a file beside the Rust that decodes it.
const QUERIES: &[(&str, &str)] = &[
    ("catalog/foreign_keys", include_str!("../../src/catalog/sql/foreign_keys.sql")),
    ("catalog/functions", include_str!("../../src/catalog/sql/functions.sql")),
    ("catalog/relations", include_str!("../../src/catalog/sql/relations.sql")),
    ("catalog/roles", include_str!("../../src/catalog/sql/roles.sql")),
    ("catalog/sequences", include_str!("../../src/catalog/sql/sequences.sql")),
    ("doctor/bypass", include_str!("../../src/doctor/sql/bypass.sql")),
    ("impersonation/references", include_str!("../../src/impersonation/sql/references.sql")),
    ("impersonation/grid", include_str!("../../src/impersonation/sql/grid.sql")),
    ("archive/footprint", include_str!("../../src/archive/sql/footprint.sql")),
    ("archive/source", include_str!("../../src/archive/sql/source.sql")),
    ("guard/incomplete", include_str!("../../src/isolation/guard/sql/incomplete.sql")),
    ("guard/rights_of", include_str!("../../src/isolation/guard/sql/rights_of.sql")),
    ("setup/standing", include_str!("../../src/isolation/setup/sql/standing.sql")),
    ("setup/installation", include_str!("../../src/isolation/setup/sql/installation.sql")),
    ("setup/missing_rights", include_str!("../../src/isolation/setup/sql/missing_rights.sql")),
    ("setup/suspend", include_str!("../../src/isolation/setup/sql/suspend.sql")),
    ("setup/ledger", include_str!("../../src/isolation/setup/sql/ledger.sql")),
    ("setup/shared", include_str!("../../src/isolation/setup/sql/shared.sql")),
    ("guard/record_relations", include_str!("../../src/isolation/guard/sql/record_relations.sql")),
    ("guard/record_settings", include_str!("../../src/isolation/guard/sql/record_settings.sql")),
    ("guard/needed_functions", include_str!("../../src/isolation/guard/sql/needed_functions.sql")),
];

/// Scripts without an answer: each installation of the tests runs them.
const SCRIPTS: &[&str] = &[
    "enter.sql",
    "clear.sql",
    "leave.sql",
    "close_host.sql",
    "refuse_definitions.sql",
    "remove_schema.sql",
    "remove_memberships.sql",
    "remove_roles.sql",
];

/// Those who make the starter schema and fill it; everybody else goes by the relation map.
const MAKERS: [&str; 2] = ["src/startup.rs", "src/lifecycle/demo.rs"];

fn files(ending: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut found) = (vec![root.join("src")], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.to_string_lossy().ends_with(ending) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

#[test]
fn every_query_is_prepared_by_the_server() {
    let desk = Desk::product();
    for (name, sql) in QUERIES {
        let prepared = desk.psql(SUPERUSER, &format!("prepare q as {sql}"));
        assert_eq!(prepared.code, 0, "{name}: {}", prepared.stderr);
    }
    let wrong = QUERIES[0].1.replacen("c.conname", "c.connaem", 1);
    assert_ne!(desk.psql(SUPERUSER, &format!("prepare q as {wrong}")).code, 0);
    let all = files(".sql");
    let known = |path: &str, text: &str| {
        QUERIES.iter().any(|(_, sql)| *sql == text) || SCRIPTS.iter().any(|s| path.ends_with(s))
    };
    let forgotten: Vec<_> = all.iter().filter(|(path, text)| !known(path, text)).collect();
    assert!(forgotten.is_empty() && all.len() == QUERIES.len() + SCRIPTS.len(), "{forgotten:?}");
}

#[test]
fn no_table_of_the_starter_schema_is_known_by_name() {
    let schema = include_str!("../../assets/starter/1_tables.sql");
    let tables: Vec<&str> = schema
        .lines()
        .filter_map(|line| line.strip_prefix("create table ")?.split([' ', '(']).next())
        .collect();
    assert!(tables.len() > 15 && tables.contains(&"app.tenant_memberships"), "{tables:?}");
    let sources = files(".rs");
    let named = |text: &str| tables.iter().find(|table| text.contains(**table)).copied();
    // Tests in a file may speak of it, and so may the example in a comment.
    let code = |text: &str| {
        let production = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        let lines = production.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (path, text) in sources.iter().filter(|(path, _)| !MAKERS.contains(&path.as_str())) {
        assert_eq!(named(&code(text)), None, "{path}");
    }
    assert_eq!(named("select * from app.invoices"), Some("app.invoices"));
}
