//! The digest of a new admin's temporary password.

use argon2::{Argon2, PasswordHasher};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::{Failure, Kind};

/// The argon2id hash in PHC form; without a password one that no password has.
///
/// # Errors
/// Where it cannot be computed.
pub(super) async fn hash(password: Option<SecretString>) -> Result<SecretString, Failure> {
    let Some(password) = password else { return Ok(SecretString::from("!")) };
    // Hashing takes some ten milliseconds of one core: not on the runtime's own threads.
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.expose_secret().as_bytes())
            .map(|hash| SecretString::from(hash.to_string()))
    })
    .await;
    match hashed {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(Failure::new(Kind::Internal, "the password could not be hashed")
            .caused_by(error.to_string())),
        Err(error) => Err(Failure::new(Kind::Internal, "the password could not be hashed")
            .caused_by(error.to_string())),
    }
}
