//! What a statement seems to be: chooses the role it runs under, and refuses early, with the
//! reason, what can only harm or cannot work.
//!
//! This is help, not a boundary. A statement that fools it runs under a role that has no other
//! right, in a transaction that is READ ONLY in read mode, as one statement of the extended protocol.

use super::lexeme::{Lexeme, Sort, meaningful};
use super::refused_functions::check_calls;
use crate::identity::Mode;
use crate::tenant::session::SessionRole;

/// The longest statement.
const MOST_BYTES: usize = 1 << 20;

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// SELECT, VALUES, TABLE, WITH.
    Read,
    /// SHOW.
    Show,
    /// EXPLAIN without ANALYZE.
    Explain,
    /// INSERT.
    Insert,
    /// UPDATE or DELETE.
    Change,
}

/// A statement that may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classified<'s> {
    pub(super) kind: StatementKind,
    /// The statement without a final semicolon.
    pub(super) text: &'s str,
    /// Under which role.
    pub(super) role: SessionRole,
    /// Whether it gives rows although it writes.
    pub(super) returning: bool,
    /// Whether the rows it gives are the rows it changed.
    pub(super) counts: bool,
}

/// Why a statement is not even tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is refused: {why}")]
pub struct Refusal {
    /// What was seen.
    pub what: String,
    /// Why it is refused.
    pub why: &'static str,
    /// What to do instead.
    pub hint: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>, why: &'static str) -> Self {
        Self { what: what.into(), why, hint: None }
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// First words that are refused, each with its reason.
const REFUSED: &[(&[&str], &str)] = &[
    (&["set", "reset", "discard"], "every transaction here gets its settings from the session"),
    (
        &[
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "abort",
            "savepoint",
            "release",
            "prepare",
            "execute",
            "deallocate",
            "declare",
            "fetch",
            "move",
            "close",
        ],
        "each statement is a transaction of its own",
    ),
    (&["do", "call"], "a block hides its statements from the record"),
    (
        &["copy"],
        "rows leave through the statement's result, and whole tenants through `tenantdesk export`",
    ),
    (&["listen", "unlisten", "notify"], "channels are shared by all tenants"),
    (&["lock"], "a lock on a table would stop the application for all tenants"),
    (&["merge"], "it inserts and changes at once, and no role may do both to one table"),
    (&["truncate"], "it ignores row level security, so it would empty the table for all tenants"),
    (
        &[
            "create",
            "alter",
            "drop",
            "grant",
            "revoke",
            "comment",
            "security",
            "refresh",
            "import",
            "reassign",
            "load",
            "analyze",
            "analyse",
            "vacuum",
            "cluster",
            "reindex",
            "checkpoint",
        ],
        "it works on the whole database, not on one tenant",
    ),
];

/// Judges a statement.
pub(super) fn classify(sql: &str, mode: Mode) -> Result<Classified<'_>, Refusal> {
    if sql.len() > MOST_BYTES {
        return Err(Refusal::new(
            "a statement of more than 1 MiB",
            "it is too long for the record",
        ));
    }
    if sql.contains('\0') {
        return Err(Refusal::new("a NUL character", "no statement can hold it"));
    }
    let mut words = meaningful(sql);
    while words.last().is_some_and(|last| last.sort == Sort::Semicolon) {
        words.pop();
    }
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Err(Refusal::new("an empty statement", "there is nothing to run"));
    };
    let text = &sql[first.at..last.at + last.text.len()];
    check_pieces(&words)?;
    check_calls(&words, mode)?;
    let kind = kind(&words)?;
    let (kind, role, returning, counts) = match kind {
        Main::Read => (StatementKind::Read, SessionRole::Reader, false, false),
        Main::Show => (StatementKind::Show, SessionRole::Reader, false, false),
        Main::Explain(role) => (StatementKind::Explain, role, false, false),
        Main::Write { kind, role, returning, counts } => (kind, role, returning, counts),
    };
    if mode == Mode::Read && role != SessionRole::Reader {
        return Err(Refusal::new("a change", "this session is for reading")
            .hint("end it and start another with `--write`; a read session is never upgraded"));
    }
    Ok(Classified { kind, text, role, returning, counts })
}

/// What stands in no statement of ours, wherever it stands.
fn check_pieces(words: &[Lexeme<'_>]) -> Result<(), Refusal> {
    for word in words {
        match word.sort {
            Sort::Semicolon => {
                return Err(Refusal::new(
                    "more than one statement",
                    "each is recorded and run by itself",
                )
                .hint("give `-c` once for each, or a file with `-f`"));
            }
            Sort::Parameter => {
                return Err(Refusal::new(
                    format!("`{}`", word.text),
                    "there is nothing to put in its place",
                )
                .hint("write the value itself; the record keeps no literals"));
            }
            Sort::Unknown if word.text.starts_with('\\') => {
                return Err(Refusal::new("a command of psql", "only SQL runs here"));
            }
            Sort::Word | Sort::Quoted => {
                let name = word.name().unwrap_or_default();
                if ["pg_stat_", "pg_statio_"].iter().any(|prefix| name.starts_with(prefix)) {
                    return Err(Refusal::new(
                        format!("`{name}`"),
                        "counters tell of other tenants' rows",
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the main verb is.
#[derive(Clone, Copy)]
enum Main {
    Read,
    Show,
    Explain(SessionRole),
    Write { kind: StatementKind, role: SessionRole, returning: bool, counts: bool },
}

fn kind(words: &[Lexeme<'_>]) -> Result<Main, Refusal> {
    let skipped = words.iter().take_while(|word| word.sort == Sort::Open).count();
    let Some(first) = words.get(skipped) else {
        return Err(Refusal::new("this", "it begins with no word of SQL"));
    };
    for (openings, why) in REFUSED {
        if let Some(word) = openings.iter().find(|word| first.is(word)) {
            return Err(Refusal::new(word.to_uppercase(), why));
        }
    }
    if first.is("show") {
        let own = words.iter().any(|word| word.name().is_some_and(|name| name == "tenantdesk"));
        return if own {
            Err(Refusal::new("SHOW tenantdesk", "the token of a session is nobody's to see"))
        } else {
            Ok(Main::Show)
        };
    }
    if first.is("explain") {
        return explain(&words[skipped + 1..]);
    }
    statement(&words[skipped..])
}

/// A statement that reads or writes rows, CTEs included.
fn statement(words: &[Lexeme<'_>]) -> Result<Main, Refusal> {
    let Some(first) = words.first() else {
        return Err(Refusal::new("this", "the statement is missing"));
    };
    let main_at = if first.is("with") { main_verb_of_with(words) } else { 0 };
    let mut verbs: Vec<&str> = Vec::new();
    if first.is("with") {
        verbs.extend(verbs_of_ctes(&words[..main_at]));
    }
    let main = words.get(main_at).map_or("", |word| word.text).to_ascii_lowercase();
    let reads = ["select", "values", "table", "with"].contains(&main.as_str())
        || words.get(main_at).is_some_and(|word| word.sort == Sort::Open);
    if !reads {
        let known = ["insert", "update", "delete", "merge"];
        match known.iter().find(|verb| **verb == main) {
            Some(verb) => verbs.push(verb),
            None => {
                return Err(Refusal::new(
                    format!("`{main}`"),
                    "only statements that read or change rows run here",
                ));
            }
        }
    }
    if verbs.contains(&"merge") {
        return Err(Refusal::new(
            "MERGE",
            "it inserts and changes at once, and no role may do both to one table",
        ));
    }
    let inserts = verbs.contains(&"insert");
    let changes = verbs.iter().any(|verb| ["update", "delete"].contains(verb));
    let (kind, role) = match (inserts, changes) {
        (false, false) => return Ok(Main::Read),
        (true, true) => {
            return Err(Refusal::new(
                "a statement that inserts and changes",
                "no role may do both to one table",
            )
            .hint("write two statements"));
        }
        (true, false) => (StatementKind::Insert, SessionRole::Inserter),
        (false, true) => (StatementKind::Change, SessionRole::Changer),
    };
    let returning = reads || has_returning(&words[main_at..]);
    Ok(Main::Write { kind, role, returning, counts: !reads })
}

/// RETURNING of the statement itself; it is a reserved word.
fn has_returning(words: &[Lexeme<'_>]) -> bool {
    let mut depth = 0_usize;
    words.iter().any(|word| {
        match word.sort {
            Sort::Open => depth += 1,
            Sort::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word.is("returning")
    })
}

/// Where the main verb of WITH stands: behind the bracket that closes the last query.
fn main_verb_of_with(words: &[Lexeme<'_>]) -> usize {
    let mut depth = 0_usize;
    let mut closed = false;
    for (index, word) in words.iter().enumerate() {
        match word.sort {
            Sort::Open if depth == 0 && closed => return index,
            Sort::Open => depth += 1,
            Sort::Close => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
                continue;
            }
            // SEARCH and CYCLE stand between a query and the main verb, which is reserved but for these.
            Sort::Word if depth == 0 => {
                let verb = ["select", "values", "table", "insert", "update", "delete", "merge"]
                    .iter()
                    .any(|verb| word.is(verb));
                let reserved = word.is("select") || word.is("table");
                if verb && (closed || reserved) {
                    return index;
                }
            }
            _ => {}
        }
        closed = closed && word.sort != Sort::Word && depth == 0 && word.text != ",";
    }
    words.len()
}

/// The verbs of the queries in WITH that change rows: each is the first word behind `AS [NOT] [MATERIALIZED] (`.
fn verbs_of_ctes<'w>(words: &[Lexeme<'w>]) -> Vec<&'w str> {
    let known = ["insert", "update", "delete", "merge"];
    words
        .windows(3)
        .filter(|three| {
            let opens = three[1].sort == Sort::Open;
            opens && (three[0].is("as") || three[0].is("materialized"))
        })
        .filter_map(|three| known.into_iter().find(|verb| three[2].is(verb)))
        .collect()
}

/// EXPLAIN: counters of ANALYZE would tell of other tenants' rows, so its options are a closed list.
fn explain(words: &[Lexeme<'_>]) -> Result<Main, Refusal> {
    const OPTIONS: &[&str] = &[
        "verbose",
        "costs",
        "settings",
        "generic_plan",
        "summary",
        "format",
        "memory",
        "on",
        "off",
        "true",
        "false",
        "text",
        "json",
        "yaml",
        "xml",
    ];
    let counters = || {
        Refusal::new(
            "EXPLAIN ANALYZE",
            "its counters tell how many rows of other tenants were passed over",
        )
        .hint("plain EXPLAIN shows the plan with estimates")
    };
    let mut rest = words;
    if rest.first().is_some_and(|word| word.sort == Sort::Open)
        && !rest.get(1).is_some_and(|word| {
            word.sort == Sort::Open
                || word.is("select")
                || word.is("with")
                || word.is("values")
                || word.is("table")
        })
    {
        let end = rest.iter().position(|word| word.sort == Sort::Close).unwrap_or(rest.len());
        for word in &rest[1..end] {
            let fits = word.text == ","
                || word.text == "0"
                || word.text == "1"
                || OPTIONS.iter().any(|option| word.is(option));
            if !fits {
                return Err(counters());
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    } else {
        if rest.first().is_some_and(|word| word.is("analyze") || word.is("analyse")) {
            return Err(counters());
        }
        if rest.first().is_some_and(|word| word.is("verbose")) {
            rest = &rest[1..];
        }
    }
    let skipped = rest.iter().take_while(|word| word.sort == Sort::Open).count();
    match statement(&rest[skipped..])? {
        Main::Write { role, .. } => Ok(Main::Explain(role)),
        _ => Ok(Main::Explain(SessionRole::Reader)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(sql: &str) -> Result<(StatementKind, bool, bool), String> {
        classify(sql, Mode::Write)
            .map(|c| (c.kind, c.returning, c.counts))
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn statements_are_known_by_their_main_verb() {
        use StatementKind::{Change, Explain, Insert, Read, Show};
        for (sql, kind, returning, counts) in [
            ("-- why\n select 1;", Read, false, false),
            ("((select 1) union (select 2))", Read, false, false),
            ("values (1)", Read, false, false),
            ("table app.projects", Read, false, false),
            (
                "with a as (select 1), b(x) as materialized (select 2) select * from a, b",
                Read,
                false,
                false,
            ),
            ("with update as (select 1) select * from update", Read, false, false),
            (
                "with recursive t(n) as (values (1) union all select n + 1 from t) search depth first by n set o select * from t",
                Read,
                false,
                false,
            ),
            ("with a as (select 1) (select 2)", Read, false, false),
            ("SHOW timezone", Show, false, false),
            ("explain select 1", Explain, false, false),
            ("explain (format json, costs off) select 1", Explain, false, false),
            ("explain verbose update t set a = 1", Explain, false, false),
            ("insert into t values (1)", Insert, false, true),
            ("insert into t select 1 returning id", Insert, true, true),
            (
                "insert into t (a) values ((select b from returning_list limit 1))",
                Insert,
                false,
                true,
            ),
            ("with a as (select 1) insert into t select * from a", Insert, false, true),
            ("update t set a = 1 where b = 'returning'", Change, false, true),
            ("delete from t returning *", Change, true, true),
            (
                "with gone as (delete from t returning *) select count(*) from gone",
                Change,
                true,
                false,
            ),
            (
                "with gone as not materialized (delete from t returning *) update u set a = 1",
                Change,
                false,
                true,
            ),
        ] {
            assert_eq!(seen(sql), Ok((kind, returning, counts)), "{sql}");
        }
    }

    #[test]
    fn what_can_only_harm_or_cannot_work_is_refused_with_the_reason() {
        for (sql, why) in [
            ("", "nothing"),
            ("select 1; select 2", "more than one"),
            ("set role app_user", "SET"),
            ("  /* x */ RESET all", "RESET"),
            ("begin", "BEGIN"),
            ("commit", "COMMIT"),
            ("do $$ begin end $$", "DO"),
            ("copy app.projects to stdout", "COPY"),
            ("notify x", "NOTIFY"),
            ("lock table app.projects", "LOCK"),
            ("drop table app.projects", "DROP"),
            ("truncate app.projects", "TRUNCATE"),
            ("merge into t using u on true when matched then delete", "MERGE"),
            (
                "with a as (insert into t values (1) returning *) delete from t",
                "inserts and changes",
            ),
            ("explain analyze select 1", "EXPLAIN ANALYZE"),
            ("explain analyse verbose select 1", "EXPLAIN ANALYZE"),
            ("explain (costs off, analyze) select 1", "EXPLAIN ANALYZE"),
            ("explain (\"analyze\") select 1", "EXPLAIN ANALYZE"),
            ("explain (U&\"\\0061nalyze\") select 1", "EXPLAIN ANALYZE"),
            ("explain (buffers) select 1", "EXPLAIN ANALYZE"),
            ("explain create table x as select 1", "only statements"),
            ("select * from pg_stat_xact_all_tables", "counters"),
            ("select * from \"pg_stat_activity\"", "counters"),
            ("show tenantdesk.session", "token"),
            ("select $1", "nothing to put"),
            ("\\d app.projects", "psql"),
            ("select '\0'", "NUL"),
            ("frobnicate", "only statements"),
        ] {
            let refusal = seen(sql).expect_err(sql);
            assert!(refusal.contains(why), "{sql}: {refusal}");
        }
        assert!(
            classify("delete from t", Mode::Read).unwrap_err().hint.unwrap().contains("--write")
        );
        assert!(classify("with a as (delete from t returning 1) select 1", Mode::Read).is_err());
    }

    #[test]
    fn the_text_is_without_a_final_semicolon_or_comment() {
        let classified = classify(" select 1 -- x\n ; ; -- y", Mode::Read).unwrap();
        assert_eq!(classified.text, "select 1");
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in any::<String>()) {
            let _judged = classify(&text, Mode::Write);
        }

        #[test]
        fn any_words_are_judged(words in prop::collection::vec(prop::sample::select(vec![
            "with", "as", "(", ")", "select", "insert", "update", "explain", "analyze", ",", "materialized", "returning", "1", "'x'", ";",
        ]), 0..12)) {
            let _judged = classify(&words.join(" "), Mode::Write);
        }
    }
}
