//! What must not stand in a log, found by the word before it.
//!
//! Field names are the first line; this is the second, for messages that somebody formatted. It
//! would rather take a word too much than leave a secret.

/// What stands in place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// Words whose value is a secret, without separators; the longest reach says how much is taken.
const WORDS: [(&str, Reach); 9] = [
    ("password", Reach::Value),
    ("passwd", Reach::Value),
    ("passphrase", Reach::Value),
    ("token", Reach::Value),
    ("secret", Reach::Value),
    ("apikey", Reach::Value),
    ("authorization", Reach::Line),
    ("cookie", Reach::Line),
    ("prompt", Reach::Line),
];

/// How much belongs to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// One quoted text or one word.
    Value,
    /// One quoted text, or all up to the end of the line: such values have spaces.
    Line,
}

/// Whether a field of this name holds a secret: `api_key`, `adminPassword`, `X-Auth-Token`.
pub(super) fn is_secret(name: &str) -> bool {
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    WORDS.iter().any(|(word, _)| letters.contains(word))
}

/// Takes the values out of `password=..`, `"token": ".."`, `Authorization: ..`,
/// `PASSWORD '..'`, `Some("..")` after such a word, and `scheme://user:..@host`.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((kept, taken)) = secret_at(rest) {
            safe.push_str(&rest[..kept]);
            safe.push_str(REDACTED);
            rest = &rest[kept + taken..];
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            safe.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    safe
}

/// If a secret is announced right at the start of `rest`: bytes to keep, bytes to take.
fn secret_at(rest: &str) -> Option<(usize, usize)> {
    if let Some(address) = rest.strip_prefix("://") {
        return address_secret(address).map(|(kept, taken)| (kept + 3, taken));
    }
    let (length, reach) = WORDS
        .iter()
        .find_map(|(word, reach)| word_length(rest, word).map(|length| (length, *reach)))?;
    let value = value_start(&rest[length..])?;
    let taken = value_length(&rest[length + value..], reach);
    (taken > 0).then_some((length + value, taken))
}

/// How many bytes of `rest` spell the word, in any case and with `_`, `-` or a space inside, up to
/// the end of the name that the word is part of.
fn word_length(rest: &str, word: &str) -> Option<usize> {
    let mut letters = word.chars().peekable();
    for (at, c) in rest.char_indices() {
        match letters.peek() {
            Some(letter) if c.eq_ignore_ascii_case(letter) => drop(letters.next()),
            Some(_) if at > 0 && "_- ".contains(c) => {}
            Some(_) => return None,
            None if c.is_ascii_alphanumeric() || c == '_' || c == '-' => {}
            None => return Some(at),
        }
    }
    None
}

/// Where the value begins after a name: `=`, `:`, `=>` or an opening quote must announce it.
fn value_start(rest: &str) -> Option<usize> {
    let quotes = |c: char| c == '"' || c == '\'' || c == '\\';
    let mut at = rest.len() - rest.trim_start_matches(quotes).len();
    let spaces = rest[at..].len() - rest[at..].trim_start().len();
    let announced = rest[at + spaces..].starts_with([':', '=']);
    if announced {
        at += spaces;
        let signs = |c: char| c == ':' || c == '=' || c == '>' || c.is_whitespace();
        at += rest[at..].len() - rest[at..].trim_start_matches(signs).len();
    } else {
        // `password 'x'`, as in SQL.
        at += spaces;
        if spaces == 0 || !rest[at..].starts_with(['\'', '"']) {
            return None;
        }
    }
    // `Some("x")`, `Secret("x")`: the wrapper is no secret.
    let wrapper = rest[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
    if wrapper > 0 && rest[at + wrapper..].starts_with(['(', '{', '[']) {
        at += wrapper + 1;
    }
    Some(at)
}

/// How many bytes belong to the value.
fn value_length(rest: &str, reach: Reach) -> usize {
    let slashes = rest.len() - rest.trim_start_matches('\\').len();
    let quote = rest[slashes..].chars().next().filter(|c| *c == '"' || *c == '\'');
    if let Some(quote) = quote {
        let inside = slashes + 1;
        let mut escaped = false;
        for (at, c) in rest[inside..].char_indices() {
            match c {
                _ if escaped && slashes == 0 => escaped = false,
                '\\' if slashes == 0 => escaped = true,
                c if c == quote => return inside + at + 1,
                _ => {}
            }
        }
        return rest.len();
    }
    let ends = |c: char| match reach {
        Reach::Value => c.is_whitespace() || ",;&\"')}]".contains(c),
        Reach::Line => c == '\n',
    };
    rest.find(ends).unwrap_or(rest.len())
}

/// The password of `user:password@host`.
fn address_secret(address: &str) -> Option<(usize, usize)> {
    let end = address.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c));
    let authority = &address[..end.unwrap_or(address.len())];
    let at = authority.rfind('@')?;
    let colon = authority[..at].find(':')?;
    (at > colon + 1).then_some((colon + 1, at - colon - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "c4n4ry-0f-th3-m1n3";

    #[test]
    fn every_usual_spelling_of_a_secret_is_taken_out() {
        for text in [
            "password=c4n4ry-0f-th3-m1n3 user=x",
            "PASSWORD = 'c4n4ry-0f-th3-m1n3'",
            "alter role x password 'c4n4ry-0f-th3-m1n3'",
            "{\"api_key\":\"c4n4ry-0f-th3-m1n3\"}",
            "{\\\"token\\\": \\\"c4n4ry-0f-th3-m1n3\\\"}",
            "Authorization: Bearer c4n4ry-0f-th3-m1n3",
            "Set-Cookie: session=1; id=c4n4ry-0f-th3-m1n3; Secure",
            "Login { name: \"x\", password: Some(\"c4n4ry-0f-th3-m1n3\") }",
            "access_token: c4n4ry-0f-th3-m1n3",
            "x-api-key: c4n4ry-0f-th3-m1n3",
            "API KEY=c4n4ry-0f-th3-m1n3",
            "client_secret => c4n4ry-0f-th3-m1n3,",
            "adminPassword=c4n4ry-0f-th3-m1n3",
            "temporary_password: \"a \\\" c4n4ry-0f-th3-m1n3\"",
            "prompt: tell me about c4n4ry-0f-th3-m1n3 and others",
            "postgres://ada:c4n4ry-0f-th3-m1n3@db.example.org/app",
            "token=ätsch c: token=c4n4ry-0f-th3-m1n3",
            "dbpassword=c4n4ry-0f-th3-m1n3",
            "password_hash=c4n4ry-0f-th3-m1n3",
        ] {
            let safe = redact(text);
            assert!(!safe.contains(CANARY) && safe.contains(REDACTED), "{text} became {safe}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "exported 12 rows of acme in 3 s",
            "the password must be changed",
            "postgres://ada@db.example.org:5432/app?x=1",
            "select tokens from app.ai_runs",
            "prompted twice",
        ] {
            assert_eq!(redact(text), text);
        }
        assert_eq!(redact("password=x user=ada"), "password=[redacted] user=ada");
    }

    #[test]
    fn names_of_fields_are_recognised_in_any_spelling() {
        for name in ["password", "adminPassword", "API-Key", "api_key", "set-cookie", "x.token"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["tenant", "keyed", "rows", "message"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_redacted(text in any::<String>()) {
            let _no_panic = redact(&text);
        }

        #[test]
        fn a_canary_after_a_word_never_stays(
            before in "[a-z ]{0,8}",
            word in prop::sample::select(vec!["password", "Token", "SECRET", "api_key", "cookie", "authorization"]),
            sign in prop::sample::select(vec!["=", ": ", " = ", "=\"", "': '", "\":\""]),
        ) {
            let safe = redact(&format!("{before} {word}{sign}{CANARY}"));
            prop_assert!(!safe.contains(CANARY), "{}", safe);
        }
    }
}
