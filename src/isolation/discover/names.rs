//! Names taken apart: `billing_account_id`, `billingAccountId` and `BillingAccounts` are the same words
//! to a reader, and have to be to discovery. Snake, camel and Pascal case, plurals, endings of keys.
//!
//! The singular need not be English, only the same for a table and for the columns that point to it.

/// Endings that make a name a reference: `order_id`, `order_uuid`.
const KEY_ENDINGS: &str = "id uuid guid uid pk fk ref sid ulid rid nid";

/// Plurals that take more than the ending.
const IRREGULAR: [(&str, &str); 22] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("indices", "index"),
    ("matrices", "matrix"),
    ("vertices", "vertex"),
    ("statuses", "status"),
    ("aliases", "alias"),
    ("bonuses", "bonus"),
    ("campuses", "campus"),
    ("buses", "bus"),
    ("canvases", "canvas"),
    ("lenses", "lens"),
    ("viruses", "virus"),
    ("caches", "cache"),
    ("movies", "movie"),
    ("cookies", "cookie"),
    ("series", "series"),
    ("news", "news"),
    ("organisation", "organization"),
    ("organisations", "organization"),
];

/// The words of a name, lower case and singular.
#[must_use]
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    // `OAuth` is one word, whoever wrote it.
    let joined = name.replace("OAuth", "Oauth");
    let letters: Vec<char> = joined.chars().collect();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|p| letters.get(p));
        let after = letters.get(place + 1);
        let starts = letter.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || before.is_some_and(|b| b.is_uppercase())
                    && after.is_some_and(|a| a.is_lowercase()));
        if starts || !letter.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words.iter().map(|word| singular(word)).collect()
}

/// One word without its plural.
fn singular(word: &str) -> String {
    if let Some((_, single)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*single).to_owned();
    }
    let cut = |ending: &str, by: &str| word.strip_suffix(ending).map(|stem| format!("{stem}{by}"));
    if word.len() <= 3 || ["ss", "us", "is"].iter().any(|e| word.ends_with(e)) {
        return word.to_owned();
    }
    if word.len() > 4
        && let Some(single) = cut("ies", "y")
    {
        return single;
    }
    [("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("zzes", "z"), ("s", "")]
        .iter()
        .find_map(|(ending, by)| cut(ending, by))
        .unwrap_or_else(|| word.to_owned())
}

/// What a column that looks like a reference refers to: the words without the ending of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stem {
    /// The words, in order.
    pub(super) words: Vec<String>,
    /// The ending, `id` and the like; absent where the name has none.
    pub(super) ending: Option<String>,
}

/// Takes a column's name apart.
#[must_use]
pub(super) fn stem(column: &str) -> Stem {
    let mut words = words(column);
    let is_ending = |word: &String| KEY_ENDINGS.split(' ').any(|ending| ending == word);
    if words.len() > 1 && words.last().is_some_and(is_ending) {
        let ending = words.pop();
        if words.len() > 1 && words.first().is_some_and(|w| w == "fk") {
            words.remove(0);
        }
        return Stem { words, ending };
    }
    // `id_order`, `fk_order`, `fk_id_order`.
    if words.len() > 1 && words.first().is_some_and(is_ending) {
        let ending = Some(words.remove(0));
        if words.len() > 1 && words.first().is_some_and(is_ending) {
            words.remove(0);
        }
        return Stem { words, ending };
    }
    // `tenantid`: written without any seam.
    if let [word] = words.as_slice()
        && let Some(whole) = word.strip_suffix("id").filter(|whole| whole.len() >= 4)
    {
        return Stem { words: vec![singular(whole)], ending: Some("id".to_owned()) };
    }
    Stem { words, ending: None }
}

/// Words joined, for comparing and for keys of maps.
#[must_use]
pub(super) fn joined(words: &[String]) -> String {
    words.join("_")
}

/// A name as Rails calls the class of a table: `line_items` is `LineItem`.
#[must_use]
pub(super) fn class_name(table: &str) -> String {
    let capital = |word: String| {
        let mut letters = word.chars();
        let first = letters.next().map(|l| l.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    };
    words(table).into_iter().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_the_columns_that_point_to_it_have_the_same_words() {
        for (column, table) in [
            ("company_id", "companies"),
            ("companyId", "Company"),
            ("address_uuid", "addresses"),
            ("status_id", "statuses"),
            ("database_id", "databases"),
            ("line_item_id", "LineItems"),
            ("id_order", "orders"),
            ("fk_order", "orders"),
            ("tenantid", "tenants"),
            ("organisation_id", "organizations"),
            ("category_id", "categories"),
            ("oauthClientId", "OAuthClient"),
            ("APITokenId", "api_tokens"),
            ("person_id", "people"),
            ("quiz_id", "quizzes"),
            ("leaseId", "leases"),
        ] {
            assert_eq!(stem(column).words, words(table), "{column} and {table}");
            assert!(stem(column).ending.is_some(), "{column}");
        }
    }

    #[test]
    fn what_only_looks_like_a_reference_is_none() {
        for column in ["paid", "id", "email", "void", "valid", "name", "grid"] {
            assert_eq!(stem(column).ending, None, "{column}");
        }
        assert_eq!(class_name("line_items"), "LineItem");
    }
}
