//! Calls that are refused in any statement, each with the reason: functions that can only harm or mislead,
//! and clauses that write or lock where nobody expects it.
//!
//! Help, not the boundary: a call that this file does not see (in a function of the application, in a view, in a
//! name that no list has) meets the guard, a role without other rights and a READ ONLY transaction. Only calls are refused:
//! a column, a string or a comment may have such a name.

use super::kind::Refusal;
use super::lexeme::{Lexeme, Sort};
use crate::identity::Mode;

/// The longest that a statement may sleep on purpose, in seconds.
const LONGEST_SLEEP: f64 = 300.0;

/// Names of functions, `*` at the end for any that begin so, and why they are refused.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["set_config"],
        "it would tell the application's policies of another tenant or member; the guard shows nothing for it",
    ),
    (&["dblink*"], "another connection is neither in the record nor under this session's guard"),
    (
        &["lo_*", "loread", "lowrite"],
        "large objects belong to no tenant, and READ ONLY does not stop them on PostgreSQL 15",
    ),
    (
        &["pg_read_*", "pg_ls_*", "pg_stat_file", "pg_current_logfile"],
        "files of the server belong to no tenant",
    ),
    (
        &["pg_terminate_backend", "pg_cancel_backend"],
        "it stops other people's work; `tenantdesk impersonation end ID` ends a session",
    ),
    (
        &["pg_advisory_*", "pg_try_advisory_*"],
        "such a lock is shared with the application of all tenants",
    ),
    (
        &[
            "query_to_xml*",
            "table_to_xml*",
            "cursor_to_xml*",
            "schema_to_xml*",
            "database_to_xml*",
            "ts_stat",
            "ts_rewrite",
        ],
        "it runs a statement that stands in a text, which the record does not see",
    ),
    (
        &["pg_sleep_for", "pg_sleep_until"],
        "it only holds a connection; `pg_sleep` takes up to 300 seconds",
    ),
    (&["pg_notify"], "channels are shared by all tenants"),
    (&["setval"], "a sequence is shared by all tenants"),
    (
        &[
            "pg_logical_*",
            "pg_replication_*",
            "pg_create_*",
            "pg_drop_*",
            "pg_copy_*",
            "pg_switch_wal",
            "pg_wal_replay_*",
            "pg_backup_*",
            "pg_start_backup",
            "pg_stop_backup",
            "pg_promote",
        ],
        "it steers the server, not one tenant",
    ),
    (
        &["pg_export_snapshot", "txid_*", "pg_current_xact_id*", "pg_snapshot_*"],
        "transactions are counted for all tenants together",
    ),
    (
        &[
            "pg_reload_conf",
            "pg_rotate_logfile",
            "pg_stat_reset*",
            "pg_log_*",
            "pg_import_system_collations",
        ],
        "it works on the whole server, not on one tenant",
    ),
];

/// Of sequences: what a session for reading does not call.
const OF_SEQUENCES: &[&str] = &["nextval", "currval", "lastval"];

/// Functions of our own schema that only look.
const OURS: &[&str] = &["session_tenant", "writing_tenant", "visible"];

/// Looks at each call, and for INTO and locks.
pub(super) fn check_calls(words: &[Lexeme<'_>], mode: Mode) -> Result<(), Refusal> {
    for (index, word) in words.iter().enumerate() {
        let after = &words[index + 1..];
        if word.is("into") {
            let before = index.checked_sub(1).map(|before| words[before]);
            if !before.is_some_and(|before| before.is("insert") || before.is("merge")) {
                return Err(Refusal::new("SELECT INTO", "it makes a table"));
            }
        }
        if word.is("for") && locks(after) {
            return Err(Refusal::new(
                "a lock on rows (FOR UPDATE, FOR SHARE)",
                "the application would wait for it",
            )
            .hint(
                "UPDATE and DELETE lock the rows that they change, in a session with `--write`",
            ));
        }
        if after.first().is_some_and(|next| next.sort == Sort::Open)
            && let Some(name) = word.name()
        {
            let ours = index >= 2
                && words[index - 1].text == "."
                && words[index - 2].name().is_some_and(|schema| schema == "tenantdesk");
            call(&name, word.sort, ours, mode, after)?;
        }
    }
    Ok(())
}

/// `UPDATE`, `NO KEY UPDATE`, `SHARE`, `KEY SHARE` after FOR.
fn locks(after: &[Lexeme<'_>]) -> bool {
    let mut rest = after.iter().skip_while(|word| word.is("no") || word.is("key"));
    rest.next().is_some_and(|word| word.is("update") || word.is("share"))
}

/// One call.
fn call(
    name: &str,
    sort: Sort,
    ours: bool,
    mode: Mode,
    after: &[Lexeme<'_>],
) -> Result<(), Refusal> {
    let what = || format!("`{name}()`");
    if sort == Sort::Quoted && name.contains('\\') {
        let why = "a name in Unicode escapes does not say which function is called";
        return Err(Refusal::new(what(), why));
    }
    if ours && !OURS.contains(&name) {
        let why =
            "functions of the control schema are for the program, which records what it calls";
        return Err(Refusal::new(format!("`tenantdesk.{name}()`"), why));
    }
    if mode == Mode::Read && OF_SEQUENCES.contains(&name) {
        return Err(Refusal::new(what(), "this session is for reading, and a sequence is shared"));
    }
    if name == "pg_sleep" && !sleeps_shortly(after) {
        let why = "it only holds a connection; up to 300 seconds, written as a number, are allowed";
        return Err(Refusal::new(what(), why));
    }
    for (names, why) in REFUSED {
        let fits = |refused: &&str| match refused.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *refused,
        };
        if names.iter().any(fits) {
            return Err(Refusal::new(what(), why));
        }
    }
    Ok(())
}

/// Whether the argument is one number within the limit.
fn sleeps_shortly(after: &[Lexeme<'_>]) -> bool {
    let number = after.get(1).filter(|word| word.sort == Sort::Literal);
    let closed = after.get(2).is_some_and(|word| word.sort == Sort::Close);
    let seconds = number.and_then(|word| word.text.parse::<f64>().ok());
    closed && seconds.is_some_and(|seconds| seconds <= LONGEST_SLEEP)
}

#[cfg(test)]
mod tests {
    use super::super::lexeme::meaningful;
    use super::*;

    fn judged(sql: &str, mode: Mode) -> Result<(), String> {
        check_calls(&meaningful(sql), mode).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_call_that_can_only_harm_is_refused_however_it_is_written() {
        for sql in [
            "select set_config('app.tenant_id', 'x', true)",
            "select pg_catalog.SET_CONFIG ('a', 'b', true)",
            "select \"pg_catalog\" . \"set_config\"('a', 'b', true)",
            "select pg_catalog/* ( */./* x */set_config -- y\n ('a', 'b', true)",
            "select U&\"set\\005fconfig\"('a', 'b', true)",
            "with a as materialized (select set_config('a', 'b', true)) select 1 from a",
            "select 1 from t, lateral (select set_config(t.a, 'b', true)) x",
            "select case when set_config('a', 'b', true) = '' then 1 end",
            "update t set a = 1 returning set_config('a', 'b', true)",
            "values (dblink_connect('x'))",
            "select * from dblink('x', 'select 1') as t(a int)",
            "select lo_create(0)",
            "select lo_import('/etc/passwd')",
            "select loread(1, 2)",
            "select pg_read_file('/etc/passwd')",
            "select pg_read_binary_file('x')",
            "select * from pg_ls_dir('.')",
            "select pg_stat_file('x')",
            "select pg_terminate_backend(1)",
            "select pg_cancel_backend(1)",
            "select pg_advisory_xact_lock(1)",
            "select pg_try_advisory_lock_shared(1)",
            "select query_to_xml('select 1', true, true, '')",
            "select query_to_xmlschema('select 1', true, true, '')",
            "select table_to_xml('t', true, true, '')",
            "select schema_to_xml('app', true, true, '')",
            "select database_to_xml(true, true, '')",
            "select cursor_to_xml('c', 1, true, true, '')",
            "select * from ts_stat('select x from t')",
            "select pg_sleep(301)",
            "select pg_sleep(extract(epoch from now()))",
            "select pg_sleep_for('1 hour')",
            "select pg_notify('a', 'b')",
            "select setval('s', 1)",
            "select pg_logical_emit_message(true, 'a', 'b')",
            "select pg_replication_origin_create('x')",
            "select pg_export_snapshot()",
            "select txid_current()",
            "select pg_reload_conf()",
            "select pg_rotate_logfile()",
            "select pg_stat_reset_shared('bgwriter')",
            "select tenantdesk.open_session(1)",
            "select \"tenantdesk\".end_session(1, 'x')",
            "select tenantdesk.sweep()",
            "select 1 into t",
            "with a as (select 1) select * into temp t from a",
            "select * from t for update",
            "select * from t for no key update of t skip locked",
            "select * from t for key share",
            "select * from t FOR SHARE",
        ] {
            assert!(judged(sql, Mode::Write).is_err(), "{sql}");
        }
        for sql in ["select nextval('s')", "select currval('s')", "select lastval()"] {
            assert!(judged(sql, Mode::Read).is_err() && judged(sql, Mode::Write).is_ok(), "{sql}");
        }
    }

    #[test]
    fn a_name_that_is_no_call_is_not_refused() {
        for sql in [
            "select set_config from t",
            "select t.setval, \"dblink\" from t",
            "select 'set_config(1)', $$lo_create(0)$$ -- pg_sleep(900)",
            "select 1 /* select pg_read_file('x') /* nested */ pg_notify() */",
            "select 1 as \"set_config(\"",
            "select pg_sleep(0.5), pg_sleep(300)",
            "insert into t (a) select b from u",
            "with a as (insert into t values (1) returning *) select * from a",
            "select substring(x from 1 for 2), overlay(x placing 'y' from 1 for 3) from t",
            "select tenantdesk.session_tenant()",
            "select lower(x), log(2), lowercase(y) from t",
            "select for_update, share from t",
            "select u&\"d\\0061ta\" from t",
        ] {
            assert_eq!(judged(sql, Mode::Read), Ok(()), "{sql}");
        }
    }
}
