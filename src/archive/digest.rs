//! The digests of an archive: SHA-256 of bytes, and the order-independent sum over lines.
//!
//! A relation is compared by the sum modulo 2^256 of the SHA-256 of each of its COPY lines (line
//! end included): two multisets of lines with the same sum are the same for all practical
//! purposes, whatever the order in which a server returned them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256, printed as `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha([u8; 32]);

impl Sha {
    /// Of bytes at hand.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of what a hasher has seen so far.
    #[must_use]
    pub fn from_hasher(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::format::digest(&self.0))
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("sha256:").unwrap_or("");
        hex_32(digits).map(Self).ok_or_else(|| serde::de::Error::custom("no sha256 digest"))
    }
}

/// Exactly 64 lower-case hex digits.
fn hex_32(digits: &str) -> Option<[u8; 32]> {
    let lower = digits.len() == 64 && !digits.bytes().any(|c| c.is_ascii_uppercase());
    let bytes = if lower { hex::decode(digits).ok()? } else { return None };
    bytes.try_into().ok()
}

/// A sum modulo 2^256 of SHA-256 digests, printed as 64 hex digits, most significant first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LineSum {
    /// Least significant first.
    limbs: [u64; 4],
}

impl LineSum {
    /// Adds one digest, read as a big-endian number.
    pub fn add(&mut self, digest: &[u8; 32]) {
        let mut carry = false;
        for (limb, bytes) in self.limbs.iter_mut().zip(digest.rchunks_exact(8)) {
            let addend = u64::from_be_bytes(bytes.try_into().unwrap_or_default());
            let (sum, over) = limb.overflowing_add(addend);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over || over_again;
        }
    }
}

impl fmt::Display for LineSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.limbs.iter().rev().try_for_each(|limb| write!(f, "{limb:016x}"))
    }
}

impl fmt::Debug for LineSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for LineSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LineSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = hex_32(&text).ok_or_else(|| serde::de::Error::custom("no line sum"))?;
        let mut sum = Self::default();
        sum.add(&digest);
        Ok(sum)
    }
}

/// What the lines of one relation amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineTotals {
    /// Lines.
    pub rows: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
    /// The order-independent digest.
    pub sum: LineSum,
}

/// Takes COPY bytes in pieces of any size and keeps [`LineTotals`].
#[derive(Debug, Clone, Default)]
pub struct LineHasher {
    totals: LineTotals,
    line: Sha256,
    /// Whether `line` has seen a part of the present line.
    open: bool,
}

impl LineHasher {
    /// Takes a piece that belongs to the present line; `ends` if it closes it.
    pub fn update(&mut self, piece: &[u8], ends: bool) {
        self.totals.bytes += piece.len() as u64;
        if ends && !self.open {
            // The usual case: the whole line is at hand.
            self.close(Sha256::digest(piece).into());
            return;
        }
        self.line.update(piece);
        self.open = true;
        if ends {
            let digest = self.line.finalize_reset().into();
            self.open = false;
            self.close(digest);
        }
    }

    /// Counts a finished line.
    fn close(&mut self, digest: [u8; 32]) {
        self.totals.sum.add(&digest);
        self.totals.rows += 1;
    }

    /// Whether the last piece closed its line.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !self.open
    }

    /// The totals so far.
    #[must_use]
    pub const fn totals(&self) -> LineTotals {
        self.totals
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum_of(lines: &[Vec<u8>]) -> LineSum {
        let mut hasher = LineHasher::default();
        for line in lines {
            hasher.update(line, true);
        }
        hasher.totals().sum
    }

    #[test]
    fn the_sum_carries_over_all_limbs_and_wraps() {
        let mut sum = LineSum::default();
        sum.add(&[0xff; 32]);
        let mut one = [0; 32];
        one[31] = 1;
        sum.add(&one);
        assert_eq!(sum, LineSum::default());
        sum.add(&one);
        assert_eq!(sum.to_string(), format!("{:0>64}", 1));
    }

    #[test]
    fn upper_case_or_short_digests_are_not_read() {
        assert!(serde_json::from_str::<Sha>(&format!("\"sha256:{:a<64}\"", "")).is_ok());
        for bad in [format!("\"sha256:{:A<64}\"", ""), "\"sha256:00\"".into(), "\"\"".into()] {
            assert!(serde_json::from_str::<Sha>(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_sum_of_lines_does_not_depend_on_their_order(
            (lines, shuffled) in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..20)
                .prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
        ) {
            prop_assert_eq!(sum_of(&lines), sum_of(&shuffled));
        }

        #[test]
        fn a_line_in_pieces_is_the_same_line(line in prop::collection::vec(any::<u8>(), 1..60), cut in 0_usize..60) {
            let mut whole = LineHasher::default();
            whole.update(&line, true);
            let mut pieces = LineHasher::default();
            let cut = cut.min(line.len());
            pieces.update(&line[..cut], false);
            pieces.update(&line[cut..], true);
            prop_assert_eq!(whole.totals(), pieces.totals());
        }

        #[test]
        fn a_sum_survives_its_text_form(digest in any::<[u8; 32]>()) {
            let mut sum = LineSum::default();
            sum.add(&digest);
            sum.add(&digest);
            let back: LineSum = serde_json::from_str(&serde_json::to_string(&sum).unwrap()).unwrap();
            prop_assert_eq!(back, sum);
        }
    }
}
