//! PEM files of authorities, client certificates and keys, and what can be wrong with them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::zeroize::Zeroizing;
use thiserror::Error;

use crate::failure::{Explain, Kind};

/// Why a file that TLS needs cannot be used.
#[derive(Debug, Error)]
pub enum TlsFileError {
    /// It cannot be read.
    #[error("the file `{file}` ({parameter}) cannot be read: {why}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The parameter that names it.
        parameter: &'static str,
        /// What the system said.
        why: String,
    },
    /// It holds nothing of the kind.
    #[error("the file `{file}` ({parameter}) holds no {what} in PEM form")]
    Empty {
        /// The file.
        file: PathBuf,
        /// The parameter that names it.
        parameter: &'static str,
        /// What was looked for.
        what: &'static str,
    },
    /// Others may read the key.
    #[error("the key `{0}` (sslkey) may be read by others than its owner")]
    Exposed(PathBuf),
    /// The key needs a passphrase.
    #[error("the key `{0}` (sslkey) is encrypted with a passphrase")]
    Encrypted(PathBuf),
    /// Only one of the two was named.
    #[error("a client certificate needs both sslcert and sslkey, and {0} is missing")]
    HalfPair(&'static str),
    /// Certificate and key do not belong together, or one is of a kind that rustls cannot use.
    #[error("the client certificate `{file}` cannot be used with its key: {why}")]
    Unusable {
        /// The certificate.
        file: PathBuf,
        /// What rustls said.
        why: String,
    },
    /// The operating system's authorities.
    #[error("the operating system's certificate authorities cannot be read: {0}")]
    NoSystemRoots(String),
}

impl Explain for TlsFileError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Exposed(file) => format!("`chmod 600 {}`", file.display()),
            Self::Encrypted(file) => format!(
                "write it without one, mode 0600: `openssl pkey -in {} -out NEWKEY`",
                file.display()
            ),
            Self::NoSystemRoots(_) => {
                "install the package `ca-certificates`, or name the authority's certificate with `sslrootcert=FILE`"
                    .to_owned()
            }
            Self::Empty { what: "private key", .. } => {
                "a key begins with `-----BEGIN PRIVATE KEY-----`; `openssl pkey -in KEY -out NEWKEY` converts others"
                    .to_owned()
            }
            Self::Empty { .. } => "a certificate begins with `-----BEGIN CERTIFICATE-----`".to_owned(),
            Self::Unreadable { .. } | Self::HalfPair(_) | Self::Unusable { .. } => return Vec::new(),
        };
        vec![hint]
    }
}

/// All certificates of a file, at least one.
pub(super) fn certificates(
    file: &Path,
    parameter: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let text = std::fs::read(file).map_err(|error| unreadable(file, parameter, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsFileError::Empty { file: file.to_owned(), parameter, what: "certificate" }),
    }
}

/// The key of a client certificate. As libpq: nobody else may read it; one that belongs to root
/// may be read by a group, because the system hands out keys that way.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let unreadable = |error: io::Error| unreadable(file, "sslkey", &error);
    let mut opened = File::open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    let closed = if metadata.uid() == 0 { 0o027 } else { 0o077 };
    if metadata.permissions().mode() & closed != 0 {
        return Err(TlsFileError::Exposed(file.to_owned()));
    }
    let mut text = Zeroizing::new(Vec::new());
    opened.read_to_end(&mut text).map_err(unreadable)?;
    let encrypted: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| memchr::memmem::find(&text, mark).is_some()) {
        return Err(TlsFileError::Encrypted(file.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsFileError::Empty {
        file: file.to_owned(),
        parameter: "sslkey",
        what: "private key",
    })
}

fn unreadable(file: &Path, parameter: &'static str, error: &io::Error) -> TlsFileError {
    TlsFileError::Unreadable { file: file.to_owned(), parameter, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.pem");
        let write = |text: &str, mode: u32| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert!(matches!(key(&file), Err(TlsFileError::Unreadable { .. })));
        write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o644);
        assert!(matches!(key(&file), Err(TlsFileError::Exposed(_))));
        write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600);
        assert!(key(&file).is_ok(), "what it is worth is seen when it is used");
        write("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", 0o600);
        assert!(matches!(key(&file), Err(TlsFileError::Encrypted(_))));
        write("hello\n", 0o600);
        let error = key(&file).unwrap_err();
        assert!(error.to_string().contains("private key"), "{error}");
        assert!(certificates(&file, "sslcert").is_err());
    }
}
