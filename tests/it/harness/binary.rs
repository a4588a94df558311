//! The shipped binary on a home of its own, as a script runs it: words in, streams and exit code out.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::{SUPERUSER, server_programs};
use super::home::Home;
use super::pty::{Pty, bare};

/// The program.
pub const BINARY: &str = env!("CARGO_BIN_EXE_tenantdesk");

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

impl Home {
    /// A home whose database is prepared, with the tenant `acme` and its owner `ann@acme.test`. It is
    /// a copy of one that the program made.
    pub fn with_acme() -> Self {
        static MADE: LazyLock<Home> = LazyLock::new(|| {
            let home = Home::new();
            home.answer(&[
                "tenant",
                "create",
                "Acme",
                "--slug",
                "acme",
                "--admin-email",
                "ann@acme.test",
            ]);
            home
        });
        Self::copy_of(&MADE)
    }

    /// As [`Home::with_acme`], with the server running until the test is over.
    pub fn started() -> Self {
        let home = Self::with_acme();
        home.answer(&["server", "start"]);
        home
    }

    /// What every run of the binary sees.
    pub fn surroundings(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("TENANTDESK_HOME", self.paths.home.clone()),
            ("TENANTDESK_POSTGRES_DIR", server_programs().0),
            ("HOME", self.base().to_owned()),
            ("PATH", PathBuf::from("/usr/bin:/bin:/usr/sbin:/sbin")),
        ]
    }

    /// The program with these words, ready to run, with nothing on its standard input.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).env_clear().envs(self.surroundings()).current_dir(self.base());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program with these words on a terminal of its own.
    pub fn on_terminal(&self, words: &[&str]) -> Pty {
        let mut command = bare(Path::new(BINARY));
        command.args(words);
        for (name, value) in self.surroundings() {
            command.env(name, value);
        }
        command.cwd(self.base());
        Pty::start(command, (120, 50))
    }

    /// Runs a verb to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The document of a verb that must succeed: one line, and nothing but it.
    #[track_caller]
    pub fn answer(&self, words: &[&str]) -> Value {
        let (code, document) = self.answer_with_code(words);
        assert_eq!(code, 0, "{words:?}");
        document
    }

    /// The document of a verb, and its exit code.
    #[track_caller]
    pub fn answer_with_code(&self, words: &[&str]) -> (i32, Value) {
        let output = self.run(&[words, &["--json"]].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(out.lines().count(), 1, "{words:?}: {out}{err}");
        (output.status.code().unwrap(), serde_json::from_str(&out).unwrap())
    }

    /// The error of a verb that must fail with this exit code and print no data.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{err}");
        assert_eq!(out, "", "{words:?}");
        assert_eq!(err.lines().count(), 1, "{words:?}: {err}");
        serde_json::from_str(&err).unwrap()
    }

    /// One value of the application's database.
    #[track_caller]
    pub fn value(&self, sql: &str) -> String {
        self.psql("app", SUPERUSER, sql).rows().to_owned()
    }
}

/// What a stream held.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Waits until something holds.
#[track_caller]
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never happens: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process listens to SIGINT: before that it would die of it.
#[track_caller]
pub fn wait_until_it_listens(child: &Child) {
    let path = format!("/proc/{}/status", child.id());
    wait_until("the program listens to signals", || {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_some_and(|mask| mask & 0b10 != 0)
    });
}
