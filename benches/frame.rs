//! From a key to the frame with 100,000 tenants in the list, on a terminal that is only memory; and
//! how much memory the list takes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::time::Duration;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use stage::{Results, high_water, median, timed};
use tenantdesk::identity::{Level, OperatorName, TenantId};
use tenantdesk::tui::facts::{Greeting, TenantFacts, TenantState, TenantTable};
use tenantdesk::tui::{Answer, Effect, Message, Start, State, update, view};

const TENANTS: u32 = 100_000;
const BUDGET: Option<Duration> = Some(Duration::from_millis(16));

fn tenants(now: DateTime<Utc>) -> TenantTable {
    let tenant = |n: u32| {
        let slug = format!("tenant-{:05}", n.wrapping_mul(7919) % TENANTS);
        TenantFacts {
            id: TenantId::from_database(format!("00000000-0000-4000-8000-{n:012}")),
            name: format!("Tenant {n} 株式会社").into(),
            plan: ["starter", "growth", "enterprise"][n as usize % 3].into(),
            status: "active".into(),
            state: TenantState::Active,
            domain: format!("{slug}.example.com").into(),
            created_at: Some(now),
            slug: slug.into(),
        }
    };
    (0..TENANTS).map(tenant).collect()
}

/// The answer to what the console asks at its start.
fn answer(effect: &Effect, now: DateTime<Utc>) -> Option<Answer> {
    match effect {
        Effect::Greet => Some(Answer::Greeting(Greeting {
            operator: OperatorName::from_database("ada"),
            level: Level::Admin,
            shared: false,
            manager: false,
            profile: "embedded".into(),
            warnings: Vec::new(),
            has_people: true,
        })),
        Effect::ListTenants => Some(Answer::Tenants(tenants(now))),
        _ => None,
    }
}

fn main() {
    let now = tenantdesk::clock::now();
    let mut results = Results::default();
    for size in [(80, 24), (200, 60)] {
        let label = format!("{}x{}", size.0, size.1);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let first = timed(|| {
            let (state, _) = State::open(Start::default(), size, now);
            terminal.draw(|frame| view(&state, frame)).unwrap();
        });
        results.within(
            &format!("first frame, before any answer, {label}"),
            first,
            Some(Duration::from_millis(100)),
        );
        let (mut state, requests) = State::open(Start::default(), size, now);
        for request in requests {
            let Some(answer) = answer(&request.effect, now) else { continue };
            let _more = update(&mut state, Message::Answer { no: request.no, result: Ok(answer) });
        }
        let mut press = |code: KeyCode| {
            timed(|| {
                let _requests =
                    update(&mut state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
                terminal.draw(|frame| view(&state, frame)).unwrap();
            })
        };
        let mut keys = |what: &str, codes: &[KeyCode], runs: usize| {
            let mut turn = codes.iter().cycle();
            let took = median(runs, || press(*turn.next().unwrap()));
            results.within(&format!("{what}, {label}"), took, BUDGET);
        };
        keys("down", &[KeyCode::Down], 200);
        keys("page down", &[KeyCode::PageDown], 200);
        keys("last and first", &[KeyCode::End, KeyCode::Home], 50);
        keys("sort by the next column", &[KeyCode::Char('s')], 12);
        keys("reverse the order", &[KeyCode::Char('S')], 12);
        keys("begin a filter", &[KeyCode::Char('/')], 1);
        keys("a letter of the filter", &[KeyCode::Char('9')], 1);
        keys("a second letter", &[KeyCode::Char('1')], 1);
        keys("a letter taken back", &[KeyCode::Backspace], 1);
    }
    results.memory(
        "memory of the console with 100,000 tenants",
        high_water("/proc/self/status"),
        60 << 20,
    );
    results.print();
}
