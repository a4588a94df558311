//! The ledger: one chain per tenant and installation, tamper-evident, without forks.

use tenantdesk::audit::{Event, EventFilter};
use tenantdesk::identity::TenantId;
use tenantdesk::progress::Progress;
use tenantdesk::tenant::trail;

use crate::attack_intruder::{as_operator, open_call, sqlstate};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT, Desk};

/// Opens and ends a session by hand, which writes two events into the tenant's chain.
fn visit(desk: &Desk, operator: &str, tenant: &str) {
    desk.rows(operator, &format!(
        "begin; set local role tenantdesk_operator; select id from tenantdesk.open_session(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), '{tenant}', \
           'impersonate', 'read', 'ticket 4711 asks', null, (select id from tenantdesk.members('{tenant}') limit 1), interval '15 min', null) \\gset\ncommit; \
         begin; set local role tenantdesk_operator; select tenantdesk.end_session(:id, 'done'); commit;"
    ));
}

/// The verdicts, as (ok, fault).
async fn verdict(desk: &Desk, tenant: &str) -> (bool, Option<String>) {
    let approver = desk.console_of("approver").await;
    let id = TenantId::from_database(tenant);
    let verified = trail::verify(&approver, Some(&id), &Progress::silent()).await.unwrap();
    let chain = verified.chains.into_iter().next().expect("a chain");
    (chain.ok, chain.fault)
}

/// Changes the ledger as only a superuser can: triggers off.
fn tamper(desk: &Desk, sql: &str) {
    desk.rows(SUPERUSER, &format!("set session_replication_role = replica; {sql}"));
}

/// What a tenant's own application is told, and what it tells.
#[test]
fn a_tenant_reads_its_own_trail_and_adds_events_that_are_marked_as_claimed() {
    let desk = Desk::product();
    let (ann, bob) = (desk.operator("support"), desk.operator("support"));
    for (operator, tenant) in [(&ann, ACME), (&bob, BOLT), (&bob, ACME)] {
        let token = format!("{operator}{tenant}");
        let open = open_call(&token, tenant, "impersonate", "read");
        let end = "select 1 from tenantdesk.end_session((select max(id) from tenantdesk.sessions()), null)";
        desk.rows(operator, &as_operator(&format!("select 1 from {open}")));
        desk.rows(operator, &as_operator(end));
    }
    let as_tenant = |tenant: &str, sql: &str| {
        format!(
            "begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{tenant}', true);\n\\o\n{sql}; commit"
        )
    };
    let trail = "select operator, action, object, outcome, reason from tenantdesk.tenant_audit()";
    let acme = desk.rows("app_user", &as_tenant(ACME, trail));
    let lines: Vec<Vec<&str>> = acme.lines().map(|line| line.split('|').collect()).collect();
    assert_eq!(lines.len(), 4, "{acme}");
    assert_eq!(lines[1][1..], ["impersonate.start", "impersonate/read", "ok", "ticket 4711 asks"]);
    // The same person has the same label, two have two, and none has a name.
    assert_eq!(lines[0][0], lines[1][0]);
    assert_ne!(lines[0][0], lines[2][0]);
    assert!(!acme.contains(&ann) && !acme.contains(&bob), "{acme}");
    let bolt = desk.rows("app_user", &as_tenant(BOLT, trail));
    assert_eq!(bolt.lines().count(), 2);
    // In another tenant the same person has another label.
    assert!(!bolt.contains(lines[0][0]), "{bolt}");
    for nobody in ["", "no uuid", "cccccccc-0000-0000-0000-000000000009"] {
        assert_eq!(desk.rows("app_user", &as_tenant(nobody, trail)), "");
    }
    let tell = "select tenantdesk.audit_event('invoice.sent', 'ann@acme.test', '{\"number\": 7}')";
    desk.rows("app_user", &as_tenant(ACME, tell));
    assert_eq!(desk.rows("app_user", &as_tenant(ACME, trail)).lines().count(), 4);
    let told = "select l.chain, l.actor, l.action, l.attested, d.body::jsonb ->> 'actor' from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) where l.attested = 'claimed'";
    assert_eq!(
        desk.rows(SUPERUSER, told),
        format!("tenant:{ACME}|app_user|application.invoice.sent|claimed|ann@acme.test")
    );
    for (tenant, event, state) in [
        ("", tell.to_owned(), "22004"),
        (ACME, tell.replace("invoice.sent", "Invoice sent"), "22023"),
        (ACME, tell.replace("'{\"number\": 7}'", "to_jsonb(repeat('x', 9000))"), "22023"),
    ] {
        assert_eq!(sqlstate(&desk.psql("app_user", &as_tenant(tenant, &event))), state, "{event}");
    }
    let forged = desk.psql(&ann, &as_operator(tell));
    assert_eq!(sqlstate(&forged), "42501");
}

#[tokio::test]
async fn a_whole_chain_verifies_whatever_the_settings_of_the_writer() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    desk.rows(&operator, "alter role current_user set timezone = 'Asia/Kolkata'; alter role current_user set datestyle = 'German'; alter role current_user set bytea_output = 'escape'");
    for _ in 0..3 {
        visit(&desk, &operator, ACME);
    }
    assert_eq!(verdict(&desk, ACME).await, (true, None));
}

#[tokio::test]
async fn every_kind_of_tampering_is_named_with_its_first_event() {
    for (sql, fault) in [
        (
            "update tenantdesk.ledger set actor = 'nobody' where chain = 'tenant:{t}' and seq = 2",
            "event 2: its fields were changed",
        ),
        (
            "delete from tenantdesk.ledger_details where chain = 'tenant:{t}'; delete from tenantdesk.ledger where chain = 'tenant:{t}' and seq = 3",
            "event 4: an event is missing or out of order",
        ),
        (
            "update tenantdesk.ledger_details set body = '{}' where chain = 'tenant:{t}' and seq = 1",
            "event 1: its detail was changed",
        ),
        (
            "delete from tenantdesk.ledger where chain = 'tenant:{t}' and seq = 6",
            "event 6: the chain is shorter than its head",
        ),
        (
            "update tenantdesk.chains set system = 'elsewhere' where chain = 'tenant:{t}'",
            "it began in another database (elsewhere): this one is a copy or was restored",
        ),
    ] {
        let desk = Desk::product();
        let operator = desk.operator("support");
        for _ in 0..3 {
            visit(&desk, &operator, ACME);
        }
        assert_eq!(verdict(&desk, ACME).await, (true, None));
        tamper(&desk, &sql.replace("{t}", ACME));
        assert_eq!(verdict(&desk, ACME).await, (false, Some(fault.to_owned())), "{sql}");
    }
}

#[tokio::test]
async fn erased_details_leave_the_chain_whole() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    visit(&desk, &operator, ACME);
    tamper(&desk, &format!("delete from tenantdesk.ledger_details where chain = 'tenant:{ACME}'"));
    assert_eq!(verdict(&desk, ACME).await, (true, None));
}

#[tokio::test]
async fn nobody_changes_the_ledger_not_even_its_owner() {
    let desk = Desk::product();
    let operator = desk.operator("admin");
    visit(&desk, &operator, ACME);
    for login in [operator.as_str(), "app_owner", "app_user", SUPERUSER] {
        for sql in [
            "update tenantdesk.ledger set actor = 'x'",
            "delete from tenantdesk.ledger",
            "truncate tenantdesk.ledger cascade",
            "delete from tenantdesk.chains",
        ] {
            let refused = desk.psql(login, sql);
            assert_ne!(refused.code, 0, "{login}: {sql}");
        }
    }
}

#[tokio::test]
async fn eight_writers_on_one_chain_make_no_fork_and_no_gap() {
    let desk = Desk::product();
    let operators: Vec<String> = (0..8).map(|_| desk.operator("support")).collect();
    std::thread::scope(|scope| {
        for operator in &operators {
            scope.spawn(|| {
                for _ in 0..5 {
                    visit(&desk, operator, ACME);
                }
            });
        }
    });
    assert_eq!(verdict(&desk, ACME).await, (true, None));
    let counts = desk.rows(SUPERUSER, &format!("select count(*), max(seq), count(distinct prev) from tenantdesk.ledger where chain = 'tenant:{ACME}'"));
    assert_eq!(counts, "80|80|80");
}

#[tokio::test]
async fn pages_skip_and_repeat_no_event_of_one_moment() {
    let desk = Desk::product();
    let ann = desk.operator("support");
    for tenant in [ACME, BOLT, ACME, BOLT] {
        visit(&desk, &ann, tenant);
    }
    tamper(
        &desk,
        "update tenantdesk.ledger set at = '2026-11-21T12:00:00Z' where chain <> 'installation'",
    );
    let console = desk.console(&desk.operator("approver")).await;
    let all = EventFilter { limit: 100, ..EventFilter::default() };
    let whole: Vec<_> =
        trail::list(&console, &all).await.unwrap().iter().map(Event::place).collect();
    let mut filter = EventFilter { limit: 3, ..EventFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = trail::page(&console, &filter).await.unwrap();
        seen.extend(page.events.iter().map(Event::place));
        if !page.truncated {
            break;
        }
        filter.before = seen.last().cloned();
    }
    assert!(whole.len() >= 8 && seen == whole, "{seen:?}");
}

#[tokio::test]
async fn each_level_reads_what_it_may() {
    let desk = Desk::product();
    let (ann, bob) = (desk.operator("support"), desk.operator("support"));
    visit(&desk, &ann, ACME);
    visit(&desk, &bob, BOLT);
    let seen = async |login: &str| {
        let console = desk.console(login).await;
        let filter = EventFilter { limit: 100, ..EventFilter::default() };
        let mut tenants: Vec<String> = trail::list(&console, &filter)
            .await
            .unwrap()
            .into_iter()
            .filter_map(|e| e.tenant)
            .collect();
        tenants.sort();
        tenants.dedup();
        tenants
    };
    assert_eq!(seen(&ann).await, [ACME]);
    assert_eq!(seen(&bob).await, [BOLT]);
    assert_eq!(seen(&desk.operator("viewer")).await, Vec::<String>::new());
    assert_eq!(seen(&desk.operator("approver")).await, [ACME, BOLT]);
    let support = desk.console(&ann).await;
    assert!(trail::verify(&support, None, &Progress::silent()).await.is_err());
}
