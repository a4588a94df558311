//! The console in a real pseudo-terminal: whatever ends it, the terminal is as it was.
//!
//! The test binary runs itself as the child: `child` is the console over fixed answers.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;
use tenantdesk::failure::Failure;
use tenantdesk::tui::{Answer, Effect, Effects, Request, Start, Tell, run};

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

struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    before: String,
}

impl Session {
    /// Opens the console and waits for its first rows.
    fn open() -> Self {
        let program = std::env::current_exe().unwrap();
        Self::start(CommandBuilder::new(program))
    }

    /// The same below a shell, which could continue it.
    fn open_below_shell() -> Self {
        let mut shell = CommandBuilder::new("sh");
        let program = std::env::current_exe().unwrap();
        shell.args(["-c", "\"$0\" \"$@\"; exit 0", program.to_str().unwrap()]);
        Self::start(shell)
    }

    fn start(mut command: CommandBuilder) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        command.args(["--exact", "tui_terminal::child", "--nocapture", "--test-threads=1"]);
        command.env(CHILD, "1");
        // The trace would scroll the message of a panic away.
        command.env("RUST_BACKTRACE", "0");
        let before = modes(&*pty.master);
        let child = pty.slave.spawn_command(command).unwrap();
        let (mut reader, keys) =
            (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::default();
        let mut session = Self { child, master: pty.master, keys, output, screen, before };
        session.wait_for("Acme Corporation");
        session
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn read(&mut self) {
        if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
            self.screen.process(&bytes);
        }
    }

    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.screen.screen().contents().contains(text) {
            let contents = self.screen.screen().contents();
            assert!(Instant::now() < deadline, "`{text}` never came:\n{contents}");
            self.read();
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// Waits for the end; the terminal must be as it was.
    fn ended(mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            self.read();
        }
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
            self.screen.process(&bytes);
        }
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "still on the other screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(modes(&*self.master), self.before, "the modes of the line are others");
        screen.contents()
    }
}

fn kill(pid: u32, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The modes of the terminal line, as text to compare.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

#[test]
fn leaving_gives_the_terminal_back() {
    let mut session = Session::open();
    assert!(session.screen.screen().alternate_screen());
    assert_ne!(modes(&*session.master), session.before, "raw mode was never entered");
    session.press("\r");
    session.wait_for("ann@acme.example");
    session.press("qq");
    session.ended();
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let session = Session::open();
        session.signal(signal);
        session.ended();
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_printed() {
    let mut session = Session::open();
    session.press("2");
    assert!(session.ended().contains("a fault in the work"));
}

#[test]
fn another_size_is_drawn_at_once() {
    let mut session = Session::open();
    let size = PtySize { rows: 10, cols: 40, pixel_width: 0, pixel_height: 0 };
    session.screen.screen_mut().set_size(10_u16.try_into().unwrap(), 40_u16.try_into().unwrap());
    session.master.resize(size).unwrap();
    session.wait_for("40x10 is too small");
    session.press("q");
    session.ended();
}

#[test]
fn a_stopped_console_comes_back_with_its_screen() {
    let mut session = Session::open();
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
    let mut session = Session::open_below_shell();
    let children = format!("/proc/{pid}/task/{pid}/children", pid = session.pid());
    let console: u32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    session.press("\u{1a}");
    let deadline = Instant::now() + Duration::from_secs(20);
    let stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{console}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    while !stopped() || session.screen.screen().alternate_screen() {
        assert!(Instant::now() < deadline, "it does not stop, or keeps the screen");
        session.read();
    }
    assert_eq!(modes(&*session.master), session.before);
    kill(console, Signal::CONT);
    session.wait_for("Acme Corporation");
    session.press("q");
    session.ended();
}

#[test]
fn ctrl_z_without_a_shell_is_refused() {
    let mut session = Session::open();
    session.press("\u{1a}");
    session.wait_for("no shell");
    session.press("q");
    session.ended();
}
