//! Changes to the configuration file that keep its comments, its order and its rights. A file that
//! is wrong is never changed, and what is written is read back first: it must be sound.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml_edit::{DocumentMut, Item, Table, value};

use super::profile::Profile;
use super::settings::{Settings, SettingsError};
use crate::failure::{Explain, Kind};
use crate::text::screen;

/// Why the file cannot be changed.
#[derive(Debug, Error)]
pub enum EditError {
    /// It is wrong as it is.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It cannot be written.
    #[error("the configuration `{}` cannot be written", screen(&.file.to_string_lossy()))]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Explain for EditError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Settings(error) => error.hints(),
            Self::Unwritable { .. } => Vec::new(),
        }
    }
}

/// Adds a profile, and makes it the one that is used where nothing else names a database.
///
/// # Errors
/// [`EditError`]; the file is as it was then.
pub fn add(file: &Path, profile: &Profile, default: bool) -> Result<(), EditError> {
    change(file, |document| {
        let name = profile.name.as_str();
        let mut table = Table::new();
        table["url"] = value(&profile.url);
        if let Some(theme) = profile.theme {
            table["theme"] = value(theme.as_str());
        }
        table["password"] = value(profile.password.to_string());
        table.decor_mut().set_prefix(if document.is_empty() { "" } else { "\n" });
        let profiles = document.entry("profiles").or_insert_with(|| {
            let mut profiles = Table::new();
            // Only its members have headings.
            profiles.set_implicit(true);
            Item::Table(profiles)
        });
        profiles[name] = Item::Table(table);
        if default {
            set_default(document, name);
        }
    })
}

/// Takes a profile out; says whether it was the default one, which then is none any more.
///
/// # Errors
/// [`EditError`]; the file is as it was then.
pub fn remove(file: &Path, name: &str) -> Result<bool, EditError> {
    let mut was_default = false;
    change(file, |document| {
        was_default = document.get("default_profile").and_then(Item::as_str) == Some(name);
        if was_default {
            document.remove("default_profile");
        }
        if let Some(profiles) = document.get_mut("profiles").and_then(Item::as_table_like_mut) {
            profiles.remove(name);
            if profiles.is_empty() {
                document.remove("profiles");
            }
        }
    })?;
    Ok(was_default)
}

fn set_default(document: &mut DocumentMut, name: &str) {
    let known = document.contains_key("default_profile");
    let mut default = value(name);
    if !known && let Some(default) = default.as_value_mut() {
        // It stands before all tables: a line of distance to the first, whatever comment that has.
        default.decor_mut().set_suffix("\n");
    }
    document["default_profile"] = default;
}

/// Reads, changes and writes the file; two programs that do so at once do it one after the other.
fn change(file: &Path, edit: impl FnOnce(&mut DocumentMut)) -> Result<(), EditError> {
    let failed = |source| EditError::Unwritable { file: file.to_owned(), source };
    // A configuration may be a link into a collection of them: the link stays.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let directory = place.parent().filter(|dir| !dir.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let alone = File::open(directory).map_err(failed)?;
    alone.lock().map_err(failed)?;
    Settings::load(&place)?;
    let text = match fs::read_to_string(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text.map_err(failed)?,
    };
    let mut document: DocumentMut =
        text.parse().map_err(|error| failed(io::Error::other(error)))?;
    edit(&mut document);
    let text = document.to_string();
    // The line of distance to a key that is gone.
    let text = text.trim_start_matches('\n');
    let sound = Settings::read(text);
    sound.map_err(|faults| SettingsError::Wrong { file: file.to_owned(), faults })?;
    write(&place, directory, text).map_err(failed)
}

/// Whole or not at all, with the rights that the file had.
fn write(place: &Path, directory: &Path, text: &str) -> io::Result<()> {
    let mut draft = tempfile::Builder::new().prefix(".config.").tempfile_in(directory)?;
    if let Ok(found) = fs::metadata(place) {
        draft.as_file().set_permissions(found.permissions())?;
    }
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(place).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PasswordFrom, ThemeName};

    fn profile(name: &str) -> Profile {
        Profile {
            name: name.parse().unwrap(),
            url: "postgresql://ada@db/app".to_owned(),
            theme: Some(ThemeName::Production),
            password: PasswordFrom::Keyring,
            line: 0,
        }
    }

    #[test]
    fn comments_order_and_rights_stay() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let (file, link) = (home.path().join("real.toml"), home.path().join("config.toml"));
        let before = "# mine\n[console] # the look\ntheme = \"light\"\n\n# last words\n";
        fs::write(&file, before).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        add(&link, &profile("b"), false).unwrap();
        add(&link, &profile("a"), true).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let expected = "default_profile = \"a\"\n\n# mine\n[console] # the look\ntheme = \"light\"\n\n\
                        [profiles.b]\nurl = \"postgresql://ada@db/app\"\ntheme = \"production\"\n\
                        password = \"keyring\"\n\n[profiles.a]\nurl = \"postgresql://ada@db/app\"\n\
                        theme = \"production\"\npassword = \"keyring\"\n\n# last words\n";
        assert_eq!(text, expected);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(Settings::load(&link).unwrap().default_profile.unwrap().as_str(), "a");
        assert!(remove(&link, "a").unwrap(), "it was the default");
        assert!(!remove(&link, "b").unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), before.trim_end());
    }

    #[test]
    fn a_file_is_made_where_there_is_none_and_a_wrong_one_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("new/config.toml");
        add(&file, &profile("a"), true).unwrap();
        let expected = "default_profile = \"a\"\n\n[profiles.a]\nurl = \"postgresql://ada@db/app\"\n\
                        theme = \"production\"\npassword = \"keyring\"\n";
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        fs::write(&file, "colour = 1\n").unwrap();
        assert!(add(&file, &profile("b"), false).unwrap_err().to_string().contains("is wrong"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "colour = 1\n");
    }
}
