//! This machine: where things lie, who can read them, how the terminal is, what is configured.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access, statvfs};

use super::check::{Check, Question};
use crate::config::{PasswordFrom, Paths, Settings};
use crate::failure::{Explain as _, Failure};
use crate::secret::keyring::Keyring;
use crate::text::screen;

pub(super) const PATHS: Question = Question {
    name: "paths",
    why: "archives, keys and the embedded server's data are what their files' rights say: who can read them reads every tenant",
};
pub(super) const SPACE: Question = Question {
    name: "free_space",
    why: "an export, the ledger and the embedded server stop where the disk is full",
};
pub(super) const TERMINAL: Question = Question {
    name: "terminal",
    why: "the console needs room, UTF-8 or `--ascii`, and says things by colour and sign",
};
pub(super) const CONFIGURATION: Question =
    Question { name: "configuration", why: "a file with a fault is not used at all" };
pub(super) const KEYRING: Question = Question {
    name: "keyring",
    why: "passwords of remote targets belong there, and nowhere in plain text",
};

/// How long a keyring that is there takes at most.
const KEYRING_PATIENCE: Duration = Duration::from_secs(3);

/// What the program was started in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Columns and rows; none where standard output is no terminal.
    pub size: Option<(usize, usize)>,
    /// The character set of the locale, as its variable says.
    pub locale: Option<String>,
    /// `TERM`.
    pub term: Option<String>,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
    /// Whether ASCII is asked for.
    pub ascii: bool,
}

/// The terminal.
pub(super) fn terminal(terminal: &Terminal) -> Check {
    let Some((columns, rows)) = terminal.size else {
        return TERMINAL.not_run("standard output is no terminal");
    };
    let locale = terminal.locale.as_deref().unwrap_or_default().to_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let term = terminal.term.as_deref().unwrap_or("not set");
    let colours = if terminal.no_color { ", no colours (NO_COLOR)" } else { "" };
    let seen = format!(
        "{columns}x{rows}, TERM {}, locale {}{colours}",
        screen(term),
        screen(terminal.locale.as_deref().unwrap_or("not set"))
    );
    if columns < 60 || rows < 16 {
        TERMINAL.fail(seen, "make the terminal at least 60x16; 80x24 shows all")
    } else if ["dumb", "not set"].contains(&term) {
        TERMINAL.warn(seen, "set TERM to what the terminal is, such as `xterm-256color`")
    } else if !utf8 && !terminal.ascii {
        TERMINAL.warn(seen, "set LC_ALL to a UTF-8 locale, or use `--ascii`")
    } else {
        TERMINAL.ok(seen)
    }
}

/// Where things lie, and who can read them.
pub(super) fn paths(paths: &Paths) -> Check {
    let mut faults = Vec::new();
    let private = [
        &paths.archives_dir,
        &paths.receipts_dir,
        &paths.keys_dir,
        &paths.logs_dir,
        &paths.history_dir,
    ];
    let key_files = std::fs::read_dir(&paths.keys_dir).into_iter().flatten().flatten();
    let key_files: Vec<PathBuf> = key_files.map(|entry| entry.path()).collect();
    for dir in private.into_iter().chain(&key_files) {
        faults.extend(fault(dir, 0o077, "others than you can look into"));
    }
    for dir in [&paths.home, &paths.config_dir, &paths.config_file] {
        faults.extend(fault(dir, 0o022, "others than you can write to"));
    }
    let home = present(&paths.home);
    if access(&home, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        faults.push(format!("`{}` cannot be written to", shown(&home)));
    }
    if faults.is_empty() {
        let there = if paths.home.exists() { "" } else { ", made when it is needed" };
        return PATHS.ok(format!("the home is `{}`{there}", shown(&paths.home)));
    }
    PATHS.fail(faults.join("; "), "`chmod go-rwx` what is named here, and see who owns it")
}

/// What is wrong with one file, if it is there.
fn fault(path: &Path, closed: u32, what: &str) -> Option<String> {
    let metadata: Metadata = path.metadata().ok()?;
    let mode = metadata.mode() & 0o777;
    (mode & closed != 0).then(|| format!("{what} `{}` (mode {mode:o})", shown(path)))
}

fn shown(path: &Path) -> String {
    screen(&path.to_string_lossy())
}

/// The path itself, or the nearest above it that is there.
fn present(path: &Path) -> PathBuf {
    path.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// The room on the disk of the home.
pub(super) fn space(paths: &Paths) -> Check {
    match statvfs(present(&paths.home)) {
        Ok(disk) => judge_space(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => SPACE.not_run(error.to_string()),
    }
}

fn judge_space(free: u64) -> Check {
    let seen = format!("{} free where the home is", crate::format::bytes(free));
    let fix = "make room, or name another home in TENANTDESK_HOME";
    match free {
        0..0x0640_0000 => SPACE.fail(seen, fix),
        0x0640_0000..0x4000_0000 => SPACE.warn(seen, fix),
        _ => SPACE.ok(seen),
    }
}

/// The configuration file. What each value is and where it comes from is `config show`'s to tell.
pub(super) fn configuration(paths: &Paths) -> Check {
    if matches!(paths.config_file.try_exists(), Ok(false)) {
        return CONFIGURATION
            .ok(format!("no file `{}`: all is as it was made", shown(&paths.config_file)));
    }
    match Settings::load(&paths.config_file) {
        Ok(_) => CONFIGURATION.ok(format!("`{}` is right", shown(&paths.config_file))),
        Err(error) => {
            let failure = Failure::from(error);
            let seen = std::iter::once(failure.message.clone()).chain(failure.causes.clone());
            CONFIGURATION.fail(seen.collect::<Vec<_>>().join(": "), failure.hints.join("; "))
        }
    }
}

/// The keyring, asked for an entry that nobody has. Without one, passwords go into the encrypted file
/// or are asked for; that is no fault unless a profile counts on it.
pub(super) fn keyring(paths: &Paths) -> Check {
    let profiles = Settings::load(&paths.config_file).map_or_else(|_| Vec::new(), |s| s.profiles);
    let in_use = profiles.iter().any(|profile| profile.password == PasswordFrom::Keyring);
    match Keyring::with_patience(KEYRING_PATIENCE).read("doctor: is it there") {
        Ok(_) => KEYRING.ok("it answers"),
        Err(error) => {
            let hints = error.hints().join("; ");
            let said = error.to_string();
            if in_use {
                KEYRING.fail(said, hints)
            } else {
                KEYRING.not_run(format!("{said}; no profile keeps its password there"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_terminal_is_large_enough_and_knows_its_characters() {
        let good = Terminal {
            size: Some((80, 24)),
            locale: Some("C.UTF-8".to_owned()),
            term: Some("xterm".to_owned()),
            ..Terminal::default()
        };
        let verdict = |terminal: Terminal| super::terminal(&terminal).verdict;
        assert_eq!(verdict(good.clone()), Verdict::Ok);
        assert_eq!(verdict(Terminal { size: Some((59, 24)), ..good.clone() }), Verdict::Fail);
        assert_eq!(verdict(Terminal { size: None, ..good.clone() }), Verdict::NotRun);
        assert_eq!(verdict(Terminal { term: None, ..good.clone() }), Verdict::Warn);
        let latin = Terminal { locale: Some("de_DE.ISO-8859-1".to_owned()), ..good };
        assert_eq!(verdict(latin.clone()), Verdict::Warn);
        assert_eq!(verdict(Terminal { ascii: true, ..latin }), Verdict::Ok);
    }

    #[test]
    fn what_others_can_read_or_write_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(&dir.path().join("home"), &dir.path().join("config")).unwrap();
        assert_eq!(super::paths(&paths).verdict, Verdict::Ok, "nothing is there yet");
        std::fs::create_dir_all(&paths.keys_dir).unwrap();
        let key = paths.keys_dir.join("signing.pem");
        std::fs::write(&key, "").unwrap();
        for (path, open, closed) in
            [(&paths.keys_dir, 0o755, 0o700), (&key, 0o640, 0o600), (&paths.home, 0o777, 0o711)]
        {
            for other in [&paths.keys_dir, &paths.home] {
                std::fs::set_permissions(other, Permissions::from_mode(0o700)).unwrap();
            }
            std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
            std::fs::set_permissions(path, Permissions::from_mode(open)).unwrap();
            let check = super::paths(&paths);
            assert_eq!(check.verdict, Verdict::Fail, "{}", check.seen);
            assert!(check.seen.contains(&path.display().to_string()), "{}", check.seen);
            std::fs::set_permissions(path, Permissions::from_mode(closed)).unwrap();
            assert_eq!(super::paths(&paths).verdict, Verdict::Ok);
        }
    }

    #[test]
    fn a_full_disk_fails_before_it_is_full() {
        assert_eq!(judge_space(1 << 20).verdict, Verdict::Fail);
        assert_eq!(judge_space(500 << 20).verdict, Verdict::Warn);
        assert_eq!(judge_space(5 << 30).verdict, Verdict::Ok);
    }

    #[test]
    fn a_configuration_with_a_fault_says_which() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(&dir.path().join("home"), dir.path()).unwrap();
        assert_eq!(configuration(&paths).verdict, Verdict::Ok);
        std::fs::write(&paths.config_file, "[console]\nthema = 'dark'\n").unwrap();
        let check = configuration(&paths);
        assert_eq!(check.verdict, Verdict::Fail);
        assert!(check.seen.contains("thema"), "{}", check.seen);
        std::fs::write(&paths.config_file, "[console]\ntheme = 'dark'\n").unwrap();
        assert_eq!(configuration(&paths).verdict, Verdict::Ok);
    }
}
