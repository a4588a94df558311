//! What the benches share: a home of its own with an embedded server, filled by the shipped binary;
//! clocks; the memory of a child; and the table of results. Nothing is asserted: a slow machine is no fault.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "a bench uses what it needs of this, and stops at the first surprise"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tenantdesk::postgres::Endpoint;

/// The shipped binary, built with the optimisation of a release.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tenantdesk");
/// The superuser of the embedded server, for references that only he can be.
pub const SUPERUSER: &str = "embedded_superuser";

/// A home of its own; its server is stopped and its files are removed when it is dropped.
pub struct Stage {
    base: PathBuf,
}

impl Stage {
    /// An empty home.
    pub fn open() -> Self {
        let base = tempfile::Builder::new().prefix("tdb").tempdir_in("/var/tmp").unwrap().keep();
        // As root the server runs under another account, which has to pass.
        std::fs::set_permissions(&base, PermissionsExt::from_mode(0o711)).unwrap();
        Self { base }
    }

    /// A server that stays, with demo tenants.
    pub fn filled(tenants: u64, rows: u64) -> Self {
        let stage = Self::open();
        stage.run(&["server", "start"]);
        let clock = Instant::now();
        let (tenants, rows) = (tenants.to_string(), rows.to_string());
        stage.run(&["demo", "--tenants", &tenants, "--rows", &rows, "--no-console"]);
        println!("filled {tenants} tenants, {rows} rows in {}\n", seconds(clock.elapsed()));
        stage
    }

    /// The binary at this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env("TENANTDESK_HOME", self.base.join("home"))
            .env("XDG_CONFIG_HOME", self.base.join("config"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end and gives its standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        text(self.command(arguments).output().unwrap(), arguments)
    }

    /// Whether the binary knows a verb.
    pub fn knows(&self, verb: &str) -> bool {
        self.command(&[verb, "--help"]).output().unwrap().status.success()
    }

    /// The address of the database for a login.
    pub fn endpoint(&self, login: &str) -> Endpoint {
        let url = self.run(&["server", "url", "--role", "app"]);
        Endpoint::parse(url.trim()).unwrap().for_user(login)
    }

    /// The directory above the home, for files of the bench.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// PostgreSQL's own client for a login, ready to get its arguments.
    pub fn client(&self, program: &str, login: &str) -> Command {
        let endpoint = self.endpoint(login);
        let mut command = Command::new(client_program(program));
        command.arg("-h").arg(endpoint.socket_dir().unwrap()).args([
            "-p",
            &endpoint.port.to_string(),
            "-U",
            login,
            "-d",
            &endpoint.database,
        ]);
        command
    }

    /// Runs a script with `psql` and gives its rows.
    pub fn psql(&self, login: &str, script: &str) -> String {
        let file = self.base.join("script.sql");
        std::fs::write(&file, script).unwrap();
        let mut psql = self.client("psql", login);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file);
        text(psql.output().unwrap(), &["psql"]).trim().to_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _stopped = self.command(&["server", "stop"]).output();
        let _removed = std::fs::remove_dir_all(&self.base);
    }
}

/// Standard output of what went well.
fn text(output: Output, arguments: &[&str]) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A client program: of `TENANTDESK_POSTGRES_DIR`, of a system installation, or of the path.
fn client_program(name: &str) -> PathBuf {
    let named = std::env::var_os("TENANTDESK_POSTGRES_DIR").map(PathBuf::from);
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.extend(named);
    let programs = found.into_iter().rev().map(|dir| dir.join(name));
    programs.into_iter().find(|program| program.exists()).unwrap_or_else(|| name.into())
}

/// A number from the environment, for smaller and larger machines.
pub fn size(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs a child to its end: how long it took, and the most memory it had.
pub fn watched(command: &mut Command) -> (Duration, u64) {
    let clock = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        peak = peak.max(high_water(&status));
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let took = clock.elapsed();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert!(ended.success(), "{command:?}: {said}");
    (took, peak)
}

/// `VmHWM` of a process in bytes; 0 where it has ended.
pub fn high_water(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The middle one of several runs.
pub fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..runs).map(|_| run()).collect();
    middle(&mut times)
}

/// The middle one.
pub fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How long something takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let clock = Instant::now();
    std::hint::black_box(work());
    clock.elapsed()
}

/// A time as people read it.
pub fn seconds(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..1e3 => format!("{micros:.0} us"),
        ..1e6 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

/// Bytes as people read them.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", f64::from(u32::try_from(bytes / 1024).unwrap()) / 1024.0)
}

/// The table: what, measured, reference, ratio, budget, ok.
#[derive(Default)]
pub struct Results {
    rows: Vec<[String; 6]>,
}

impl Results {
    /// A time beside the time of a reference; the budget is on the ratio.
    pub fn beside(&mut self, what: &str, took: Duration, of: (&str, Duration), most: f64) {
        let ratio = took.as_secs_f64() / of.1.as_secs_f64();
        self.row([
            what.to_owned(),
            seconds(took),
            format!("{} {}", of.0, seconds(of.1)),
            format!("{ratio:.2}"),
            if most.is_finite() { format!("{most} x") } else { String::new() },
            verdict(most.is_finite(), ratio <= most),
        ]);
    }

    /// A time of its own; the budget is absolute.
    pub fn within(&mut self, what: &str, took: Duration, most: Option<Duration>) {
        let budget = most.map(seconds).unwrap_or_default();
        let ok = verdict(most.is_some(), most.is_none_or(|most| took <= most));
        self.row([what.to_owned(), seconds(took), String::new(), String::new(), budget, ok]);
    }

    /// Memory.
    pub fn memory(&mut self, what: &str, bytes: u64, most: u64) {
        let ok = verdict(true, bytes <= most);
        let shown = [mebibytes(bytes), String::new(), String::new(), mebibytes(most), ok];
        let [measured, reference, ratio, budget, ok] = shown;
        self.row([what.to_owned(), measured, reference, ratio, budget, ok]);
    }

    /// A row as it is.
    pub fn row(&mut self, row: [String; 6]) {
        println!("{}", row.join(" | "));
        self.rows.push(row);
    }

    /// Prints the whole table, ready for docs/benchmarks.md.
    pub fn print(&self) {
        println!(
            "\n| what | measured | reference | ratio | budget | ok |\n|---|---|---|---|---|---|"
        );
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

fn verdict(budgeted: bool, ok: bool) -> String {
    match (budgeted, ok) {
        (false, _) => "",
        (true, true) => "yes",
        (true, false) => "NO",
    }
    .to_owned()
}
