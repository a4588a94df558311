//! What the guard costs: the application with and without it, an operator's transaction beside the
//! application's own, opening an impersonation, a recorded statement. Both sides take turns, so
//! that a busy machine is busy for both.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::time::{Duration, Instant};

use stage::{Results, SUPERUSER, Stage, middle};
use tenantdesk::console::Console;
use tenantdesk::identity::{Mode, TenantId};
use tenantdesk::impersonation::{self, Ask, PageAsk, StartImpersonation};
use tenantdesk::isolation::map::RelationMap;
use tenantdesk::postgres::{Endpoint, Isolation, Link, Sql, connect};
use tenantdesk::tenant::session::{self, OpenSession, SessionRole};

/// How often each pair is tried.
const ROUNDS: usize = 400;
const TENANT: &str = "00000001-0000-0000-0000-000000000000";
const READ: &str = "select * from app.projects order by id limit 50";
const STARTER: [&str; 5] = [
    include_str!("../assets/starter/1_tables.sql"),
    include_str!("../assets/starter/2_policies.sql"),
    include_str!("../assets/starter/3_functions.sql"),
    include_str!("../assets/starter/4_grants.sql"),
    include_str!("../assets/starter/5_countries.sql"),
];

fn main() {
    let stage = Stage::open();
    stage.run(&["server", "start"]);
    stage.run(&["tenant", "list"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut results = Results::default();
    runtime.block_on(async {
        let bare = prepare(&stage).await;
        let app = link(&stage.endpoint("app_user")).await;
        let unguarded = link(&bare.for_user("app_user")).await;
        application(&app, &unguarded, &mut results).await;
        operator(&stage, &app, &mut results).await;
    });
    results.print();
}

async fn link(endpoint: &Endpoint) -> Link {
    connect(endpoint, "bench").await.unwrap()
}

async fn run(link: &Link, sql: &str) {
    link.client().batch_execute(sql).await.unwrap();
}

/// The same rows in the guarded database and in one that has the starter schema alone.
async fn prepare(stage: &Stage) -> Endpoint {
    let superuser = stage.endpoint(SUPERUSER);
    let guarded = link(&superuser).await;
    run(&guarded, "create database bare owner app_owner").await;
    let mut bare = superuser;
    "bare".clone_into(&mut bare.database);
    let owner = link(&bare.for_user("app_owner")).await;
    for sql in STARTER {
        run(&owner, sql).await;
    }
    let unguarded = link(&bare).await;
    for link in [&guarded, &unguarded] {
        run(link, &format!("insert into app.tenants (id, slug, name, plan, subdomain) values ('{TENANT}', 'acme', 'Acme', 'enterprise', 'acme');
            insert into app.workspaces (tenant_id, id, slug, name) values ('{TENANT}', '{TENANT}', 'main', 'Main');
            insert into app.app_users (id, email, name, password_hash) values ('{TENANT}', 'ada@example.test', 'Ada', '$argon2id$v=19$m=1,t=1,p=1$abcd$abcd');
            insert into app.tenant_memberships (tenant_id, user_id, role, state) values ('{TENANT}', '{TENANT}', 'owner', 'active');
            insert into app.projects (tenant_id, workspace_id, name) select '{TENANT}', '{TENANT}', 'project ' || n from generate_series(1, 1000) n;
            analyze app.projects")).await;
    }
    bare
}

/// One transaction as an application does it.
async fn transaction(link: &Link, sql: &str) -> Duration {
    let clock = Instant::now();
    run(link, &format!("begin; select set_config('app.tenant_id', '{TENANT}', true)")).await;
    link.client().query(sql, &[]).await.unwrap();
    run(link, "commit").await;
    clock.elapsed()
}

/// What the application pays: nothing for reading, the counters for writing what is counted.
async fn application(guarded: &Link, bare: &Link, results: &mut Results) {
    let write = format!(
        "insert into app.projects (tenant_id, workspace_id, name) values ('{TENANT}', '{TENANT}', gen_random_uuid()::text)"
    );
    let uncounted =
        format!("insert into app.accounts (tenant_id, name) values ('{TENANT}', 'Account')");
    let many = format!(
        "insert into app.projects (tenant_id, workspace_id, name) select '{TENANT}', '{TENANT}', gen_random_uuid()::text from generate_series(1, 1000)"
    );
    for (what, sql, rounds) in [
        ("application reads 50 rows", READ, ROUNDS),
        ("application inserts a row that is not counted", uncounted.as_str(), ROUNDS),
        ("application inserts a row under a plan limit", write.as_str(), ROUNDS),
        ("application inserts 1,000 rows under a plan limit", many.as_str(), 20),
    ] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Whoever comes second finds a warm processor: they take turns at that as well.
            if round % 2 == 0 {
                without.push(transaction(bare, sql).await);
                with.push(transaction(guarded, sql).await);
            } else {
                with.push(transaction(guarded, sql).await);
                without.push(transaction(bare, sql).await);
            }
        }
        results.beside(
            what,
            middle(&mut with),
            ("without guard", middle(&mut without)),
            f64::INFINITY,
        );
    }
}

/// What an operator pays beside the application's own transaction.
async fn operator(stage: &Stage, app: &Link, results: &mut Results) {
    let map = RelationMap::from_toml(include_str!("../assets/starter/map.toml")).unwrap();
    let login =
        stage.psql(SUPERUSER, "select name from tenantdesk.operators where level = 'admin'");
    let console = Console::connect(stage.endpoint(&login)).await.unwrap();
    let request = || StartImpersonation {
        tenant: "acme".to_owned(),
        member: Some("ada@example.test".to_owned()),
        mode: Mode::Read,
        reason: "measuring the guard".parse().unwrap(),
        ticket: None,
        duration: None,
    };
    let mut opening = Vec::new();
    for _ in 0..20 {
        let clock = Instant::now();
        let plan = impersonation::prepare(&console, request()).await.unwrap();
        let session = impersonation::open(&console, plan).await.unwrap();
        session.page(&PageAsk::new("app.projects", 50)).await.unwrap();
        opening.push(clock.elapsed());
        session.end("operator").await.unwrap();
    }
    results.within(
        "impersonation: asked to first 50 rows",
        middle(&mut opening),
        Some(Duration::from_millis(50)),
    );

    let ask = OpenSession::impersonate(
        TenantId::from_database(TENANT),
        Some(TENANT.to_owned()),
        Mode::Read,
        "measuring the guard".parse().unwrap(),
        None,
        chrono::TimeDelta::minutes(15),
    );
    let session = session::open(&console, &map, ask).await.unwrap();
    let read = Sql::new(READ);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(transaction(app, READ).await);
        let clock = Instant::now();
        let transaction =
            session.transaction(SessionRole::Reader, Isolation::ReadOnly).await.unwrap();
        transaction.query(&read, &[]).await.unwrap();
        transaction.commit().await.unwrap();
        ours.push(clock.elapsed());
    }
    results.beside(
        "operator reads 50 rows in a transaction",
        middle(&mut ours),
        ("application", middle(&mut theirs)),
        f64::INFINITY,
    );
    session.end("operator").await.unwrap();
    statement(stage, &console, request(), app, results).await;
}

/// A recorded statement: plain time, two durable commits of this server, and at most 0.3 ms.
async fn statement(
    stage: &Stage,
    console: &Console,
    request: StartImpersonation,
    app: &Link,
    results: &mut Results,
) {
    let superuser = link(&stage.endpoint(SUPERUSER)).await;
    run(&superuser, "create table public.durable (n integer)").await;
    let plan = impersonation::prepare(console, request).await.unwrap();
    let session = impersonation::open(console, plan).await.unwrap();
    let ask = Ask::new(READ);
    let (mut recorded, mut bare, mut durable) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(transaction(app, READ).await);
        let clock = Instant::now();
        run(&superuser, "insert into public.durable values (1)").await;
        durable.push(clock.elapsed());
        let clock = Instant::now();
        session.run(&ask).await.unwrap();
        recorded.push(clock.elapsed());
    }
    session.end("operator").await.unwrap();
    let (recorded, bare, durable) =
        (middle(&mut recorded), middle(&mut bare), middle(&mut durable));
    let surplus = recorded.saturating_sub(bare + 2 * durable);
    results.within("a durable commit of this server", durable, None);
    results.beside(
        "a recorded statement",
        recorded,
        ("bare and two commits", bare + 2 * durable),
        f64::INFINITY,
    );
    results.within("its surplus", surplus, Some(Duration::from_micros(300)));
}
