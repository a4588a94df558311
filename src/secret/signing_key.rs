//! The installation's signing key: an ed25519 key in a file that only its owner can read.
//!
//! It vouches for archives and receipts (and later for checkpoints of the ledger). The file is
//! made on first use, whole or not at all, and two programs that start at once agree on one key.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use rustix::fs::{Mode, OFlags};
use thiserror::Error;

use crate::failure::{Explain, Kind};

/// Why there is no signing key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the signing key {path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("the signing key {path} can be read by others")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// It is no key.
    #[error("the signing key {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl Explain for KeyError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec![format!(
                    "{} belongs to another user: become that user, or name a home of your own in TENANTDESK_HOME",
                    path.display()
                )]
            }
            Self::Io { .. } => Vec::new(),
            Self::Exposed { path } => vec![
                format!("run `chmod 600 {}` if nobody else had access", path.display()),
                "otherwise treat the key as known to others and let a new one be made".to_owned(),
            ],
            Self::Damaged { path } => vec![
                format!("restore {} from a backup", path.display()),
                "or move it away: a new key is made, and older archives are no longer accepted"
                    .to_owned(),
            ],
        }
    }
}

/// The key that signs; its text form never leaves this file.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Opens the key in `path`, or makes one there: mode 0600, in a directory of mode 0700.
    ///
    /// # Errors
    /// [`KeyError`] where the file cannot be used, is readable by others, or holds no key.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_owned(), source };
        match Self::open(path) {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::create(path).map_err(failed)?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// Opens the key in `path`.
    ///
    /// # Errors
    /// [`KeyError`] where the file is missing, readable by others, or holds no key.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_owned(), source };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let mut file = File::from(opened.map_err(|error| failed(error.into()))?);
        let found = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
        if found.st_mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned() });
        }
        let mut pem = String::new();
        Read::by_ref(&mut file).take(4096).read_to_string(&mut pem).map_err(failed)?;
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem);
        key.map(Self).map_err(|_| KeyError::Damaged { path: path.to_owned() })
    }

    /// Makes the file under another name and links it: it appears whole, and the first one wins.
    fn create(path: &Path) -> io::Result<()> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
        let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let directory = directory.unwrap_or_else(|| Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        // A named temporary file has mode 0600 from its first moment.
        let mut draft = tempfile::Builder::new().prefix(".key.").tempfile_in(directory)?;
        draft.write_all(pem.as_bytes())?;
        draft.as_file().sync_all()?;
        match fs::hard_link(draft.path(), path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        OpenOptions::new().read(true).open(directory)?.sync_all()
    }

    /// The same key for another thread.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message, which must begin with a line that says what it is.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

/// The public half; its text form `ed25519:<64 hex digits>` is the name of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Whether this key signed the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", hex::encode(self.0.as_bytes()))
    }
}

/// Why a text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no public key: write `ed25519:` and 64 hex digits")]
pub struct InvalidPublicKey;

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let digits = text.strip_prefix("ed25519:").ok_or(InvalidPublicKey)?;
        let bytes = hex::decode(digits).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = VerifyingKey::from_bytes(&bytes.ok_or(InvalidPublicKey)?);
        key.map(Self).map_err(|_| InvalidPublicKey)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("signing.key");
        let made = SigningKey::open_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::open_or_create(&path).unwrap().public(), made.public());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "no draft is left");
        assert_eq!(made.public().to_string().parse(), Ok(made.public()));
    }

    #[test]
    fn many_programs_at_once_agree_on_one_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("signing.key");
        let keys: Vec<PublicKey> = std::thread::scope(|scope| {
            let open = || SigningKey::open_or_create(&path).unwrap().public();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("signing.key");
        SigningKey::open_or_create(&path).unwrap();
        let link = home.path().join("link.key");
        symlink(&path, &link).unwrap();
        assert!(matches!(SigningKey::open(&link), Err(KeyError::Io { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::open(&path), Err(KeyError::Exposed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nothing").unwrap();
        assert!(matches!(SigningKey::open(&path), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn the_secret_half_cannot_be_printed() {
        let key = SigningKey(ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
        let printed = format!("{key:?}");
        assert!(!printed.contains(&"07".repeat(8)) && printed.contains("ed25519:"), "{printed}");
    }
}
