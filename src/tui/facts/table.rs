//! The directory of tenants in compact form: 100,000 rows in about 15 MB.
//!
//! One string per row and interned words for plan and status; a struct of owned strings would
//! take three times as much, and the memory of the whole console has a budget of 60 MiB.

use chrono::{DateTime, Utc};

use super::{TenantFacts, TenantState};

/// All tenants of the directory.
#[derive(Debug, Clone, Default)]
pub struct TenantTable {
    rows: Vec<Compact>,
    words: Vec<Box<str>>,
}

#[derive(Debug, Clone)]
struct Compact {
    /// Slug, name, domain and id, each but the last followed by a separator.
    text: Box<str>,
    ends: [u16; 3],
    plan: u16,
    status: u16,
    state: TenantState,
    created: Option<i64>,
}

/// One row, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct TenantLine<'t> {
    /// The slug.
    pub slug: &'t str,
    /// The display name.
    pub name: &'t str,
    /// The domain.
    pub domain: &'t str,
    /// The key.
    pub id: &'t str,
    /// The plan.
    pub plan: &'t str,
    /// The target's word for the status.
    pub status: &'t str,
    /// What that word means.
    pub state: TenantState,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// Between the fields, so that a filter does not match across two of them.
const SEPARATOR: char = '\u{1f}';
/// Longer fields are cut; the id, which must stay whole, is last and has no limit.
const FIELD_BYTES: usize = 4000;

impl TenantTable {
    /// Adds one tenant.
    pub fn push(&mut self, tenant: &TenantFacts) {
        let mut text = String::new();
        let mut ends = [0; 3];
        for (end, field) in ends.iter_mut().zip([&tenant.slug, &tenant.name, &tenant.domain]) {
            let raw = field.raw();
            text.push_str(&raw[..raw.floor_char_boundary(FIELD_BYTES)]);
            *end = u16::try_from(text.len()).unwrap_or(u16::MAX);
            text.push(SEPARATOR);
        }
        text.push_str(tenant.id.as_str());
        let (plan, status) = (self.word(tenant.plan.raw()), self.word(tenant.status.raw()));
        let created = tenant.created_at.map(|at| at.timestamp());
        let text = text.into_boxed_str();
        self.rows.push(Compact { text, ends, plan, status, state: tenant.state, created });
    }

    /// How many tenants there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One row.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<TenantLine<'_>> {
        let row = self.rows.get(index)?;
        let [slug, name, domain] = row.ends.map(usize::from);
        Some(TenantLine {
            slug: &row.text[..slug],
            name: &row.text[slug + 1..name],
            domain: &row.text[name + 1..domain],
            id: &row.text[domain + 1..],
            plan: &self.words[usize::from(row.plan)],
            status: &self.words[usize::from(row.status)],
            state: row.state,
            created_at: row.created.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        })
    }

    /// All searchable text of one row.
    pub(crate) fn haystack(&self, index: usize) -> &str {
        self.rows.get(index).map_or("", |row| &row.text)
    }

    /// Few different words are expected; past 65,535 the first stands for the rest.
    fn word(&mut self, word: &str) -> u16 {
        let known = self.words.iter().take(64).position(|known| &**known == word);
        let index = known.unwrap_or_else(|| {
            self.words.push(word.into());
            self.words.len() - 1
        });
        u16::try_from(index).unwrap_or(0)
    }
}

impl<'f> Extend<&'f TenantFacts> for TenantTable {
    fn extend<I: IntoIterator<Item = &'f TenantFacts>>(&mut self, tenants: I) {
        tenants.into_iter().for_each(|tenant| self.push(tenant));
    }
}

impl<'f> FromIterator<&'f TenantFacts> for TenantTable {
    fn from_iter<I: IntoIterator<Item = &'f TenantFacts>>(tenants: I) -> Self {
        let mut table = Self::default();
        table.extend(tenants);
        table
    }
}
