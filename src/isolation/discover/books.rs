//! Tables that nothing ties to tenants or people: work queues, locks, caches, settings, the store of a
//! sign-in library. Their names and columns tell; what they do not tell is for a person to say.
//!
//! In doubt they are left out and not global: a global table is shown to every operator.

use super::command;
use super::graph::{Edge, Table};
use super::names::stem;
use super::paths::Way;
use super::proposal::{Certainty, Undecided};
use super::rest::is_word_list;
use super::sort::Sorting;
use super::vocabulary::{any, is_actor, is_person, is_reference, tenant_weight};
use crate::isolation::map::Class;

/// Words of work queues and of programs that agree with each other.
const WORK: &str = "job queue task outbox inbox worker cron schedule scheduler lock lease mutex heartbeat \
    partition ticker dispatcher leader election node offset checkpoint dedupe idempotency batch \
    process semaphore pid cursor watermark dead failed controller sequence counter ping poll \
    execution runner";
/// Words of copies.
const COPIES: &str = "backup bak";
/// Words of what people sign in with.
const SIGN_IN: &str = "session token otp nonce reset oauth passkey webauthn verification magic login credential \
    password totp mfa challenge";
/// Words of machines.
pub(super) const MACHINES: &str =
    "dispatcher ticker scheduler partition shard node leader controller runner";
/// Words of records that live for minutes or days.
const SHORT_LIVED: &str = "session cache token verification ratelimit throttle otp nonce captcha csrf attempt blacklist \
    blocklist denylist reset magic pkce challenge grant authorization login signup waitlist \
    newsletter lead jti revocation limit oauth assertion saml \
    sso oidc invitation waiting";
/// Words of the application's settings.
const SETTINGS: &str = "setting config configuration flag feature metadata version system parameter constant \
    certificate health release announcement banner maintenance telemetry";
/// Columns that hold what nobody else may know.
const SECRET_COLUMNS: &str = "secret token password privatekey payload ciphertext encrypted street phone email apikey \
    credential accesstoken refreshtoken authconfig clientsecret";

/// Words of tables that hold it.
pub(super) const SECRET_WORDS: &str =
    "secret credential jwk certificate keystore keyring key apikey";

impl Sorting<'_, '_> {
    /// Tables that nothing ties to tenants or people, by what their names and columns say, and at last
    /// by whom somebody who did something to a row is.
    pub(super) fn lone(&mut self) {
        for number in self.open() {
            let global = self.relation(number, Class::Global);
            let table = &self.graph.tables[number];
            if is_word_list(table.relation) {
                self.give(number, global, Certainty::Likely, "a list of words");
                continue;
            }
            let plain = is_reference(&table.words) || any(&table.words, SETTINGS);
            let plain = plain && !names_somebody(table);
            let tied = |e: &Edge| self.class(e.from).is_some_and(|class| class != Class::Global);
            let tied = self.graph.children(number).any(tied);
            if !self.by_name(number) && plain && !tied {
                let why = "the same for all tenants: nothing in it names a tenant or a person";
                self.give(number, global, Certainty::Likely, why);
            }
        }
        self.settle();
        for number in self.open() {
            let _ = self.personal(number, true) || self.beside_excluded(number);
        }
        self.settle();
    }

    /// A copy or a left-over of another table, by its name.
    pub(super) fn is_copy(&self, number: usize) -> bool {
        let table = &self.graph.tables[number];
        let words = super::names::words(table.relation.name.name.as_str());
        any(&words, COPIES) || words.first().is_some_and(|first| first == "old")
    }

    /// What people sign in with, where only people lead to a tenant.
    pub(super) fn is_sign_in(&self, number: usize, way: &Way) -> bool {
        let first = way.edges.first().map(|edge| self.graph.edges[*edge].to);
        first.is_some_and(|first| self.people.all.contains(&first))
            && any(&self.graph.tables[number].words, SIGN_IN)
    }

    /// What the application keeps for itself, by the names of tables and columns.
    pub(super) fn by_name(&mut self, number: usize) -> bool {
        let table = &self.graph.tables[number];
        let names: Vec<String> =
            table.relation.columns.iter().map(|c| c.name.to_lowercase().replace('_', "")).collect();
        let has = |name: &str| names.iter().any(|own| own == name);
        let secret = any(&names, SECRET_COLUMNS) || any(&table.words, SECRET_WORDS);
        if is_word_list(table.relation) {
            return false;
        }
        let reason = if self.is_copy(number) {
            "a copy that somebody kept"
        } else if any(&table.words, SHORT_LIVED) {
            "short-lived records of the application; nothing in them names a tenant"
        } else if any(&table.words, WORK) {
            "work and locks of the application; nothing in them names a tenant"
        } else if any(&table.words, SETTINGS) && secret || any(&table.words, SECRET_WORDS) {
            "settings of the whole installation, secrets among them"
        } else if has("key")
            && names.len() <= 9
            && (has("value") || has("expiresat"))
            && !any(&table.words, SETTINGS)
        {
            "keys and values of the application; nothing in them names a tenant"
        } else {
            return false;
        };
        self.exclude(number, Certainty::Likely, reason);
        true
    }

    /// What only hangs on tables that are excluded is no more a tenant's than they are.
    fn beside_excluded(&mut self, number: usize) -> bool {
        let excluded = |n: usize| self.class(n) == Some(Class::Excluded);
        let parents: Vec<usize> =
            self.graph.parents(number).map(|e| e.to).filter(|n| *n != number).collect();
        let children: Vec<usize> = self.graph.children(number).map(|e| e.from).collect();
        let hangs = !parents.is_empty() && parents.iter().all(|n| excluded(*n));
        let carries =
            !children.is_empty() && children.iter().all(|n| excluded(*n) || self.is_theirs(*n));
        if hangs || carries {
            self.exclude(number, Certainty::Likely, "belongs to tables that are left out");
        }
        hangs || carries
    }

    /// What is left is for a person to say.
    pub(super) fn found_nothing(&mut self) {
        for number in self.open() {
            let table = &self.graph.tables[number];
            let pointing: Vec<&str> =
                self.graph.children(number).map(|edge| self.graph.tables[edge.from].name).collect();
            let why = if pointing.is_empty() {
                "nothing in it names a tenant or a person, and nothing points to it".to_owned()
            } else {
                format!("nothing in it names a tenant; these point to it: {}", pointing.join(", "))
            };
            let commands = command::deciding(table.name);
            self.undecided.push(Undecided {
                relation: table.name.to_owned(),
                why,
                nearest: Some(if pointing.is_empty() { Class::Excluded } else { Class::Global }),
                commands,
            });
        }
    }
}

/// Whether a column of a table names a tenant or a person by its words: such a table is never shown to
/// all, even where nothing says what the column means.
pub(super) fn names_somebody(table: &Table<'_>) -> bool {
    table.relation.columns.iter().any(|column| {
        let stem = stem(&column.name);
        let tenant =
            tenant_weight(&stem.words) >= 60 && (stem.ending.is_some() || stem.words.len() == 1);
        tenant || stem.ending.is_some() && is_person(&stem.words) && !is_actor(&stem.words)
    })
}
