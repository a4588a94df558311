//! Reading: text forms, caps, what is refused before it runs and by the server.

use std::time::Duration;

use tenantdesk::failure::{Explain as _, Kind};
use tenantdesk::impersonation::{Ask, Cut, ImpersonationError, Limits, StatementKind};

use super::{cells, first, reader, run};
use crate::harness::desk::{BOLT, Desk};

/// One value of every sort of type there is.
pub(super) const VALUES: &[&str] = &[
    "1::int2",
    "-2147483648",
    "9223372036854775807",
    "'NaN'::numeric",
    "1.10::numeric",
    "0.1::float4",
    "'-Infinity'::float8",
    "1e-7::float8",
    "true",
    "false",
    "'a''b'",
    "''",
    "null",
    "'x'::char(5)",
    "'v'::varchar(9)",
    "'n'::name",
    "'\\x00ff'::bytea",
    "date '0044-03-15 BC'",
    "'infinity'::date",
    "timestamp '2026-11-21 01:02:03.004'",
    "timestamptz '2026-11-21 01:02:03+02'",
    "time '24:00'",
    "timetz '01:02:03+05:30'",
    "interval '1 year -2 mons 3 days 04:05:06.7'",
    "'aaaaaaaa-0000-0000-0000-000000000001'::uuid",
    "'{\"a\": [1, null]}'::json",
    "'{\"b\":2, \"a\":1}'::jsonb",
    "'<a>x</a>'::xml",
    "'10.0.0.1/8'::inet",
    "'10.0.0.0/8'::cidr",
    "'08:00:2b:01:02:03'::macaddr",
    "B'101'",
    "B'10'::varbit",
    "12.5::money",
    "point(1,2)",
    "'((0,0),(1,1),(2,0))'::polygon",
    "int4range(1,5)",
    "int4multirange(int4range(1,3), int4range(7,9))",
    "array[1,null,3]",
    "array['a,b','\"',null,'null']",
    "array[[1,2],[3,4]]",
    "to_tsvector('simple', 'a fat cat')",
    "to_tsquery('simple', 'a & !b')",
    "'done'::app.state",
    "row(1,'a,b',null)",
    "12::oid",
    "'pg_class'::regclass",
    "'16/B374D848'::pg_lsn",
    "'$.a[*]'::jsonpath",
    "E'tab\\there\\nnew\\\\line'",
    "'東京 मुंबई عربى'",
    "E'\\x1b[31mred'",
];

#[tokio::test]
async fn every_type_comes_in_the_text_form_that_psql_shows() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let named: Vec<String> =
        VALUES.iter().enumerate().map(|(n, value)| format!("{value} as c{n}")).collect();
    let outcome = run(&impersonation, &format!("select {}", named.join(", "))).await.unwrap();
    let row = &cells(&outcome)[0];
    assert_eq!(outcome.rows.columns[2].name.raw(), "c2");
    for (value, cell) in VALUES.iter().zip(row) {
        let sql = format!(
            "set timezone = 'UTC'; set extra_float_digits = 1; set lc_monetary = 'C'; \\pset null ∅\nselect {value}"
        );
        assert_eq!(*cell, desk.rows("app_owner", &sql), "{value}");
    }
}

#[tokio::test]
async fn every_sort_of_reading_statement_works() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    for (sql, expected) in [
        ("select count(*) from app.projects;", "1000"),
        ("select count(*) from notes -- through a guarded view", "1000"),
        ("values (1), (2)", "1"),
        ("table app.countries", "DE"),
        ("with p as (select * from app.projects) select count(*) from p", "1000"),
        ("(select 'a') union all (select 'b')", "a"),
        ("show timezone", "UTC"),
    ] {
        assert_eq!(first(&run(&impersonation, sql).await.unwrap()), expected, "{sql}");
    }
    let plan = run(&impersonation, "explain select * from app.projects").await.unwrap();
    assert_eq!(plan.kind, StatementKind::Explain);
    assert!(cells(&plan).iter().any(|line| line[0].contains("on projects")), "{plan:?}");
    let plan = run(&impersonation, "explain (format json) select 1").await.unwrap();
    assert!(first(&plan).contains("\"Plan\""), "{plan:?}");
    let mut ask = Ask::new("select id, tenant_id, state from app.projects limit 1");
    ask.types = true;
    let outcome = impersonation.run(&ask).await.unwrap();
    let types: Vec<_> = outcome.rows.columns.iter().map(|c| c.type_name.clone().unwrap()).collect();
    assert_eq!(types, ["int8", "uuid", "state"]);
    // An empty result still has its columns.
    let empty = run(&impersonation, "select id as x from app.projects where false").await.unwrap();
    assert_eq!((empty.rows.columns.len(), empty.rows.rows.len()), (1, 0));
}

#[tokio::test]
async fn what_is_cut_is_told_and_what_just_fits_is_not() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let limited = |sql: &str, rows: usize, bytes: u64| {
        let limits = Limits { rows, bytes, ..Limits::default() };
        Ask { limits, ..Ask::new(sql) }
    };
    for (rows, expected, cut) in
        [(1_000, 1_000, None), (999, 999, Some(Cut::Rows)), (0, 0, Some(Cut::Rows))]
    {
        let ask = limited("select id from app.projects", rows, 8 << 20);
        let outcome = impersonation.run(&ask).await.unwrap();
        assert_eq!((outcome.rows.rows.len(), outcome.rows.cut), (expected, cut), "{rows}");
    }
    let wide = "select repeat('x', 1000) from generate_series(1, 100000)";
    let outcome = impersonation.run(&limited(wide, 1_000_000, 50_000)).await.unwrap();
    assert_eq!((outcome.rows.rows.len(), outcome.rows.cut), (50, Some(Cut::Bytes)));
    let outcome =
        impersonation.run(&limited("select repeat('x', 60000)", 10, 50_000)).await.unwrap();
    assert_eq!((outcome.rows.rows.len(), outcome.rows.cut), (0, Some(Cut::Bytes)));
    let many = limited("select g from generate_series(1, 30000) g", 25_000, 8 << 20);
    let outcome = impersonation.run(&many).await.unwrap();
    assert_eq!((outcome.rows.rows.len(), outcome.rows.cut), (25_000, Some(Cut::Rows)));
    assert_eq!(cells(&outcome)[24_999], ["25000"]);
}

#[tokio::test]
async fn time_is_capped_and_a_statement_can_be_cancelled() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let slow = Ask { limits, ..Ask::new("select pg_sleep(30)") };
    let error = impersonation.run(&slow).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Server);
    let canceller = impersonation.canceller();
    let slow = Ask::new("select pg_sleep(30)");
    let cancel = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            canceller.cancel().await.unwrap();
        }
    };
    let error = tokio::select! {
        result = impersonation.run(&slow) => result.unwrap_err(),
        () = cancel => unreachable!("it goes on for ever"),
    };
    assert!(matches!(error, ImpersonationError::Cancelled), "{error:?}");
    assert_eq!(error.kind(), Kind::Interrupted);
    // And the session goes on.
    assert_eq!(first(&run(&impersonation, "select 1").await.unwrap()), "1");
}

#[tokio::test]
async fn a_second_statement_is_refused_by_the_server_too() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let error = run(&impersonation, "select 1; select 2").await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Refused(_)), "{error:?}");
    // What the lexer lets through ends at the server: nothing of it goes by the simple protocol.
    for escape in [
        "select 1) to stdout; drop table app.projects; --",
        "select 1 for update of p; commit",
        "select 1 into temp x",
        "select nextval('app.note_seq')",
        "with x as (select 1) select * from x for update",
    ] {
        let result = run(&impersonation, escape).await;
        assert!(result.is_err(), "{escape}: {result:?}");
    }
    assert_eq!(
        desk.rows("app_owner", "select count(*) from pg_class where relname = 'projects'"),
        "1"
    );
}

#[tokio::test]
async fn no_statement_reaches_another_tenant() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    // The call is refused where it is seen, and the guard shows nothing where it is not.
    let turned = format!(
        "with t as materialized (select TURN('app.tenant_id', '{BOLT}', true)) select count(*) from t, app.projects where tenant_id = '{BOLT}'"
    );
    let seen = run(&impersonation, &turned.replace("TURN", "set_config")).await.unwrap_err();
    assert!(matches!(seen, ImpersonationError::Refused(_)), "{seen:?}");
    desk.rows("app_owner", "create function app.turn(text, text, boolean) returns text language sql as 'select set_config($1, $2, $3)'; grant execute on function app.turn to public");
    let unseen = run(&impersonation, &turned.replace("TURN", "app.turn")).await.unwrap();
    assert_eq!(first(&unseen), "0");
    let theirs = format!("select count(*) from app.projects where tenant_id = '{BOLT}'");
    assert_eq!(desk.rows("embedded_superuser", &theirs), "1000", "the control: they are there");
    let by_id = run(&impersonation, "select name from app.projects where id = 1").await.unwrap();
    assert!(by_id.rows.rows.is_empty());
    // The control: the row is there, and its tenant sees it.
    assert_eq!(desk.rows("embedded_superuser", "select name from app.projects where id = 1"), "p1");
    let other = run(&impersonation, "select count(*) from app.projects").await.unwrap();
    assert_eq!(first(&other), "1000");
}

#[tokio::test]
async fn errors_of_the_operators_sql_name_the_place_and_keep_the_session() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let error = run(&impersonation, "select nonsense from app.projects").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Server);
    assert!(error.to_string().contains("nonsense"), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("character 8 ")), "{:?}", error.hints());
    let error = run(&impersonation, "select * from tenantdesk.ledger").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error:?}");
    let error = run(&impersonation, "select 1/0").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Server);
    assert_eq!(first(&run(&impersonation, "select 1").await.unwrap()), "1");
}
