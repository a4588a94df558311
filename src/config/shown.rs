//! Every value that is in force, with what it comes from: for `config show` and `doctor`. Secrets
//! are not among them; of a password only its place is known here.

use std::fmt;

use secrecy::ExposeSecret as _;

use super::profile::PasswordFrom;
use super::setting::{self, Kind};
use super::settings::Settings;
use super::{Chosen, EMBEDDED, Named, Paths, Profile, env};

/// What a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// The configuration file.
    File {
        /// The line, from 1.
        line: usize,
    },
    /// Nothing said otherwise.
    Default,
}

impl Source {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Variable(_) => "variable",
            Self::File { .. } => "file",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { line } => write!(f, "line {line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One value that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its path, as `profiles.staging.url`.
    pub name: String,
    /// The value; none where nothing is set.
    pub value: Option<String>,
    /// What it comes from.
    pub source: Source,
}

fn shown(name: impl Into<String>, value: Option<String>, source: Source) -> Shown {
    Shown { name: name.into(), value, source }
}

impl Settings {
    /// What a value of the file comes from: its line, or the default.
    #[must_use]
    pub fn source_of(&self, path: &str) -> Source {
        self.line_of(path).map_or(Source::Default, |line| Source::File { line })
    }

    /// Every value, in the order of the documentation. `look` holds what the flags and the terminal
    /// decided already, in the place of what the file says.
    #[must_use]
    pub fn shown(&self, chosen: &Chosen, paths: &Paths, look: &[Shown]) -> Vec<Shown> {
        let mut all = vec![target(chosen)];
        all.extend(places(paths));
        let default = self.default_profile.as_ref().map_or(EMBEDDED, |name| name.as_str());
        let source = self.source_of("default_profile");
        all.push(shown("default_profile", Some(default.to_owned()), source));
        let theme = self.console.theme.map_or("dark", |theme| theme.as_str());
        let ascii = self.console.ascii.to_string();
        let history = self.console.keeps_history().to_string();
        let console =
            [("console.theme", theme), ("console.ascii", &ascii), ("console.history", &history)];
        for (name, value) in console {
            let decided = look.iter().find(|decided| decided.name == name).cloned();
            let of_file = || shown(name, Some(value.to_owned()), self.source_of(name));
            all.push(decided.unwrap_or_else(of_file));
        }
        for (words, keys) in &self.console.keys {
            let path = format!("console.keys.{words}");
            let source = self.source_of(&path);
            all.push(shown(path, Some(keys.join(", ")), source));
        }
        all.extend(self.profiles.iter().flat_map(|profile| self.of_profile(profile)));
        all
    }

    /// What a profile says; where its address is given in parts, each has its line.
    fn of_profile(&self, profile: &Profile) -> Vec<Shown> {
        let path = |name: &str| format!("profiles.{}.{name}", profile.name);
        let url = match self.line_of(&path("url")) {
            Some(line) => Source::File { line },
            // Made of its parts, which begin here.
            None => Source::File { line: profile.line },
        };
        let mut all = vec![shown(path("url"), Some(profile.url.clone()), url)];
        for setting in setting::PROFILE.iter().filter(|one| one.name != "url") {
            let value = match (setting.name, setting.kind) {
                ("theme", _) => profile.theme.map(|theme| theme.as_str().to_owned()),
                (_, Kind::Password) => Some(profile.password.to_string()),
                // The address holds it.
                _ => continue,
            };
            let source = self.source_of(&path(setting.name));
            all.push(shown(path(setting.name), value, source));
        }
        all
    }
}

/// Which database is used now.
fn target(chosen: &Chosen) -> Shown {
    let value = match &chosen.named {
        Named::Embedded => EMBEDDED.to_owned(),
        Named::Url(url) => url.clone(),
        Named::SecretUrl(url) if super::profile::holds_password(url.expose_secret()) => {
            "an address with a password".to_owned()
        }
        Named::SecretUrl(url) => url.expose_secret().to_owned(),
        Named::Profile(profile) => format!("profile {}", profile.name),
    };
    shown("target", Some(value), chosen.source)
}

/// What the environment decides.
fn places(paths: &Paths) -> Vec<Shown> {
    let path = |path: &std::path::Path| Some(path.to_string_lossy().into_owned());
    let variable = |variable: env::Variable| {
        let read = variable.read();
        let source = if read.is_some() { Source::Variable(variable.name) } else { Source::Default };
        (read.map(|value| value.to_string_lossy().into_owned()), source)
    };
    let (_, home) = variable(env::HOME);
    let (_, config) = variable(env::XDG[1]);
    let (programs, programs_source) = variable(env::POSTGRES_DIR);
    let (download, download_source) = variable(env::DOWNLOAD);
    let (_, passphrase) = variable(env::PASSPHRASE);
    let asked = match passphrase {
        Source::Default => "asked for".to_owned(),
        _ => PasswordFrom::Variable(env::PASSPHRASE.name.to_owned()).to_string(),
    };
    vec![
        shown("home", path(&paths.home), home),
        shown("config_file", path(&paths.config_file), config),
        shown("postgres_dir", programs, programs_source),
        shown("download", download, download_source),
        shown("passphrase", Some(asked), passphrase),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_value_knows_what_it_comes_from_and_flags_come_before_the_file() {
        let text = "default_profile = \"a\"\n[console]\ntheme = \"light\"\n[console.keys]\n\
                    quit = [\"Q\"]\n[profiles.a]\nhost = \"db\"\ndatabase = \"app\"\nuser = \"ada\"\n\
                    password = \"keyring\"\n";
        let settings = Settings::read(text).unwrap();
        let paths = Paths::new(Path::new("/srv/td"), Path::new("/etc/td")).unwrap();
        let named = Named::Profile(settings.profile("a").unwrap().clone());
        let chosen = Chosen { named, source: settings.source_of("default_profile") };
        let ascii = shown("console.ascii", Some("true".to_owned()), Source::Flag("--ascii"));
        let all = settings.shown(&chosen, &paths, &[ascii]);
        let of = |name: &str| {
            let found = all.iter().find(|one| one.name == name).unwrap();
            format!("{} {}", found.value.as_deref().unwrap_or("-"), found.source)
        };
        assert_eq!(of("target"), "profile a line 1");
        assert_eq!(of("default_profile"), "a line 1");
        assert_eq!(of("console.theme"), "light line 3");
        assert_eq!(of("console.ascii"), "true --ascii");
        assert_eq!(of("console.keys.quit"), "Q line 5");
        assert_eq!(of("profiles.a.url"), "postgresql:///app?host=db&user=ada line 6");
        assert_eq!(of("profiles.a.theme"), "- default");
        assert_eq!(of("profiles.a.password"), "keyring line 10");
    }
}
