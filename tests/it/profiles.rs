//! `profile` and `config` as a script sees them: documents, exit codes, files, and no secret anywhere.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::binary::{BINARY, text};
use crate::harness::desk::Desk;

/// What no output and no file may hold.
const CANARY: &str = "c4n4ry-password";

/// A home of its own, and the program in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn config(&self) -> String {
        fs::read_to_string(self.config_file()).unwrap()
    }

    fn config_file(&self) -> std::path::PathBuf {
        self.0.path().join(".config/tenantdesk/config.toml")
    }

    fn configure(&self, text: &str) {
        fs::create_dir_all(self.config_file().parent().unwrap()).unwrap();
        fs::write(self.config_file(), text).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).env_clear().env("HOME", self.0.path());
        command.env("TENANTDESK_HOME", self.0.path().join("td"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it with a line on standard input; no stream may show the canary.
    #[track_caller]
    fn run(&self, words: &[&str], variables: &[(&str, &str)], line: &str) -> Output {
        let mut child = self.command(words).envs(variables.iter().copied()).spawn().unwrap();
        // One that does not read is gone before it is written to.
        let _unread = writeln!(child.stdin.take().unwrap(), "{line}");
        let output = child.wait_with_output().unwrap();
        for stream in [&output.stdout, &output.stderr] {
            assert!(!text(stream).contains(CANARY), "{words:?}: {}", text(stream));
        }
        output
    }

    /// The document of a run that ends with this code.
    #[track_caller]
    fn answer(&self, code: i32, words: &[&str], variables: &[(&str, &str)]) -> Value {
        let output = self.run(&[words, &["--json"]].concat(), variables, CANARY);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{err}");
        let document = if out.is_empty() { err } else { out };
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["v"], 1);
        document
    }
}

const SOCKET: &str = "postgresql:///app?host=/nowhere&user=ada";

#[test]
fn a_profile_is_added_listed_and_removed_and_comments_stay() {
    let place = Place::new();
    place.configure("# mine\n[console]\ntheme = \"light\" # bright room\n");
    let add = ["profile", "add", "eu", "--url", SOCKET, "--theme", "production", "--default"];
    let added = place.answer(0, &add, &[]);
    assert_eq!(added["profile"]["password_from"], "none", "a local socket mostly needs none");
    place.answer(0, &["profile", "add", "b", "--url", SOCKET, "--password-from", "env:DB"], &[]);
    let text = place.config();
    assert!(text.contains("# mine\n") && text.contains("# bright room"), "{text}");
    let listed = place.answer(0, &["profile", "list"], &[]);
    let [b, eu] = listed["profiles"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(
        (&b["name"], &b["password_from"], &b["default"]),
        (&"b".into(), &"env:DB".into(), &false.into())
    );
    assert_eq!(
        (&eu["name"], &eu["theme"], &eu["default"]),
        (&"eu".into(), &"production".into(), &true.into())
    );
    assert_eq!(eu["url"], SOCKET);
    let twice = place.answer(3, &add, &[]);
    assert!(twice["error"]["message"].as_str().unwrap().contains("already"), "{twice}");
    // Nobody is there to be asked whether it is meant.
    place.answer(2, &["profile", "remove", "eu"], &[]);
    let removed = place.answer(0, &["profile", "remove", "eu", "--yes"], &[]);
    assert_eq!((&removed["removed"], &removed["was_default"]), (&"eu".into(), &true.into()));
    place.answer(3, &["profile", "remove", "eu", "--yes"], &[]);
    place.answer(0, &["profile", "remove", "b", "--yes"], &[]);
    assert_eq!(place.config().trim_end(), "# mine\n[console]\ntheme = \"light\" # bright room");
}

#[test]
fn what_cannot_be_a_profile_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let secret = format!("postgresql://ada:{CANARY}@db/app");
    for (code, words) in [
        (2, vec!["profile", "add", "eu"]),
        (2, vec!["profile", "add", "embedded", "--url", SOCKET]),
        (2, vec!["profile", "add", "a.b", "--url", SOCKET]),
        (2, vec!["profile", "add", "eu", "--url", secret.as_str()]),
        (2, vec!["profile", "add", "eu", "--url", SOCKET, "--password-from", CANARY]),
        (2, vec!["profile", "add", "eu", "--url", SOCKET, "--theme", "mauve"]),
        (
            2,
            vec![
                "profile",
                "add",
                "eu",
                "--url",
                SOCKET,
                "--password-from",
                "prompt",
                "--password-stdin",
            ],
        ),
        (2, vec!["profile", "add", "eu", "--url", SOCKET, "--password-from", "file"]),
    ] {
        // The command line itself is no secret: clap may repeat a value that is none.
        let words = [&words[..], &["--json"]].concat();
        let output = place.command(&words).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output.stderr));
        assert!(!words.contains(&secret.as_str()) || !text(&output.stderr).contains(CANARY));
    }
    assert!(!place.config_file().exists());
    assert!(!place.0.path().join("td/secrets.age").exists());
}

#[test]
fn a_password_in_the_encrypted_file_is_kept_used_and_removed() {
    let place = Place::new();
    let passphrase = [("TENANTDESK_PASSPHRASE", "correct horse")];
    let add =
        ["profile", "add", "eu", "--url", SOCKET, "--password-from", "file", "--password-stdin"];
    let nobody = place.answer(2, &add, &[]);
    assert!(
        nobody["error"]["hints"][0].as_str().unwrap().contains("TENANTDESK_PASSPHRASE"),
        "{nobody}"
    );
    assert!(!place.config_file().exists(), "nothing of the one without the other");
    place.answer(0, &add, &passphrase);
    let file = place.0.path().join("td/secrets.age");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!place.config().contains(CANARY));
    assert!(fs::read(&file).unwrap().starts_with(b"age-encryption.org/v1"));
    // The server is not there, but the password was: the passphrase opened the file.
    let tried = place.answer(4, &["profile", "test", "eu"], &passphrase);
    assert_eq!(tried["error"]["kind"], "server");
    let wrong = place.answer(3, &["profile", "test", "eu"], &[("TENANTDESK_PASSPHRASE", "wrong")]);
    assert!(wrong["error"]["message"].as_str().unwrap().contains("does not open"), "{wrong}");
    // What cannot be taken out is said; the profile goes all the same.
    let half = place.answer(
        1,
        &["profile", "remove", "eu", "--yes"],
        &[("TENANTDESK_PASSPHRASE", "wrong")],
    );
    assert!(half["error"]["message"].as_str().unwrap().contains("still where it was"), "{half}");
    assert!(file.exists());
    place.answer(0, &add, &passphrase);
    let removed = place.answer(0, &["profile", "remove", "eu", "--yes"], &passphrase);
    assert_eq!(removed["password_removed"], true);
    assert!(!file.exists(), "it goes with its last password");
    let log = place.0.path().join("td/logs");
    for entry in fs::read_dir(log).into_iter().flatten() {
        let path = entry.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains(CANARY), "{}", path.display());
    }
}

#[test]
fn the_database_of_a_profile_is_used_and_tried_out() {
    let desk = Desk::product();
    let operator = desk.operator("support");
    let place = Place::new();
    let url = desk.endpoint(&operator).url();
    place.answer(0, &["profile", "add", "here", "--url", &url], &[]);
    let tried = place.answer(0, &["profile", "test", "here"], &[]);
    assert_eq!((&tried["login"], &tried["level"]), (&operator.as_str().into(), &"support".into()));
    assert_eq!(
        (&tried["set_up"], &tried["local"], &tried["tls"]),
        (&true.into(), &true.into(), &Value::Null)
    );
    assert!(tried["server_version"].is_string(), "{tried}");
    for (words, variables) in [
        (vec!["tenant", "list", "--profile", "here"], vec![]),
        (vec!["tenant", "list"], vec![("TENANTDESK_PROFILE", "here")]),
    ] {
        let listed = place.answer(0, &words, &variables);
        assert_eq!(listed["tenants"].as_array().unwrap().len(), 3, "{listed}");
    }
    // A login that is nobody here is told apart from a database that was never set up.
    let nobody = desk.endpoint("app_user").url();
    place.answer(0, &["profile", "add", "nobody", "--url", &nobody], &[]);
    let tried = place.answer(0, &["profile", "test", "nobody"], &[]);
    assert_eq!((&tried["set_up"], &tried["level"]), (&true.into(), &Value::Null), "{tried}");
    let empty = desk.cluster.endpoint("postgres", "app_user").url();
    place.answer(0, &["profile", "add", "empty", "--url", &empty], &[]);
    let tried = place.answer(0, &["profile", "test", "empty"], &[]);
    assert_eq!((&tried["set_up"], &tried["level"]), (&false.into(), &Value::Null), "{tried}");
    // A variable that is not set is said, not taken for an empty password.
    place.answer(0, &["profile", "add", "var", "--url", &url, "--password-from", "env:TD_DB"], &[]);
    let unset = place.answer(3, &["tenant", "list", "--profile", "var"], &[]);
    assert!(
        unset["error"]["message"].as_str().unwrap().contains("TD_DB, which is not set"),
        "{unset}"
    );
    place.answer(0, &["tenant", "list", "--profile", "var"], &[("TD_DB", CANARY)]);
}

#[test]
fn every_value_is_shown_with_what_it_comes_from() {
    let place = Place::new();
    place.configure("default_profile = \"eu\"\n[profiles.eu]\nurl = \"postgresql://ada@db/app\"\npassword = \"file\"\n");
    let shown = place.answer(0, &["config", "show", "--ascii"], &[("NO_COLOR", "1")]);
    let of = |shown: &Value, name: &str| {
        let all = shown["settings"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        format!("{} {}", one["value"], one["source"])
    };
    let file = |line: u8| format!("{{\"kind\":\"file\",\"line\":{line},\"name\":null}}");
    assert_eq!(of(&shown, "target"), format!("\"profile eu\" {}", file(1)));
    assert_eq!(of(&shown, "profiles.eu.password"), format!("\"file\" {}", file(4)));
    assert!(of(&shown, "console.theme").contains("\"name\":\"NO_COLOR\""));
    assert!(of(&shown, "console.ascii").contains("\"name\":\"--ascii\""));
    assert!(of(&shown, "home").contains("\"name\":\"TENANTDESK_HOME\""));
    let secret = format!("postgresql://ada:{CANARY}@db/app");
    let shown = place.answer(0, &["config", "show"], &[("TENANTDESK_URL", &secret)]);
    assert!(of(&shown, "target").contains("\"an address with a password\""), "{shown}");
    let text = place.run(&["config", "show"], &[], "");
    assert!(text_of(&text).contains("config.toml, line 1"), "{}", text_of(&text));
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_wrong_configuration_is_reported_whole_and_stops_what_depends_on_it() {
    let place = Place::new();
    let absent = place.answer(0, &["config", "validate"], &[]);
    assert_eq!((&absent["present"], &absent["ok"]), (&false.into(), &true.into()));
    place.configure(&format!("[profiles.a]\nurl = \"postgresql://a:{CANARY}@db/x\"\npassword = \"{CANARY}\"\ncolour = 1\n"));
    for words in [
        &["config", "validate"][..],
        &["profile", "list"],
        &["tenant", "list"],
        &["config", "show"],
    ] {
        let wrong = place.answer(3, words, &[]);
        let causes = wrong["error"]["causes"].as_array().unwrap();
        assert_eq!(causes.len(), 3, "{wrong}");
        assert!(causes[0].as_str().unwrap().starts_with("line 2:"), "{wrong}");
    }
    // An address on the command line needs no configuration.
    place.answer(4, &["tenant", "list", "--url", SOCKET], &[]);
    let other = place.0.path().join("other.toml");
    place.answer(3, &["config", "validate", other.to_str().unwrap()], &[]);
    fs::write(&other, "[console]\nascii = true\n").unwrap();
    let sound = place.answer(0, &["config", "validate", other.to_str().unwrap()], &[]);
    assert_eq!(sound["present"], true);
}
