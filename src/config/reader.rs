//! From the text of the configuration file to [`Settings`]: walks through it by the table of
//! settings, collects every fault, and remembers on which line each value stands.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::fault::Fault;
use super::profile::{self, EMBEDDED, PasswordFrom, Profile, ProfileName};
use super::setting::{self, Kind, PARTS, Setting};
use super::settings::{ConsoleSettings, Settings, ThemeName};
use crate::text::screen;

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;
type Keys = BTreeMap<String, Vec<String>>;

/// Reads the text of a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(text: &str) -> Result<Settings, Fault> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, faults: Vec::new(), lines: BTreeMap::new() };
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.fault(at, screen(error.message()));
    }
    // What could not be read would be missing below, and be told a second time.
    let mut settings =
        if errors.is_empty() { reader.top(table.get_ref()) } else { Settings::default() };
    settings.lines = reader.lines;
    Fault::chain(reader.faults).map_or(Ok(settings), Err)
}

/// A value that is what its setting can hold.
enum Scalar {
    Text(String),
    Flag(bool),
    Password(PasswordFrom),
    Keys(Keys),
}

/// The values of one table, by the names of their settings.
#[derive(Default)]
struct Values(BTreeMap<&'static str, (Scalar, usize)>);

impl Values {
    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some((Scalar::Text(text), _)) => Some(text),
            _ => None,
        }
    }

    fn theme(&self) -> Option<ThemeName> {
        let named = self.text("theme")?;
        ThemeName::ALL.into_iter().find(|(word, _)| *word == named).map(|(_, theme)| theme)
    }

    /// Where a value stands.
    fn at(&self, name: &str) -> Option<usize> {
        self.0.get(name).map(|(_, at)| *at)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Walks through the file and collects what is wrong.
struct Reader<'t> {
    text: &'t str,
    faults: Vec<(usize, String)>,
    lines: BTreeMap<String, usize>,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.text[..self.text.floor_char_boundary(at)].matches('\n').count() + 1
    }

    fn fault(&mut self, at: usize, what: impl Into<String>) {
        self.faults.push((self.line(at), what.into()));
    }

    fn top(&mut self, table: &DeTable<'_>) -> Settings {
        let mut settings = Settings::default();
        let mut default = None;
        for (key, value) in table {
            let (name, at) = (key.get_ref().as_ref(), value.span().start);
            match (name, value.get_ref().as_table()) {
                ("console", Some(table)) => settings.console = self.console(table),
                ("profiles", Some(table)) => settings.profiles = self.profiles(table),
                ("console" | "profiles", None) => {
                    let written = if name == "console" { "console" } else { "profiles.NAME" };
                    self.fault(at, format!("`{name}` is a table: write `[{written}]`"));
                }
                ("default_profile", _) => {
                    self.lines.insert(name.to_owned(), self.line(at));
                    default = self.text_value("default_profile", value).map(|name| (name, at));
                }
                _ => {
                    let there = "there are `default_profile`, `[console]` and `[profiles.NAME]`";
                    self.unknown(key, there);
                }
            }
        }
        if let Some((name, at)) = default {
            settings.default_profile = self.default_profile(&name, at, &settings.profiles);
        }
        settings
    }

    fn unknown(&mut self, key: &Key<'_>, allowed: &str) {
        let what = format!("`{}` is no setting; {allowed}", screen(key.get_ref()));
        self.fault(key.span().start, what);
    }

    /// One of the profiles, or `embedded`, which is what holds without it.
    fn default_profile(
        &mut self,
        name: &str,
        at: usize,
        profiles: &[Profile],
    ) -> Option<ProfileName> {
        if name == EMBEDDED {
            return None;
        }
        let found = profiles.iter().find(|profile| profile.name.as_str() == name);
        // A profile that has faults of its own is there all the same.
        let there = self.lines.contains_key(&format!("profiles.{name}"));
        if found.is_none() && !there {
            let name = screen(name);
            self.fault(at, format!("`default_profile` is `{name}`, and there is no such profile"));
        }
        found.map(|profile| profile.name.clone())
    }

    fn console(&mut self, table: &DeTable<'_>) -> ConsoleSettings {
        let mut values = self.values("console", "[console]", table, setting::CONSOLE);
        let theme = values.theme();
        let ascii = matches!(values.0.get("ascii"), Some((Scalar::Flag(true), _)));
        let history = match values.0.get("history") {
            Some((Scalar::Flag(chosen), _)) => Some(*chosen),
            _ => None,
        };
        let keys = match values.0.remove("keys") {
            Some((Scalar::Keys(keys), _)) => keys,
            _ => Keys::new(),
        };
        ConsoleSettings { theme, ascii, history, keys }
    }

    fn profiles(&mut self, table: &DeTable<'_>) -> Vec<Profile> {
        let mut profiles = Vec::new();
        for (key, value) in table {
            let (shown, at) = (screen(key.get_ref()), key.span().start);
            let path = format!("profiles.{}", key.get_ref());
            self.lines.insert(path.clone(), self.line(at));
            let name = key.get_ref().parse::<ProfileName>();
            if let Err(invalid) = &name {
                self.fault(at, format!("`{shown}`: {invalid}"));
            }
            let Some(table) = value.get_ref().as_table() else {
                self.fault(
                    value.span().start,
                    format!("`{shown}` is a table: write `[profiles.{shown}]`"),
                );
                continue;
            };
            let heading = format!("[profiles.{shown}]");
            let values = self.values(&path, &heading, table, setting::PROFILE);
            let url = self.address(&path, at, &values);
            if let Ok(name) = name {
                let password = match values.0.get("password") {
                    Some((Scalar::Password(from), _)) => from.clone(),
                    _ => PasswordFrom::default(),
                };
                let (theme, line) = (values.theme(), self.line(at));
                profiles.push(Profile { name, url, theme, password, line });
            }
        }
        profiles.sort_by(|a, b| a.name.cmp(&b.name));
        profiles
    }

    /// The address of a profile: as it is given, or made of its parts.
    fn address(&mut self, path: &str, at: usize, values: &Values) -> String {
        let parts: Vec<&str> = PARTS.into_iter().filter(|part| values.has(part)).collect();
        if let Some(url) = values.text("url") {
            let url_at = values.at("url").unwrap_or(at);
            if profile::holds_password(url) {
                // Not repeated: what is wrong with it is what must not be shown.
                let what = "`url` holds a password: leave it out and say with `password` where it comes from";
                self.fault(url_at, what);
            } else if !profile::is_address(url) {
                self.fault(url_at, "`url` begins with postgresql://");
            }
            for part in parts {
                let at = values.at(part).unwrap_or(at);
                self.fault(
                    at,
                    format!("`{part}` is a part of the address, and `url` gives it whole"),
                );
            }
            return url.to_owned();
        }
        // What is there and wrong is told already.
        let missing: Vec<&str> = ["host", "database", "user"]
            .into_iter()
            .filter(|part| !self.lines.contains_key(&format!("{path}.{part}")))
            .collect();
        let has_url = self.lines.contains_key(&format!("{path}.url"));
        if !missing.is_empty() && !has_url {
            let missing: Vec<String> = missing.iter().map(|part| format!("`{part}`")).collect();
            let what = format!("`[{}]` has no `url`, and {} missing", screen(path), are(&missing));
            self.fault(at, what);
        }
        for (one, other) in [("sslcert", "sslkey"), ("sslkey", "sslcert")] {
            if let Some(at) = values.at(one).filter(|_| !values.has(other)) {
                self.fault(at, format!("`{one}` is of no use without `{other}`"));
            }
        }
        let given = parts.iter().filter_map(|part| Some((*part, values.text(part)?)));
        profile::address_of_parts(given)
    }

    /// The values of one table; whatever is wrong with one of them is told and left out.
    fn values(
        &mut self,
        path: &str,
        heading: &str,
        table: &DeTable<'_>,
        settings: &'static [Setting],
    ) -> Values {
        let mut values = Values::default();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
                let hint = if name == "password_from" { " (the word is `password`)" } else { "" };
                self.unknown(key, &format!("`{heading}` has {}{hint}", names(settings)));
                continue;
            };
            let at = value.span().start;
            self.lines.insert(format!("{path}.{name}"), self.line(at));
            if let Some(scalar) = self.scalar(setting, value) {
                values.0.insert(setting.name, (scalar, at));
            }
        }
        values
    }

    fn scalar(&mut self, setting: &Setting, value: &Value<'_>) -> Option<Scalar> {
        let name = setting.name;
        let read = match setting.kind {
            Kind::Text => return self.text_value(name, value).map(Scalar::Text),
            Kind::Flag => value.get_ref().as_bool().map(Scalar::Flag),
            Kind::Port => {
                let number = value
                    .get_ref()
                    .as_integer()
                    .and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok());
                number.filter(|port| *port > 0).map(|port| Scalar::Text(port.to_string()))
            }
            Kind::OneOf(words) => {
                let given = value.get_ref().as_str();
                let found = words.iter().find(|word| Some(**word) == given);
                found.map(|word| Scalar::Text((*word).to_owned()))
            }
            Kind::Password => {
                let given = value.get_ref().as_str().and_then(|text| text.parse().ok());
                given.map(Scalar::Password)
            }
            Kind::Keys => match value.get_ref().as_table() {
                Some(table) => return Some(Scalar::Keys(self.keys(table))),
                None => None,
            },
        };
        if read.is_none() {
            self.fault(value.span().start, format!("`{name}` is {}", setting.kind.allowed()));
        }
        read
    }

    fn text_value(&mut self, name: &str, value: &Value<'_>) -> Option<String> {
        let text = value
            .get_ref()
            .as_str()
            .filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
        if text.is_none() {
            self.fault(value.span().start, format!("`{name}` is {}", Kind::Text.allowed()));
        }
        text.map(str::to_owned)
    }

    fn keys(&mut self, table: &DeTable<'_>) -> Keys {
        let mut keys = Keys::new();
        for (words, value) in table {
            let at = value.span().start;
            let list = value.get_ref().as_array().map(|list| {
                let texts = list.iter().map(|one| one.get_ref().as_str().map(str::to_owned));
                texts.collect::<Option<Vec<String>>>()
            });
            let words = words.get_ref().as_ref().to_owned();
            if let Some(Some(list)) = list {
                self.lines.insert(format!("console.keys.{words}"), self.line(at));
                keys.insert(words, list);
            } else {
                let what = format!(
                    "the keys of `{}` are a list of texts, as in [\"n\", \"g n\"]; an empty list takes them away",
                    screen(&words)
                );
                self.fault(at, what);
            }
        }
        keys
    }
}

/// `a`, `b` and `[console.c]`.
fn names(settings: &[Setting]) -> String {
    let name = |setting: &Setting| match setting.kind {
        Kind::Keys => format!("`[console.{}]`", setting.name),
        _ => format!("`{}`", setting.name),
    };
    listed(&settings.iter().map(name).collect::<Vec<_>>())
}

/// `a`, `b` and `c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// `a` is, or `a` and `b` are.
fn are(names: &[String]) -> String {
    format!("{} {}", listed(names), if names.len() == 1 { "is" } else { "are" })
}
