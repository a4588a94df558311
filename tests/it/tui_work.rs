//! What runs long in the console: how far it is, and how it is cancelled, replaced or too late.

use tenantdesk::failure::{Failure, Kind};
use tenantdesk::identity::Mode;
use tenantdesk::progress::Event;
use tenantdesk::tui::{Effect, Message};

use crate::tui_flows::{console, impersonating};

#[test]
fn ctrl_c_cancels_the_statement_first_and_does_not_quit() {
    let mut console = impersonating(Mode::Read);
    console.hold = |effect| matches!(effect, Effect::RunSql { .. });
    console.press("eselect pg_sleep(9);<enter>");
    assert!(console.shows("running"));
    let running = console.held[0].no;
    console.press("<ctrl-c>");
    assert!(console.asked.contains(&Effect::Cancel(running)));
    assert!(!console.shows("quit?"));
    let failure = Failure::new(Kind::Interrupted, "the statement was cancelled");
    console.answer(running, Err(failure));
    assert!(console.shows("cancelled") && !console.shows("running: ctrl-c"));
    assert!(console.press("<ctrl-c>").shows("quit?"));
}

#[test]
fn ctrl_c_cancels_counts_and_pages_as_well() {
    let mut console = impersonating(Mode::Read);
    console.press("<enter>");
    console.hold = |effect| matches!(effect, Effect::CountRows { .. } | Effect::FetchPage { .. });
    console.press("c");
    let count = console.held[0].no;
    assert!(console.press("<ctrl-c>").shows("cancel the count"), "{}", console.text());
    assert!(console.asked.contains(&Effect::Cancel(count)));
    let failure = Failure::new(Kind::Interrupted, "the statement was cancelled");
    console.answer(count, Err(failure));
    console.press("]");
    let page = console.held[1].no;
    assert!(console.press("<ctrl-c>").shows("cancel the reading of the page"));
    assert!(console.asked.contains(&Effect::Cancel(page)) && !console.shows("quit?"));
}

#[test]
fn a_late_count_of_other_rows_is_dropped() {
    for change in ["/id = 7<enter>", "<tab>j<enter>"] {
        let mut console = impersonating(Mode::Read);
        console.press("<enter>");
        console.hold = |effect| matches!(effect, Effect::CountRows { .. });
        console.press("c").press(change);
        console.release();
        assert!(!console.shows("12,346"), "after `{change}`: {}", console.text());
        console.press("c");
        console.release();
        assert!(console.shows("12,346"), "{}", console.text());
    }
}

#[test]
fn an_export_asks_runs_beside_the_screens_and_can_be_cancelled() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::Export(_));
    console.press("xy");
    let no = console.held[0].no;
    // An export tells no total.
    let step = "app.tasks, relation 3 of 17".to_owned();
    for event in [
        Event::Planned { unit: "rows", total: None },
        Event::Entered { step },
        Event::Advanced { done: 50_000 },
    ] {
        console.send(Message::Progress { no, event });
    }
    assert!(console.press("2").shows("50,000 rows  export of acme: app.tasks, relation 3 of 17"));
    console.press("<ctrl-c>y");
    assert!(console.asked.contains(&Effect::Cancel(no)) && console.shows("stopping"));
    console.answer(no, Err(Failure::new(Kind::Interrupted, "cancelled; nothing was changed")));
    assert!(!console.shows("stopping") && console.shows("nothing was changed"));
}

#[test]
fn a_verification_tells_how_far_it_is() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::VerifyArchive(_));
    console.press("3v");
    let no = console.held[0].no;
    for event in [
        Event::Planned { unit: "bytes", total: Some(200 << 20) },
        Event::Advanced { done: 50 << 20 },
    ] {
        console.send(Message::Progress { no, event });
    }
    assert!(console.shows("25% of 200 MiB  verifying acme-"), "{}", console.text());
    // Looking into an archive is no operation: it takes a moment only.
    console.press("<enter>");
    assert!(console.shows("as it says itself"), "{}", console.text());
}

#[test]
fn a_plan_that_is_replaced_is_cancelled() {
    let mut console = console();
    console.hold = |effect| matches!(effect, Effect::PlanRestore { .. });
    console.press("3R<enter>");
    let first = console.held[0].no;
    console.press("<esc>R<enter>");
    let plans = console.asked.iter().position(|effect| *effect == Effect::Cancel(first));
    assert_eq!(plans, Some(console.asked.len() - 2), "not cancelled before the new one");
}

#[test]
fn a_restore_needs_the_slug_and_a_reason() {
    let mut console = console();
    console.press("3R<enter>ashort<enter>acme<enter>");
    assert_eq!(console.count(|effect| matches!(effect, Effect::Restore { .. })), 0);
    console.press(" of rows, ticket 9<enter><enter>");
    let Some(Effect::Restore { plan, confirm, reason }) = console.asked.last() else {
        panic!("not restored")
    };
    assert_eq!((*plan, confirm.as_str()), (3, "acme"));
    assert_eq!(reason.as_str(), "short of rows, ticket 9");
    assert!(console.shows("verified by digest"));
    assert!(console.press("a").shows("used up"));
}
