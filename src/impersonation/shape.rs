//! The shape of a statement: what the ledger keeps of it. Literals and comments are gone; of each
//! literal the database keeps a digest under the tenant's key.

use super::lexeme::{Lexeme, Sort, lexemes, literal_value};

/// At most so many literals get a digest; the shape says how many a statement had.
const MOST_LITERALS: usize = 1_000;

/// A statement without its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// The text with `?` in the place of each literal, on one line, without comments.
    pub text: String,
    /// The literals in order, for the keyed digests; never stored as they are.
    pub literals: Vec<String>,
}

impl Shape {
    /// Takes the literals out of a statement. Any text has a shape.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        let mut shape = Self::default();
        let mut pending_space = false;
        for lexeme in lexemes(sql) {
            if lexeme.sort == Sort::Trivia {
                pending_space = !shape.text.is_empty();
                continue;
            }
            if std::mem::take(&mut pending_space) {
                shape.text.push(' ');
            }
            shape.take(&lexeme);
        }
        if shape.literals.len() > MOST_LITERALS {
            let note = format!(" /* {} literals */", shape.literals.len());
            shape.literals.truncate(MOST_LITERALS);
            // In front, because the ledger cuts long shapes at their end.
            shape.text.insert_str(0, note.trim_start());
        }
        shape
    }

    /// Adds a value that travels as a parameter.
    #[must_use]
    pub fn with_value(mut self, value: &str) -> Self {
        self.literals.push(value.to_owned());
        self
    }

    fn take(&mut self, lexeme: &Lexeme<'_>) {
        match lexeme.sort {
            Sort::Literal | Sort::Unknown => {
                self.literals.push(literal_value(lexeme.text));
                self.text.push('?');
            }
            // A value in double quotes is a common slip; a name looks like a name.
            Sort::Quoted if !looks_like_a_name(lexeme.text) => {
                self.literals.push(lexeme.text.trim_matches('"').to_owned());
                self.text.push_str("\"?\"");
            }
            _ => self.text.push_str(lexeme.text),
        }
    }
}

/// Whether a quoted word could be the name of a column or a table.
fn looks_like_a_name(quoted: &str) -> bool {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|name| {
        !name.is_empty()
            && name.len() <= 63
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_and_comments_are_gone_and_names_stay() {
        let shape = Shape::of(
            "select  \"Name\", x -- ann@x.de\n from t where a = 'it''s' and b in (1, 2.5e3)\n and c = $q$deep$q$ and d = E'\\'x' /* secret */ and \"ann@x.de\" is null",
        );
        assert_eq!(
            shape.text,
            "select \"Name\", x from t where a = ? and b in (?, ?) and c = ? and d = ? and \"?\" is null"
        );
        assert_eq!(shape.literals, ["it's", "1", "2.5e3", "$q$deep$q$", "E'\\'x'", "ann@x.de"]);
    }

    #[test]
    fn a_literal_that_does_not_end_is_a_literal_to_the_end() {
        for open in ["'hunter2; drop", "$$hunter2", "E'hunter2\\'", "U&'hunter2", "\"hunter2 x"] {
            let shape = Shape::of(&format!("select {open}"));
            assert!(!shape.text.contains("hunter2"), "{}", shape.text);
        }
    }

    #[test]
    fn very_many_literals_are_counted() {
        let sql = format!("select {}", vec!["'v'"; 1_500].join(", "));
        let shape = Shape::of(&sql);
        assert_eq!(shape.literals.len(), MOST_LITERALS);
        assert!(shape.text.starts_with("/* 1500 literals */select ?"), "{}", &shape.text[..40]);
    }

    proptest! {
        #[test]
        fn any_text_has_a_shape(text in any::<String>()) {
            let shape = Shape::of(&text);
            prop_assert!(!shape.text.contains('\''));
        }

        #[test]
        fn what_stands_in_a_string_is_never_in_the_shape(
            before in "[a-z ,=(]{0,10}", value in "[a-z0-9 ;\\-]{0,20}", after in "[a-z ,=)]{0,10}",
        ) {
            let canary = format!("CANARY{value}");
            for quoted in [format!("'{canary}'"), format!("$${canary}$$"), format!("e'{canary}'")] {
                let shape = Shape::of(&format!("{before} {quoted} {after}"));
                prop_assert!(!shape.text.contains("CANARY"), "{}", shape.text);
            }
        }
    }
}
