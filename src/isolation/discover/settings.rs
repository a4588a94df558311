//! Settings that policies read: `current_setting('app.tenant_id')` in a policy, or in a function that a
//! policy calls, or in a column's default. A column that is compared with one is a tenant key, or
//! names the member.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Catalog, CatalogRelation, Policy};

/// A column of a table that a policy or a default ties to a setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    /// The table, plain name.
    pub(super) table: String,
    /// The column; absent where the setting stands beside none.
    pub(super) column: Option<String>,
    /// The setting; absent where a function is called that reads none we can see.
    pub(super) setting: Option<String>,
    /// Whether a policy says it; otherwise a default does.
    pub(super) policy: bool,
}

/// What was read in policies and defaults.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Each of them once.
    pub(super) all: Vec<Reading>,
    /// Tables with columns that a permissive policy lets through when they are null.
    pub(super) null_passes: HashSet<(String, String)>,
}

impl Readings {
    /// Whether a policy of a table compares a column with a setting.
    pub(super) fn compares(&self, table: &str) -> bool {
        self.all.iter().any(|r| r.policy && r.table == table && r.column.is_some())
    }
}

/// Reads all policies and defaults of the tables.
pub(super) fn readings(catalog: &Catalog, tables: &[&str]) -> Readings {
    let functions = function_settings(catalog);
    let mut found = Readings::default();
    let mut seen = HashSet::new();
    let mut keep = |reading: Reading, all: &mut Vec<Reading>| {
        if seen.insert(reading.clone()) {
            all.push(reading);
        }
    };
    for relation in tables.iter().filter_map(|name| catalog.relations.get(*name)) {
        let table = relation.name.plain();
        for policy in &relation.policies {
            for expression in [&policy.using, &policy.check].into_iter().flatten() {
                for atom in atoms(expression) {
                    for reading in read_atom(&table, relation, atom, &functions) {
                        keep(reading, &mut found.all);
                    }
                }
            }
            found.null_passes.extend(nulls(policy, relation).map(|column| (table.clone(), column)));
        }
        for column in &relation.columns {
            for setting in column.default.iter().flat_map(|text| settings_in(text, &functions)) {
                let column = Some(column.name.clone());
                let reading =
                    Reading { table: table.clone(), column, setting: Some(setting), policy: false };
                keep(reading, &mut found.all);
            }
        }
    }
    found
}

/// The parts of an expression between AND and OR.
fn atoms(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(" AND ").flat_map(|part| part.split(" OR "))
}

/// What one part says: its settings with each column of the table that stands beside them.
fn read_atom(
    table: &str,
    relation: &CatalogRelation,
    atom: &str,
    functions: &HashMap<String, Vec<String>>,
) -> Vec<Reading> {
    let settings = settings_in(atom, functions);
    // `project_id in (select id from projects where org_id = ..)`: it is the other table's column
    // that is compared, unless the part after WHERE names one of ours.
    let compared = match atom.find(" FROM ") {
        Some(from) => atom[from..].split_once(" WHERE ").map_or("", |(_, after)| after),
        None => atom,
    };
    let columns = columns_in(compared, relation);
    let column = columns.first().cloned();
    let reading = |setting: Option<String>| Reading {
        table: table.to_owned(),
        column: column.clone(),
        setting,
        policy: true,
    };
    if settings.is_empty() {
        // `tenant_id = current_tenant()` where the source of the function says no setting.
        let compared = atom.contains(" = ") && atom.contains("()");
        return (compared && column.is_some()).then(|| reading(None)).into_iter().collect();
    }
    settings.into_iter().map(Some).map(reading).collect()
}

/// The settings that a text reads, by itself or through functions that it calls.
fn settings_in(text: &str, functions: &HashMap<String, Vec<String>>) -> Vec<String> {
    let mut found = named_settings(text);
    for called in calls(text) {
        found.extend(functions.get(called).into_iter().flatten().cloned());
    }
    let mut seen = HashSet::new();
    found.retain(|setting| seen.insert(setting.clone()));
    found
}

/// `current_setting('NAME'`, each.
fn named_settings(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    for (place, call) in lower.match_indices("current_setting") {
        let Some(rest) = lower.get(place + call.len()..) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('(') else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('\'') else { continue };
        let name = rest.split('\'').next().unwrap_or_default();
        // Settings of the server have no dot and name nobody.
        // `request.method`, `request.path` and the like name nobody either.
        let of_request = name.starts_with("request.") && !name.starts_with("request.jwt.");
        if name.contains('.') && !of_request {
            found.push(name.to_owned());
        }
    }
    found
}

/// Names that stand before an opening parenthesis.
fn calls(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices('(') {
        let before = &text[..place];
        let name_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
        let start = before
            .rfind(|c: char| !name_letter(c))
            .map_or(0, |p| p + before[p..].chars().next().map_or(1, char::len_utf8));
        let name = before[start..].trim_matches('"');
        if !name.is_empty() {
            found.push(name);
        }
    }
    found
}

/// The settings that each function reads, by its bare name, through others as well.
fn function_settings(catalog: &Catalog) -> HashMap<String, Vec<String>> {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for _ in 0..4 {
        let mut next: HashMap<String, Vec<String>> = HashMap::new();
        for function in &catalog.functions {
            let found = settings_in(&function.source, &known);
            let own = next.entry(function.name.name.as_str().to_owned()).or_default();
            own.extend(found);
            own.sort();
            own.dedup();
        }
        if next == known {
            break;
        }
        known = next;
    }
    known
}

/// Columns of the table that a text names: bare, or after the table's own name.
fn columns_in(text: &str, relation: &CatalogRelation) -> Vec<String> {
    let own = relation.name.name.as_str();
    let mut found = Vec::new();
    let mut quoted = false;
    let mut before = String::new();
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
    for token in text.split_inclusive(|c: char| !letter(c)) {
        let (name, end) = token.split_at(token.trim_end_matches(|c: char| !letter(c)).len());
        let bare = name.trim_matches('"');
        let ours = before.is_empty() || before == own;
        if !quoted && ours && !end.starts_with('(') && relation.column(bare).is_some() {
            found.push(bare.to_owned());
        }
        before = if end.starts_with('.') { bare.to_owned() } else { String::new() };
        quoted ^= end.starts_with('\'');
    }
    found
}

/// Columns whose null a permissive policy lets through on reading.
fn nulls<'p>(
    policy: &'p Policy,
    relation: &'p CatalogRelation,
) -> impl Iterator<Item = String> + 'p {
    let reads = policy.permissive && ["r", "*"].contains(&policy.command.as_str());
    let using = policy.using.as_deref().filter(|_| reads).unwrap_or_default();
    atoms(using)
        .filter(|atom| atom.trim_end_matches(')').ends_with(" IS NULL"))
        .flat_map(|atom| columns_in(atom, relation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_every_spelling() {
        let functions =
            HashMap::from([("current_tenant".to_owned(), vec!["app.tenant".to_owned()])]);
        for (text, setting) in [
            ("(tenant_id = (current_setting('app.tenant_id'::text, true))::uuid)", "app.tenant_id"),
            ("SELECT CURRENT_SETTING( 'my.Org' )", "my.org"),
            ("(org_id = security.current_tenant())", "app.tenant"),
            ("(org_id = \"current_tenant\"())", "app.tenant"),
        ] {
            assert_eq!(settings_in(text, &functions), [setting], "{text}");
        }
        assert!(settings_in("current_setting('role')", &functions).is_empty());
    }
}
