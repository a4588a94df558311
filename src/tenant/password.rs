//! Passwords that are drawn here: shown once, and sent to the server as a verifier only.
//!
//! A password in a statement would be in the server's log and statistics; a SCRAM verifier lets
//! the server check one without ever having seen it.

use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::{Failure, Kind};

/// How many characters a drawn password has.
const LENGTH: usize = 20;

/// Twenty characters without the ones that look alike: about 115 bits.
///
/// # Errors
/// Where the system has no random bytes.
pub fn draw() -> Result<SecretString, Failure> {
    const LETTERS: &[u8; 56] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789!";
    let mut password = String::new();
    let mut bytes = [0_u8; 64];
    while password.len() < LENGTH {
        getrandom::fill(&mut bytes).map_err(|error| {
            Failure::new(Kind::Internal, "the system gave no random bytes")
                .caused_by(error.to_string())
        })?;
        // Bytes past the largest multiple are dropped, so that no letter is likelier.
        let fair =
            bytes.iter().filter(|&&b| b < 224).map(|b| LETTERS[usize::from(*b) % LETTERS.len()]);
        password.extend(fair.take(LENGTH - password.len()).map(char::from));
    }
    Ok(SecretString::from(password))
}

/// What the server stores of a password: salted, iterated, and of no use for logging in.
#[must_use]
pub fn verifier(password: &SecretString) -> String {
    postgres_protocol::password::scram_sha_256(password.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_passwords_are_long_and_differ() {
        let (one, two) = (draw().unwrap(), draw().unwrap());
        assert_eq!(one.expose_secret().len(), LENGTH);
        assert_ne!(one.expose_secret(), two.expose_secret());
    }

    #[test]
    fn a_verifier_is_salted_and_holds_no_password() {
        let password = SecretString::from("correct horse battery");
        let (one, two) = (verifier(&password), verifier(&password));
        assert!(one.starts_with("SCRAM-SHA-256$4096:") && one != two);
        assert!(!one.contains("horse"));
    }
}
