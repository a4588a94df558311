//! The rules about files that must know of each other: tests and their list, pages and their links.

/// Test files that `tests/it/main.rs` does not name with a line on their purpose.
pub(super) fn forgotten_tests(paths: &[String], main: &str) -> Vec<String> {
    let mut modules: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.strip_prefix("tests/it/")?.split('/').next())
        .map(|first| first.trim_end_matches(".rs"))
        .filter(|module| *module != "main")
        .collect();
    modules.dedup();
    let lines: Vec<&str> = main.lines().map(str::trim).collect();
    let mut faults = Vec::new();
    for module in modules {
        let found = lines.iter().position(|line| line.starts_with(&format!("mod {module};")));
        match found {
            None => faults.push(format!("tests/it/main.rs: `mod {module};` is missing")),
            Some(at) if lines[at].contains("//") => {}
            Some(at) if at > 0 && lines[at - 1].starts_with("//") => {}
            Some(_) => {
                faults.push(format!("tests/it/main.rs: say in a line what `{module}` proves"));
            }
        }
    }
    faults
}

/// Relative Markdown links that lead nowhere.
pub(super) fn dead_links(page: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut faults = Vec::new();
    for (at, _) in text.match_indices("](") {
        let rest = &text[at + 2..];
        let target = rest.split([')', '#', ' ']).next().unwrap_or("");
        let outside = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        if !outside && !exists(&resolve(folder, target)) {
            faults.push(format!("{page}: the link to `{target}` leads nowhere"));
        }
    }
    faults
}

/// `docs` and `../README.md` make `README.md`.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Modules of the library that the architecture page does not name in its table.
pub(super) fn modules_missing_in_map(library: &str, page: &str) -> Vec<String> {
    let declared = library.lines().filter_map(|line| {
        line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?.strip_suffix(';')
    });
    let named = |module: &str| {
        let rows = page.lines().filter(|line| line.starts_with('|'));
        rows.into_iter()
            .any(|row| ["", "/", ".rs"].iter().any(|end| row.contains(&format!("`{module}{end}`"))))
    };
    declared
        .filter(|module| !named(module))
        .map(|module| format!("docs/architecture.md: the table does not name `{module}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_file_without_its_line_is_forgotten() {
        let paths = ["tests/it/main.rs", "tests/it/a.rs", "tests/it/b/mod.rs", "tests/it/b/c.rs"];
        let paths: Vec<String> = paths.map(str::to_owned).to_vec();
        assert!(
            forgotten_tests(&paths, "/// What a proves.\nmod a;\nmod b; // what b proves\n")
                .is_empty()
        );
        assert_eq!(forgotten_tests(&paths, "/// What a proves.\nmod a;\n").len(), 1);
        assert_eq!(forgotten_tests(&paths, "\nmod a;\n\nmod b; // fine\n").len(), 1);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let exists = |path: &str| ["README.md", "docs/style.md"].contains(&path);
        let check = |text: &str| dead_links("docs/architecture.md", text, &exists);
        assert!(
            check("[a](style.md#tests) [b](../README.md) [c](https://x.org) [d](#here)").is_empty()
        );
        assert_eq!(check("[a](gone.md)").len(), 1);
    }

    #[test]
    fn a_module_that_the_table_does_not_name_is_found() {
        let library = "pub mod clock;\npub mod tui;\nmod gone;\n";
        let page = "| 0 | `clock` | |\n| 9 | `tui/` | |\nand `gone` in a sentence\n";
        assert_eq!(modules_missing_in_map(library, page).len(), 1);
    }
}
