//! The rules about single files: opening lines, sizes, names, bans; each returns its faults as text.

use super::source::Source;

/// Names that say nothing: the name is the cause of the thousand-line file.
const BANNED_NAMES: [&str; 15] = [
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "manager",
    "service",
    "handler",
    "core",
    "base",
    "types",
    "data",
    "info",
    "processor",
];

/// Lines that a file may have without its test module.
const MOST_LINES: usize = 600;
/// Lines from which on the module doc must say why.
const EXPLAINED_LINES: usize = 400;

/// The files that may silence a ban of clippy.toml, each for its own reason.
const MAY_EXPECT_BANNED_METHODS: [&str; 3] =
    ["src/clock.rs", "src/config/env.rs", "src/postgres/connect.rs"];

/// The file outside `postgres/` that may use the simple protocol: it makes the embedded server's
/// roles and database, and `create database` cannot run in a transaction.
const MAY_SPEAK_SIMPLY: &str = "src/startup.rs";

/// The files that may write to standard output and error by macro.
const MAY_PRINT: [&str; 2] = ["src/cli/output.rs", "src/main.rs"];

/// All rules for a file of `src/`.
pub(super) fn faults(source: &Source) -> Vec<String> {
    let mut faults = opening(source);
    faults.extend(size(source));
    faults.extend(names(source));
    faults.extend(bans(source));
    faults.extend(sql_in_skins(source));
    faults
}

/// Every file opens with lines on what it is and why.
pub(super) fn opening(source: &Source) -> Vec<String> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{}: open with `//!`: what is it, and why is it here", source.path)]
}

/// Nobody reads a file of a thousand lines.
pub(super) fn size(source: &Source) -> Vec<String> {
    let lines = source.lines_without_tests();
    if lines > MOST_LINES {
        return vec![format!("{}: {lines} lines, at most {MOST_LINES}: split it", source.path)];
    }
    if lines > EXPLAINED_LINES && !source.module_doc().contains("lines") {
        let why = "say in the module doc why it has so many lines";
        return vec![format!("{}: {lines} lines: {why}, or split it", source.path)];
    }
    Vec::new()
}

/// Files and types have names that say what they are.
pub(super) fn names(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let stem = source.path.rsplit('/').next().unwrap_or("").trim_end_matches(".rs");
    let last = stem.rsplit('_').next().unwrap_or(stem);
    if BANNED_NAMES.contains(&last) {
        faults.push(format!("{}: `{last}` names nothing: say what it holds", source.path));
    }
    for folder in source.path.split('/').filter(|part| !part.contains('.')) {
        if BANNED_NAMES.contains(&folder) {
            faults.push(format!("{}: `{folder}` names nothing: say what it holds", source.path));
        }
    }
    for (line, text) in source.production() {
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for pair in words.windows(2) {
            let declares = ["struct", "enum", "trait", "type"].contains(&pair[0]);
            if declares && BANNED_NAMES.contains(&last_word(pair[1]).as_str()) {
                let place = format!("{}:{line}", source.path);
                faults.push(format!("{place}: `{}` names nothing: say what it is", pair[1]));
            }
        }
    }
    faults
}

/// The last word of a CamelCase name, in lower case.
fn last_word(name: &str) -> String {
    let start = name.rfind(char::is_uppercase).unwrap_or(0);
    name[start..].to_lowercase()
}

/// What the compiler lets pass, or what a stray `#[expect]` would let pass.
pub(super) fn bans(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let mut report = |line: usize, what: &str| {
        faults.push(format!("{}:{line}: {what}", source.path));
    };
    let path = source.path.as_str();
    for (line, text) in source.production() {
        let prints = ["println!", "print!", "eprintln!", "eprint!"];
        if !MAY_PRINT.contains(&path) && prints.iter().any(|name| calls(text, name)) {
            report(line, "print through `cli::output::Printer`");
        }
        if path != "src/main.rs" && text.contains("process::exit") {
            report(line, "return an `ExitCode` from `main` instead of leaving here");
        }
        if text.contains("disallowed_methods") && !MAY_EXPECT_BANNED_METHODS.contains(&path) {
            report(line, "a ban of clippy.toml may not be silenced here");
        }
        let simple = [".simple_query(", ".batch_execute(", ".simple_query_raw("];
        let may_speak = path.starts_with("src/postgres/") || path == MAY_SPEAK_SIMPLY;
        if !may_speak && simple.iter().any(|call| text.contains(call)) {
            report(line, "the simple protocol carries constants of `postgres/` only");
        }
    }
    faults
}

/// Whether `text` calls a macro of exactly this name.
fn calls(text: &str, name: &str) -> bool {
    let inside_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| !inside_word(&text[..at]))
}

/// The two skins know verbs, never SQL.
pub(super) fn sql_in_skins(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/cli/") && !source.path.starts_with("src/tui/") {
        return Vec::new();
    }
    let end = source.lines_without_tests();
    let before_tests = source.literals.iter().filter(|(line, _)| *line <= end);
    let found = before_tests.filter(|(_, literal)| is_sql(literal) || literal.contains(".sql"));
    found.map(|(line, _)| format!("{}:{line}: no SQL in a skin", source.path)).collect()
}

/// Whether a literal is a statement, as opposed to a sentence or an example in a help text.
fn is_sql(literal: &str) -> bool {
    const OPENINGS: [&str; 16] = [
        "select ",
        "insert into ",
        "update ",
        "delete from ",
        "with ",
        "create ",
        "alter ",
        "drop ",
        "grant ",
        "revoke ",
        "set local ",
        "copy ",
        "begin;",
        "commit;",
        "declare ",
        "fetch ",
    ];
    const MARKS: [&str; 12] = [
        " from ", " set ", " as (", "$1", " table ", " role ", " view ", " schema ", "_config(",
        ";", " cursor ", " values",
    ];
    let start = literal.trim_start();
    let one_case = [start.to_lowercase(), start.to_uppercase()];
    let lower = start.to_lowercase();
    OPENINGS.iter().any(|opening| {
        let written = start.get(..opening.len()).unwrap_or("");
        let keyword_case = written == *opening || written == opening.to_uppercase();
        keyword_case && (MARKS.iter().any(|mark| lower.contains(mark)) || one_case[1] == start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text)
    }

    #[test]
    fn a_file_without_opening_lines_is_a_fault() {
        assert!(!opening(&source("src/x.rs", "use std::fmt;\n")).is_empty());
        assert!(opening(&source("src/x.rs", "//! What.\n")).is_empty());
    }

    #[test]
    fn a_long_file_is_a_fault_unless_it_says_why_and_a_longer_one_always() {
        let long =
            |head: &str, lines: usize| source("src/x.rs", &(head.to_owned() + &"\n".repeat(lines)));
        assert!(size(&long("//! x", 399)).is_empty());
        assert!(!size(&long("//! x", 401)).is_empty());
        assert!(size(&long("//! One table, hence the many lines.", 401)).is_empty());
        assert!(!size(&long("//! One table, hence the many lines.", 601)).is_empty());
        let mostly_tests = "//! x\n#[cfg(test)]\nmod tests {\n".to_owned() + &"\n".repeat(900);
        assert!(size(&source("src/x.rs", &mostly_tests)).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_faults() {
        for path in
            ["src/util.rs", "src/tui/helpers.rs", "src/common/x.rs", "src/session_manager.rs"]
        {
            assert!(!names(&source(path, "//! x")).is_empty(), "{path}");
        }
        for text in
            ["pub struct TenantInfo;", "enum Data {", "trait RowHandler {", "type Core = u8;"]
        {
            assert!(!names(&source("src/x.rs", text)).is_empty(), "{text}");
        }
        let fine = "struct Database;\nstruct Metadata;\nlet x: Type = typed;\n// struct Info";
        assert_eq!(names(&source("src/database.rs", fine)), Vec::<String>::new());
    }

    #[test]
    fn printing_leaving_and_silencing_are_faults() {
        for text in [
            "fn f() { println!(); }",
            "std::process::exit(1);",
            "#[expect(clippy::disallowed_methods, reason = \"I like it\")]",
            "client.batch_execute(&text).await?;",
        ] {
            assert!(!bans(&source("src/archive/plan.rs", text)).is_empty(), "{text}");
        }
        assert!(bans(&source("src/archive/plan.rs", "// println!\nmy_println!();")).is_empty());
        assert!(bans(&source("src/main.rs", "eprintln!();")).is_empty());
        let tests = "#[cfg(test)]\nmod tests {\n    fn f() { println!(); }\n}";
        assert!(bans(&source("src/archive/plan.rs", tests)).is_empty());
    }

    #[test]
    fn sql_in_a_skin_is_a_fault_and_a_sentence_is_not() {
        for text in [
            "\"select id from app.tenants\"",
            "\"SELECT 1\"",
            "r#\"update x set y = 1\"#",
            "\"SET LOCAL ROLE x\"",
            "include_str!(\"list.sql\")",
        ] {
            assert!(!sql_in_skins(&source("src/cli/x.rs", text)).is_empty(), "{text}");
            assert!(sql_in_skins(&source("src/usage/x.rs", text)).is_empty(), "{text}");
        }
        for text in [
            "\"Select a tenant from the list\"",
            "\"with --json\"",
            "\"copy the row\"",
            "// \"select a from b\"",
        ] {
            assert!(sql_in_skins(&source("src/tui/x.rs", text)).is_empty(), "{text}");
        }
    }
}
