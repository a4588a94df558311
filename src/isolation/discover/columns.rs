//! Columns of the root and of memberships by what their names mean, and the words that a state column
//! may hold, from enum labels, check constraints and defaults.

use super::graph::family;
use super::names::words;
use crate::catalog::{CatalogRelation, Column};
use crate::isolation::map::Root;

/// States in which somebody may act.
const ACTIVE: &str =
    "active accepted enabled confirmed joined approved activated live ok normal open";
/// States in which nobody may.
const SUSPENDED: &str = "suspended disabled blocked locked paused deactivated frozen banned inactive on_hold \
    restricted closed archived revoked";

/// The first column that has one of the names, in the order of the names.
#[must_use]
pub(super) fn named<'r>(relation: &'r CatalogRelation, names: &str) -> Option<&'r Column> {
    named_of(relation, names, |_| true)
}

/// As [`named`], of those that fit.
fn named_of<'r>(
    relation: &'r CatalogRelation,
    names: &str,
    fits: impl Fn(&Column) -> bool,
) -> Option<&'r Column> {
    let same = |column: &Column, name: &str| {
        column.name.to_lowercase() == name || words(&column.name).join("_") == name
    };
    names.split(' ').find_map(|name| relation.columns.iter().find(|c| same(c, name) && fits(c)))
}

/// Whether a column holds words: a text or an enum.
fn is_wordy(column: &Column) -> bool {
    family(column) == "text" || !column.labels.is_empty()
}

/// The words that a column may hold, as far as the catalogs tell.
#[must_use]
pub(super) fn words_of(relation: &CatalogRelation, column: &Column) -> Vec<String> {
    if !column.labels.is_empty() {
        return column.labels.clone();
    }
    let mut found = Vec::new();
    for check in relation.checks.iter().filter(|check| mentions(check, &column.name)) {
        // Every second part between quotes is a word; those of casts carry no quotes.
        found.extend(check.split('\'').skip(1).step_by(2).map(str::to_owned));
    }
    if let Some(word) = column.default.as_deref().and_then(|default| default.split('\'').nth(1)) {
        found.push(word.to_owned());
    }
    found.retain(|word| !word.is_empty());
    found.sort();
    found.dedup();
    found
}

/// Whether a check speaks of a column and of no other name that contains it.
fn mentions(check: &str, column: &str) -> bool {
    check.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|token| token == column)
}

/// Which of the known words is one of these, in the schema's own spelling.
fn pick(known: &[String], wanted: &str) -> Option<String> {
    wanted.split(' ').find_map(|word| known.iter().find(|k| k.to_lowercase() == word).cloned())
}

/// The state column of a membership and the word of a member who may act. A truth value or a time
/// (`is_active`, `deleted_at`) has no word and is left out.
#[must_use]
pub(super) fn state_word(relation: &CatalogRelation) -> (Option<String>, Option<String>) {
    let names = "status state membership_status member_status invitation_status invite_status";
    let Some(column) = named_of(relation, names, is_wordy) else { return (None, None) };
    let active = pick(&words_of(relation, column), ACTIVE);
    (Some(column.name.clone()), active)
}

/// The columns of the root.
#[must_use]
pub(super) fn root_columns(relation: &CatalogRelation, table: &str, key: &str) -> Root {
    let text = |column: &Column| {
        is_wordy(column) && !column.type_name.ends_with("[]") && column.name != key
    };
    let unique = |c: &Column| relation.unique_keys.iter().any(|k| k.as_slice() == [c.name.clone()]);
    let find = |names: &str| named_of(relation, names, text).map(|c| c.name.clone());
    let slug = find("slug handle identifier string_id url_slug url_key permalink subdomain")
        .or_else(|| {
            let names = "short_name code shortname unique_name url key name";
            named_of(relation, names, |c| text(c) && unique(c)).map(|c| c.name.clone())
        });
    let name = find("name display_name title full_name company_name legal_name label org_name");
    let plan =
        find("plan plan_name plan_type tier subscription_plan plan_code subscription_tier edition");
    let domains = "domain custom_domain subdomain hostname host primary_domain domain_name fqdn custom_hostname".split(' ')
    .filter_map(find)
    .collect();
    let when =
        |column: &Column| column.type_name.starts_with("timestamp") || column.type_name == "date";
    let created = "created_at created inserted_at date_created created_on creation_date create_time registered_at created_time createdat date_joined create_at";
    let created_at = named_of(relation, created, when).map(|c| c.name.clone());
    let status = named_of(relation, "status state account_status tenant_status", text);
    let known = status.map(|column| words_of(relation, column)).unwrap_or_default();
    Root {
        table: Some(table.to_owned()),
        key: Some(key.to_owned()),
        // One column is not told twice.
        name: name.clone().filter(|name| slug.as_ref() != Some(name)).or(name),
        slug,
        plan,
        status: status.map(|column| column.name.clone()),
        domains,
        created_at,
        active: pick(&known, ACTIVE),
        suspended: pick(&known, SUSPENDED),
    }
}
