//! Passwords in a file that a passphrase encrypts, for machines without a keyring.
//!
//! The file is an age file (scrypt, work factor 18 as `age -p` has it), so `age -d` opens it by hand.
//! It has mode 0600, is replaced whole or not at all, and goes away with its last password.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use age::scrypt::{Identity, Recipient};
use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::failure::{Explain, Kind};
use crate::text::screen;

/// The base-2 logarithm of scrypt's cost: about a second.
const WORK: u8 = 18;
/// A file that would take longer than this to open was not made here.
const MOST_WORK: u8 = 20;
/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

/// Why the file is of no use now.
#[derive(Debug, Error)]
pub enum PasswordFileError {
    /// It cannot be read or written.
    #[error("the file of passwords `{}` cannot be used", screen(&.path.to_string_lossy()))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open `{}`", screen(&.path.to_string_lossy()))]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// It is no such file.
    #[error("`{}` is no file of passwords, or it is damaged", screen(&.path.to_string_lossy()))]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase that is none.
    #[error("the passphrase is empty")]
    NoPassphrase,
}

impl Explain for PasswordFileError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Damaged { path } => vec![
                "restore it from a backup".to_owned(),
                format!(
                    "or move {} away, and set the passwords anew",
                    screen(&path.to_string_lossy())
                ),
            ],
            Self::Io { .. } | Self::Passphrase { .. } | Self::NoPassphrase => Vec::new(),
        }
    }
}

/// The file of passwords.
#[derive(Debug, Clone)]
pub struct PasswordFile {
    path: PathBuf,
    work: u8,
}

/// What is in it.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    passwords: BTreeMap<String, String>,
}

impl Drop for Content {
    fn drop(&mut self) {
        self.passwords.values_mut().for_each(Zeroize::zeroize);
    }
}

impl PasswordFile {
    /// The file in `path`, which need not be there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), work: WORK }
    }

    /// Whether there is one: else the next passphrase is a new one.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The password of an entry; none where there is no such entry.
    ///
    /// # Errors
    /// [`PasswordFileError`].
    pub fn read(
        &self,
        passphrase: &SecretString,
        entry: &str,
    ) -> Result<Option<SecretString>, PasswordFileError> {
        let content = self.open(passphrase)?;
        Ok(content.passwords.get(entry).map(|password| SecretString::from(password.as_str())))
    }

    /// Keeps a password, in the place of the one that is there.
    ///
    /// # Errors
    /// [`PasswordFileError`]; the file is as it was then.
    pub fn store(
        &self,
        passphrase: &SecretString,
        entry: &str,
        password: &SecretString,
    ) -> Result<(), PasswordFileError> {
        if passphrase.expose_secret().is_empty() {
            return Err(PasswordFileError::NoPassphrase);
        }
        let _alone = self.alone()?;
        let mut content = self.open(passphrase)?;
        content.passwords.insert(entry.to_owned(), password.expose_secret().to_owned());
        self.write(passphrase, &content)
    }

    /// Takes an entry out; whether there was one.
    ///
    /// # Errors
    /// [`PasswordFileError`]; the file is as it was then.
    pub fn remove(
        &self,
        passphrase: &SecretString,
        entry: &str,
    ) -> Result<bool, PasswordFileError> {
        let _alone = self.alone()?;
        let mut content = self.open(passphrase)?;
        if content.passwords.remove(entry).is_none() {
            return Ok(false);
        }
        if content.passwords.is_empty() {
            fs::remove_file(&self.path).map_err(|source| self.failed(source))?;
        } else {
            self.write(passphrase, &content)?;
        }
        Ok(true)
    }

    fn failed(&self, source: io::Error) -> PasswordFileError {
        PasswordFileError::Io { path: self.path.clone(), source }
    }

    fn damaged(&self) -> PasswordFileError {
        PasswordFileError::Damaged { path: self.path.clone() }
    }

    fn directory(&self) -> &Path {
        let parent = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        parent.unwrap_or_else(|| Path::new("."))
    }

    /// Two programs that change the file do it one after the other.
    fn alone(&self) -> Result<File, PasswordFileError> {
        let lock = || {
            DirBuilder::new().recursive(true).mode(0o711).create(self.directory())?;
            let directory = File::open(self.directory())?;
            directory.lock()?;
            Ok(directory)
        };
        lock().map_err(|source| self.failed(source))
    }

    /// What is in the file; nothing where there is none.
    fn open(&self, passphrase: &SecretString) -> Result<Content, PasswordFileError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            opened => opened.map_err(|source| self.failed(source))?,
        };
        let mut identity = Identity::new(passphrase.clone());
        identity.set_max_work_factor(MOST_WORK);
        let decryptor = Decryptor::new(file.take(LARGEST)).map_err(|error| self.explain(error))?;
        let opened = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
        let mut text = Zeroizing::new(String::new());
        opened
            .map_err(|error| self.explain(error))?
            .read_to_string(&mut text)
            .map_err(|_cut_or_changed| self.damaged())?;
        serde_json::from_str(&text).map_err(|_other| self.damaged())
    }

    fn explain(&self, error: DecryptError) -> PasswordFileError {
        match error {
            DecryptError::NoMatchingKeys
            | DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed => {
                PasswordFileError::Passphrase { path: self.path.clone() }
            }
            DecryptError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                self.failed(source)
            }
            _ => self.damaged(),
        }
    }

    fn write(&self, passphrase: &SecretString, content: &Content) -> Result<(), PasswordFileError> {
        let written = self.encrypted(passphrase, content).and_then(|bytes| {
            // A named temporary file has mode 0600 from its first moment.
            let mut draft =
                tempfile::Builder::new().prefix(".secrets.").tempfile_in(self.directory())?;
            draft.write_all(&bytes)?;
            draft.as_file().sync_all()?;
            draft.persist(&self.path).map_err(|error| error.error)?;
            File::open(self.directory())?.sync_all()
        });
        written.map_err(|source| self.failed(source))
    }

    fn encrypted(&self, passphrase: &SecretString, content: &Content) -> io::Result<Vec<u8>> {
        let text = Zeroizing::new(serde_json::to_vec(&Written { v: 1, content })?);
        let mut recipient = Recipient::new(passphrase.clone());
        recipient.set_work_factor(self.work);
        let encryptor =
            Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient));
        let encryptor = encryptor.map_err(|error: EncryptError| io::Error::other(error))?;
        let mut bytes = Vec::new();
        let mut writer = encryptor.wrap_output(&mut bytes)?;
        writer.write_all(&text)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// What is written: the content and the version of its form.
#[derive(Serialize)]
struct Written<'c> {
    v: u8,
    #[serde(flatten)]
    content: &'c Content,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Cheap to open: what is tried is the file.
    fn file(home: &tempfile::TempDir) -> PasswordFile {
        PasswordFile { path: home.path().join("state/secrets.age"), work: 4 }
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_password_is_kept_read_and_taken_out_and_never_in_plain_text() {
        let home = tempfile::tempdir().unwrap();
        let (file, passphrase) = (file(&home), secret("correct horse"));
        assert!(!file.exists());
        assert!(file.read(&passphrase, "a").unwrap().is_none());
        file.store(&passphrase, "a", &secret("c4n4ry")).unwrap();
        file.store(&passphrase, "b", &secret("pässwörd")).unwrap();
        let bytes = fs::read(&file.path).unwrap();
        assert!(bytes.starts_with(b"age-encryption.org/v1"));
        assert!(!bytes.windows(6).any(|window| window == b"c4n4ry"));
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(file.read(&passphrase, "a").unwrap().unwrap().expose_secret(), "c4n4ry");
        assert_eq!(file.read(&passphrase, "b").unwrap().unwrap().expose_secret(), "pässwörd");
        assert!(file.remove(&passphrase, "a").unwrap() && !file.remove(&passphrase, "a").unwrap());
        assert!(file.exists() && file.remove(&passphrase, "b").unwrap());
        assert!(!file.exists(), "it goes with its last password");
    }

    #[test]
    fn a_wrong_passphrase_or_a_damaged_file_is_told_apart_and_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (file, passphrase) = (file(&home), secret("correct horse"));
        file.store(&passphrase, "a", &secret("x")).unwrap();
        let before = fs::read(&file.path).unwrap();
        for wrong in ["correct", "Correct horse"] {
            let error = file.store(&secret(wrong), "a", &secret("y")).unwrap_err();
            assert!(matches!(error, PasswordFileError::Passphrase { .. }), "{error}");
        }
        assert_eq!(fs::read(&file.path).unwrap(), before);
        assert!(matches!(
            file.store(&secret(""), "a", &secret("y")),
            Err(PasswordFileError::NoPassphrase)
        ));
        for damaged in [b"".to_vec(), b"{}".to_vec(), before[..before.len() - 3].to_vec()] {
            fs::write(&file.path, &damaged).unwrap();
            let error = file.read(&passphrase, "a").unwrap_err();
            assert!(matches!(error, PasswordFileError::Damaged { .. }), "{error}");
            assert_eq!(fs::read(&file.path).unwrap(), damaged);
        }
    }
}
