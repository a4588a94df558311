//! Percent-encoding, as addresses use it.

use std::fmt::Write as _;

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The other way; `None` where it is not valid. A zero byte is not: the wire ends a text with it.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            // `from_str_radix` would take a sign, too.
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_damage_is_noticed() {
        for text in ["", "a b&c=d?e#f/ü:@%", "plain-._~"] {
            assert_eq!(percent_decoded(&percent_encoded(text.as_bytes())).as_deref(), Some(text));
        }
        for bad in ["%", "%4", "%zz", "%+1", "%ff", "a%00b"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
