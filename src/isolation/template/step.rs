//! Cuts a template into statements: `:name` becomes `$1`, every value travels as text.
//!
//! Each runs with parameters of its own. The table that a statement fills is known, because a table
//! without row level security is filled through its guarded view.

use std::ops::Range;

use crate::postgres::RelationName;

/// One statement of a template: its text with `$n`, the names behind the numbers, and its table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    sql: String,
    names: Vec<String>,
    table: Option<(Range<usize>, RelationName)>,
}

impl Step {
    /// The names of its parameters, `$1` first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Its text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The table that it fills, where it is an INSERT and names the schema.
    #[must_use]
    pub fn table(&self) -> Option<&RelationName> {
        self.table.as_ref().map(|(_, table)| table)
    }

    /// Its text with another relation in the place of its table.
    #[must_use]
    pub fn aimed_at(&self, relation: &RelationName) -> String {
        let Some((place, _)) = &self.table else { return self.sql.clone() };
        format!("{}{relation}{}", &self.sql[..place.start], &self.sql[place.end..])
    }

    /// Whether there is anything in it.
    fn is_empty(&self) -> bool {
        self.sql.trim().is_empty()
    }

    /// Takes a parameter: its number, new or known.
    fn parameter(&mut self, name: String) {
        let number = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.sql.push('$');
        self.sql.push_str(&(number + 1).to_string());
    }

    /// With the table that it fills.
    fn finished(mut self) -> Self {
        self.table = target(&self.sql);
        self
    }
}

/// Cuts a template into steps. Understands what a template needs: comments to the end of the
/// line, quoted strings and identifiers, and `::` casts, which are no parameters.
#[must_use]
pub fn parse(template: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = Step::default();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '-' if chars.peek() == Some(&'-') => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        break;
                    }
                }
                step.sql.push('\n');
            }
            '\'' | '"' => {
                step.sql.push(c);
                for quoted in chars.by_ref() {
                    step.sql.push(quoted);
                    if quoted == c {
                        break;
                    }
                }
            }
            ':' if chars.peek() == Some(&':') => {
                step.sql.push_str("::");
                chars.next();
            }
            ':' if chars.peek().is_some_and(char::is_ascii_lowercase) => {
                let mut name = String::new();
                while let Some(&next) = chars.peek() {
                    if !(next.is_ascii_alphanumeric() || next == '_') {
                        break;
                    }
                    name.push(next);
                    chars.next();
                }
                step.parameter(name);
            }
            ';' => steps.push(std::mem::take(&mut step).finished()),
            _ => step.sql.push(c),
        }
    }
    steps.push(step.finished());
    steps.retain(|step| !step.is_empty());
    steps
}

/// `insert into schema.table ..`: where the table stands, and its name.
fn target(sql: &str) -> Option<(Range<usize>, RelationName)> {
    let rest = word(sql.trim_start(), "insert")?;
    let rest = word(rest.trim_start(), "into")?.trim_start();
    let start = sql.len() - rest.len();
    let (schema, rest) = part(rest)?;
    let (table, rest) = part(rest.strip_prefix('.')?)?;
    Some((start..sql.len() - rest.len(), RelationName::new(schema, table)))
}

/// What follows a keyword.
fn word<'t>(text: &'t str, keyword: &str) -> Option<&'t str> {
    let head = text.get(..keyword.len())?;
    let rest = &text[keyword.len()..];
    (head.eq_ignore_ascii_case(keyword) && rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// One part of a name as SQL reads it, and what follows: in quotes as it is, else in lower case.
fn part(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut rest = quoted;
        loop {
            let end = rest.find('"')?;
            name.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(more) = rest.strip_prefix('"') else { return Some((name, rest)) };
            name.push('"');
            rest = more;
        }
    }
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let end = text.find(|c| !letter(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_lowercase(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_into_steps_with_numbered_parameters() {
        let steps = parse(
            "-- a comment; with :names\ninsert into t values (:id::uuid, ':no;', lower(:email::text), :id);\nselect 1;\n",
        );
        assert_eq!(steps.len(), 2);
        assert_eq!(
            steps[0].sql.trim(),
            "insert into t values ($1::uuid, ':no;', lower($2::text), $1)"
        );
        assert_eq!(steps[0].names, ["id", "email"]);
        assert_eq!(steps[0].table(), None);
    }

    #[test]
    fn the_table_of_an_insert_is_found_and_can_be_another() {
        let aim = RelationName::new("tenantdesk_provision", "Teams");
        for (sql, table) in [
            ("insert into app.Teams (id) values (:id)", "app.teams"),
            (
                "\n INSERT  INTO \"My App\".\"Te\"\"ams\"(id) values (:id)",
                "\"My App\".\"Te\"\"ams\"",
            ),
        ] {
            let step = parse(sql).remove(0);
            assert_eq!(step.table().unwrap().plain(), table);
            assert!(step.aimed_at(&aim).contains("\"tenantdesk_provision\".\"Teams\""));
            assert!(step.aimed_at(&aim).ends_with("(id) values ($1)"));
        }
        assert_eq!(parse("select app.f(1)")[0].table(), None);
    }
}
