//! SQL as a value: static text, or text assembled from static pieces and quoted identifiers.
//!
//! There is no way from a `String` to [`Sql`] but the two that say what they are:
//! [`Sql::danger_operator_text`] for what an operator typed (it only ever runs inside a guarded
//! tenant session, as one statement of the extended protocol) and
//! [`Sql::danger_declared_text`] for expressions of the relation map, which setup shows first.

use std::fmt;

/// A quoted identifier; printing it gives the form that SQL needs, always in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(String);

impl Ident {
    /// Quotes a name. Names come from the catalogs or the relation map, never from a shell.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The bare name, for comparing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\"").replace('\0', ""))
    }
}

/// A relation with its schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationName {
    /// The schema.
    pub schema: Ident,
    /// The relation.
    pub name: Ident,
}

impl RelationName {
    /// A name from its two parts.
    #[must_use]
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Ident::new(schema), name: Ident::new(name) }
    }

    /// Reads `schema.name`, with double quotes where a part needs them; `None` where it is not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, rest) = take_part(text)?;
        let (name, rest) = take_part(rest.strip_prefix('.')?)?;
        rest.is_empty().then(|| Self::new(schema, name))
    }

    /// As SQL would need it: quotes only where they are needed. For people, JSON and the map.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{}.{}", plain(self.schema.as_str()), plain(self.name.as_str()))
    }
}

impl fmt::Display for RelationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// Reads one identifier, quoted or plain, and gives what follows.
fn take_part(text: &str) -> Option<(String, &str)> {
    if let Some(mut rest) = text.strip_prefix('"') {
        let mut name = String::new();
        loop {
            let end = rest.find('"')?;
            name.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    name.push('"');
                    rest = more;
                }
                None => return (!name.is_empty()).then_some((name, rest)),
            }
        }
    }
    let end = text.find('.').unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// The words that SQL reads as its own in some place, of PostgreSQL 15 to 18: as `quote_ident` quotes them.
const KEYWORDS: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning right row select session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

/// A name as SQL would need it: in quotes only where it is not a plain lower-case word, or is one
/// that SQL reads as its own.
#[must_use]
pub fn plain(name: &str) -> String {
    let mut chars = name.chars();
    let simple = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !KEYWORDS.contains(&format!(" {name} "));
    if simple { name.to_owned() } else { Ident::new(name).to_string() }
}

impl From<&Ident> for Sql {
    fn from(name: &Ident) -> Self {
        Self(name.to_string())
    }
}

impl From<&RelationName> for Sql {
    fn from(name: &RelationName) -> Self {
        Self(name.to_string())
    }
}

/// One SQL statement or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sql(String);

impl Sql {
    /// Static text.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// What an operator typed; see the module documentation for where it may go.
    #[must_use]
    pub fn danger_operator_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An expression or template of the relation map or of the files shipped beside it.
    #[must_use]
    pub fn danger_declared_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Appends static text.
    #[must_use]
    pub fn text(mut self, text: &'static str) -> Self {
        self.0.push_str(text);
        self
    }

    /// Appends a quoted identifier.
    #[must_use]
    pub fn ident(mut self, name: &Ident) -> Self {
        self.0.push_str(&name.to_string());
        self
    }

    /// Appends a relation with its schema.
    #[must_use]
    pub fn relation(mut self, name: &RelationName) -> Self {
        self.0.push_str(&name.to_string());
        self
    }

    /// Appends a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// Appends a string literal, quoted.
    #[must_use]
    pub fn literal(mut self, value: &str) -> Self {
        // E'' so that a backslash means the same whatever standard_conforming_strings says.
        let escaped = value.replace('\\', "\\\\").replace('\'', "''").replace('\0', "");
        self.0.push_str(" E'");
        self.0.push_str(&escaped);
        self.0.push('\'');
        self
    }

    /// Appends another piece.
    #[must_use]
    pub fn append(mut self, piece: &Self) -> Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Fills the places `{name}` of a static template with pieces; a place without a piece stays
    /// as it is and fails on the server, so a slip cannot go unseen.
    #[must_use]
    pub fn fill(template: &'static str, pieces: &[(&'static str, &Self)]) -> Self {
        let mut filled = String::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            let place = rest[start..].find('}').map(|end| &rest[start + 1..start + end]);
            let piece = place.and_then(|place| pieces.iter().find(|(name, _)| *name == place));
            if let Some((name, piece)) = piece {
                filled.push_str(&piece.0);
                rest = &rest[start + name.len() + 2..];
            } else {
                filled.push('{');
                rest = &rest[start + 1..];
            }
        }
        filled.push_str(rest);
        Self(filled)
    }

    /// Joins pieces with a separator.
    #[must_use]
    pub fn join(pieces: &[Self], separator: &'static str) -> Self {
        Self(pieces.iter().map(Self::as_str).collect::<Vec<_>>().join(separator))
    }

    /// The text for the driver.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_cannot_leave_their_quotes() {
        assert_eq!(Ident::new("a\"b; drop table x --").to_string(), "\"a\"\"b; drop table x --\"");
    }

    #[test]
    fn relation_names_are_read_and_written_as_sql_needs_them() {
        for text in ["app.tasks", "app.\"Tasks\"", "\"My Schema\".\"a.\"\"b\""] {
            assert_eq!(RelationName::parse(text).unwrap().plain(), text);
        }
        for bad in ["", "tasks", "a.b.c", "\"a.b", "a."] {
            assert_eq!(RelationName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn literals_cannot_leave_their_quotes() {
        assert_eq!(Sql::new("select").literal("it's \\'").as_str(), "select E'it''s \\\\'''");
    }
}
