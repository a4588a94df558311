//! A program in a pseudo-terminal of its own: keys in, the screen out, and the line as it was.
//!
//! Every wait is for a text and has a deadline. A child that is still there when its test ends
//! loses its terminal, and the console ends with that.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take on a busy machine, the first start of a server included.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program that runs in a pseudo-terminal.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    output: Receiver<Vec<u8>>,
    /// Reads until the program is gone, or until it is told to stop and reads once more.
    reader: JoinHandle<()>,
    reads: Arc<AtomicBool>,
    screen: vt100::Parser,
    before: String,
    started: Instant,
}

impl Pty {
    /// Starts a program on a screen of `columns` by `rows`.
    pub fn start(command: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pty = native_pty_system().openpty(size((columns, rows))).unwrap();
        let before = modes(&*pty.master);
        let started = Instant::now();
        let child = pty.slave.spawn_command(command).unwrap();
        let (mut reader, keys) =
            (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
        let (sender, output) = channel();
        let reads = Arc::new(AtomicBool::new(true));
        let go_on = Arc::clone(&reads);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if !go_on.load(Ordering::SeqCst) || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let master = pty.master;
        Self { child, master, keys, output, reader, reads, screen, before, started }
    }

    /// Types, as bytes of a terminal.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Takes what the program has written, waiting for it a moment.
    pub fn read(&mut self) {
        if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
            self.screen.process(&bytes);
        }
    }

    /// The screen as it is known.
    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Its text.
    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("`{text}` comes"), |screen| screen.contains(text))
    }

    /// Waits until a text is no longer on the screen.
    #[track_caller]
    pub fn wait_gone(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("`{text}` goes"), |screen| !screen.contains(text))
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.text()) {
            assert!(Instant::now() < deadline, "never happens: {what}:\n{}", self.text());
            self.read();
        }
        self
    }

    /// Writes to the screen past the program, as a terminal does that places a glyph elsewhere.
    pub fn smudge(&mut self, (column, row): (u16, u16), text: &str) {
        self.screen.process(format!("\u{1b}7\u{1b}[{row};{column}H{text}\u{1b}8").as_bytes());
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        let (high, wide) = (rows.try_into().unwrap(), columns.try_into().unwrap());
        self.screen.screen_mut().set_size(high, wide);
        self.master.resize(size((columns, rows))).unwrap();
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// How long ago the program was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether the line has other modes than before the program.
    pub fn is_changed(&self) -> bool {
        modes(&*self.master) != self.before
    }

    /// Takes the terminal away, as a lost connection does, and waits for the end of the program.
    /// `key` makes the program draw once more.
    pub fn hang_up(mut self, key: &str) -> u32 {
        self.reads.store(false, Ordering::SeqCst);
        self.press(key);
        let Self { mut child, master, keys, reader, .. } = self;
        reader.join().unwrap();
        drop((master, keys));
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end without its terminal");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end, however it comes, and answers the exit code.
    pub fn gone(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.text());
            self.read();
        };
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
            self.screen.process(&bytes);
        }
        status.exit_code()
    }

    /// Waits for the end; the terminal must be as it was. Answers what is left on the screen.
    pub fn ended(mut self) -> String {
        let _code = self.gone();
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "still on the other screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert!(!self.is_changed(), "the modes of the line are others");
        self.text()
    }
}

/// Sends a signal to a process.
pub fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A command that sees nothing of the caller's surroundings.
pub fn bare(program: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command
}

fn size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// The modes of the terminal line, as text to compare.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
