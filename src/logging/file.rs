//! One log file a day, readable by its owner only.
//!
//! The day is in the name, so that several processes write the same files without renaming them
//! under each other; each record is one append. Files older than two weeks are removed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, TimeDelta};

use crate::clock;

/// For how many days a file is kept.
const KEPT_DAYS: i64 = 14;

/// An append-only writer that changes its file at midnight (UTC).
#[derive(Debug)]
pub struct DailyFile {
    directory: PathBuf,
    day: NaiveDate,
    file: File,
}

impl DailyFile {
    /// Opens today's file in a directory, which is made (mode 0700) where it is missing.
    ///
    /// # Errors
    /// What the system says about the directory or the file.
    pub fn open(directory: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let day = clock::now().date_naive();
        let file = open_day(directory, day)?;
        remove_before(directory, day - TimeDelta::days(KEPT_DAYS));
        Ok(Self { directory: directory.to_owned(), day, file })
    }

    /// Goes on to the file of another day.
    fn turn_to(&mut self, day: NaiveDate) -> io::Result<()> {
        self.file = open_day(&self.directory, day)?;
        self.day = day;
        remove_before(&self.directory, day - TimeDelta::days(KEPT_DAYS));
        Ok(())
    }
}

impl Write for DailyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let today = clock::now().date_naive();
        if today != self.day {
            self.turn_to(today)?;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The name of the file of a day.
fn name_of(day: NaiveDate) -> String {
    format!("tenantdesk.{day}.log")
}

/// Opens the file of a day, and takes the rights of others away where it existed with more.
fn open_day(directory: &Path, day: NaiveDate) -> io::Result<File> {
    let path = directory.join(name_of(day));
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(file)
}

/// Removes our files of days before `oldest`; what cannot be removed stays.
fn remove_before(directory: &Path, oldest: NaiveDate) {
    let Ok(entries) = directory.read_dir() else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| {
            name.strip_prefix("tenantdesk.")?.strip_suffix(".log")?.parse::<NaiveDate>().ok()
        });
        if day.is_some_and(|day| day < oldest) {
            let _stays = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_its_owners_alone_also_where_it_existed_with_more_rights() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log").join(name_of(clock::now().date_naive()));
        std::fs::create_dir(home.path().join("log")).unwrap();
        std::fs::write(&path, "before\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut file = DailyFile::open(&home.path().join("log")).unwrap();
        file.write_all(b"after\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\nafter\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_day_is_a_new_file_and_old_days_go() {
        let home = tempfile::tempdir().unwrap();
        let mut file = DailyFile::open(home.path()).unwrap();
        let today = clock::now().date_naive();
        let (old, recent) = (today - TimeDelta::days(30), today - TimeDelta::days(3));
        for day in [old, recent] {
            std::fs::write(home.path().join(name_of(day)), "").unwrap();
        }
        std::fs::write(home.path().join("tenantdesk.notes.log"), "").unwrap();
        file.turn_to(today + TimeDelta::days(1)).unwrap();
        let exists = |name: String| home.path().join(name).exists();
        assert!(exists(name_of(today + TimeDelta::days(1))) && exists(name_of(recent)));
        assert!(!exists(name_of(old)));
        assert!(exists("tenantdesk.notes.log".to_owned()), "what is not ours stays");
    }
}
