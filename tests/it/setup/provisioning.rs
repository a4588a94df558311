//! `tenant create` on each fixture, with the template that setup proposes: nobody wrote a line of it.

use serde_json::Value;

use super::{
    AWKWARD, CYCLES, Fixture, HIERARCHY, MIXED_CASE, NO_FOREIGN_KEYS, PARTITIONS, POSTGREST,
    ROOTLESS, Target,
};

/// Sets up, makes a tenant, and goes into it; gives the target, the login and the tenant's id.
fn begins(fixture: Fixture, flags: &[&str]) -> (Target, String, String) {
    let target = Target::of(fixture);
    target.set_up();
    let ada = target.operator("ada", "support");
    let words = [&["tenant", "create", "New Works"], flags].concat();
    let shown = target.answer(&ada, &[&words[..], &["--dry-run"]].concat());
    assert!(!shown["plan"]["rows"].as_array().unwrap().is_empty(), "{shown:#}");
    let made = target.answer(&ada, &words);
    let id = made["tenant"]["id"].as_str().unwrap().to_owned();
    let listed = target.answer(&ada, &["tenant", "list"]);
    let tenants: Vec<&Value> = listed["tenants"].as_array().unwrap().iter().collect();
    let own = tenants.iter().find(|tenant| tenant["id"] == id.as_str()).unwrap();
    assert!(own["name"] == "New Works" || own["name"].is_null(), "{own:#}");
    let mut inside = vec!["impersonate", &id, "--reason", "looking into what was made"];
    if made["admin"].is_object() {
        inside.extend(["--as", "new@works.test"]);
    }
    inside.extend(["-c", "select 1"]);
    target.answer(&ada, &inside);
    (target, ada, id)
}

const ADMIN: [&str; 2] = ["--admin-email", "new@works.test"];

#[test]
fn mixed_case_with_a_plan_that_is_a_row() {
    let flags = [&ADMIN[..], &["--set", "plan_id=free"]].concat();
    let (target, ada, _) = begins(MIXED_CASE, &flags);
    let refused = target.refused(&ada, &["tenant", "create", "Other", ADMIN[0], ADMIN[1]]);
    assert_eq!(refused["message"], "values are missing: plan_id");
}

#[test]
fn keys_that_no_sequence_fills_are_given() {
    let flags = [&ADMIN[..], &["--set", "tenant_id=4711"]].concat();
    let (target, ada, id) = begins(PARTITIONS, &flags);
    assert_eq!(id, "4711");
    let refused = target.refused(&ada, &["tenant", "create", "Other", ADMIN[0], ADMIN[1]]);
    assert!(refused["hints"][0].as_str().unwrap().contains("--set tenant_id=ID"), "{refused:#}");
    begins(CYCLES, &flags);
    begins(AWKWARD, &["--set", "tenant_id=4711", "--set", "krzel=NW"]);
}

#[test]
fn without_foreign_keys_and_with_people_of_one_tenant() {
    begins(NO_FOREIGN_KEYS, &ADMIN);
}

#[test]
fn an_application_that_lets_nobody_insert_a_tenant() {
    begins(HIERARCHY, &ADMIN);
    begins(POSTGREST, &ADMIN);
}

#[test]
fn without_a_root_a_tenant_begins_with_its_first_row() {
    let target = Target::of(ROOTLESS);
    target.set_up();
    let ada = target.operator("ada", "support");
    let refused = target.refused(&ada, &["tenant", "create", "New Works"]);
    assert_eq!(refused["message"], "a tenant of this database begins with its first row");
}
