//! Discovery on the fixtures of tests/fixtures/schemas: the class of every relation is written down
//! beside each, with the key, the way or the link where it has one.

use std::collections::BTreeMap;

use tenantdesk::catalog;
use tenantdesk::isolation::discover::{ChosenRoot, Decisions, Proposal, discover};
use tenantdesk::isolation::map::{Class, Relation, Step};
use tenantdesk::postgres::{Isolation, Preamble, RelationName, Transaction, connect};

use crate::setup::{
    AWKWARD, CYCLES, Fixture, HIERARCHY, MIXED_CASE, NO_FOREIGN_KEYS, PARTITIONS, POSTGREST,
    ROOTLESS, Target,
};

macro_rules! expected {
    ($name:literal) => {
        include_str!(concat!("../fixtures/schemas/", $name, ".classes.tsv"))
    };
}

/// What discovery says of a database that nobody has set up.
fn proposal(target: &Target, decisions: &Decisions) -> Proposal {
    let endpoint = target.cluster.endpoint(&target.database, "app_owner");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let catalog = runtime.block_on(async {
        let link = connect(&endpoint, "discover").await.unwrap();
        let preamble = Preamble { isolation: Isolation::ReadOnly, role: None, settings: &[] };
        let transaction = Transaction::begin(&link, preamble).await.unwrap();
        catalog::load(&transaction, None).await.unwrap()
    });
    discover(&catalog, decisions).unwrap()
}

/// A way as the expectations write it: `column > schema.parent(column)`, steps joined by `; `.
fn way(path: &[Step]) -> String {
    let step = |s: &Step| {
        format!("{} > {}({})", s.columns.join(","), s.references, s.referenced.join(","))
    };
    path.iter().map(step).collect::<Vec<_>>().join("; ")
}

/// The class and the detail of a relation.
fn told(relation: &Relation) -> (String, String) {
    let detail = match relation.class {
        Class::Keyed => {
            let shared = if relation.shared { " +shared" } else { "" };
            format!("{}{shared}", relation.key.as_deref().unwrap_or_default())
        }
        Class::Derived if relation.ways.is_empty() => way(&relation.path),
        Class::Derived => {
            let ways = relation.ways.iter();
            let ways = ways.map(|w| format!("{}={}: {}", w.column, w.word, way(&w.path)));
            ways.collect::<Vec<_>>().join(" | ")
        }
        Class::Linked => {
            let via = relation.via.as_ref().unwrap();
            format!("{}({}) > {}", via.table, via.column, via.own)
        }
        _ => String::new(),
    };
    (relation.class.as_str().to_owned(), detail)
}

/// All verdicts by name.
fn verdicts(proposal: &Proposal) -> BTreeMap<String, (String, String)> {
    let mut all: BTreeMap<String, (String, String)> = proposal
        .verdicts
        .iter()
        .map(|verdict| (verdict.relation.name.clone(), told(&verdict.relation)))
        .collect();
    if let ChosenRoot::Table { table, key, .. } = &proposal.root {
        all.insert(table.clone(), ("root".to_owned(), key.clone()));
    }
    let undecided = proposal.undecided.iter();
    all.extend(undecided.map(|u| (u.relation.clone(), ("?".to_owned(), String::new()))));
    for listed in &proposal.listed {
        let kind = match listed.kind.as_str() {
            "materialized view" => "matview",
            "foreign table" => "foreign",
            other => other,
        };
        if ["view", "matview", "foreign"].contains(&kind) {
            all.insert(listed.relation.clone(), (kind.to_owned(), String::new()));
        }
    }
    all
}

/// Whether a keyed relation's verdict says that rows without a key are hidden.
fn says_that_null_is_hidden(proposal: &Proposal, name: &str) -> bool {
    let verdict = proposal.verdicts.iter().find(|verdict| verdict.relation.name == name).unwrap();
    verdict.key.is_some_and(|key| key.nullable)
        && verdict.remarks.iter().any(|remark| remark.contains("belong to nobody and are hidden"))
}

/// Every line of the expectations that does not hold.
fn differences(proposal: &Proposal, expected: &str) -> Vec<String> {
    let mut all = verdicts(proposal);
    let mut wrong = Vec::new();
    for line in expected.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let parts: Vec<&str> = line.split('\t').collect();
        let name = RelationName::parse(parts[0]).unwrap().plain();
        let Some((class, detail)) = all.remove(&name) else {
            wrong.push(format!("{name} is not there"));
            continue;
        };
        let fits = parts[1].split('|').any(|class_| {
            // What a person has to decide may be left out with a reason: nobody sees it then.
            class_ == class || class_ == "?" && class == "excluded"
        });
        // Where no policy says that null means everybody, nobody can know it: such rows are hidden,
        // and the verdict says so.
        let untold = parts[2].contains("+shared") && says_that_null_is_hidden(proposal, &name);
        let plain =
            |text: &str| text.replace("+legacy", "").replace("+shared", "").trim().to_owned();
        let same = parts[1] != class
            || parts[2].is_empty()
            || !["keyed", "derived", "linked"].contains(&class.as_str())
            || plain(&detail) == plain(parts[2])
                && (untold || detail.contains("+shared") == parts[2].contains("+shared"));
        if !fits || !same {
            wrong.push(format!("{name}: {class} {detail}, and not {} {}", parts[1], parts[2]));
        }
    }
    wrong.extend(all.into_keys().map(|name| format!("{name} is not expected")));
    wrong
}

/// The fixture's expectations hold, and a changed one does not.
#[track_caller]
fn holds(fixture: Fixture, expected: &str) -> Proposal {
    let target = Target::of(fixture);
    let proposal = proposal(&target, &Decisions::default());
    let wrong = differences(&proposal, expected);
    assert!(wrong.is_empty(), "{}:\n{}", fixture.name, wrong.join("\n"));
    let turned = expected.replacen("\tkeyed\t", "\tglobal\t", 1);
    assert_eq!(differences(&proposal, &turned).len(), 1);
    let gone = expected.split_once("\tkeyed\t").unwrap().0.rsplit_once('\n').unwrap().0;
    assert!(differences(&proposal, gone).len() > 1);
    proposal
}

#[test]
fn every_class_of_mixed_case() {
    holds(MIXED_CASE, expected!("mixed_case"));
}

#[test]
fn every_class_of_partitions() {
    holds(PARTITIONS, expected!("partitions"));
}

#[test]
fn every_class_of_cycles() {
    holds(CYCLES, expected!("cycles"));
}

#[test]
fn every_class_of_no_foreign_keys() {
    holds(NO_FOREIGN_KEYS, expected!("no_foreign_keys"));
}

#[test]
fn every_class_of_hierarchy() {
    let proposal = holds(HIERARCHY, expected!("hierarchy"));
    assert!(proposal.hierarchy.is_some());
}

#[test]
fn every_class_of_rootless() {
    let proposal = holds(ROOTLESS, expected!("rootless"));
    assert!(matches!(proposal.root, ChosenRoot::KeyOnly { .. }), "{:?}", proposal.root);
}

#[test]
fn every_class_of_postgrest() {
    holds(POSTGREST, expected!("postgrest"));
}

#[test]
fn every_class_of_awkward() {
    holds(AWKWARD, expected!("awkward"));
}
