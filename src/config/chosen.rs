//! Which database is meant: by an address, by a profile, or, where nothing names one, the embedded
//! server. One order everywhere: `--url`, `--profile`, `TENANTDESK_URL`, `TENANTDESK_PROFILE`,
//! `default_profile`.

use std::ffi::OsString;

use secrecy::SecretString;
use thiserror::Error;

use super::Paths;
use super::env;
use super::profile::{EMBEDDED, Profile};
use super::settings::{Settings, SettingsError};
use super::shown::Source;
use crate::failure::{Explain, Kind};
use crate::text::screen;

/// What the command line says about the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// `--url`
    pub url: Option<String>,
    /// `--profile`
    pub profile: Option<String>,
}

/// What was chosen.
#[derive(Debug, Clone)]
pub enum Named {
    /// The embedded server.
    Embedded,
    /// An address without a password.
    Url(String),
    /// An address of the environment, which may hold one.
    SecretUrl(SecretString),
    /// A profile.
    Profile(Profile),
}

/// What was chosen, and by what.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The database.
    pub named: Named,
    /// What named it.
    pub source: Source,
}

/// Why no database could be chosen.
#[derive(Debug, Error)]
pub enum ChoiceError {
    /// Two flags name two databases.
    #[error("`--url` and `--profile` both name a database: give one of them")]
    Both,
    /// There is no such profile.
    #[error("there is no profile `{}` (named by {by})", screen(.name))]
    Unknown {
        /// What was named.
        name: String,
        /// What named it.
        by: String,
        /// Those that are.
        known: Vec<String>,
    },
    /// A variable is no text.
    #[error("{0} is not valid UTF-8")]
    NotText(&'static str),
    /// The file is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Explain for ChoiceError {
    fn kind(&self) -> Kind {
        match self {
            Self::Both => Kind::Usage,
            Self::Unknown { .. } | Self::NotText(_) => Kind::Refused,
            Self::Settings(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Both | Self::NotText(_) => Vec::new(),
            Self::Settings(error) => error.hints(),
            Self::Unknown { known, .. } => vec![
                match known.as_slice() {
                    [] => {
                        "there are no profiles besides `embedded`, the embedded server".to_owned()
                    }
                    some => format!("there are `embedded`, {}", some.join(", ")),
                },
                "`tenantdesk profile add` makes one".to_owned(),
            ],
        }
    }
}

impl Chosen {
    /// Decides, with the environment and the configuration of these paths.
    ///
    /// # Errors
    /// [`ChoiceError`]; the file is read only where it has a say.
    pub fn decide(wish: &Wish, paths: &Paths) -> Result<Self, ChoiceError> {
        let url = text(env::URL.read(), env::URL.name)?;
        let profile = text(env::PROFILE.read(), env::PROFILE.name)?;
        Self::among(wish, (url, profile), || Ok(Settings::load(&paths.config_file)?))
    }

    /// As [`Chosen::decide`], with all that it depends on.
    fn among(
        wish: &Wish,
        (url, profile): (Option<String>, Option<String>),
        settings: impl FnOnce() -> Result<Settings, ChoiceError>,
    ) -> Result<Self, ChoiceError> {
        let flag = |name: &'static str| Source::Flag(name);
        let (name, source) = match (&wish.url, &wish.profile, url, profile) {
            (Some(_), Some(_), ..) => return Err(ChoiceError::Both),
            (Some(url), ..) => return Ok(Self::url(url.clone(), flag("--url"))),
            (None, Some(name), ..) => (Some(name.clone()), flag("--profile")),
            (None, None, Some(url), _) => {
                let (named, source) =
                    (Named::SecretUrl(url.into()), Source::Variable(env::URL.name));
                return Ok(Self { named, source });
            }
            (None, None, None, Some(name)) => (Some(name), Source::Variable(env::PROFILE.name)),
            (None, None, None, None) => (None, Source::Default),
        };
        if name.as_deref() == Some(EMBEDDED) {
            return Ok(Self { named: Named::Embedded, source });
        }
        let settings = settings()?;
        match (name, &settings.default_profile) {
            (Some(name), _) => Self::profile(&settings, &name, source),
            (None, None) => {
                let source = settings.source_of("default_profile");
                Ok(Self { named: Named::Embedded, source })
            }
            (None, Some(name)) => {
                let source = settings.source_of("default_profile");
                Self::profile(&settings, name.as_str(), source)
            }
        }
    }

    fn url(url: String, source: Source) -> Self {
        Self { named: Named::Url(url), source }
    }

    fn profile(settings: &Settings, name: &str, source: Source) -> Result<Self, ChoiceError> {
        match settings.profile(name) {
            Some(profile) => Ok(Self { named: Named::Profile(profile.clone()), source }),
            None => Err(unknown(settings, name, source.to_string())),
        }
    }
}

/// There is no such profile, and these are.
#[must_use]
pub(crate) fn unknown(settings: &Settings, name: &str, by: String) -> ChoiceError {
    let known = settings.profiles.iter().map(|one| one.name.to_string()).collect();
    ChoiceError::Unknown { name: name.to_owned(), by, known }
}

fn text(value: Option<OsString>, name: &'static str) -> Result<Option<String>, ChoiceError> {
    value.map(|value| value.into_string().map_err(|_| ChoiceError::NotText(name))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "default_profile = \"b\"\n[profiles.a]\nurl = \"postgres://a\"\n\
                        [profiles.b]\nurl = \"postgres://b\"\n";

    fn among(flags: (&str, &str), variables: (&str, &str), file: &str) -> String {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let wish = Wish { url: given(flags.0), profile: given(flags.1) };
        let variables = (given(variables.0), given(variables.1));
        let chosen = Chosen::among(&wish, variables, || Ok(Settings::read(file).unwrap()));
        match chosen {
            Err(error) => error.to_string(),
            Ok(Chosen { named, source }) => match named {
                Named::Embedded => format!("embedded by {source}"),
                Named::Url(url) => format!("{url} by {source}"),
                Named::SecretUrl(_) => format!("v by {source}"),
                Named::Profile(profile) => format!("{} by {source}", profile.name),
            },
        }
    }

    #[test]
    fn the_nearest_to_the_person_names_the_database() {
        assert_eq!(among(("u", ""), ("v", "a"), FILE), "u by --url");
        assert_eq!(among(("", "a"), ("v", "b"), FILE), "a by --profile");
        assert_eq!(among(("", ""), ("v", "a"), FILE), "v by TENANTDESK_URL");
        assert_eq!(among(("", ""), ("", "a"), FILE), "a by TENANTDESK_PROFILE");
        assert_eq!(among(("", ""), ("", ""), FILE), "b by line 1");
        assert_eq!(among(("", ""), ("", ""), ""), "embedded by default");
        assert_eq!(among(("", "embedded"), ("v", "a"), FILE), "embedded by --profile");
        assert!(among(("u", "a"), ("", ""), FILE).contains("give one of them"));
    }

    #[test]
    fn an_unknown_profile_is_refused_with_those_that_are() {
        let wish = Wish { profile: Some("prod".into()), url: None };
        let error = Chosen::among(&wish, (None, None), || Ok(Settings::read(FILE).unwrap()));
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "there is no profile `prod` (named by --profile)");
        assert_eq!(
            (error.kind(), error.hints()[0].as_str()),
            (Kind::Refused, "there are `embedded`, a, b")
        );
    }
}
