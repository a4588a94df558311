//! House rules as tests: what docs/style.md and docs/architecture.md promise is checked here.
//!
//! Each rule is a function over the text of a file, with tests of its own that show it fail.
//! The tests below apply the rules to this repository.

mod layers;
mod links;
mod rules;
mod source;

use source::{files, rust_files};

/// Fails with all faults at once.
fn expect_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn imports_go_downwards_only() {
    let sources = rust_files("src");
    assert!(sources.iter().any(|source| !layers::imports(source).is_empty()), "nothing was read");
    expect_none(&sources.iter().flat_map(layers::faults).collect::<Vec<_>>());
}

#[test]
fn every_source_file_keeps_the_rules_of_the_house() {
    expect_none(&rust_files("src").iter().flat_map(rules::faults).collect::<Vec<_>>());
}

#[test]
fn every_test_file_opens_with_its_purpose_and_is_no_larger_than_a_source_file() {
    let mut sources = rust_files("tests");
    if std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").exists() {
        sources.extend(rust_files("benches"));
    }
    let faults = sources.iter().flat_map(|source| {
        [rules::opening(source), rules::size(source), rules::names(source)].concat()
    });
    expect_none(&faults.collect::<Vec<_>>());
}

#[test]
fn no_test_file_is_forgotten() {
    let paths: Vec<String> = files("tests/it", ".rs").into_iter().map(|(path, _)| path).collect();
    let main = include_str!("../main.rs");
    expect_none(&links::forgotten_tests(&paths, main));
}

#[test]
fn every_link_in_the_documentation_leads_somewhere() {
    let mut pages = files("docs", ".md");
    pages.push(("README.md".into(), include_str!("../../../README.md").into()));
    pages.push(("CHANGELOG.md".into(), include_str!("../../../CHANGELOG.md").into()));
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let exists = |path: &str| root.join(path).exists();
    expect_none(
        &pages.iter().flat_map(|(p, t)| links::dead_links(p, t, &exists)).collect::<Vec<_>>(),
    );
}

#[test]
fn every_module_stands_in_the_map_of_the_architecture_page() {
    let page = include_str!("../../../docs/architecture.md");
    let library = include_str!("../../../src/lib.rs");
    expect_none(&links::modules_missing_in_map(library, page));
}
