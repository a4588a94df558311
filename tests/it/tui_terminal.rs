//! The console in a real pseudo-terminal: whatever ends it, the terminal is as it was.
//!
//! The test binary runs itself as the child: `child` is the console over fixed answers.

use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use tenantdesk::failure::Failure;
use tenantdesk::tui::{Answer, Effect, Effects, Request, Start, Tell, run};

use crate::harness::pty::{Pty, kill};
use crate::harness::terminal::Fixtures;

/// Set for the child only.
const CHILD: &str = "TENANTDESK_TEST_CONSOLE";

#[derive(Clone)]
struct Fixed;

impl Effects for Fixed {
    async fn run(&self, request: Request, _tell: Tell) -> Result<Answer, Failure> {
        assert!(request.effect != Effect::ListUsage, "a fault in the work");
        Fixtures::default().answer(&request.effect).unwrap()
    }
}

/// The child: does nothing when the whole suite runs.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(run(Fixed, Start::default())).unwrap();
    }
}

/// Opens the console and waits for its first rows.
fn open() -> Pty {
    let program = std::env::current_exe().unwrap();
    start(CommandBuilder::new(program))
}

/// The same below a shell, which could continue it.
fn open_below_shell() -> Pty {
    let mut shell = CommandBuilder::new("sh");
    let program = std::env::current_exe().unwrap();
    shell.args(["-c", "\"$0\" \"$@\"; exit 0", program.to_str().unwrap()]);
    start(shell)
}

fn start(mut command: CommandBuilder) -> Pty {
    command.args(["--exact", "tui_terminal::child", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1");
    // The trace would scroll the message of a panic away.
    command.env("RUST_BACKTRACE", "0");
    let mut session = Pty::start(command, (80, 24));
    session.wait_for("Acme Corporation");
    session
}

#[test]
fn leaving_gives_the_terminal_back() {
    let mut session = open();
    assert!(session.screen().alternate_screen());
    assert!(session.is_changed(), "raw mode was never entered");
    session.press("\r");
    session.wait_for("ann@acme.example");
    session.press("qq");
    session.ended();
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let session = open();
        session.signal(signal);
        session.ended();
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_printed_and_is_a_failure() {
    let mut session = open();
    session.press("2");
    let told = session.ended();
    assert!(told.contains("a fault in the work"), "{told}");
    assert!(told.contains("a fault of this program ended the console"), "{told}");
}

#[test]
fn another_size_is_drawn_at_once() {
    let mut session = open();
    session.resize((40, 10));
    session.wait_for("40x10 is too small");
    session.press("q");
    session.ended();
}

#[test]
fn another_screen_or_overlay_wipes_away_what_the_terminal_misplaced() {
    let mut session = open();
    session.smudge((40, 20), "stray");
    assert!(session.text().contains("stray"));
    session.press("?").wait_for("help: Tenants");
    assert!(!session.text().contains("stray"), "{}", session.text());
    session.smudge((40, 20), "stray");
    session.press("q").wait_gone("help: Tenants").wait_gone("stray");
    session.smudge((70, 12), "stray");
    session.press("\r").wait_for("ann@acme.example").wait_gone("stray");
    session.press("qq");
    session.ended();
}

#[test]
fn a_stopped_console_comes_back_with_its_screen() {
    let mut session = open();
    session.signal(Signal::STOP);
    session.signal(Signal::CONT);
    session.press("?");
    session.wait_for("help: Tenants");
    session.press("qq");
    session.ended();
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_continuing_takes_it_again() {
    let mut session = open_below_shell();
    let children = format!("/proc/{pid}/task/{pid}/children", pid = session.pid());
    let console: u32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    session.press("\u{1a}");
    let deadline = Instant::now() + Duration::from_secs(20);
    let stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{console}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    while !stopped() || session.screen().alternate_screen() {
        assert!(Instant::now() < deadline, "it does not stop, or keeps the screen");
        session.read();
    }
    assert!(!session.is_changed());
    kill(console, Signal::CONT);
    session.wait_for("Acme Corporation");
    session.press("q");
    session.ended();
}

#[test]
fn ctrl_z_without_a_shell_is_refused() {
    let mut session = open();
    session.press("\u{1a}");
    session.wait_for("no shell");
    session.press("q");
    session.ended();
}
