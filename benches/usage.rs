//! Usage of 10,000 tenants: one pass for each metric, beside the same aggregate as a superuser.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::time::{Duration, Instant};

use stage::{Results, SUPERUSER, Stage, median, middle, size, timed};
use tenantdesk::console::Console;
use tenantdesk::postgres::connect;
use tenantdesk::tenant::directory;
use tenantdesk::usage::report;

/// What a product would ask by hand.
const PLAIN: [(&str, &str); 4] = [
    (
        "ai_runs",
        "select tenant_id, count(*) from app.ai_runs where created_at >= date_trunc('month', now()) and created_at < date_trunc('month', now()) + interval '1 month' group by 1",
    ),
    ("projects", "select tenant_id, count(*) from app.projects group by 1"),
    ("storage_bytes", "select tenant_id, sum(bytes) from app.files group by 1"),
    (
        "users",
        "select tenant_id, count(*) from app.tenant_memberships where state = 'active' group by 1",
    ),
];

fn main() {
    let (tenants, rows) =
        (size("TENANTDESK_BENCH_TENANTS", 10_000), size("TENANTDESK_BENCH_ROWS", 1_000_000));
    let stage = Stage::filled(tenants, rows);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut results = Results::default();
    let login =
        stage.psql(SUPERUSER, "select name from tenantdesk.operators where level = 'admin'");
    runtime.block_on(async {
        let console = Console::connect(stage.endpoint(&login)).await.unwrap();
        let operator = connect(&stage.endpoint(&login), "bench").await.unwrap();
        let plain = connect(&stage.endpoint(SUPERUSER), "bench").await.unwrap();
        operator.client().batch_execute("set role tenantdesk_operator").await.unwrap();
        for (metric, by_hand) in PLAIN {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..5 {
                let clock = Instant::now();
                operator
                    .client()
                    .query("select tenant, used from tenantdesk.measure($1)", &[&metric])
                    .await
                    .unwrap();
                ours.push(clock.elapsed());
                let clock = Instant::now();
                plain.client().query(by_hand, &[]).await.unwrap();
                theirs.push(clock.elapsed());
            }
            let reference = ("GROUP BY as superuser", middle(&mut theirs));
            results.beside(
                &format!("measure(`{metric}`)"),
                middle(&mut ours),
                reference,
                f64::INFINITY,
            );
        }
        let mut whole = Vec::new();
        for _ in 0..5 {
            let clock = Instant::now();
            assert_eq!(report::overview(&console).await.unwrap().len() as u64, tenants);
            whole.push(clock.elapsed());
        }
        let what = format!("overview of {tenants} tenants, {rows} rows");
        results.within(&what, middle(&mut whole), Some(Duration::from_secs(1)));
        let acme = directory::resolve(&console, "acme").await.unwrap();
        let mut one = Vec::new();
        for _ in 0..20 {
            let clock = Instant::now();
            report::of_tenant(&console, &acme).await.unwrap();
            one.push(clock.elapsed());
        }
        results.within("usage of the largest tenant alone", middle(&mut one), None);
    });
    let program = median(5, || timed(|| stage.run(&["usage", "--json"])));
    results.within("`usage --json`, the whole program", program, None);
    results.print();
}
