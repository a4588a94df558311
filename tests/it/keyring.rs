//! Passwords in a real Secret Service, none at all, and one that never answers.
//!
//! The real one is gnome-keyring on a message bus of its own (`dbus-run-session`). Where those
//! programs are missing, the test says loudly that it was not run; `.ci/run` installs them.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tenantdesk::secret::{Keyring, KeyringError};

use crate::harness::binary::{BINARY, text};

/// Marks the process that this file starts to play a part.
const PART: &str = "TENANTDESK_TEST_KEYRING";

/// Runs a test of this file once more, in surroundings of its own.
fn again(test: &str, bus: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("keyring::{test}"), "--exact", "--nocapture"]);
    command.env(PART, "1").env("DBUS_SESSION_BUS_ADDRESS", bus);
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn succeeded(output: &Output) {
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Whether programs can be run here; says so loudly where not.
fn can_run(programs: &[&str]) -> bool {
    let missing: Vec<&&str> =
        programs.iter().filter(|program| !Path::new("/usr/bin").join(program).exists()).collect();
    if !missing.is_empty() {
        eprintln!(
            "\n********\nNOT TESTED ON A REAL KEYRING: {missing:?} missing (apt-get install gnome-keyring dbus)\n********\n"
        );
    }
    missing.is_empty()
}

/// What is tried on the real keyring: the binary as a person at a shell uses it.
const SESSION: &str = r#"
set -eu
printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
url='postgresql:///app?host=/nowhere&user=ada'
printf 'c4n4ry-one\n' | "$1" profile add eu --url "$url" --password-from keyring --password-stdin
printf 'c4n4ry-two\n' | "$1" profile add us --url "$url" --password-from keyring --password-stdin
"$1" profile list
# The password is there: what fails is the connection (exit 4).
"$1" profile test eu || echo "test ends with $?"
"$2" "keyring::a_password_is_kept_in_a_real_keyring" --exact --nocapture
"$1" profile remove eu --yes
"$1" profile add eu --url "$url" --password-from none
sed -i 's/"none"/"keyring"/' "$HOME/.config/tenantdesk/config.toml"
"$1" profile test eu || echo "without an entry it ends with $?"
"$1" profile remove us --yes
grep -rl c4n4ry "$HOME" && exit 9 || echo "no file holds it in plain text"
"#;

#[test]
fn a_password_is_kept_in_a_real_keyring() {
    if std::env::var_os(PART).is_some() {
        return inside_the_session();
    }
    if !can_run(&["gnome-keyring-daemon", "dbus-run-session", "dbus-daemon"]) {
        return;
    }
    let home = TempDir::new().unwrap();
    let output = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", SESSION, "sh", BINARY])
        .arg(std::env::current_exe().unwrap())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.path())
        .env("TENANTDESK_HOME", home.path().join("td"))
        .env(PART, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("test ends with 4"), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    assert!(said.contains("without an entry it ends with 3"), "{said}");
    assert!(said.contains("the keyring holds no password for profile eu"), "{said}");
    assert!(said.contains("no file holds it in plain text"), "{said}");
    assert!(!said.contains("c4n4ry"), "{said}");
}

/// What the binary kept is read by the library, and the other way.
fn inside_the_session() {
    let keyring = Keyring::default();
    let read = |entry: &str| keyring.read(entry).unwrap().map(|it| it.expose_secret().to_owned());
    assert_eq!(read("eu").as_deref(), Some("c4n4ry-one"));
    assert_eq!(read("us").as_deref(), Some("c4n4ry-two"));
    assert_eq!(read("nobody"), None);
    keyring.store("us", &SecretString::from("c4n4ry-three")).unwrap();
    assert_eq!(read("us").as_deref(), Some("c4n4ry-three"));
    assert!(!keyring.remove("nobody").unwrap());
}

#[test]
fn without_a_message_bus_it_is_said_at_once() {
    if std::env::var_os(PART).is_none() {
        return succeeded(&again(
            "without_a_message_bus_it_is_said_at_once",
            "unix:path=/nowhere/bus",
        ));
    }
    let started = Instant::now();
    let error = Keyring::default().read("eu").unwrap_err();
    assert!(matches!(error, KeyringError::Missing { .. }), "{error}");
    assert!(error.to_string().starts_with("there is no keyring here"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_keyring_that_hangs_is_given_up_after_its_time() {
    if std::env::var_os(PART).is_none() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("bus");
        // It takes the connection and never says a word.
        let listener = UnixListener::bind(&path).unwrap();
        let held = std::thread::spawn(move || listener.accept());
        let bus = format!("unix:path={}", path.display());
        succeeded(&again("a_keyring_that_hangs_is_given_up_after_its_time", &bus));
        return drop(held.join().unwrap().unwrap());
    }
    let (limit, started) = (Duration::from_millis(700), Instant::now());
    let error = Keyring::with_patience(limit).read("eu").unwrap_err();
    assert!(matches!(error, KeyringError::Silent(after) if after == limit), "{error}");
    assert!(started.elapsed() >= limit, "it was waited for");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(error.to_string(), "the keyring did not answer within 0.7 s");
}
