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
/// The target, as a name of the configuration.
pub const PROFILE: Variable = Variable {
    name: "TENANTDESK_PROFILE",
    purpose: "the profile to use, as `--profile`; `embedded` is the embedded server",
};
/// The target, as an address.
pub const URL: Variable = Variable {
    name: "TENANTDESK_URL",
    purpose: "the database to use, as `--url`; may hold a password",
};
/// What opens the file of passwords.
pub const PASSPHRASE: Variable = Variable {
    name: "TENANTDESK_PASSPHRASE",
    purpose: "the passphrase of the encrypted file of passwords; else it is asked for",
};
/// Where the keyring is: read through `keyring`.
pub const SESSION_BUS: Variable = Variable {
    name: "DBUS_SESSION_BUS_ADDRESS",
    purpose: "the message bus on which the keyring of the session is",
};
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

/// What libpq reads where an address is silent; only together with an address.
pub const PG_HOST: Variable = Variable {
    name: "PGHOST",
    purpose: "host, or directory of the socket, where the address names none",
};
/// As above.
pub const PG_PORT: Variable =
    Variable { name: "PGPORT", purpose: "port where the address names none" };
/// As above.
pub const PG_USER: Variable = Variable {
    name: "PGUSER",
    purpose: "login where the address names none; else the operating system's user",
};
/// As above.
pub const PG_DATABASE: Variable = Variable {
    name: "PGDATABASE",
    purpose: "database where the address names none; else the name of the login",
};
/// As above.
pub const PG_PASSWORD: Variable = Variable {
    name: "PGPASSWORD",
    purpose: "password where the address or the profile holds none; other users of the machine may be able to see it",
};
/// As above.
pub const PG_PASS_FILE: Variable = Variable {
    name: "PGPASSFILE",
    purpose: "password file of PostgreSQL's own form, mode 0600; else ~/.pgpass",
};
/// As above.
pub const PG_SSL_MODE: Variable = Variable {
    name: "PGSSLMODE",
    purpose: "`sslmode` where the address has none; else verify-full, on the loopback prefer",
};
/// As above.
pub const PG_SSL_ROOT_CERT: Variable = Variable {
    name: "PGSSLROOTCERT",
    purpose: "`sslrootcert` where the address has none: a file of authorities, or `system`",
};
/// As above.
pub const PG_SSL_CERT: Variable =
    Variable { name: "PGSSLCERT", purpose: "`sslcert` where the address has none" };
/// As above.
pub const PG_SSL_KEY: Variable =
    Variable { name: "PGSSLKEY", purpose: "`sslkey` where the address has none" };
/// As above.
pub const PG_CHANNEL_BINDING: Variable = Variable {
    name: "PGCHANNELBINDING",
    purpose: "`channel_binding` where the address has none: disable, prefer or require",
};
/// As above.
pub const PG_CONNECT_TIMEOUT: Variable = Variable {
    name: "PGCONNECT_TIMEOUT",
    purpose: "`connect_timeout` in seconds where the address has none; 0 waits for ever",
};
/// Whose authorities the system trusts: read through `rustls-native-certs`.
pub const SYSTEM_ROOTS: [Variable; 2] = [
    Variable {
        name: "SSL_CERT_FILE",
        purpose: "file of the system's authorities, in place of its own",
    },
    Variable { name: "SSL_CERT_DIR", purpose: "directories of the system's authorities, likewise" },
];

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
        PASSPHRASE,
        SESSION_BUS,
        PG_HOST,
        PG_PORT,
        PG_USER,
        PG_DATABASE,
        PG_PASSWORD,
        PG_PASS_FILE,
        PG_SSL_MODE,
        PG_SSL_ROOT_CERT,
        PG_SSL_CERT,
        PG_SSL_KEY,
        PG_CHANNEL_BINDING,
        PG_CONNECT_TIMEOUT,
        RUNTIME_DIR,
        PATH,
        LIBRARY_PATH,
        NO_COLOR,
        TERM,
    ];
    ours.into_iter().chain(LOCALE).chain(SYSTEM_ROOTS).chain(XDG).collect()
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

/// A variable that a profile names as the place of its password; `None` where it is unset or empty.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that may read the environment"
)]
pub fn named(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
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

/// The user's directory.
#[must_use]
pub fn home_dir() -> Option<PathBuf> {
    etcetera::home_dir().ok().filter(|home| home.is_absolute())
}

/// What the server's processes inherit: nothing that could hold a secret of the caller.
#[must_use]
pub fn passed_on() -> Vec<(&'static str, OsString)> {
    let names = [PATH, LIBRARY_PATH];
    names.into_iter().filter_map(|variable| Some((variable.name, variable.read()?))).collect()
}
