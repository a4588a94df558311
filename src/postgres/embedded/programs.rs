//! Where the server programs are: looked for in a fixed order, and every place is remembered for
//! the error that has to name them.
//!
//! A data directory that exists decides the major version: only programs of that version count.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::download;
use super::error::EmbeddedError;
use crate::config::paths::is_root;
use crate::config::{Paths, env};
use crate::progress::Progress;
use crate::text::screen;

/// The oldest major version that is supported.
pub(super) const OLDEST: u32 = 15;

/// Whether programs may be fetched from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Download {
    /// Where nothing else is found.
    Allowed,
    /// Not at all.
    Never,
}

/// The places to look at, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Named by the user: this one or none.
    pub named: Option<PathBuf>,
    /// Holds a directory for each version downloaded before.
    pub downloads: PathBuf,
    /// `bin` directories of the system; the newest version wins.
    pub system: Vec<PathBuf>,
    /// A program that tells one more place; asked only where the others have nothing.
    pub pg_config: Option<PathBuf>,
    /// Whether to download at last.
    pub download: Download,
}

/// Server programs that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The directory that holds `postgres` and `initdb`.
    pub bin_dir: PathBuf,
    /// The major version.
    pub major: u32,
}

impl Search {
    /// The places of this machine, and what the environment says about them.
    #[must_use]
    pub fn from_environment(paths: &Paths) -> Self {
        let never = env::DOWNLOAD.read().is_some_and(|value| value == "never");
        Self {
            named: env::POSTGRES_DIR.read().map(PathBuf::from),
            downloads: paths.downloads_dir.clone(),
            system: system_dirs(),
            pg_config: on_path("pg_config"),
            download: if never { Download::Never } else { Download::Allowed },
        }
    }

    /// Finds programs, of the major version that the data needs if there is any.
    ///
    /// # Errors
    /// An error that names every place, and the command that installs PostgreSQL here.
    pub async fn find(
        &self,
        data: Option<(u32, &Path)>,
        progress: &Progress,
    ) -> Result<Programs, EmbeddedError> {
        let needed = data.map(|(major, _)| major);
        let fits = |major: u32| needed.map_or(major >= OLDEST, |needed| major == needed);
        let mut places = Vec::new();
        if let Some(named) = &self.named {
            let programs = named_programs(named).await?;
            if fits(programs.major) {
                return Ok(programs);
            }
            if needed.is_none() {
                let why = format!("that is PostgreSQL {}, not {OLDEST} or later", programs.major);
                return Err(EmbeddedError::NamedPrograms { dir: named.clone(), why });
            }
            places.push(format!("{} (PostgreSQL {})", named.display(), programs.major));
        } else {
            for dirs in [&download::versions(&self.downloads), &self.system] {
                if let Some(newest) = newest_of(dirs, fits, &mut places).await {
                    return Ok(newest);
                }
            }
            let told = self.pg_config.as_deref().and_then(told_by_pg_config);
            if let Some(newest) = newest_of(told.as_slice(), fits, &mut places).await {
                return Ok(newest);
            }
            match self.download {
                Download::Never => {
                    places.push("no download (TENANTDESK_DOWNLOAD=never)".to_owned());
                }
                Download::Allowed => {
                    match download::fetch(needed, &self.downloads, progress).await {
                        Ok(bin_dir) => match programs_at(&bin_dir).await {
                            Ok(programs) => return Ok(programs),
                            Err(why) => places.push(format!("{} ({why})", bin_dir.display())),
                        },
                        Err(EmbeddedError::Download(why)) => {
                            places.push(format!("{} ({why})", download::SOURCE));
                        }
                        Err(other) => return Err(other),
                    }
                }
            }
        }
        Err(missing(data, places))
    }
}

async fn named_programs(named: &Path) -> Result<Programs, EmbeddedError> {
    let inside = named.join("bin");
    let dir = if inside.join("postgres").exists() { &inside } else { named };
    let refuse = |why| EmbeddedError::NamedPrograms { dir: named.to_owned(), why };
    programs_at(dir).await.map_err(refuse)
}

async fn newest_of(
    dirs: &[PathBuf],
    fits: impl Fn(u32) -> bool,
    places: &mut Vec<String>,
) -> Option<Programs> {
    let mut newest: Option<Programs> = None;
    for dir in dirs {
        match programs_at(dir).await {
            Ok(programs) if fits(programs.major) => {
                if newest.as_ref().is_none_or(|best| best.major < programs.major) {
                    newest = Some(programs);
                }
            }
            Ok(programs) => {
                places.push(format!("{} (PostgreSQL {})", dir.display(), programs.major));
            }
            Err(why) => places.push(format!("{} ({why})", dir.display())),
        }
    }
    newest
}

/// Asks the server program of a directory for its version; the error says what is wrong there.
async fn programs_at(dir: &Path) -> Result<Programs, String> {
    for name in ["postgres", "initdb"] {
        if !dir.join(name).exists() {
            return Err(format!("no `{name}` there"));
        }
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().await;
    let output = output.map_err(|error| format!("`postgres` does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if let Some(major) = major_version(&text) {
        return Ok(Programs { bin_dir: dir.to_owned(), major });
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it tells no version");
    Err(format!("`postgres` does not run: {}", screen(said)))
}

/// From `postgres (PostgreSQL) 15.20 (Debian ..)`.
fn major_version(text: &str) -> Option<u32> {
    let number = text.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn missing(data: Option<(u32, &Path)>, places: Vec<String>) -> EmbeddedError {
    let install = install_command(data.map(|(major, _)| major));
    match data {
        Some((data, dir)) => {
            EmbeddedError::OtherVersion { data_dir: dir.to_owned(), data, places, install }
        }
        None => EmbeddedError::NoPrograms { wanted: format!("{OLDEST} or later"), places, install },
    }
}

/// The `bin` directories where packages of this system put the server.
///
/// All are kept although most do not exist, so that an error can name them.
fn system_dirs() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    let by_version = |parent: &str, prefix: &str| {
        let found: Vec<_> = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path().join("bin"))
            .collect();
        if found.is_empty() {
            vec![Path::new(parent).join(format!("{prefix}*/bin"))]
        } else {
            found
        }
    };
    if cfg!(target_os = "macos") {
        for cellar in ["/opt/homebrew/opt", "/usr/local/opt"] {
            dirs.extend(by_version(cellar, "postgresql"));
        }
    } else {
        dirs.extend(by_version("/usr/lib/postgresql", ""));
        dirs.extend(by_version("/usr", "pgsql-"));
        dirs.push("/usr/local/pgsql/bin".into());
        if Path::new("/home/linuxbrew/.linuxbrew/opt").exists() {
            dirs.extend(by_version("/home/linuxbrew/.linuxbrew/opt", "postgresql"));
        }
    }
    dirs.extend(on_path("postgres").and_then(|program| Some(program.parent()?.to_owned())));
    let mut seen = BTreeSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    dirs
}

/// The first program of that name on the PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::PATH.read()?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.exists())
}

/// What `pg_config --bindir` says: the directory of the newest development
/// package.
fn told_by_pg_config(program: &Path) -> Option<PathBuf> {
    let output = std::process::Command::new(program).arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dir = text.trim();
    (output.status.success() && !dir.is_empty()).then(|| PathBuf::from(dir))
}

/// The one command that installs PostgreSQL on this system.
fn install_command(major: Option<u32>) -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    install_command_for(&release, cfg!(target_os = "macos"), is_root(), major)
}

fn install_command_for(release: &str, macos: bool, root: bool, major: Option<u32>) -> String {
    let versioned = |before: &str, after: &str| {
        major.map_or_else(|| format!("{before}{after}"), |m| format!("{before}-{m}{after}"))
    };
    if macos {
        return format!("brew install postgresql@{}", major.unwrap_or(download::MAJOR));
    }
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let family = format!("{} {}", value("ID"), value("ID_LIKE"));
    let is = |names: &[&str]| family.split_whitespace().any(|word| names.contains(&word));
    let command = if is(&["debian", "ubuntu"]) {
        format!("apt-get install {}", versioned("postgresql", ""))
    } else if is(&["alpine"]) {
        format!("apk add postgresql{}", major.map_or_else(String::new, |m| m.to_string()))
    } else if is(&["fedora", "rhel", "centos"]) {
        "dnf install postgresql-server".to_owned()
    } else if is(&["suse", "opensuse"]) {
        format!(
            "zypper install postgresql{}-server",
            major.map_or_else(String::new, |m| m.to_string())
        )
    } else if is(&["arch"]) {
        "pacman -S postgresql".to_owned()
    } else {
        return "use the package manager of this system".to_owned();
    };
    if root { command } else { format!("sudo {command}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_prints() {
        let debian = "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)";
        assert_eq!(major_version(debian), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_version("command not found"), None);
    }

    #[test]
    fn each_platform_is_told_its_own_command() {
        let told = |release, major| install_command_for(release, false, false, major);
        assert_eq!(told("ID=debian\n", None), "sudo apt-get install postgresql");
        assert_eq!(
            told("ID=mint\nID_LIKE=\"ubuntu debian\"", Some(18)),
            "sudo apt-get install postgresql-18"
        );
        assert_eq!(told("ID=alpine", Some(17)), "sudo apk add postgresql17");
        assert_eq!(
            told("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", None),
            "sudo dnf install postgresql-server"
        );
        assert_eq!(told("", None), "use the package manager of this system");
        assert_eq!(install_command_for("", true, false, None), "brew install postgresql@18");
        assert_eq!(
            install_command_for("ID=debian", false, true, None),
            "apt-get install postgresql"
        );
    }
}
