//! The commands that decide a relation, as they stand in lists of what is undecided.

/// Commands for a table that nothing is known of, the likeliest first.
#[must_use]
pub(super) fn deciding(table: &str) -> Vec<String> {
    let quoted = shell(table);
    let set = |rest: &str| format!("tenantdesk tables set {quoted} {rest}");
    let excluded = set("excluded --reason 'not part of any tenant'");
    let global = set("global");
    // In doubt a table is not global: a row of one tenant would be shown to all.
    let mut commands = vec![excluded];
    commands.push(set("keyed --key COLUMN"));
    commands.push(set("derived --path 'COLUMN>SCHEMA.TABLE.COLUMN'"));
    commands.push(set("linked --via SCHEMA.TABLE.COLUMN"));
    commands.push(global);
    commands
}

/// Commands for a table of which several columns point to tenants.
#[must_use]
pub(super) fn choosing(table: &str, columns: &[String]) -> Vec<String> {
    let set = |rest: &str| format!("tenantdesk tables set {} {rest}", shell(table));
    let keyed = columns.iter().map(|column| set(&format!("keyed --key {}", shell(column))));
    keyed.chain([set("excluded --reason 'rows of two tenants'")]).collect()
}

/// A word as a shell takes it.
#[must_use]
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
