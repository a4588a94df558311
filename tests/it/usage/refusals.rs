//! A breach of a plan is refused in the database, before it is there, by the SQLSTATE and the JSON
//! that applications rely on.

use serde_json::{Value, json};

use super::{Shop, TINY, add, id};
use crate::harness::cluster::{PsqlOutput, SUPERUSER};

/// Asserts a refusal and gives its JSON.
#[track_caller]
pub fn refused(output: &PsqlOutput) -> Value {
    assert_eq!(output.code, 3, "{output:?}");
    assert!(output.stderr.contains("ERROR:  PT402: the plan allows "), "{output:?}");
    let detail = output.stderr.lines().find_map(|line| line.strip_prefix("DETAIL:  "));
    serde_json::from_str(detail.expect("a detail")).expect("JSON")
}

#[tokio::test]
async fn the_write_over_a_limit_is_refused_for_every_metric() {
    let shop = Shop::with_tenants().await;
    for (metric, hard) in TINY {
        for _ in 0..if metric == "storage_bytes" { 1 } else { hard } {
            let step = if metric == "storage_bytes" { hard } else { 1 };
            shop.app(1, &add(1, metric, step)).rows();
        }
        assert_eq!(shop.counter(1, metric), hard.to_string());
        let said = refused(&shop.app(1, &add(1, metric, 1)));
        let wanted = json!({ "error": "PLAN_LIMIT_EXCEEDED", "metric": metric, "limit": hard, "nextUsage": hard + 1 });
        assert_eq!(said, wanted);
        assert_eq!(shop.counter(1, metric), hard.to_string());
        // The neighbour has a limit of its own.
        shop.app(2, &add(2, metric, 1)).rows();
    }
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_statement_of_many_rows_passes_or_fails_as_a_whole() {
    let shop = Shop::with_tenants().await;
    for (metric, hard) in TINY {
        let said = refused(&shop.app(1, &add(1, metric, hard + 7)));
        assert_eq!(said["nextUsage"], hard + 7);
        assert_eq!(shop.counter(1, metric), "");
        shop.app(1, &add(1, metric, hard)).rows();
        assert_eq!(shop.counter(1, metric), hard.to_string());
    }
    let copy =
        "copy app.ai_runs (tenant_id, model, purpose, input_tokens, output_tokens) from stdin;";
    let line = format!("{}\tm\tp\t1\t1\n", id(2));
    // Row level security lets only owners and superusers COPY.
    let load =
        |count: usize| shop.desk.psql(SUPERUSER, &format!("{copy}\n{}\\.\n", line.repeat(count)));
    refused(&load(5));
    load(4).rows();
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_change_of_state_or_size_counts_like_a_new_row() {
    let shop = Shop::with_tenants().await;
    shop.app(1, &add(1, "users", 2)).rows();
    let member = "(select user_id from app.tenant_memberships order by user_id limit 1)";
    let invite = add(1, "users", 1).replace("'active'", "'invited'");
    shop.app(1, &invite).rows();
    let accept = "update app.tenant_memberships set state = 'active' where state = 'invited'";
    assert_eq!(refused(&shop.app(1, accept))["metric"], "users");
    shop.app(
        1,
        &format!("update app.tenant_memberships set state = 'disabled' where user_id = {member}"),
    )
    .rows();
    shop.app(1, accept).rows();
    assert_eq!(shop.counter(1, "users"), "2");
    // What adds nothing is never refused, also not over the limit.
    shop.app(1, "update app.tenant_memberships set role = 'viewer'").rows();

    shop.app(1, &add(1, "storage_bytes", 600)).rows();
    shop.app(1, "update app.files set bytes = bytes + 400").rows();
    assert_eq!(refused(&shop.app(1, "update app.files set bytes = 1001"))["nextUsage"], 1001);
    shop.app(1, "update app.files set bytes = 10").rows();
    assert_eq!(shop.counter(1, "storage_bytes"), "10");
    assert_eq!(shop.drift(), "");
}

#[tokio::test]
async fn a_smaller_plan_refuses_more_and_lets_a_tenant_shrink() {
    let shop = Shop::open().await;
    shop.add_tenant(1, "acme", "starter");
    shop.app(1, &add(1, "projects", 10)).rows();
    shop.desk.rows(SUPERUSER, "update app.tenants set plan = 'tiny'");
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["nextUsage"], 11);
    shop.app(1, "delete from app.projects where id = (select id from app.projects limit 1)").rows();
    shop.app(1, "update app.projects set status = 'paused'").rows();
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["nextUsage"], 10);
    assert_eq!(shop.counter(1, "projects"), "9");
}

#[tokio::test]
async fn a_tenant_whose_plan_is_unknown_is_counted_and_never_refused() {
    let shop = Shop::open().await;
    shop.add_tenant(1, "acme", "bespoke");
    for (metric, hard) in TINY {
        shop.app(1, &add(1, metric, hard + 5)).rows();
        assert_eq!(shop.counter(1, metric), (hard + 5).to_string());
    }
}

#[tokio::test]
async fn an_override_holds_until_it_ends_and_only_for_its_tenant() {
    let shop = Shop::with_tenants().await;
    let admin = shop.desk.operator("admin");
    let raise = |hard: i64, until: &str| {
        format!(
            "select tenantdesk.limit_override('{}', 'projects', {hard}, {until}, 'migration week', null)",
            id(1)
        )
    };
    shop.rows(&admin, &raise(5, "now() + interval '1 hour'"));
    shop.app(1, &add(1, "projects", 5)).rows();
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["limit"], 5);
    assert_eq!(refused(&shop.app(2, &add(2, "projects", 4)))["limit"], 3);
    // Over: the plan holds again, and what is there stays.
    shop.desk.rows(
        SUPERUSER,
        "update tenantdesk.limit_overrides set until = now() - interval '1 second'",
    );
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["limit"], 3);
    shop.app(1, "update app.projects set status = 'done'").rows();
    // It can lower a limit as well, also to nothing.
    shop.rows(&admin, &raise(0, "now() + interval '1 hour'"));
    shop.app(1, "delete from app.projects").rows();
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["limit"], 0);

    let past = shop.ask(&admin, &raise(5, "now()"));
    assert!(past.stderr.contains("22023"), "{past:?}");
    let nobody = raise(5, "now() + interval '1 hour'").replace(&id(1), &id(9));
    let nothing = raise(5, "now() + interval '1 hour'").replace("projects", "x");
    for sql in [nobody, nothing] {
        assert!(shop.ask(&admin, &sql).stderr.contains("P0002"));
    }
    let recorded = shop.rows(&admin, "select tenant, object, outcome, actor = session_user from tenantdesk.ledger_events(null, null, 'limit', null, null, 10)");
    assert_eq!(recorded, format!("{0}|projects|ok|t\n{0}|projects|ok|t", id(1)));
}

#[tokio::test]
async fn a_restore_is_counted_and_never_refused() {
    let shop = Shop::with_tenants().await;
    let admin = shop.desk.operator("admin");
    let enter = |purpose: &str, token: &str| {
        format!(
            "begin; set local role tenantdesk_operator; select id from tenantdesk.open_session(sha256(convert_to('{token}', 'UTF8')), '{0}', '{purpose}', 'write', 'ticket 4711 asks', null, \
             {1}, interval '10 min', null); commit; begin; set local role {2}; select set_config('tenantdesk.session', '{token}', true), set_config('app.tenant_id', '{0}', true);",
            id(1),
            if purpose == "impersonate" {
                "(select id from tenantdesk.members('".to_owned() + &id(1) + "') limit 1)"
            } else {
                "null".to_owned()
            },
            if purpose == "impersonate" {
                "tenantdesk_inserter"
            } else {
                "tenantdesk_archive_inserter"
            },
        )
    };
    shop.app(1, &add(1, "users", 1)).rows();
    let many = add(1, "projects", 9);
    // The control: an operator who acts as a member has the limits of the tenant.
    let written = shop.desk.psql(&admin, &(enter("impersonate", "one") + &many + "; commit"));
    assert_eq!(refused(&written)["limit"], 3);
    shop.desk.psql(&admin, &(enter("restore", "two") + &many + "; commit")).rows();
    assert_eq!(shop.counter(1, "projects"), "9");
    assert_eq!(refused(&shop.app(1, &add(1, "projects", 1)))["nextUsage"], 10);
}
