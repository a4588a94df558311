//! What makes a key press cheap at 100,000 tenants: each order is sorted once, when rows come, and
//! a filter is one search through one text.
//!
//! Sorting or matching row by row at each key costs 400 ms there; picking an order and searching
//! the text costs a few.

use std::cmp::Ordering;

use memchr::memmem;
use nucleo_matcher::chars::{normalize, to_lower_case};

use super::table::{SEPARATOR, TenantLine};

/// What the list of tenants can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TenantOrder {
    /// By slug.
    #[default]
    Slug,
    /// By display name, whatever its case.
    Name,
    /// By plan.
    Plan,
    /// By status.
    Status,
    /// By the day it was made.
    Created,
}

impl TenantOrder {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Slug, Self::Name, Self::Plan, Self::Status, Self::Created];

    /// The one that is offered next.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Slug => Self::Name,
            Self::Name => Self::Plan,
            Self::Plan => Self::Status,
            Self::Status => Self::Created,
            Self::Created => Self::Slug,
        }
    }

    /// Rows that are equal stand by slug.
    pub(super) fn compare(self, a: &TenantLine<'_>, b: &TenantLine<'_>) -> Ordering {
        let first = match self {
            Self::Slug => Ordering::Equal,
            Self::Name => a.name.chars().map(fold).cmp(b.name.chars().map(fold)),
            Self::Plan => a.plan.cmp(b.plan),
            Self::Status => a.status.cmp(b.status),
            Self::Created => a.created_at.cmp(&b.created_at),
        };
        first.then_with(|| a.slug.cmp(b.slug)).then_with(|| a.id.cmp(b.id))
    }
}

/// Without case and accents; control characters are blanks, so that no field can hold a separator.
fn fold(c: char) -> char {
    if c.is_control() { ' ' } else { normalize(to_lower_case(c)) }
}

/// The searchable text of all rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookup {
    /// Rows after each other: folded fields between separators, a line feed at the end.
    text: String,
    /// Where each row begins.
    starts: Vec<usize>,
}

impl Lookup {
    /// Adds the next row.
    pub(super) fn push<'f>(&mut self, fields: impl IntoIterator<Item = &'f str>) {
        self.starts.push(self.text.len());
        for field in fields {
            self.text.extend(field.chars().map(fold));
            self.text.push(SEPARATOR);
        }
        self.text.push('\n');
    }

    /// For each row whether it passes: a part of any field whatever its case and accents; after a
    /// leading `~` the letters may be scattered.
    pub(super) fn matches(&self, filter: &str) -> Vec<bool> {
        let filter = filter.trim();
        match filter.strip_prefix('~') {
            Some(letters) => self.scattered(letters),
            None => self.containing(filter),
        }
    }

    fn containing(&self, part: &str) -> Vec<bool> {
        let part: String = part.chars().map(fold).collect();
        let mut passes = vec![part.is_empty(); self.starts.len()];
        if part.is_empty() {
            return passes;
        }
        let finder = memmem::Finder::new(&part);
        let (mut from, mut row) = (0, 0);
        while let Some(at) = finder.find(&self.text.as_bytes()[from..]) {
            // Rows and hits go forward together: no hit has to be looked up.
            while self.starts.get(row + 1).is_some_and(|next| *next <= from + at) {
                row += 1;
            }
            passes[row] = true;
            // One hit is enough: the search goes on in the next row.
            let Some(next) = self.starts.get(row + 1) else { break };
            from = *next;
        }
        passes
    }

    fn scattered(&self, letters: &str) -> Vec<bool> {
        let mut buffer = [0; 4];
        let letters: Vec<Vec<u8>> = letters
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| fold(c).encode_utf8(&mut buffer).as_bytes().to_vec())
            .collect();
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        let rows = self.starts.iter().zip(ends).map(|(start, end)| &self.text[*start..end]);
        rows.map(|row| {
            let mut rest = row.as_bytes();
            letters.iter().all(|letter| {
                let found = match letter[..] {
                    [byte] => memchr::memchr(byte, rest),
                    _ => memmem::find(rest, letter),
                };
                found.inspect(|at| rest = &rest[at + letter.len()..]).is_some()
            })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup() -> Lookup {
        let mut lookup = Lookup::default();
        lookup.push(["acme", "Acme Müller\u{1f}\nGmbH", "acme.test", "1"]);
        lookup.push(["tokyo", "東京サービス", "", "2"]);
        lookup.push(["bolt", "Bolt É", "bolt.test", "3"]);
        lookup
    }

    fn rows(filter: &str) -> Vec<usize> {
        let passes = lookup().matches(filter);
        (0..passes.len()).filter(|row| passes[*row]).collect()
    }

    #[test]
    fn a_part_of_any_field_is_found_whatever_its_case_and_accents() {
        assert_eq!(rows(""), [0, 1, 2]);
        assert_eq!(rows(" MULLER "), [0]);
        assert_eq!(rows("müller"), [0]);
        assert_eq!(rows("東京"), [1]);
        assert_eq!(rows(".test"), [0, 2]);
        assert_eq!(rows("3"), [2]);
        assert!(rows("nobody").is_empty());
    }

    #[test]
    fn nothing_is_found_across_two_fields_or_two_rows() {
        assert!(rows("acmeacme").is_empty());
        assert!(rows("1tokyo").is_empty());
        assert!(rows("acme\u{1f}acme").is_empty());
        assert!(rows("1\u{1f}\ntokyo").is_empty());
    }

    #[test]
    fn scattered_letters_are_found_in_their_order() {
        assert_eq!(rows("~amt"), [0]);
        assert_eq!(rows("~oltÉ"), [2]);
        assert_eq!(rows("~東ビ"), [1]);
        assert!(rows("~ビ東").is_empty());
        assert_eq!(rows("~"), [0, 1, 2]);
    }
}
