//! A Rust file split into code and string literals, as far as the house rules need it.
//!
//! Not a parser: it only knows where comments, literals and code begin and end, so that a rule
//! about code does not trip over a sentence, and a rule about SQL sees literals only.

use std::fs;
use std::path::Path;

/// One file of the repository.
pub(super) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(super) path: String,
    /// The file as it is.
    pub(super) text: String,
    /// The file with comments and the insides of literals blanked; line numbers stay.
    pub(super) code: String,
    /// Line (from 1) and content of each string literal.
    pub(super) literals: Vec<(usize, String)>,
}

impl Source {
    /// Splits a text.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, literals) = split(text);
        Self { path: path.to_owned(), text: text.to_owned(), code, literals }
    }

    /// Lines before the trailing test module.
    pub(super) fn lines_without_tests(&self) -> usize {
        self.first_test_line().map_or_else(|| self.code.lines().count(), |line| line - 1)
    }

    /// The line (from 1) on which the trailing test module begins.
    pub(super) fn first_test_line(&self) -> Option<usize> {
        let lines: Vec<&str> = self.code.lines().collect();
        let index = lines.iter().position(|line| line.starts_with("#[cfg(test)]"))?;
        let module = lines[index..].iter().take(4).any(|line| {
            line.starts_with("mod ") || (line.starts_with("pub(") && line.contains(") mod "))
        });
        module.then_some(index + 1)
    }

    /// Code before the trailing test module, as (line from 1, text).
    pub(super) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.lines_without_tests();
        self.code.lines().enumerate().take(end).map(|(index, line)| (index + 1, line))
    }

    /// The text of the `//!` lines at the top.
    pub(super) fn module_doc(&self) -> String {
        let lines = self.text.lines().take_while(|line| line.starts_with("//!"));
        lines.map(|line| line.trim_start_matches("//!")).collect::<Vec<_>>().join("\n")
    }
}

/// All files below `folder` (from the root of the repository) whose name ends in `ending`.
pub(super) fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.to_string_lossy().ends_with(ending) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// All Rust files below `folder`.
pub(super) fn rust_files(folder: &str) -> Vec<Source> {
    files(folder, ".rs").iter().map(|(path, text)| Source::new(path, text)).collect()
}

/// Blanks comments and literals, and collects the literals.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let end = token_end(&chars, at);
        let token: String = chars[at..end].iter().collect();
        if let Some(content) = literal_content(&token) {
            literals.push((code.matches('\n').count() + 1, content.to_owned()));
        }
        let keep = end == at + 1;
        code.extend(token.chars().map(|c| if keep || c == '\n' { c } else { ' ' }));
        at = end;
    }
    (code, literals)
}

/// Where the comment or literal that starts at `at` ends; `at + 1` for a character of code.
fn token_end(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let inside_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => find(chars, at, |rest| rest[0] == '\n', 0),
        '/' if next(1) == '*' => find(chars, at + 2, |rest| rest.starts_with(&['*', '/']), 2),
        '"' => quoted_end(chars, at + 1, '"'),
        'r' if !inside_word && (next(1) == '"' || (next(1) == '#' && "#\"".contains(next(2)))) => {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            let close: Vec<char> = std::iter::once('"').chain("#".repeat(hashes).chars()).collect();
            find(chars, at + hashes + 2, |rest| rest.starts_with(&close), hashes + 1)
        }
        '\'' if next(1) == '\\' => quoted_end(chars, at + 1, '\''),
        '\'' if next(2) == '\'' => at + 3,
        _ => at + 1,
    }
}

/// The first place from `from` on where `stop` holds, plus `extra`; else the end.
fn find(chars: &[char], from: usize, stop: impl Fn(&[char]) -> bool, extra: usize) -> usize {
    let from = from.min(chars.len());
    let length = (0..chars.len() - from).find(|&offset| stop(&chars[from + offset..]));
    length.map_or(chars.len(), |length| from + length + extra)
}

/// The end of a literal with backslash escapes.
fn quoted_end(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// The inside of a string literal; `None` for comments, characters and code.
fn literal_content(token: &str) -> Option<&str> {
    if token.len() < 2 || token.starts_with(['/', '\'']) {
        return None;
    }
    Some(token.trim_start_matches('r').trim_matches('#').trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text = "//! doc\nlet a = \"x // y\\\"\"; // crate::tui\n/* crate::cli\n*/ let r = r#\"q\"q\"#; let c = '\"'; fn f<'a>() {}\n";
        let source = Source::new("src/x.rs", text);
        assert_eq!(source.code.lines().count(), text.lines().count());
        assert!(!source.code.contains("crate") && source.code.contains("fn f<'a>() {}"));
        let expected = [(2, "x // y\\\"".to_owned()), (4, "q\"q".to_owned())];
        // The first literal ends in an escaped quote, of which only the backslash is kept.
        assert_eq!(source.literals[1], expected[1]);
        assert!(expected[0].1.starts_with(&source.literals[0].1));
    }

    #[test]
    fn a_trailing_test_module_is_not_counted() {
        let source =
            Source::new("src/x.rs", "//! doc\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(source.lines_without_tests(), 3);
        assert_eq!(source.production().count(), 3);
        assert_eq!(source.module_doc(), " doc");
    }
}
