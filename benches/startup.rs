//! Start-up: the version, the list of tenants on a running, a stopped and an absent server.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::process::Command;
use std::time::Duration;

use stage::{PROGRAM, Results, Stage, median, timed};

const MILLIS: fn(u64) -> Option<Duration> = |millis| Some(Duration::from_millis(millis));

fn main() {
    let mut results = Results::default();
    let version = median(50, || timed(|| Command::new(PROGRAM).arg("--version").output().unwrap()));
    results.within("`--version`", version, MILLIS(15));

    let first = median(3, || {
        let empty = Stage::open();
        timed(|| empty.run(&["tenant", "list"]))
    });
    results.within("first start ever: server, schema, guard, list", first, MILLIS(3000));

    let stage = Stage::filled(200, 20_000);
    let running = median(20, || timed(|| stage.run(&["tenant", "list"])));
    results.within("`tenant list` on a running server, 200 tenants", running, None);
    stage.run(&["server", "stop"]);
    // Each run starts the server and, as the last one out, stops it: what a user waits for is the part before.
    let whole = median(5, || timed(|| stage.run(&["tenant", "list"])));
    let stop = median(5, || {
        stage.run(&["server", "start"]);
        timed(|| stage.run(&["server", "stop"]))
    });
    results.within("next start, list, and stop again", whole, None);
    let list = whole.saturating_sub(stop);
    results.within("next start to a filled list (without the stop)", list, MILLIS(500));
    results.print();
}
