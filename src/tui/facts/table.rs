//! The directory of tenants in compact form: 100,000 rows in about 30 MB, sorted and searchable.
//!
//! One string per row and interned words for plan and status; a struct of owned strings would
//! take three times as much, and the memory of the whole console has a budget of 60 MiB.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::lookup::{Lookup, TenantOrder};
use super::{TenantFacts, TenantState};

/// All tenants of the directory. It is made whole, away from the thread that draws; a few that are
/// newer can join it.
#[derive(Debug, Clone, Default)]
pub struct TenantTable {
    rows: Vec<Compact>,
    words: Words,
    lookup: Lookup,
    /// All rows in each order of [`TenantOrder::ALL`].
    orders: [Vec<u32>; 5],
}

#[derive(Debug, Clone)]
struct Compact {
    /// Slug, name, domain and id, each but the last followed by a separator.
    text: Box<str>,
    ends: [u16; 3],
    plan: u32,
    status: u32,
    state: TenantState,
    created: Option<i64>,
}

impl Compact {
    fn line<'t>(&'t self, words: &'t Words) -> TenantLine<'t> {
        let [slug, name, domain] = self.ends.map(usize::from);
        TenantLine {
            slug: &self.text[..slug],
            name: &self.text[slug + 1..name],
            domain: &self.text[name + 1..domain],
            id: &self.text[domain + 1..],
            plan: words.word(self.plan),
            status: words.word(self.status),
            state: self.state,
            created_at: self.created.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        }
    }
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
pub(super) const SEPARATOR: char = '\u{1f}';
/// Longer fields are cut; the id, which must stay whole, is last and has no limit.
const FIELD_BYTES: usize = 4000;

impl TenantTable {
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
        Some(self.read(self.rows.get(index)?))
    }

    /// All rows, in one of the orders.
    #[must_use]
    pub fn ordered(&self, by: TenantOrder) -> &[u32] {
        &self.orders[by as usize]
    }

    /// For each row whether it passes a filter: a part of any field whatever its case and accents;
    /// after a leading `~` the letters may be scattered.
    #[must_use]
    pub fn matches(&self, filter: &str) -> Vec<bool> {
        self.lookup.matches(filter)
    }

    /// For each row whether its id is one of these.
    #[must_use]
    pub fn among(&self, ids: &HashSet<String>) -> Vec<bool> {
        self.rows.iter().map(|row| ids.contains(self.read(row).id)).collect()
    }

    /// Takes in those that are not here yet; for a few, since each finds its place in every order.
    pub fn join(&mut self, tenants: &[TenantFacts]) {
        let wanted: HashSet<String> = tenants.iter().map(|t| t.id.as_str().to_owned()).collect();
        let known: HashSet<String> = self
            .rows
            .iter()
            .map(|row| self.read(row).id)
            .filter(|id| wanted.contains(*id))
            .map(str::to_owned)
            .collect();
        for tenant in tenants.iter().filter(|tenant| !known.contains(tenant.id.as_str())) {
            let row = self.push(tenant);
            let mut orders = std::mem::take(&mut self.orders);
            for (order, by) in orders.iter_mut().zip(TenantOrder::ALL) {
                let new = self.row(row);
                let place =
                    order.partition_point(|other| by.compare(&self.row(*other), &new).is_lt());
                order.insert(place, row);
            }
            self.orders = orders;
        }
    }

    fn read<'t>(&'t self, row: &'t Compact) -> TenantLine<'t> {
        row.line(&self.words)
    }

    fn row(&self, row: u32) -> TenantLine<'_> {
        self.read(&self.rows[row as usize])
    }

    /// Adds a row that has no place in the orders yet; answers its number.
    fn push(&mut self, tenant: &TenantFacts) -> u32 {
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut text = String::new();
        let mut ends = [0; 3];
        for (end, field) in ends.iter_mut().zip([&tenant.slug, &tenant.name, &tenant.domain]) {
            let raw = field.raw();
            text.push_str(&raw[..raw.floor_char_boundary(FIELD_BYTES)]);
            *end = u16::try_from(text.len()).unwrap_or(u16::MAX);
            text.push(SEPARATOR);
        }
        text.push_str(tenant.id.as_str());
        let row = Compact {
            text: text.into_boxed_str(),
            ends,
            plan: self.words.number(tenant.plan.raw()),
            status: self.words.number(tenant.status.raw()),
            state: tenant.state,
            created: tenant.created_at.map(|at| at.timestamp()),
        };
        let line = row.line(&self.words);
        let shown = [line.slug, line.name, line.domain, line.id, line.plan, line.status];
        self.lookup.push(shown);
        self.rows.push(row);
        number
    }
}

impl FromIterator<TenantFacts> for TenantTable {
    fn from_iter<I: IntoIterator<Item = TenantFacts>>(tenants: I) -> Self {
        let mut table = Self::default();
        let all: Vec<u32> = tenants.into_iter().map(|tenant| table.push(&tenant)).collect();
        for by in TenantOrder::ALL {
            let mut order = all.clone();
            order.sort_unstable_by(|a, b| by.compare(&table.row(*a), &table.row(*b)));
            table.orders[by as usize] = order;
        }
        table
    }
}

/// Words that many rows share.
#[derive(Debug, Clone, Default)]
struct Words {
    words: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Words {
    fn word(&self, number: u32) -> &str {
        self.words.get(number as usize).map_or("", |word| word)
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(known) = self.numbers.get(word) {
            return *known;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(word.into());
        self.numbers.insert(word.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::TenantId;

    fn tenant(id: &str, slug: &str, name: &str, plan: &str) -> TenantFacts {
        TenantFacts {
            id: TenantId::from_database(id),
            slug: slug.into(),
            name: name.into(),
            plan: plan.into(),
            status: "active".into(),
            state: TenantState::Active,
            domain: "".into(),
            created_at: None,
        }
    }

    fn slugs(table: &TenantTable, by: TenantOrder) -> Vec<&str> {
        table.ordered(by).iter().map(|row| table.row(*row).slug).collect()
    }

    #[test]
    fn each_order_holds_all_rows_also_those_that_join_later() {
        let first = [tenant("1", "c", "alpha", "b"), tenant("2", "a", "Beta", "b")];
        let mut table: TenantTable = first.into_iter().collect();
        assert_eq!(slugs(&table, TenantOrder::Slug), ["a", "c"]);
        assert_eq!(slugs(&table, TenantOrder::Name), ["c", "a"]);
        table.join(&[tenant("2", "a", "Beta", "b"), tenant("3", "b", "ÄRA", "a")]);
        assert_eq!(slugs(&table, TenantOrder::Slug), ["a", "b", "c"]);
        assert_eq!(slugs(&table, TenantOrder::Name), ["c", "b", "a"]);
        assert_eq!(slugs(&table, TenantOrder::Plan), ["b", "a", "c"]);
        assert_eq!(table.matches("ara"), [false, false, true]);
        assert_eq!(table.matches("active"), [true, true, true], "what is shown is found");
        assert_eq!(table.among(&HashSet::from(["2".to_owned()])), [false, true, false]);
    }

    #[test]
    fn as_many_different_plans_as_tenants_are_all_shown() {
        let many = (0..70_000).map(|n| tenant(&n.to_string(), "s", "n", &format!("plan {n}")));
        let table: TenantTable = many.collect();
        assert_eq!(table.line(69_999).unwrap().plan, "plan 69999");
    }
}
