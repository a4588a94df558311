//! A receipt: the signed result of an export or a restore, for the person who asked for it.

use serde::Serialize;

use crate::secret::signing_key::{PublicKey, SigningKey};

/// The first line of what is signed.
const DOMAIN: &str = "tenantdesk-receipt-1\n";

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
