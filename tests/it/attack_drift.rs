//! Attacks on an installation itself, and what is built or changed after it.

use std::sync::LazyLock;

use tenantdesk::isolation::guard::{Consent, install};
use tenantdesk::isolation::map::RelationMap;
use tenantdesk::postgres::connect;

use crate::attack_intruder::{Intruder, READER, as_operator, open_call};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk, install_guard};

const CONSENT: Consent = Consent { close_doors: true, enforce_limits: false, pin_public: false };
static MAP: LazyLock<RelationMap> = LazyLock::new(|| {
    RelationMap::from_toml(include_str!("../fixtures/schema/product_map.toml")).unwrap()
});

/// Opens a session, or tells why not.
fn refusal(desk: &Desk, login: &str) -> String {
    let call = open_call("t", ACME, "impersonate", "read");
    let output = desk.psql(login, &as_operator(&format!("select 1 from {call}")));
    output.stderr.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn an_installation_runs_no_function_of_somebody_else() {
    let desk = Desk::product();
    // Whoever may create in `public` makes functions that fit better than the server's own.
    desk.rows(SUPERUSER, "create table public.caught (by text); grant select, insert on public.caught to public; \
        create function public.format(text, name, regclass) returns text language plpgsql as $$ begin insert into public.caught values (current_user); return pg_catalog.format($1, $2, $3); end $$; \
        create function public.format(text, text) returns text language plpgsql as $$ begin insert into public.caught values (current_user); return pg_catalog.format($1, $2); end $$; \
        create function public.format(text, name) returns text language plpgsql as $$ begin insert into public.caught values (current_user); return pg_catalog.format($1, $2); end $$; \
        alter role app_owner in database DB set search_path = public".replace("DB", &desk.database).as_str());
    install_guard(&desk.endpoint("app_owner"), &MAP, CONSENT);
    let caught = "select count(*) > 0 from public.caught";
    assert_eq!(desk.rows(SUPERUSER, caught), "f");
    // Control: the same statements with the path that the login has.
    let enter = include_str!("../../src/isolation/guard/sql/enter.sql");
    let with_own_path = format!("begin; {enter} {caught}; rollback");
    assert_eq!(desk.rows("app_owner", &with_own_path), "t");
}

#[tokio::test]
async fn a_policy_for_everybody_that_hides_rows_is_told_by_setup_and_by_the_export() {
    let desk = Desk::product();
    desk.rows(
        "app_owner",
        "create policy recent on app.invoices as restrictive using (amount > 50)",
    );
    let link = connect(&desk.endpoint("app_owner"), "test").await.unwrap();
    let installed = install(&link, &MAP, CONSENT).await.unwrap();
    let told: Vec<_> = installed.incomplete.iter().map(|door| door.object.as_str()).collect();
    assert_eq!(told, ["policy recent on app.invoices"]);
    let endpoint = desk.endpoint(&desk.operator("admin"));
    let console = tenantdesk::console::Console::connect(endpoint).await.unwrap();
    let load = async |reading: &tenantdesk::postgres::Transaction<'_>| {
        Ok(tenantdesk::catalog::load(reading, Some("app_user")).await?)
    };
    let catalog = console.reading(load).await.unwrap();
    let plan = tenantdesk::archive::plan(&MAP, &catalog).unwrap();
    assert_eq!(plan.warnings.len(), 1, "{:?}", plan.warnings);
    assert!(plan.warnings[0].contains("`recent` of `app.invoices`"));
    // Excepted with a reason, setup is complete; the export goes on telling.
    desk.rows(SUPERUSER, "insert into tenantdesk.exceptions (object, reason) values ('policy recent on app.invoices', 'small amounts are drafts')");
    assert!(install(&link, &MAP, CONSENT).await.unwrap().incomplete.is_empty());
}

#[test]
fn a_function_that_a_policy_lends_to_operators_keeps_the_door_shut() {
    let desk = Desk::product();
    let support = desk.operator("support");
    desk.rows("app_owner", "create function app.may_see(t uuid) returns boolean language sql security definer stable set search_path = pg_catalog, pg_temp as 'select true'; \
        create policy visible on app.attachments as restrictive to app_user using (app.may_see(tenant_id))");
    install_guard(&desk.endpoint("app_owner"), &MAP, CONSENT);
    let why = refusal(&desk, &support);
    assert!(why.contains("app.may_see(uuid)") && why.contains("rights of its owner"), "{why}");
    desk.rows(SUPERUSER, "insert into tenantdesk.exceptions (object, reason) values ('function app.may_see(uuid)', 'it tells nothing about a row')");
    assert_eq!(refusal(&desk, &support), "");
    // It is granted after PUBLIC lost it, so the policy works for an operator from the first setup on.
    let same = Desk { cluster: desk.cluster, database: desk.database.clone() };
    let login = desk.operator("support");
    let intruder = Intruder::with_login(same, login, ACME, "impersonate", "read");
    assert_ne!(intruder.sees(READER, "select count(*) from app.attachments"), "0");
}

#[test]
fn what_is_built_after_setup_is_noticed() {
    for (built, told) in [
        ("alter table app.notes add column body text", "column body is new"),
        (
            "create policy less on app.projects as restrictive to app_user using (true)",
            "holds for the application and not for operators",
        ),
        ("grant select on tenantdesk_read.notes to public", "public has SELECT"),
        (
            "alter view tenantdesk_read.notes set (security_barrier = false)",
            "the guarded view was changed",
        ),
        (
            "create or replace view tenantdesk_read.notes with (security_barrier) as select id, tenant_id, title, secret, created_at from app.notes",
            "the guarded view was changed",
        ),
        (
            "grant execute on function tenantdesk.append to tenantdesk_operator",
            "tenantdesk_operator has EXECUTE",
        ),
        ("grant execute on function tenantdesk.append to public", "public has EXECUTE"),
    ] {
        let desk = Desk::product();
        let support = desk.operator("support");
        assert_eq!(desk.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
        desk.rows(SUPERUSER, built);
        let why = refusal(&desk, &support);
        assert!(why.contains(told), "{built}: {why}");
    }
    // What setup decides anew is no fault any more.
    let desk = Desk::product();
    desk.rows("app_owner", "alter table app.notes add column body text; create policy less on app.projects as restrictive to app_user using (true)");
    install_guard(&desk.endpoint("app_owner"), &MAP, CONSENT);
    assert_eq!(refusal(&desk, &desk.operator("support")), "");
}

// A founder's next table must not shut everybody out: nobody of ours can reach it, and an export says
// that it leaves it out.
#[tokio::test]
async fn a_table_that_nobody_decided_on_is_out_of_reach_and_told_by_the_export() {
    let desk = Desk::product();
    desk.rows(
        "app_owner",
        "create table app.fresh (tenant_id uuid, body text); grant select on app.fresh to app_user",
    );
    let login = desk.operator("support");
    let endpoint = desk.endpoint(&desk.operator("admin"));
    let same = Desk { cluster: desk.cluster, database: desk.database.clone() };
    let intruder = Intruder::with_login(same, login, ACME, "impersonate", "read");
    intruder.refused(READER, "select count(*) from app.fresh", "42501");
    let console = tenantdesk::console::Console::connect(endpoint).await.unwrap();
    let load = async |reading: &tenantdesk::postgres::Transaction<'_>| {
        Ok(tenantdesk::catalog::load(reading, Some("app_user")).await?)
    };
    let mut catalog = console.reading(load).await.unwrap();
    let told = |catalog: &tenantdesk::catalog::Catalog| {
        tenantdesk::archive::plan(&MAP, catalog).unwrap().warnings
    };
    let warning = "`app.fresh` is not in the relation map: its rows are not in the archive";
    assert_eq!(told(&catalog), [warning]);
    catalog.relations.remove("app.fresh");
    assert!(told(&catalog).is_empty());
}

#[test]
fn a_policy_that_names_only_our_roles_is_mended() {
    let desk = Desk::product();
    let support = desk.operator("support");
    desk.rows("app_owner", "create policy leak on app.projects to tenantdesk_reader using (true)");
    assert!(refusal(&desk, &support).contains("is not of setup"));
    install_guard(&desk.endpoint("app_owner"), &MAP, CONSENT);
    assert_eq!(desk.rows(SUPERUSER, "select count(*) from pg_policy where polname = 'leak'"), "0");
    assert_eq!(refusal(&desk, &support), "");
}

#[test]
fn a_key_of_a_fixed_length_is_not_cut() {
    let desk = Desk::product();
    assert_eq!(desk.rows(SUPERUSER, "select quote_literal('abc'::character)"), "'a'");
    assert_eq!(desk.rows(SUPERUSER, "select quote_literal('abc'::bpchar)"), "'abc'");
    for (name, bare) in [
        ("character(36)", "bpchar"),
        ("character varying(20)", "character varying"),
        ("uuid", "uuid"),
        ("numeric(14,2)", "numeric"),
        ("timestamp(3) with time zone", "timestamp with time zone"),
        ("bit(8)", "varbit"),
    ] {
        let column = tenantdesk::catalog::Column {
            name: "code".into(),
            type_name: name.into(),
            not_null: true,
            generated: false,
            identity_always: None,
            application_rights: String::new(),
            default: None,
            base_type: None,
            labels: Vec::new(),
        };
        assert_eq!(column.bare_type(), bare);
        desk.rows(SUPERUSER, &format!("select null::{bare}"));
    }
}
