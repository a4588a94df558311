//! Where rows end in a stream of COPY text that may be cut anywhere.
//!
//! A row ends at a newline that no backslash escapes. The server never sends an escaped one, but
//! `COPY FROM` would accept it, so both sides of an archive must agree about it.

/// Cuts COPY text into pieces that never reach over the end of a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowSplitter {
    /// Whether the bytes so far end in a backslash that escapes the next byte.
    escaped: bool,
}

/// A part of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'b> {
    /// The bytes, with the line end if it is there.
    pub bytes: &'b [u8],
    /// Whether the row ends here.
    pub ends: bool,
}

impl RowSplitter {
    /// The first piece of `bytes` (not empty) and what follows it.
    pub fn split<'b>(&mut self, bytes: &'b [u8]) -> (Piece<'b>, &'b [u8]) {
        let mut from = 0;
        while let Some(found) = memchr::memchr(b'\n', &bytes[from..]) {
            let end = from + found;
            let escaped = self.is_escaped(&bytes[..end]);
            from = end + 1;
            if !escaped {
                self.escaped = false;
                let (piece, rest) = bytes.split_at(from);
                return (Piece { bytes: piece, ends: true }, rest);
            }
        }
        self.escaped = self.is_escaped(bytes);
        (Piece { bytes, ends: false }, &[])
    }

    /// Whether the byte after `before` is escaped: an odd run of backslashes leads up to it.
    fn is_escaped(self, before: &[u8]) -> bool {
        let run = before.iter().rev().take_while(|&&byte| byte == b'\\').count();
        let reaches_back = run == before.len() && self.escaped;
        (run % 2 == 1) != reaches_back
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = RowSplitter::default();
        let mut rows = vec![Vec::new()];
        for mut rest in pieces.iter().copied() {
            while !rest.is_empty() {
                let (piece, after) = splitter.split(rest);
                rows.last_mut().unwrap().extend_from_slice(piece.bytes);
                if piece.ends {
                    rows.push(Vec::new());
                }
                rest = after;
            }
        }
        rows
    }

    #[test]
    fn an_escaped_newline_does_not_end_a_row() {
        assert_eq!(rows(&[b"a\\\nb\nc\\\\\nd"]), [&b"a\\\nb\n"[..], b"c\\\\\n", b"d"]);
        assert_eq!(rows(&[b"a\\", b"\nb\n"]), [&b"a\\\nb\n"[..], b""]);
        assert_eq!(rows(&[b"a\\", b"\\", b"\nb\n"]), [&b"a\\\\\n"[..], b"b\n", b""]);
        assert_eq!(rows(&[b"\\", b"\\\n", b"\n"]), [&b"\\\\\n"[..], b"\n", b""]);
    }

    proptest! {
        #[test]
        fn rows_do_not_depend_on_where_the_stream_is_cut(
            text in "[a\\\\\n]{0,40}", cuts in prop::collection::vec(0_usize..40, 0..6)
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(rows(&pieces), rows(&[bytes]));
        }
    }
}
