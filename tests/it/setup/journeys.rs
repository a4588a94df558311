//! Each fixture from setup to removal, with all that operators do between: list, impersonate, usage,
//! export, restore. What a member sees is held against the application's own sight of the same rows.

use serde_json::Value;

use super::{
    AWKWARD, CYCLES, Fixture, HIERARCHY, MIXED_CASE, NO_FOREIGN_KEYS, PARTITIONS, POSTGREST,
    ROOTLESS, Target,
};
use crate::harness::cluster::SUPERUSER;

/// How many rows each relation has, as a superuser sees it.
fn counts(target: &Target) -> String {
    let names = target.rows(
        SUPERUSER,
        "select string_agg(format('select %L, count(*) from %s', c.oid::regclass, c.oid::regclass), ' union all ' order by c.oid::regclass::text) \
         from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema|tenantdesk)'",
    );
    target.rows(SUPERUSER, &format!("{names} order by 1"))
}

/// The relations of a class, as the installed list tells them.
fn of_class<'v>(listed: &'v Value, class: &str) -> Vec<&'v Value> {
    listed["relations"].as_array().unwrap().iter().filter(|one| one["class"] == class).collect()
}

/// The whole journey.
fn journey(fixture: Fixture) {
    let target = Target::of(fixture);
    let (before, rows_before) = (target.catalogs(), counts(&target));
    target.set_up();
    assert_eq!(counts(&target), rows_before, "setup changes no row");
    let ada = target.operator("ada", "admin");
    let tenants = target.answer(&ada, &["tenant", "list"]);
    let tenants = tenants["tenants"].as_array().unwrap();
    assert!(tenants.len() >= 3, "{tenants:?}");
    // Nobody acts as a member of a suspended tenant.
    let suspended = ["suspended", "frozen", "paused"];
    let works = |tenant: &&Value| {
        let status = tenant["status"].as_str().unwrap_or_default().to_lowercase();
        !suspended.contains(&status.as_str())
    };
    let working: Vec<&Value> = tenants.iter().filter(works).collect();
    let listed = target.answer(&ada, &["tables", "list"]);
    for tenant in &working {
        reads_its_own(&target, &ada, tenant["id"].as_str().unwrap(), &listed);
    }
    counts_what_is_there(&target, &ada, &listed);
    comes_back(&target, &ada, working[0], &listed);
    assert_eq!(counts(&target), rows_before, "a restore brings back what was there");
    target.answer("app_owner", &["setup", "--remove", "--confirm", &target.database]);
    assert_eq!(target.catalogs(), before, "the database is as it was");
}

/// The members that usage counts are those that the table holds.
fn counts_what_is_there(target: &Target, operator: &str, listed: &Value) {
    let usage = target.answer(operator, &["usage"]);
    let told: u64 = usage["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|tenant| tenant["metrics"].as_array().unwrap())
        .filter(|metric| metric["metric"] == "members")
        .map(|metric| metric["used"].as_u64().unwrap())
        .sum();
    let table =
        target.rows(SUPERUSER, "select document -> 'members' ->> 'table' from tenantdesk.map");
    let Some(one) = of_class(listed, "keyed").into_iter().find(|one| one["name"] == table.as_str())
    else {
        assert_eq!(told, 0);
        return;
    };
    let held = format!("select count({}) from {table}", quoted(&one["key"]));
    let held: u64 = target.rows(SUPERUSER, &held).parse().unwrap();
    assert!(told > 0 && told <= held, "{told} of {held}");
}

/// A member reads the rows of the tenant, and no other: of tables without row level security as many
/// as have the key, of others as many as the application sees.
fn reads_its_own(target: &Target, operator: &str, tenant: &str, listed: &Value) {
    // What the application may not read, nobody may who acts as its user.
    let may_read = |one: &&Value| {
        let name = one["name"].as_str().unwrap().replace('\'', "''");
        target
            .rows(SUPERUSER, &format!("select has_table_privilege('app_user', '{name}', 'select')"))
            == "t"
    };
    let keyed: Vec<&Value> = of_class(listed, "keyed").into_iter().filter(may_read).collect();
    let mut words = vec!["impersonate", tenant, "--reason", "a journey of a test"];
    let members = target.answer(operator, &["member", "list", tenant]);
    let active = members["members"].as_array().unwrap().first();
    let member = active.map(|member| member["id"].as_str().unwrap().to_owned());
    if let Some(member) = &member {
        words.extend(["--as", member]);
    }
    let statements: Vec<String> = keyed
        .iter()
        .map(|one| {
            format!(
                "select count({key}) filter (where {key}::text <> '{0}'), count({key}) filter (where {key}::text = '{0}') from {1}",
                tenant.replace('\'', "''"),
                seen(one),
                key = quoted(&one["key"])
            )
        })
        .collect();
    for statement in &statements {
        words.extend(["-c", statement]);
    }
    let answer = target.answer(operator, &words);
    let mut seen_at_all = 0;
    for (one, result) in keyed.iter().zip(answer["statements"].as_array().unwrap()) {
        let row = &result["rows"][0];
        let (foreign, own): (u64, u64) = (number(&row[0]), number(&row[1]));
        let expected = expected(target, one, tenant, member.as_deref());
        assert_eq!(own, expected, "{} of {tenant}", one["name"]);
        assert_eq!(foreign, 0, "{}: rows of others", one["name"]);
        seen_at_all += own;
    }
    assert!(seen_at_all > 0, "{tenant} has rows");
}

/// The name by which a relation is seen: guarded views stand before the tables on the search path.
fn seen(one: &Value) -> String {
    if one["guard"] == "view" {
        quoted(&one["view"])
    } else {
        one["name"].as_str().unwrap().to_owned()
    }
}

fn quoted(key: &Value) -> String {
    format!("\"{}\"", key.as_str().unwrap().replace('"', "\"\""))
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// How many rows the application sees in this tenant's setting; without row level security, how many
/// have the key.
fn expected(target: &Target, one: &Value, tenant: &str, member: Option<&str>) -> u64 {
    let name = one["name"].as_str().unwrap();
    let key = quoted(&one["key"]);
    let own =
        format!("select count(*) from {name} where {key}::text = '{}'", tenant.replace('\'', "''"));
    if one["guard"] == "view" {
        return target.rows(SUPERUSER, &own).parse().unwrap();
    }
    let setting =
        target.rows(SUPERUSER, "select document ->> 'tenant_setting' from tenantdesk.map");
    let tenant = tenant.replace('\'', "''");
    let said = match setting.split_once('#') {
        // The claims of a token, in one document.
        Some((name, claim)) => format!(
            "select set_config('{name}', json_build_object('{claim}', '{tenant}', 'sub', '{}')::text, true)",
            member.unwrap_or_default()
        ),
        None => format!("select set_config('{setting}', '{tenant}', true)"),
    };
    let sql = format!("begin;\n\\o /dev/null\n{said};\n\\o\n{own}; rollback");
    target.rows("app_user", &sql).parse().unwrap()
}

/// A tenant goes out, loses rows, and comes back.
fn comes_back(target: &Target, operator: &str, tenant: &Value, listed: &Value) {
    let slug = tenant["slug"].as_str().or(tenant["id"].as_str()).unwrap();
    let tenant = tenant["id"].as_str().unwrap();
    let file = target.home.paths.home.join("one.tenant");
    let file = file.to_str().unwrap();
    let exported = target.answer(operator, &["export", tenant, "-o", file]);
    assert!(exported["archive"]["rows"].as_i64().unwrap() > 0, "{exported:#}");
    target.answer(operator, &["archive", "verify", file]);
    // Rows that nothing points to go, in every keyed table that has some.
    let mut gone = 0;
    // Rows that broke a foreign key before it held (NOT VALID) cannot be written again by anybody, so no
    // row goes that takes others along.
    let held = target.rows(SUPERUSER, "select distinct conrelid from pg_constraint where not convalidated union select confrelid from pg_constraint where contype = 'f' union select tgrelid from pg_trigger where not tgisinternal");
    let held: Vec<&str> = held.lines().collect();
    for one in of_class(listed, "keyed") {
        let name = one["name"].as_str().unwrap().replace('\'', "''");
        let oid = target.rows(SUPERUSER, &format!("select '{name}'::regclass::oid"));
        if held.contains(&oid.as_str()) {
            continue;
        }
        let (name, key) = (one["name"].as_str().unwrap(), quoted(&one["key"]));
        let delete =
            format!("delete from {name} where {key}::text = '{}'", tenant.replace('\'', "''"));
        let output = target.cluster.psql(&target.database, SUPERUSER, &delete);
        gone += u32::from(output.code == 0 && !output.stdout.contains("DELETE 0"));
    }
    assert!(gone > 0, "something can be deleted");
    let restored = target
        .answer(operator, &["restore", file, "--confirm", slug, "--reason", "a journey of a test"]);
    assert_eq!(restored["verified"], true, "{restored:#}");
}

macro_rules! journeys {
    ($($name:ident $fixture:ident;)+) => {
        $(#[test]
        fn $name() {
            journey($fixture);
        })+
    };
}

journeys! {
    mixed_case_names_without_row_level_security MIXED_CASE;
    partitions_sequences_and_domains PARTITIONS;
    composite_keys_and_cycles_over_schemas CYCLES;
    a_schema_without_foreign_keys NO_FOREIGN_KEYS;
    nested_organizations_with_row_level_security HIERARCHY;
    tenants_that_no_table_lists ROOTLESS;
    claims_in_a_json_setting POSTGREST;
    awkward_names_and_types AWKWARD;
}
