//! Attacks by whoever may create tenants, on a schema without row level security: the guarded views
//! must hold what policies hold elsewhere. And on one where people carry the tenant key.

use crate::attack_intruder::Intruder;
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;
use crate::provision_foreign::{RAILS, STAFF};

const PROVISIONER: &str = "tenantdesk_provisioner";
/// An id that the sequence will come to.
const NEW: &str = "7";
const ACCOUNT: &str = "insert into tenantdesk_provision.accounts (id, name, slug, status, created_at, updated_at) values (7, 'New', 'new', 'active', now(), now())";

/// Support, creating account 7 beside account 1, which has rows.
fn creating() -> Intruder {
    let (desk, _) = Desk::foreign(RAILS[0], RAILS[1]);
    desk.rows("app_owner", "insert into accounts values (1, 'Acme', 'acme', 'active', now(), now()); \
        insert into users select g, 'u' || g || '@acme.test', 'U', 'V', '', now(), now() from generate_series(1, 9) g; \
        insert into memberships (account_id, user_id, created_at) values (1, 1, now()); insert into projects (account_id, title) values (1, 'old')");
    let login = desk.operator("support");
    Intruder::with_login(desk, login, NEW, "provision", "write")
}

fn people(count: u32) -> String {
    format!(
        "insert into tenantdesk_provision.users (id, email, first_name, last_name, created_at, updated_at) select 100 + n, 'p' || n || '@x.test', 'P', 'Q', now(), now() from generate_series(1, {count}) n"
    )
}

fn member(user: u32) -> String {
    format!(
        "insert into tenantdesk_provision.memberships (account_id, user_id, created_at) values (7, {user}, now())"
    )
}

fn project(account: u32) -> String {
    format!(
        "insert into tenantdesk_provision.projects (account_id, title) values ({account}, 'planted')"
    )
}

#[test]
fn the_views_let_nothing_be_read_and_no_row_of_another_tenant_be_made() {
    let intruder = creating();
    intruder.all_denied(
        PROVISIONER,
        &[
            "select count(*) from tenantdesk_provision.accounts",
            "select count(*) from tenantdesk_provision.users",
            "select count(*) from accounts",
            "select count(*) from tenantdesk_read.projects",
            "insert into projects (account_id, title) values (7, 'around')",
            "insert into users (email) values ('x')",
            "update tenantdesk_provision.accounts set name = 'x'",
            "delete from tenantdesk_provision.projects",
            &format!("{ACCOUNT} returning id"),
            &format!("{ACCOUNT} on conflict (id) do update set name = 'x'"),
            "insert into tenantdesk_restore.projects (account_id, title) values (7, 'x')",
        ],
    );
    intruder.refused(PROVISIONER, &ACCOUNT.replace("(7,", "(8,"), "44000");
    intruder.refused(PROVISIONER, &format!("{ACCOUNT}; {}", project(1)), "44000");
    intruder.refused(
        PROVISIONER,
        &format!("{ACCOUNT}; {}", member(2).replace("(7,", "(1,")),
        "44000",
    );
    intruder.run(PROVISIONER, &format!("{ACCOUNT}; {}", project(7))).rows();
    intruder.weaken("alter view tenantdesk_provision.projects reset (check_option)");
    intruder.run(PROVISIONER, &project(1)).rows();
    assert_eq!(intruder.truth("select count(*) from projects where account_id = 1"), "2");
}

#[test]
fn nothing_is_planted_for_a_tenant_whose_id_can_be_foreseen() {
    let intruder = creating();
    intruder.refused(PROVISIONER, &project(7), "44000");
    // The application comes to the same id: it is its tenant now, and no less closed to this session.
    intruder.desk.rows(SUPERUSER, &ACCOUNT.replace("tenantdesk_provision.", "public."));
    intruder.refused(PROVISIONER, &project(7), "44000");
    intruder.refused(PROVISIONER, &member(1), "44000");
    intruder.weaken("create or replace function tenantdesk.is_begun() returns boolean language sql as 'select true'");
    intruder.run(PROVISIONER, &project(7)).rows();
}

// Shared rows of any kind, linked by another table than the memberships: whoever links them reads them.
#[test]
fn a_new_tenant_is_linked_to_no_shared_row_of_others() {
    let schema = "create table orgs (id bigint primary key, name text not null); create table contacts (id bigint primary key, iban text); \
        create table org_contacts (org_id bigint not null references orgs, contact_id bigint not null references contacts); \
        insert into orgs values (1, 'Acme'); insert into contacts values (1, 'secret'); insert into org_contacts values (1, 1); \
        grant select, insert on orgs, contacts, org_contacts to app_user";
    let map = "model = 'shared'\ntenant_setting = 'app.org'\napplication_role = 'app_user'\nsearch_path = ['public']\n\
        root = { table = 'public.orgs', key = 'id', name = 'name' }\n\
        relation = [{ name = 'public.org_contacts', class = 'keyed', key = 'org_id' }, \
        { name = 'public.contacts', class = 'linked', via = { table = 'public.org_contacts', column = 'contact_id', own = 'id' } }]";
    let (desk, _) = Desk::foreign(schema, map);
    let login = desk.operator("support");
    let intruder = Intruder::with_login(desk, login, NEW, "provision", "write");
    let org = "insert into tenantdesk_provision.orgs values (7, 'New')";
    let link = "insert into tenantdesk_provision.org_contacts values (7, 1)";
    intruder.refused(PROVISIONER, &format!("{org}; {link}"), "44000");
    intruder.weaken("alter view tenantdesk_provision.org_contacts reset (check_option)");
    intruder.run(PROVISIONER, &format!("{org}; {link}")).rows();
    assert_eq!(intruder.truth("select count(*) from org_contacts where org_id = 7"), "1");
}

#[test]
fn one_person_and_one_first_member_and_only_with_the_tenant() {
    let intruder = creating();
    // A person may come first, and no commit leaves him without the tenant; nor does a savepoint.
    intruder.refused(PROVISIONER, &people(1), "42501");
    let undone = format!(
        "{}; savepoint s; {ACCOUNT}; set constraints all immediate; rollback to s",
        people(1)
    );
    intruder.refused(PROVISIONER, &undone, "42501");
    intruder.refused(PROVISIONER, &format!("{ACCOUNT}; {}", people(2)), "44000");
    intruder.refused(PROVISIONER, &member(2), "44000");
    intruder.refused(PROVISIONER, &format!("{ACCOUNT}; {}; {}", member(2), member(3)), "44000");
    intruder.run(PROVISIONER, &format!("{}; {ACCOUNT}; {}", people(1), member(2))).rows();
    intruder.refused(PROVISIONER, &people(1).replace("100", "200").replace("'p'", "'q'"), "44000");
    intruder.refused(PROVISIONER, &member(3), "44000");
    for control in ["is_first_member()", "claim_provision(what text)"] {
        intruder.weaken(&format!("create or replace function tenantdesk.{control} returns boolean language sql as 'select true'"));
    }
    intruder
        .run(
            PROVISIONER,
            &format!("{}; {}", people(5).replace("100", "300").replace("'p'", "'r'"), member(3)),
        )
        .rows();
    let other = creating();
    other.weaken("drop trigger provision_claims_have_a_tenant on tenantdesk.provision_claims");
    other.run(PROVISIONER, &people(1)).rows();
}

#[test]
fn one_person_also_where_people_carry_the_tenant_key() {
    let (desk, _) = Desk::foreign(STAFF[0], STAFF[1]);
    let login = desk.operator("support");
    let intruder = Intruder::with_login(desk, login, NEW, "provision", "write");
    let company = "insert into hr.companies (id, name, subdomain, state, billing_country, settings) overriding system value values (7, 'New', 'new', 'active', 'DE', '{}')";
    let staff = |count: u32| {
        format!(
            "insert into hr.staff (company_id, email, full_name, active) select 7, 'p' || n, 'P', true from generate_series(1, {count}) n"
        )
    };
    intruder.refused(PROVISIONER, &format!("{company}; {}", staff(2)), "42501");
    intruder.run(PROVISIONER, &format!("{company}; {}", staff(1))).rows();
    intruder.refused(PROVISIONER, &staff(1).replace("'p'", "'q'"), "42501");
    for control in ["is_first_member()", "claim_provision(what text)"] {
        intruder.weaken(&format!("create or replace function tenantdesk.{control} returns boolean language sql as 'select true'"));
    }
    intruder.run(PROVISIONER, &staff(5).replace("'p'", "'r'")).rows();
}

#[test]
fn ids_are_drawn_by_whoever_may_create_tenants_and_by_nobody_else() {
    let (desk, _) = Desk::foreign(RAILS[0], RAILS[1]);
    let draw = |login: &str| {
        desk.psql(login, "begin; set local role tenantdesk_operator; select tenantdesk.draw_tenant_id(); commit;")
    };
    assert_eq!(draw(&desk.operator("support")).rows(), "1");
    let viewer = desk.operator("viewer");
    assert_ne!(draw(&viewer).code, 0);
    assert_ne!(desk.psql("app_user", "select tenantdesk.draw_tenant_id()").code, 0);
    desk.rows(crate::harness::cluster::SUPERUSER, "create or replace function tenantdesk.require(level text, what text, manager boolean default false) returns void language sql as ''");
    assert_eq!(draw(&viewer).rows(), "2");
}
