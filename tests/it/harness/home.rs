//! A home of its own for a test of the embedded server, with all that may be left of it removed.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tenantdesk::config::Paths;
use tenantdesk::postgres::embedded::{Download, SUPERUSER, Search};
use tenantdesk::postgres::{Embedded, EmbeddedServer, connect};
use tenantdesk::progress::Progress;
use tokio::sync::OnceCell;

use super::cluster::{PsqlOutput, client_program, output_of, server_programs};
use super::watcher::{Account, Watcher};

/// Ends whatever works in the directory `$1`, then removes it and the socket directory `$2`.
const WATCH: &str = r#"
trap '' INT TERM HUP
while read -r word; do :; done
for round in 1 2 3 4 5 6 7 8 9 10; do
    found=
    for process in /proc/[0-9]*; do
        case "$(readlink "$process/cwd")" in
            "$1"/*) kill -KILL "${process#/proc/}"; found=1 ;;
        esac
    done
    for file in "$1"/*/data/postmaster.pid; do
        [ -e "$file" ] && read -r pid <"$file" || continue
        case "$(ps -o comm= -p "$pid")" in
            *postgres*) kill -KILL "$pid"; found=1 ;;
        esac
    done
    [ -z "$found" ] && break
    sleep 0.1
done
rm -rf "$1" "$2"
while [ -e "$1" ]; do sleep 0.1; rm -rf "$1"; done
"#;

/// A home, and the server in it.
#[derive(Debug)]
pub struct Home {
    pub paths: Paths,
    base: PathBuf,
    _watcher: Mutex<Watcher>,
}

impl Home {
    /// An empty home with an ordinary name.
    pub fn new() -> Self {
        Self::named("home")
    }

    /// An empty home whose last part is `name`.
    pub fn named(name: &str) -> Self {
        let base = tempfile::Builder::new().prefix("tdh").tempdir_in("/tmp").unwrap().keep();
        // As root the server's account has to pass.
        std::fs::set_permissions(&base, PermissionsExt::from_mode(0o711)).unwrap();
        let paths = Paths::new(&base.join(name), &base.join("config")).unwrap();
        let inside = paths.socket_dir.starts_with(&base);
        let outside = if inside { base.clone() } else { paths.socket_dir.clone() };
        let watcher = Watcher::start(WATCH, &[&base, &outside], None);
        Self { paths, base, _watcher: Mutex::new(watcher) }
    }

    /// A home whose data directory is there: for what is not about the first start. It is a copy
    /// of one that the program made, because `initdb` waits for the disk again and again.
    pub async fn with_data() -> Self {
        static MADE: OnceCell<Home> = OnceCell::const_new();
        let made = async || {
            let home = Self::new();
            let server = home.embedded().join(&Progress::silent()).await.unwrap();
            assert!(server.release(&Progress::silent()).await.unwrap(), "it is stopped");
            home
        };
        Self::copy_of(MADE.get_or_init(made).await)
    }

    /// Another home with the same data; the server must not run.
    pub fn copy_of(made: &Self) -> Self {
        let home = Self::new();
        std::fs::create_dir(&home.paths.home).unwrap();
        let rights = std::fs::metadata(&made.paths.home).unwrap().permissions();
        std::fs::set_permissions(&home.paths.home, rights).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .args([&made.paths.data_dir, &home.paths.data_dir])
            .status()
            .unwrap();
        assert!(copied.success());
        home
    }

    /// The directory above the home, which is the test's own as well.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The same home, for a process that the test started.
    pub fn paths_at(base: &Path) -> Paths {
        Paths::new(&base.join("home"), &base.join("config")).unwrap()
    }

    /// The server, with the programs that the tests run on and nothing from the network.
    pub fn embedded(&self) -> Embedded {
        embedded_at(&self.paths)
    }

    /// Runs `psql` on this server's socket as one of its roles.
    pub fn psql(&self, database: &str, role: &str, sql: &str) -> PsqlOutput {
        output_of(&mut self.psql_command(database, role), sql)
    }

    /// The client, ready to run.
    pub fn psql_command(&self, database: &str, role: &str) -> Command {
        let mut command = Command::new(client_program(&server_programs().0));
        command
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-v",
                "VERBOSITY=verbose",
                "-h",
            ])
            .arg(&self.paths.socket_dir)
            .args(["-p", "5432", "-U", role, "-d", database])
            .current_dir("/");
        command
    }

    /// The number in the pid file.
    pub fn postmaster(&self) -> i32 {
        let text = std::fs::read_to_string(self.paths.data_dir.join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

/// The server of these paths, with the programs that the tests run on.
pub fn embedded_at(paths: &Paths) -> Embedded {
    Embedded::with_search(paths, search(paths))
}

/// Looks only at the programs that the tests run on.
pub fn search(paths: &Paths) -> Search {
    Search {
        named: Some(server_programs().0),
        downloads: paths.downloads_dir.clone(),
        system: Vec::new(),
        pg_config: None,
        download: Download::Never,
    }
}

/// One value, asked as the superuser.
pub async fn ask(server: &EmbeddedServer, sql: &str) -> String {
    let link = connect(&server.endpoint("postgres", SUPERUSER), "test").await.unwrap();
    let row = link.client().query_one(&format!("select ({sql})::text"), &[]).await.unwrap();
    row.get(0)
}

/// Which act of a test a process is to play, and in which directory: see [`again`].
const ACT: &str = "TENANTDESK_TEST_ACT";

/// Runs the calling test once more in a process of its own, which will find `act`.
pub fn again(test: &str, act: &Path, account: Option<Account>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env(ACT, act)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Account::apply(account, &mut command).spawn().unwrap()
}

/// What this process was started to do by [`again`].
pub fn act() -> Option<PathBuf> {
    std::env::var_os(ACT).map(PathBuf::from)
}

/// Waits for the line in which a child says `key: value`.
pub fn told_by(child: &mut Child, key: &str) -> String {
    let prefix = format!("{key}: ");
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    // The test harness prints its own words in front of the first line.
    let found = lines.find_map(|line| Some(line.unwrap().split_once(&prefix)?.1.to_owned()));
    found.unwrap_or_else(|| panic!("the child never says `{key}`"))
}

/// Whether a process lives; one that ended and was not reaped yet does not.
pub fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}
