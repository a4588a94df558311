//! What names and constraints say: words that a column may hold, and names that mean something in
//! most schemas. Only for proposals; a person reads and corrects them.

use crate::catalog::{CatalogRelation, Column};

/// A name in lower case with `_` between its words: `createdAt` is `created_at`.
#[must_use]
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && before != '_' && !before.is_uppercase() {
            snake.push('_');
        }
        let plain = if c.is_alphanumeric() { c } else { '_' };
        snake.extend(plain.to_lowercase());
        before = plain;
    }
    snake.trim_matches('_').to_owned()
}

/// The words that a column may hold: the labels of its enum, or those of a check constraint.
#[must_use]
pub(super) fn allowed(present: &CatalogRelation, column: &Column) -> Vec<String> {
    if !column.labels.is_empty() {
        return column.labels.clone();
    }
    present.checks.iter().find_map(|check| checked(check, &column.name)).unwrap_or_default()
}

/// The words of `column = ANY (ARRAY['a', ..])` or `column = 'a'`, where nothing else is in the check.
fn checked(check: &str, column: &str) -> Option<Vec<String>> {
    let quoted = format!("\"{}\"", column.replace('"', "\"\""));
    let before = check.split('\'').next()?;
    let names = |text: &str| {
        text.contains(&quoted)
            || text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == column)
    };
    let lists = ["= ANY", "="].iter().any(|sign| before.contains(sign));
    if !names(before) || !lists || check.contains("<>") || check.contains('~') {
        return None;
    }
    // Every second piece stands in quotes.
    let words: Vec<String> = check
        .split('\'')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .filter(|w| !w.is_empty())
        .collect();
    (!words.is_empty()).then_some(words)
}

/// The word for a row that works: the one known, else the usual ones, else the first.
#[must_use]
pub(super) fn working(words: &[String], known: Option<&str>) -> Option<String> {
    if let Some(known) = known {
        return Some(known.to_owned());
    }
    prefer(words, &["active", "enabled", "live", "ok", "accepted", "confirmed"])
}

/// The word for the first admin.
#[must_use]
pub(super) fn owning(words: &[String]) -> Option<String> {
    prefer(words, &["owner", "admin", "administrator", "super_admin", "superadmin"])
}

/// The first of the usual words that is allowed, else the first allowed one.
fn prefer(words: &[String], usual: &[&str]) -> Option<String> {
    let found = usual.iter().find_map(|u| words.iter().find(|w| w.eq_ignore_ascii_case(u)));
    found.or_else(|| words.first()).cloned()
}

/// Whether a name is in a list that is written as one text.
#[must_use]
pub(super) fn listed(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

/// Columns of a digest of a password.
pub(super) const PASSWORDS: &str = "password_hash encrypted_password hashed_password password_digest \
    crypted_password passwordhash passwd_hash pw_hash pwhash password_encrypted password passwd";
/// Flags that the first admin has.
pub(super) const ADMIN_FLAGS: &str = "is_admin admin is_owner owner is_administrator account_owner \
    is_account_owner is_tenant_admin is_org_admin";
/// Flags of a row that works.
pub(super) const WORKING_FLAGS: &str = "active is_active enabled is_enabled";
/// Columns that hold a short name for addresses.
pub(super) const SLUGS: &str = "slug subdomain handle identifier code permalink url_slug short_name \
    shortname subdomain_name url_key workspace_url key";
/// Columns that hold a name for people.
pub(super) const NAMES: &str = "name title display_name full_name company_name legal_name label \
    business_name trade_name trading_name organization_name organisation_name company";
/// Columns that hold a name of a person to sign in with.
pub(super) const LOGINS: &str = "email email_address username user_name login uid";
/// Columns that hold an e-mail address.
pub(super) const EMAILS: &str = "email email_address billing_email contact_email owner_email \
    admin_email support_email";
/// Columns that hold something random that is unique.
pub(super) const RANDOMS: &str = "token api_key api_token secret uid uuid guid public_id external_id \
    key invite_token invite_code webhook_secret signing_secret session_token authentication_token nonce salt";
/// Columns of the time that a row came about.
pub(super) const MOMENTS: &str = "created_at updated_at inserted_at created updated createdon created_on \
    updated_on date_created date_updated modified_at joined_at date_joined created_date updated_date \
    last_updated accepted_at";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_spelling() {
        for (name, read) in [
            ("createdAt", "created_at"),
            ("CreatedAt", "created_at"),
            ("tenant_id", "tenant_id"),
            ("tenantID", "tenant_id"),
            ("E-Mail", "e_mail"),
        ] {
            assert_eq!(snake(name), read);
        }
    }

    #[test]
    fn the_words_of_a_check_are_those_it_allows() {
        let any = "CHECK ((status = ANY (ARRAY['trial'::text, 'active'::text])))";
        assert_eq!(checked(any, "status").unwrap(), ["trial", "active"]);
        assert_eq!(checked(any, "stat"), None);
        let cast = "CHECK (((\"Kind\")::text = ANY ((ARRAY['a'::character varying])::text[])))";
        assert_eq!(checked(cast, "Kind").unwrap(), ["a"]);
        assert_eq!(checked("CHECK ((name <> ''::text))", "name"), None);
        assert_eq!(checked("CHECK ((slug ~ '^[a-z]+$'::text))", "slug"), None);
        assert_eq!(owning(&["member".to_owned(), "Admin".to_owned()]).unwrap(), "Admin");
    }
}
