//! Every environment variable that the program reads, and the only place that reads one.
//!
//! One table feeds the code, `tenantdesk --help`, the manual page and docs/reference/environment.md.
//! An empty variable counts as unset.

use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::base_strategy::{BaseStrategy as _, Xdg};

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, for help and documentation.
    pub purpose: &'static str,
}

/// The root of all state.
pub const HOME: Variable = Variable {
    name: "TENANTDESK_HOME",
    purpose: "directory of all state; default: tenantdesk under the XDG data directory, for root /var/lib/tenantdesk",
};
/// The server programs to use.
pub const POSTGRES_DIR: Variable = Variable {
    name: "TENANTDESK_POSTGRES_DIR",
    purpose: "installation of PostgreSQL 15 or later for the embedded server, or its bin directory",
};
/// Whether the server programs may be downloaded.
pub const DOWNLOAD: Variable = Variable {
    name: "TENANTDESK_DOWNLOAD",
    purpose: "`never`: do not download PostgreSQL where none is installed",
};
/// The target, in a later version.
pub const PROFILE: Variable = Variable {
    name: "TENANTDESK_PROFILE",
    purpose: "for profiles, which this version does not have: refused where it is set",
};
/// The target, as an address.
pub const URL: Variable =
    Variable { name: "TENANTDESK_URL", purpose: "the database to use, as `--url`" };
/// Where short-lived files of the user belong.
pub const RUNTIME_DIR: Variable = Variable {
    name: "XDG_RUNTIME_DIR",
    purpose: "directory of the socket where the path under the home would be too long",
};
/// Where programs are looked for.
pub const PATH: Variable =
    Variable { name: "PATH", purpose: "directories where PostgreSQL's programs are looked for" };
/// Where the server finds its libraries.
pub const LIBRARY_PATH: Variable = Variable {
    name: "LD_LIBRARY_PATH",
    purpose: "handed to PostgreSQL's programs, for installations that need it",
};

/// Whether to do without colours.
pub const NO_COLOR: Variable =
    Variable { name: "NO_COLOR", purpose: "if set: no colours, as `--color never`" };
/// What the terminal can do.
pub const TERM: Variable = Variable { name: "TERM", purpose: "`dumb`: no colours" };

/// What says which characters the terminal knows, the strongest first.
pub const LOCALE: [Variable; 3] = [
    Variable { name: "LC_ALL", purpose: "`doctor` tells whether text is UTF-8" },
    Variable { name: "LC_CTYPE", purpose: "as `LC_ALL`, where that is unset" },
    Variable { name: "LANG", purpose: "as `LC_CTYPE`, where that is unset" },
];

/// Where the operating system keeps a user's files: read through `etcetera`.
pub const XDG: [Variable; 3] = [
    Variable { name: "XDG_DATA_HOME", purpose: "default place of the home; else ~/.local/share" },
    Variable { name: "XDG_CONFIG_HOME", purpose: "place of the configuration; else ~/.config" },
    Variable { name: "HOME", purpose: "the user's directory; else the account's own" },
];

/// All of them, in the order of the documentation.
#[must_use]
pub fn all() -> Vec<Variable> {
    let ours = [
        HOME,
        POSTGRES_DIR,
        DOWNLOAD,
        PROFILE,
        URL,
        RUNTIME_DIR,
        PATH,
        LIBRARY_PATH,
        NO_COLOR,
        TERM,
    ];
    ours.into_iter().chain(LOCALE).chain(XDG).collect()
}

impl Variable {
    /// The value; `None` where it is unset or empty.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that may read the environment"
    )]
    pub fn read(self) -> Option<OsString> {
        std::env::var_os(self.name).filter(|value| !value.is_empty())
    }
}

/// The user's base directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDirs {
    /// For data.
    pub data: PathBuf,
    /// For configuration.
    pub config: PathBuf,
}

/// The user's base directories; `None` where there is no home directory to derive them from.
#[must_use]
pub fn user_dirs() -> Option<UserDirs> {
    let strategy = Xdg::new().ok()?;
    let dirs = UserDirs { data: strategy.data_dir(), config: strategy.config_dir() };
    // HOME may hold anything; a relative one would put state wherever the program was called.
    (dirs.data.is_absolute() && dirs.config.is_absolute()).then_some(dirs)
}

/// What the server's processes inherit: nothing that could hold a secret of the caller.
#[must_use]
pub fn passed_on() -> Vec<(&'static str, OsString)> {
    let names = [PATH, LIBRARY_PATH];
    names.into_iter().filter_map(|variable| Some((variable.name, variable.read()?))).collect()
}
