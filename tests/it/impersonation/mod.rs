//! Impersonation against a real server: reading, writing, the record, every way it ends.

/// What the application's policies and triggers see of the member and the operator.
mod acting;
/// The data browser.
mod browsing;
/// How it ends: from elsewhere, by time, by the tripwire.
mod ending;
/// References, to parents and children.
mod following;
/// What rows look like, what is cut, what is refused.
mod reading;
/// What the ledger says.
mod recording;
/// Who may start, as whom.
mod starting;
/// Live control, from elsewhere.
mod watching;
/// Changes, and whole scripts.
mod writing;

use std::time::{Duration, Instant};

use tenantdesk::console::Console;
use tenantdesk::failure::Failure;
use tenantdesk::identity::Mode;
use tenantdesk::impersonation::{
    Ask, Impersonation, ImpersonationError, Outcome, StartImpersonation, open, prepare,
};

use crate::harness::desk::Desk;

/// A gate for a login.
async fn console(desk: &Desk, user: &str) -> Console {
    Console::connect(desk.endpoint(user)).await.unwrap()
}

/// Acting as the first member of acme in the product.
fn request(mode: Mode) -> StartImpersonation {
    StartImpersonation {
        tenant: "acme".into(),
        member: Some("user3@acme.test".into()),
        mode,
        reason: "ticket 4711 asks".parse().unwrap(),
        ticket: Some("T-4711".into()),
        duration: None,
    }
}

/// Prepares and opens.
async fn try_start(
    console: &Console,
    request: StartImpersonation,
) -> Result<Impersonation, Failure> {
    open(console, prepare(console, request).await?).await
}

/// A read session of a fresh support operator.
async fn reader(desk: &Desk) -> Impersonation {
    let console = console(desk, &desk.operator("support")).await;
    try_start(&console, request(Mode::Read)).await.unwrap()
}

/// A write session of a fresh admin.
async fn writer(desk: &Desk) -> Impersonation {
    let console = console(desk, &desk.operator("admin")).await;
    try_start(&console, request(Mode::Write)).await.unwrap()
}

/// Runs a statement with the usual limits.
async fn run(impersonation: &Impersonation, sql: &str) -> Result<Outcome, ImpersonationError> {
    impersonation.run(&Ask::new(sql)).await
}

/// The cells as text; `∅` is NULL.
fn cells(outcome: &Outcome) -> Vec<Vec<String>> {
    let text = |cell: &Option<tenantdesk::text::Untrusted>| {
        cell.as_ref().map_or_else(|| "∅".to_owned(), |cell| cell.raw().to_owned())
    };
    outcome.rows.rows.iter().map(|row| row.iter().map(text).collect()).collect()
}

/// The first cell.
fn first(outcome: &Outcome) -> String {
    cells(outcome)[0][0].clone()
}

/// Looks again and again until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
