//! The words of a statement, as PostgreSQL's lexer cuts them: for the record and for help, never
//! as a boundary. What the operator typed is judged by the server and by the guard.

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// What a lexeme is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Spaces and comments.
    Trivia,
    /// A word without quotes.
    Word,
    /// A word in double quotes.
    Quoted,
    /// A value: string, number, bit string.
    Literal,
    /// `$1`.
    Parameter,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// Anything else that is written with signs.
    Sign,
    /// What no statement can contain.
    Unknown,
}

/// One piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lexeme<'s> {
    pub(super) sort: Sort,
    pub(super) text: &'s str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

impl Lexeme<'_> {
    /// Whether it is this keyword, given in lower case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.sort == Sort::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// The name that a word stands for: unquoted words fold to lower case.
    pub(super) fn name(&self) -> Option<String> {
        match self.sort {
            Sort::Word => Some(self.text.to_ascii_lowercase()),
            Sort::Quoted => Some(self.text.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// Cuts a statement into pieces; together they are the whole text.
pub(super) fn lexemes(sql: &str) -> Vec<Lexeme<'_>> {
    let mut at = 0;
    let mut pieces = Vec::new();
    for token in tokenize(sql) {
        let end = at + token.len as usize;
        // A lexer that miscounts must not stop the record: the rest is taken as one unknown piece.
        let Some(text) = sql.get(at..end) else { break };
        pieces.push(Lexeme { sort: sort(token.kind), text, at });
        at = end;
    }
    if let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        pieces.push(Lexeme { sort: Sort::Unknown, text: rest, at });
    }
    pieces
}

/// Without spaces and comments.
pub(super) fn meaningful(sql: &str) -> Vec<Lexeme<'_>> {
    lexemes(sql).into_iter().filter(|lexeme| lexeme.sort != Sort::Trivia).collect()
}

const fn sort(kind: TokenKind) -> Sort {
    match kind {
        TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {
            Sort::Trivia
        }
        TokenKind::Ident => Sort::Word,
        TokenKind::QuotedIdent { .. } => Sort::Quoted,
        TokenKind::Literal { .. } => Sort::Literal,
        TokenKind::PositionalParam { .. } => Sort::Parameter,
        TokenKind::Semi => Sort::Semicolon,
        TokenKind::OpenParen => Sort::Open,
        TokenKind::CloseParen => Sort::Close,
        TokenKind::Unknown | TokenKind::Eof | TokenKind::Backtick => Sort::Unknown,
        _ => Sort::Sign,
    }
}

/// The value of a literal where it is written plainly, else its text as it stands: so that the
/// digest of `'ann@x.de'` is the digest of the address.
pub(super) fn literal_value(text: &str) -> String {
    let plain = tokenize(text).next().map(|token| token.kind);
    let inner = match plain {
        Some(TokenKind::Literal { kind: LiteralKind::Str { terminated: true } }) => {
            text.get(1..text.len() - 1)
        }
        _ => None,
    };
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace("''", "'"))
}

/// Splits a script at its semicolons; pieces without a word in them are left out.
#[must_use]
pub fn split_statements(script: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut empty = true;
    let pieces = lexemes(script);
    for piece in &pieces {
        match piece.sort {
            Sort::Semicolon => {
                if !empty {
                    statements.push(script[start..piece.at].trim().to_owned());
                }
                start = piece.at + 1;
                empty = true;
            }
            Sort::Trivia => {}
            _ => empty = false,
        }
    }
    if !empty {
        statements.push(script[start..].trim().to_owned());
    }
    statements
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_script_is_split_at_semicolons_outside_of_strings_and_comments() {
        let script = "select ';'; -- a; b\n /* ; */ select $x$;$x$ ;; ; select \"a;b\"";
        assert_eq!(
            split_statements(script),
            ["select ';'", "-- a; b\n /* ; */ select $x$;$x$", "select \"a;b\""]
        );
        assert!(split_statements(" -- nothing\n;;").is_empty());
    }

    #[test]
    fn a_literal_gives_its_value() {
        assert_eq!(literal_value("'it''s'"), "it's");
        assert_eq!(literal_value("12.5"), "12.5");
        assert_eq!(literal_value("'open"), "'open");
        assert_eq!(literal_value("'"), "'");
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_loss(text in any::<String>()) {
            let joined: String = lexemes(&text).iter().map(|lexeme| lexeme.text).collect();
            prop_assert_eq!(joined, text.clone());
            let _any = split_statements(&text);
        }

        #[test]
        fn texts_made_of_the_signs_that_matter_are_cut_without_loss(text in "[$'\"eEuU&;\\-/*\\\\a0\u{0}\n]{0,40}") {
            let joined: String = lexemes(&text).iter().map(|lexeme| lexeme.text).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
