//! The last member: who vouches for the digest.
//!
//! Three lines of text, so that a person can check them with `openssl pkeyutl -verify -rawin`
//! (docs/archive-format.md). What is signed is a domain line and the bytes of `digest.json`.

use super::fault::Fault;
use crate::secret::signing_key::{PublicKey, SigningKey};

/// The first line of the member, and of what is signed.
const DOMAIN: &str = "tenantdesk-archive-signature-1\n";
/// The member's exact size.
pub(super) const SIZE: u64 =
    (DOMAIN.len() + "key ed25519:".len() + 65 + "signature ".len() + 129) as u64;

/// The member, read.
pub(super) struct SignatureMember {
    key: PublicKey,
    signature: [u8; 64],
}

/// Whose signatures are accepted: the installation's own key and those trusted by name.
#[derive(Debug, Clone)]
pub struct Trust {
    keys: Vec<PublicKey>,
    /// The installation's own key cannot be read by this user.
    unknown: bool,
}

impl Trust {
    /// The installation's own key.
    #[must_use]
    pub fn own(key: PublicKey) -> Self {
        Self { keys: vec![key], unknown: false }
    }

    /// No key at all: where nobody has signed anything yet.
    #[must_use]
    pub const fn nobody() -> Self {
        Self { keys: Vec::new(), unknown: false }
    }

    /// Somebody who cannot read the installation's key: a sound signature is no fault, but whose
    /// it is cannot be judged. Good for looking, never for a restore.
    #[must_use]
    pub(super) const fn unknown() -> Self {
        Self { keys: Vec::new(), unknown: true }
    }

    /// Whether it cannot be said whose signature it is.
    #[must_use]
    pub(super) const fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Trusts another key as well.
    #[must_use]
    pub fn and(mut self, key: PublicKey) -> Self {
        self.keys.push(key);
        self
    }
}

impl SignatureMember {
    pub(super) fn sign(digest_json: &[u8], key: &SigningKey) -> Self {
        Self { key: key.public(), signature: key.sign(&message(digest_json)) }
    }

    pub(super) fn encode(&self) -> String {
        let signature = hex::encode(self.signature);
        format!("{DOMAIN}key {}\nsignature {signature}\n", self.key)
    }

    /// Reads the member; the one form or nothing.
    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?;
        let (key, signature) = text.strip_prefix(DOMAIN)?.split_once("\nsignature ")?;
        let key = key.strip_prefix("key ")?.parse().ok()?;
        let signature = hex::decode(signature.strip_suffix('\n')?).ok()?.try_into().ok()?;
        let member = Self { key, signature };
        (member.encode() == text).then_some(member)
    }

    /// Whether a trusted key signed these bytes.
    pub(super) fn check(&self, digest_json: &[u8], trust: &Trust) -> Result<(), Fault> {
        if !self.key.verifies(&message(digest_json), &self.signature) {
            return Err(Fault::SignatureInvalid { key: self.key.to_string() });
        }
        if !trust.unknown && !trust.keys.contains(&self.key) {
            return Err(Fault::OtherKey { key: self.key.to_string() });
        }
        Ok(())
    }

    /// The key, as text.
    pub(super) fn key(&self) -> String {
        self.key.to_string()
    }
}

fn message(digest_json: &[u8]) -> Vec<u8> {
    [DOMAIN.as_bytes(), digest_json].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_read_the_key_judges_the_signature_and_not_the_signer() {
        let home = tempfile::tempdir().unwrap();
        let key = SigningKey::open_or_create(&home.path().join("signing.key")).unwrap();
        let member = SignatureMember::sign(b"{}", &key);
        assert_eq!(member.check(b"{}", &Trust::unknown()), Ok(()));
        assert!(matches!(
            member.check(b"{ }", &Trust::unknown()),
            Err(Fault::SignatureInvalid { .. })
        ));
        assert!(matches!(member.check(b"{}", &Trust::nobody()), Err(Fault::OtherKey { .. })));
    }
}
