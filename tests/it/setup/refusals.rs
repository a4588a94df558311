//! What setup asks for, refuses and says.

use super::{MIXED_CASE, NO_FOREIGN_KEYS, Target};
use crate::harness::cluster::SUPERUSER;

#[test]
fn what_is_undecided_stops_setup_with_the_commands_that_decide_it() {
    let target = Target::of(NO_FOREIGN_KEYS);
    let error = target.refused("app_owner", &["setup", "--yes"]);
    let hints = error["hints"].as_array().unwrap();
    let commands: Vec<&str> = hints.iter().filter_map(|hint| hint.as_str()).collect();
    assert!(commands.iter().any(|hint| hint.starts_with("tenantdesk tables set ")), "{error:#}");
    let there = "select count(*) from pg_namespace where nspname = 'tenantdesk'";
    assert_eq!(target.rows(SUPERUSER, there), "0", "nothing was changed");
    let decided = target.decide();
    assert!(!decided.is_empty());
    assert_eq!(target.rows(SUPERUSER, there), "1", "decisions are kept in the control schema");
    let set_up = target.run("app_owner", &["setup", "--yes"]).1;
    assert_eq!(set_up["applied"], true);
    let again = target.answer("app_owner", &["tables", "explain", &decided[0]]);
    assert_eq!(again["verdict"]["decided"], true, "{again:#}");
}

#[test]
fn a_dry_run_prints_all_of_the_sql_and_changes_nothing() {
    let target = Target::of(MIXED_CASE);
    target.decide();
    let before = target.catalogs();
    let shown = target.answer("app_owner", &["setup", "--dry-run"]);
    let sql = shown["sql"].as_str().unwrap();
    for part in [
        "create role %I nologin",
        "create view tenantdesk_read.\"Film\"",
        "REVOKE TEMPORARY ON DATABASE",
        "grant select on tenantdesk_read.\"Film\"",
    ] {
        assert!(sql.contains(part), "{part}");
    }
    assert_eq!(shown["applied"], false);
    assert_eq!(target.catalogs(), before);
}

#[test]
fn rights_that_are_missing_are_named_with_the_grant_that_gives_them() {
    let target = Target::of(MIXED_CASE);
    let login = format!("weak_{}", target.database);
    target.rows(SUPERUSER, &format!("create role {login} login"));
    let error = target.refused(&login, &["setup", "--yes"]);
    let hints = error["hints"].to_string();
    for fix in [
        format!("ALTER ROLE {login} CREATEROLE"),
        format!("GRANT CREATE ON DATABASE {} TO {login}", target.database),
        format!("GRANT app_owner TO {login}"),
    ] {
        assert!(hints.contains(&fix), "{fix}: {error:#}");
    }
    // What it names is what is missing: with it, setup goes on.
    target.rows(SUPERUSER, &format!("alter role {login} createrole; grant create on database {} to {login}; grant app_owner to {login}", target.database));
    target.rows(SUPERUSER, &format!("do $$ declare r text; begin for r in select rolname from pg_roles where rolname ~ '^tenantdesk_' loop execute format('grant %I to {login} with admin option', r); end loop; end $$"));
    let (_, document) = target.run(&login, &["setup", "--yes"]);
    assert_eq!(document["applied"], true, "{document:#}");
    assert_eq!(target.run(&login, &["operator", "list"]).0, 0, "whoever ran setup manages it");
}

#[test]
fn a_second_setup_has_nothing_to_do() {
    let target = Target::of(MIXED_CASE);
    target.set_up();
    let before = target.rows(SUPERUSER, "select string_agg(p.oid::text, ',' order by p.oid) from pg_class p join pg_namespace n on n.oid = p.relnamespace where n.nspname ~ '^tenantdesk_'");
    let again = target.answer("app_owner", &["setup", "--yes", "--pin-public"]);
    assert_eq!((&again["complete"], &again["applied"]), (&true.into(), &false.into()));
    let after = target.rows(SUPERUSER, "select string_agg(p.oid::text, ',' order by p.oid) from pg_class p join pg_namespace n on n.oid = p.relnamespace where n.nspname ~ '^tenantdesk_'");
    assert_eq!(after, before, "no view was made anew");
}

#[test]
fn a_map_that_somebody_reviewed_takes_the_place_of_what_is_found() {
    let target = Target::of(MIXED_CASE);
    let map = target.answer("app_owner", &["tables", "list", "--toml"]);
    let mut map = tenantdesk::isolation::map::RelationMap::from_json(map["map"].clone()).unwrap();
    let keyed = map
        .relations
        .iter_mut()
        .find(|r| r.key.is_some() && r.name != map.members.as_ref().unwrap().table)
        .unwrap();
    let name = keyed.name.clone();
    *keyed = tenantdesk::isolation::map::Relation {
        reason: Some("reviewed away".to_owned()),
        ..tenantdesk::isolation::map::Relation::new(
            &name,
            tenantdesk::isolation::map::Class::Excluded,
        )
    };
    map.metrics.retain(|metric| metric.relation != name);
    let file = target.home.paths.home.join("map.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, map.to_toml().unwrap()).unwrap();
    target.answer("app_owner", &["setup", "--yes", "--map", file.to_str().unwrap()]);
    let listed = target.answer("app_owner", &["tables", "list"]);
    let one = listed["relations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name.as_str())
        .unwrap();
    assert_eq!(one["class"], "excluded");
    std::fs::write(&file, "model = 3").unwrap();
    let error = target.refused("app_owner", &["setup", "--yes", "--map", file.to_str().unwrap()]);
    assert_eq!(error["kind"], "refused");
}
