//! A receipt: the signed result of an export or a restore, for the person who asked for it.
//!
//! Each is kept as a file of its own, so that what was handed out can be shown later. It is made
//! when the work is done and committed: where it cannot be kept, that is a warning and no failure.

use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use super::outfile::{ArchiveFile, Existing};
use crate::clock;
use crate::failure::{Explain, Kind};
use crate::progress::Progress;
use crate::secret::signing_key::{PublicKey, SigningKey};

/// The first line of what is signed.
const DOMAIN: &str = "tenantdesk-receipt-1\n";
/// How many receipts of one tenant, verb and second can be told apart.
const MOST_ALIKE: u32 = 1000;

/// A signed document; it can be checked with the public key alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The document: one line of JSON, exactly as it was signed.
    pub document: String,
    /// Who signed.
    pub key: String,
    /// The signature over the line `tenantdesk-receipt-1` and the document, in hex.
    pub signature: String,
}

/// There is no place for receipts; said before anything is done.
#[derive(Debug, Error)]
#[error("receipts cannot be kept in `{}`", directory.display())]
pub(super) struct NoPlace {
    /// The directory.
    directory: PathBuf,
    /// Why.
    source: io::Error,
}

impl Explain for NoPlace {
    fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Where receipts are kept: a directory of this account alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiptShelf(PathBuf);

impl ReceiptShelf {
    /// Makes the directory where it is not there.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub(super) fn open(directory: &Path) -> Result<Self, NoPlace> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| NoPlace { directory: directory.to_owned(), source })?;
        Ok(Self(directory.to_owned()))
    }

    /// Keeps a receipt under a name that nothing else has; a warning where that fails.
    pub(super) fn keep(
        &self,
        receipt: &Receipt,
        name: &str,
        progress: &Progress,
    ) -> Option<PathBuf> {
        self.try_to_keep(receipt, name).map_err(|warning| progress.warn(warning)).ok()
    }

    /// As [`ReceiptShelf::keep`]; what to warn of where that fails.
    pub(super) fn try_to_keep(&self, receipt: &Receipt, name: &str) -> Result<PathBuf, String> {
        let name = format!("{name}-{}", clock::stamp(clock::now()));
        write(receipt, &self.0, &name).map_err(|error| {
            format!(
                "all is done, but the receipt could not be kept in `{}`: {error}",
                self.0.display()
            )
        })
    }
}

/// Writes a new file (mode 0600), whole or not at all.
fn write(receipt: &Receipt, directory: &Path, name: &str) -> io::Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(receipt)?;
    text.push(b'\n');
    for number in 1..=MOST_ALIKE {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = directory.join(format!("{name}{suffix}.json"));
        let kept = ArchiveFile::create(&path, Existing::Keep).and_then(|mut file| {
            file.write_all(&text)?;
            file.publish()
        });
        match kept {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            kept => return kept,
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

impl Receipt {
    /// Signs what happened.
    pub(super) fn sign(what: &impl Serialize, key: &SigningKey) -> Self {
        // A flat structure of texts and numbers always has a JSON form.
        let document = serde_json::to_string(what).unwrap_or_default();
        let signature = key.sign(format!("{DOMAIN}{document}").as_bytes());
        Self { document, key: key.public().to_string(), signature: hex::encode(signature) }
    }

    /// Whether this key signed this document.
    #[must_use]
    pub fn is_by(&self, key: &PublicKey) -> bool {
        let signature = hex::decode(&self.signature).ok().and_then(|s| s.try_into().ok());
        signature.is_some_and(|signature| {
            key.verifies(format!("{DOMAIN}{}", self.document).as_bytes(), &signature)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn receipt() -> Receipt {
        Receipt { document: "{}".into(), key: "ed25519:00".into(), signature: "00".into() }
    }

    #[test]
    fn receipts_are_kept_side_by_side_and_for_this_account_alone() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("receipts");
        ReceiptShelf::open(&directory).unwrap();
        let paths: Vec<PathBuf> =
            (0..3).map(|_| write(&receipt(), &directory, "acme-export").unwrap()).collect();
        let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["acme-export.json", "acme-export-2.json", "acme-export-3.json"]);
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(paths[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let kept: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&paths[2]).unwrap()).unwrap();
        assert_eq!(kept["document"], "{}");
    }

    #[test]
    fn no_place_is_said_early_and_a_lost_place_is_a_warning() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("receipts");
        let shelf = ReceiptShelf::open(&directory).unwrap();
        std::fs::remove_dir(&directory).unwrap();
        std::fs::write(&directory, "a file").unwrap();
        assert!(ReceiptShelf::open(&directory).unwrap_err().to_string().contains("receipts"));
        let (progress, mut events) = Progress::channel();
        assert_eq!(shelf.keep(&receipt(), "acme-export", &progress), None);
        let event = events.try_recv().unwrap();
        assert!(matches!(event, crate::progress::Event::Warned { .. }), "{event:?}");
    }
}
