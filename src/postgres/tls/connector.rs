//! From what an address asks for to a connector for the driver. Files are read anew for each
//! connection, so that a renewed certificate counts; the system's authorities once, there are many.

use std::sync::{Arc, LazyLock};

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls_improved::MakeRustlsConnect;

use super::files::{self, TlsFileError};
use super::verifier::{Trust, Verifier};
use crate::postgres::endpoint::{Roots, SslMode, TlsWish};

/// The system's authorities, or why there are none.
static SYSTEM: LazyLock<Result<Arc<RootCertStore>, String>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some of the system's may be of a kind that nobody uses any more: the rest counts.
    let (added, _unusable) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(Arc::new(roots));
    }
    let errors = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    Err(if errors.is_empty() { "there are none".to_owned() } else { errors.join("; ") })
});

/// The connector. Reads files: not for a thread that must not wait.
///
/// # Errors
/// Which file cannot be used.
pub(in crate::postgres) fn connector(wish: &TlsWish) -> Result<MakeRustlsConnect, TlsFileError> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier::new(wish.mode, trust(wish)?, algorithms));
    // Ring is named, so that nothing depends on which provider another library installs.
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let unusable = |why: rustls::Error| TlsFileError::Unusable {
        file: wish.certificate.clone().unwrap_or_default(),
        why: why.to_string(),
    };
    let builder =
        versions.map_err(unusable)?.dangerous().with_custom_certificate_verifier(verifier);
    let config = match (&wish.certificate, &wish.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => return Err(TlsFileError::HalfPair("sslkey")),
        (None, Some(_)) => return Err(TlsFileError::HalfPair("sslcert")),
        (Some(certificate), Some(key)) => {
            let chain = files::certificates(certificate, "sslcert")?;
            builder.with_client_auth_cert(chain, files::key(key)?).map_err(unusable)?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Whom the mode has to trust; nobody is asked where nothing is verified.
fn trust(wish: &TlsWish) -> Result<Trust, TlsFileError> {
    if wish.mode < SslMode::VerifyCa {
        return Ok(Trust { roots: Arc::new(RootCertStore::empty()), named: Vec::new() });
    }
    match &wish.roots {
        Roots::System => match &*SYSTEM {
            Ok(roots) => Ok(Trust { roots: Arc::clone(roots), named: Vec::new() }),
            Err(why) => Err(TlsFileError::NoSystemRoots(why.clone())),
        },
        Roots::File(file) => {
            let named = files::certificates(file, "sslrootcert")?;
            let mut roots = RootCertStore::empty();
            let (added, _unusable) = roots.add_parsable_certificates(named.iter().cloned());
            if added == 0 {
                let (file, parameter) = (file.clone(), "sslrootcert");
                return Err(TlsFileError::Empty { file, parameter, what: "usable certificate" });
            }
            Ok(Trust { roots: Arc::new(roots), named })
        }
    }
}
