//! A real PostgreSQL server for the tests: one shared by all, or one of a test's own.
//!
//! Roles belong to the whole server, so tests that create roles with fixed names take
//! [`Cluster::fresh`]. Everything lies in one directory under /tmp, reached through a socket in
//! a 0700 directory; logging in needs no password, because tests log in as anybody.
//! The server is a child of the watcher, so there is no moment in which nobody would stop it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use tenantdesk::config::Paths;
use tenantdesk::failure::Failure;
use tenantdesk::postgres::Endpoint;
use tenantdesk::postgres::embedded::Search;
use tenantdesk::progress::Progress;

use super::watcher::{Account, Watcher};

/// The superuser of test servers, as on the embedded server.
pub const SUPERUSER: &str = "embedded_superuser";

/// `start` starts the server; the end of the pipe ends everything: initdb too, if it still runs.
const WATCH: &str = r#"
trap '' INT TERM HUP
server=
while read -r word; do
    "$1/postgres" -D "$2/data" >>"$2/server.log" 2>&1 &
    server=$!
done
kill -TERM 0
if [ -n "$server" ]; then kill -QUIT "$server"; wait "$server"; fi
rm -rf "$2"
while [ -e "$2" ]; do sleep 0.1; rm -rf "$2"; done
"#;

static SHARED: LazyLock<Cluster> = LazyLock::new(Cluster::fresh);

/// The server that all tests share; started by the first that asks.
pub fn cluster() -> &'static Cluster {
    &SHARED
}

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    /// The 0700 directory of its socket.
    pub socket_dir: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
    /// Where its programs are.
    pub bin_dir: PathBuf,
    /// Its major version.
    pub version: u32,
    base: PathBuf,
    /// When it is dropped or the process ends, the server is stopped.
    watcher: Mutex<Watcher>,
}

/// What `psql` printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsqlOutput {
    /// Rows, unaligned, fields separated by `|`, no headers.
    pub stdout: String,
    /// Errors with their SQLSTATE (`ERROR:  42501: permission denied ..`), notices, warnings.
    pub stderr: String,
    /// 0, or 3 after an SQL error, or 2 where the connection failed or was lost.
    pub code: i32,
}

impl PsqlOutput {
    /// Asserts that all went well, and gives the rows without the final line break.
    #[track_caller]
    pub fn rows(&self) -> &str {
        assert_eq!(self.code, 0, "psql failed: {}", self.stderr);
        self.stdout.trim_end_matches('\n')
    }
}

impl Cluster {
    /// A server of the caller's own, stopped and removed when it is dropped.
    pub fn fresh() -> Self {
        Self::prepared(5432, |_, _| ())
    }

    /// As [`Cluster::fresh`], with a port of its own and with what `prepare` writes into the data
    /// directory before the first start, for the account that runs the server.
    pub fn prepared(port: u16, prepare: impl FnOnce(&Path, Option<Account>)) -> Self {
        let (bin_dir, version) = server_programs();
        let account = Account::for_servers();
        // Short on purpose: a socket's path has at most 107 bytes.
        let base = tempfile::Builder::new()
            .prefix("tdt")
            .tempdir_in("/tmp")
            .expect("make a directory")
            .keep();
        std::fs::set_permissions(&base, PermissionsExt::from_mode(0o700)).expect("chmod");
        Account::own(account, &base);
        let mut watcher = Watcher::start(WATCH, &[&bin_dir, &base], account);
        initialise(&bin_dir, &base, account, watcher.group(), port);
        prepare(&base.join("data"), account);
        watcher.tell("start");
        wait_until_ready(&base);
        Self {
            socket_dir: base.clone(),
            port,
            bin_dir,
            version,
            base,
            watcher: Mutex::new(watcher),
        }
    }

    /// An empty database with a name of its own that starts with `purpose`.
    pub fn create_database(&self, purpose: &str) -> String {
        self.create_database_from("template0", purpose)
    }

    /// A copy of the database `template`, to which nobody may be connected at that moment.
    pub fn create_database_from(&self, template: &str, purpose: &str) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(1);
        let name = format!("{purpose}_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_'));
        let sql = format!("create database {name} template {template}");
        self.psql("postgres", SUPERUSER, &sql).rows();
        name
    }

    /// Runs statements through the real client, each in its own transaction unless they say
    /// otherwise; stops at the first error.
    pub fn psql(&self, database: &str, user: &str, sql: &str) -> PsqlOutput {
        self.psql_with(database, user, &["-v", "ON_ERROR_STOP=1"], sql)
    }

    /// As [`Cluster::psql`] with arguments of the caller's own; goes on after errors.
    pub fn psql_with(
        &self,
        database: &str,
        user: &str,
        arguments: &[&str],
        sql: &str,
    ) -> PsqlOutput {
        let mut command = self.psql_command(database, user);
        command.args(arguments);
        output_of(&mut command, sql)
    }

    /// The client, ready to run: for tests that keep it open.
    pub fn psql_command(&self, database: &str, user: &str) -> Command {
        let mut command = Command::new(client_program(&self.bin_dir));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .args(["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-h"])
            .arg(&self.socket_dir)
            .args(["-p", &self.port.to_string(), "-U", user, "-d", database]);
        command
    }

    /// The address of a database for a login.
    pub fn endpoint(&self, database: &str, user: &str) -> Endpoint {
        Endpoint::socket(&self.socket_dir, self.port, database, user)
    }

    /// Adds settings and starts the server anew, for those that need it.
    pub fn restart_with(&self, settings: &str) {
        let path = self.base.join("data/postgresql.conf");
        let mut file =
            std::fs::OpenOptions::new().append(true).open(path).expect("open configuration");
        file.write_all(settings.as_bytes()).expect("write configuration");
        super::pty::kill(self.postmaster().unsigned_abs(), rustix::process::Signal::INT);
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.base.join("data/postmaster.pid").exists() {
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.watcher.lock().expect("no other restart failed").tell("start");
        wait_until_ready(&self.base);
    }

    /// The directory of everything this server has on disk.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The process id of the postmaster.
    pub fn postmaster(&self) -> i32 {
        let pid_file = std::fs::read_to_string(self.base.join("data/postmaster.pid"));
        pid_file.expect("pid file").lines().next().expect("a line").parse().expect("a number")
    }
}

fn initialise(bin_dir: &Path, base: &Path, account: Option<Account>, group: i32, port: u16) {
    let mut command = Command::new(bin_dir.join("initdb"));
    command
        .arg("--pgdata")
        .arg(base.join("data"))
        .args(["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"])
        .args(["--no-locale", "--no-sync", "--no-instructions"])
        .env("TZ", "UTC")
        .current_dir("/")
        .process_group(group);
    let output = Account::apply(account, &mut command).output().expect("run initdb");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    let configuration = format!(
        "listen_addresses = ''\nunix_socket_directories = '{}'\nunix_socket_permissions = 0700\nport = {port}\n\
         max_connections = 100\nmax_prepared_transactions = 0\npassword_encryption = 'scram-sha-256'\n\
         shared_buffers = '64MB'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum_naptime = '10s'\n\
         timezone = 'UTC'\nlog_timezone = 'UTC'\n",
        base.display()
    );
    let path = base.join("data/postgresql.conf");
    let mut file = std::fs::OpenOptions::new().append(true).open(path).expect("open configuration");
    file.write_all(configuration.as_bytes()).expect("write configuration");
}

fn wait_until_ready(base: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let pid_file =
            std::fs::read_to_string(base.join("data/postmaster.pid")).unwrap_or_default();
        if pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return;
        }
        if Instant::now() > deadline {
            let log = std::fs::read_to_string(base.join("server.log")).unwrap_or_default();
            panic!("the test server did not start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a client with `sql` on its standard input.
pub fn output_of(command: &mut Command, sql: &str) -> PsqlOutput {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start psql");
    let mut input = child.stdin.take().expect("a pipe");
    let sql = sql.to_owned();
    // A thread, so that a long script and a long answer cannot wait for each other.
    let writer = std::thread::spawn(move || {
        let _client_may_be_gone = input.write_all(sql.as_bytes());
    });
    let Output { status, stdout, stderr } = child.wait_with_output().expect("psql ends");
    writer.join().expect("the writer ends");
    PsqlOutput {
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        code: status.code().unwrap_or(-1),
    }
}

/// The directory of the server programs and their major version: the one that the environment
/// names, else what the program itself would take, a download included. That one is kept below
/// `target/`, so that it is fetched once.
pub fn server_programs() -> (PathBuf, u32) {
    static FOUND: LazyLock<(PathBuf, u32)> = LazyLock::new(|| {
        // A thread, because the caller may be inside a runtime.
        let found = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(search_programs())
        });
        found.join().expect("a search that ends")
    });
    FOUND.clone()
}

async fn search_programs() -> (PathBuf, u32) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let paths = Paths::new(kept, kept).expect("a place for downloads");
    let mut search = Search::from_environment(&paths);
    search.downloads = kept.join("postgres");
    if let Some(named) = std::env::var_os("TENANTDESK_TEST_POSTGRES_DIR").filter(|d| !d.is_empty())
    {
        search.named = Some(named.into());
    }
    match search.find(None, &Progress::silent()).await {
        Ok(programs) => (programs.bin_dir, programs.major),
        Err(error) => {
            let failure = Failure::from(error);
            let hints = failure.hints.join("\n  ");
            panic!("the tests need a PostgreSQL server: {failure}\n  {hints}");
        }
    }
}

/// Every installation this machine has in the usual places: other versions, and a client.
pub fn installed() -> Vec<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut dirs: Vec<_> = debian.map(|entry| entry.path().join("bin")).collect();
    dirs.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    for cellar in ["/opt/homebrew/opt", "/usr/local/opt"] {
        let formulae = std::fs::read_dir(cellar).into_iter().flatten().flatten();
        let ours = formulae.filter(|f| f.file_name().to_string_lossy().starts_with("postgresql"));
        dirs.extend(ours.map(|formula| formula.path().join("bin")));
    }
    dirs.retain(|dir| dir.join("initdb").exists() && dir.join("postgres").exists());
    dirs
}

/// The major version of the server in a directory.
pub fn major_version(bin_dir: &Path) -> Option<u32> {
    let output = Command::new(bin_dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `psql` of the same installation; some packages of server programs have none.
pub fn client_program(bin_dir: &Path) -> PathBuf {
    let own = bin_dir.join("psql");
    if own.exists() {
        return own;
    }
    let others = installed().into_iter().map(|dir| dir.join("psql")).filter(|path| path.exists());
    others.max().unwrap_or_else(|| OsStr::new("psql").into())
}
