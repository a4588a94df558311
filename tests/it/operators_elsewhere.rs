//! Operators on servers that are not ours: passwords, and logins that several databases of one server know.
//!
//! Logins belong to the whole server, levels to each database; so each test has a server of its own.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tenantdesk::console::Console;
use tenantdesk::failure::Failure;
use tenantdesk::identity::{Level, OperatorName};
use tenantdesk::isolation::setup::{SetupDesk, remove};
use tenantdesk::tenant::operators::{self, Gone, Login, NewOperator};
use tenantdesk::tenant::password;

use crate::attack_intruder::{
    Line, READER, as_operator, on_a_server_of_its_own, one_more_database_on, open_call, sqlstate,
};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};
use crate::harness::home::Home;

/// Two databases of one server, each with an installation of its own.
fn two() -> (Desk, Desk) {
    let one = on_a_server_of_its_own();
    let other = one_more_database_on(one.cluster);
    (one, other)
}

async fn add(console: &Console, name: &OperatorName, level: Level) -> Result<Login, Failure> {
    let password = SecretString::from("given by whoever adds");
    let new = NewOperator { name, level, shared: false, password: Some(&password) };
    Ok(operators::add(console, &new).await?)
}

/// What the server keeps of a password.
fn stored(desk: &Desk, name: &OperatorName) -> String {
    desk.rows(SUPERUSER, &format!("select rolpassword from pg_authid where rolname = '{name}'"))
}

fn exists(desk: &Desk, name: &OperatorName) -> String {
    desk.rows(SUPERUSER, &format!("select count(*) from pg_roles where rolname = '{name}'"))
}

fn level(desk: &Desk, name: &OperatorName) -> String {
    desk.rows(
        name.as_str(),
        &as_operator("select coalesce(level, 'none') from tenantdesk.whoami()"),
    )
}

#[tokio::test]
async fn a_login_has_a_level_per_database_and_one_password() {
    let (one, other) = two();
    let name: OperatorName = "ann".parse().unwrap();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    assert_eq!(add(&here, &name, Level::Admin).await.unwrap(), Login::Made);
    // An operator of one has nothing in the other.
    assert!(Console::connect(other.endpoint("ann")).await.is_err());
    let call = open_call("t", ACME, "impersonate", "read");
    let opening = as_operator(&format!("select 1 from {call}"));
    assert_eq!(sqlstate(&other.psql("ann", &opening)), "42501");
    let before = stored(&one, &name);
    assert!(before.starts_with("SCRAM-SHA-256$4096:"), "{before}");
    assert_eq!(add(&there, &name, Level::Support).await.unwrap(), Login::Joined);
    assert_eq!(stored(&one, &name), before, "the password is the person's, not this database's");
    assert_eq!((level(&one, &name), level(&other, &name)), ("admin".into(), "support".into()));
    assert_eq!(one.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
    assert_eq!(other.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
    let again = add(&there, &name, Level::Admin).await.unwrap_err();
    assert!(again.message.contains("is an operator of this database already"), "{again}");

    // Whoever sets the password in one could be that person in the other.
    let taken =
        operators::set_password(&here, &name, &SecretString::from("another password")).await;
    assert!(Failure::from(taken.unwrap_err()).message.contains("another database"));
    assert_eq!(stored(&one, &name), before);

    assert_eq!(operators::remove(&here, &name).await.unwrap(), Gone::Kept);
    assert_eq!((level(&one, &name), level(&other, &name)), ("none".into(), "support".into()));
    assert!(
        Failure::from(operators::remove(&here, &name).await.unwrap_err())
            .message
            .contains("not found")
    );
    // In the other it works as before, with a session and its rows.
    let call = open_call("ours", ACME, "impersonate", "read");
    other.rows("ann", &as_operator(&format!("select 1 from {call}")));
    let read = format!(
        "begin; set local role {READER};\n\\o /dev/null\nselect set_config('tenantdesk.session', 'ours', true), set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect count(*) from app.projects; commit"
    );
    assert_eq!(other.rows("ann", &read), "1000");
    // The role of that session is of the whole server; the guard of this database shows nothing,
    // and calls it no fault.
    assert_eq!(one.rows(SUPERUSER, "select count(*) from tenantdesk.faults()"), "0");
    assert_eq!(one.psql("ann", &read).stdout, "0\n");
    // Now only one knows the login: there its password can be set, and the last one out drops it.
    operators::set_password(&there, &name, &SecretString::from("another password")).await.unwrap();
    assert_ne!(stored(&one, &name), before);
    assert_eq!(operators::remove(&there, &name).await.unwrap(), Gone::Dropped);
    assert_eq!(exists(&one, &name), "0");
}

#[tokio::test]
async fn sessions_in_two_databases_neither_end_nor_shut_each_other() {
    let (one, other) = two();
    let name: OperatorName = "ann".parse().unwrap();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    add(&here, &name, Level::Support).await.unwrap();
    add(&there, &name, Level::Support).await.unwrap();
    let open = |desk: &Desk, login: &str, token: &str| {
        let call = open_call(token, ACME, "impersonate", "read");
        desk.rows(login, &as_operator(&format!("select id from {call}")))
    };
    let count = |desk: &Desk, token: &str| {
        desk.psql("ann", &format!(
            "begin; set local role {READER};\n\\o /dev/null\nselect set_config('tenantdesk.session', '{token}', true), set_config('app.tenant_id', '{ACME}', true);\n\\o\nselect count(*) from app.projects; commit"
        ))
    };
    let end = |desk: &Desk, id: &str| {
        desk.rows("ann", &as_operator(&format!("select tenantdesk.end_session({id}, 'done')")));
    };
    let (first, second) = (open(&one, "ann", "here"), open(&other, "ann", "there"));
    // Somebody else can still come in.
    let bea = other.operator("support");
    open(&other, &bea, "bea");
    end(&other, &second);
    assert_eq!(count(&one, "here").rows(), "1000", "the end of one takes nothing from the other");
    assert_eq!(count(&other, "there").rows(), "0");
    end(&one, &first);
    assert_eq!(sqlstate(&count(&one, "here")), "42501", "with the last one the role is gone");
    // Control: a role that no session needs anywhere is a fault still.
    one.rows(SUPERUSER, "grant tenantdesk_reader to ann");
    let faults = "select count(*) from tenantdesk.faults() where object = 'operator ann'";
    assert_eq!(
        (one.rows(SUPERUSER, faults), other.rows(SUPERUSER, faults)),
        ("1".into(), "1".into())
    );
}

#[tokio::test]
async fn removing_ends_the_connections_to_this_database_alone() {
    let (one, other) = two();
    let name: OperatorName = "ann".parse().unwrap();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    add(&here, &name, Level::Support).await.unwrap();
    add(&there, &name, Level::Support).await.unwrap();
    let (mut mine, mut theirs) = (Line::open(&one, "ann"), Line::open(&other, "ann"));
    assert_eq!(
        (mine.say("select 1").as_deref(), theirs.say("select 1").as_deref()),
        (Some("1"), Some("1"))
    );
    operators::remove(&here, &name).await.unwrap();
    assert_eq!(mine.say("select 2"), None);
    assert_eq!(theirs.say("select 2").as_deref(), Some("2"));
    operators::remove(&there, &name).await.unwrap();
    assert_eq!(theirs.say("select 3"), None);
}

#[tokio::test]
async fn a_login_that_no_installation_made_or_that_became_more_is_not_joined() {
    let (one, other) = two();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    for (name, change, why) in [
        (
            "bea",
            "create role bea login noinherit; grant tenantdesk_operator to bea; grant bea to tenantdesk_killer",
            "never adopted",
        ),
        ("cem", "alter role cem createdb", "could escape"),
        ("dan", "grant pg_read_all_data to dan", "could escape"),
        ("eva", "alter role eva nologin", "is locked"),
        ("fay", "revoke tenantdesk_operator from fay", "never adopted"),
        ("gil", "revoke gil from tenantdesk_killer", "never adopted"),
    ] {
        let name: OperatorName = name.parse().unwrap();
        if name.as_str() != "bea" {
            add(&here, &name, Level::Viewer).await.unwrap();
        }
        // From 16 on a membership is taken by whoever gave it.
        let modern = one.cluster.version >= 16 && change.starts_with("revoke");
        let by = if modern { " granted by tenantdesk_registrar" } else { "" };
        one.rows(SUPERUSER, &format!("{change}{by}"));
        let refused = add(&there, &name, Level::Viewer).await.unwrap_err();
        assert!(refused.message.contains(why), "{change}: {refused}");
    }
    // Control: unchanged it is joined; the mark of a database that is gone is enough to tell who made it.
    let name: OperatorName = "hal".parse().unwrap();
    add(&here, &name, Level::Viewer).await.unwrap();
    assert_eq!(add(&there, &name, Level::Viewer).await.unwrap(), Login::Joined);
}

#[tokio::test]
async fn a_copy_of_a_database_and_one_that_is_gone_know_nobody() {
    let one = on_a_server_of_its_own();
    let here = one.console("app_owner").await;
    let name: OperatorName = "ann".parse().unwrap();
    add(&here, &name, Level::Support).await.unwrap();
    drop(here);
    let elsewhere = "select coalesce(tenantdesk.known_elsewhere('ann'), 'nowhere')";
    // The copy's rows and dependencies name ann, and still it knows nobody.
    one.cluster
        .psql(
            "postgres",
            SUPERUSER,
            "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'alone%'",
        )
        .rows();
    let copy = one.cluster.create_database_from(&one.database, "copy");
    assert_eq!(one.rows(SUPERUSER, elsewhere), "nowhere");
    let other = one_more_database_on(one.cluster);
    add(&other.console("app_owner").await, &name, Level::Support).await.unwrap();
    assert_eq!(one.rows(SUPERUSER, elsewhere), other.database);
    one.rows(SUPERUSER, &format!("drop database {} with (force)", other.database));
    assert_eq!(one.rows(SUPERUSER, elsewhere), "nowhere");
    let here = one.console("app_owner").await;
    assert_eq!(operators::remove(&here, &name).await.unwrap(), Gone::Dropped);
    assert_eq!(exists(&one, &name), "0");
    drop(copy);
}

#[tokio::test]
async fn the_login_that_ran_setup_manages_this_database_and_no_copy_of_it() {
    let one = on_a_server_of_its_own();
    one.rows(SUPERUSER, "create role setter login createrole; grant tenantdesk_operator to setter");
    let manager =
        |desk: &Desk| desk.rows("setter", "select manager, shared from tenantdesk.whoami()");
    one.rows(SUPERUSER, "grant execute on function tenantdesk.whoami to setter; grant usage on schema tenantdesk to setter");
    assert_eq!(manager(&one), "f|t");
    let note = "insert into tenantdesk.configuration (name, value) select 'setup.manager', oid::text from pg_roles where rolname = 'setter' on conflict (name) do update set value = excluded.value";
    one.rows(SUPERUSER, note);
    assert_eq!(manager(&one), "t|t");
    let add = "select tenantdesk.operator_add('ann', 'viewer', null, false, null)";
    let group = format!("begin; set local role tenantdesk_operator; {add}; commit");
    one.rows("setter", &group);
    let opening =
        as_operator(&format!("select 1 from {}", open_call("t", ACME, "impersonate", "read")));
    assert_eq!(sqlstate(&one.psql("setter", &opening)), "42501", "it opens no session");
    let copy = Desk {
        cluster: one.cluster,
        database: one.cluster.create_database_from(&one.database, "copy"),
    };
    assert_eq!(manager(&copy), "f|t", "a copy was set up by nobody");
    // Control: what makes the difference is the database that the note was made in.
    copy.rows(
        SUPERUSER,
        "update tenantdesk.configuration set value = value where name = 'setup.manager'",
    );
    assert_eq!(manager(&copy), "t|t");
    // Another login of that name is another one.
    one.rows(SUPERUSER, "drop owned by setter; alter role setter rename to was_setter; create role setter login; grant tenantdesk_operator to setter; grant execute on function tenantdesk.whoami to setter; grant usage on schema tenantdesk to setter");
    assert_eq!(manager(&one), "f|t");
}

#[tokio::test]
async fn setup_that_goes_forgets_its_operators_and_leaves_those_of_others() {
    let (one, other) = two();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    let [ann, bea]: [OperatorName; 2] = ["ann", "bea"].map(|name| name.parse().unwrap());
    add(&here, &ann, Level::Admin).await.unwrap();
    add(&here, &bea, Level::Viewer).await.unwrap();
    add(&there, &ann, Level::Support).await.unwrap();
    let forget =
        "set role tenantdesk_registrar; select login, why from tenantdesk.forget_operators()";
    assert_eq!(sqlstate(&one.psql("ann", "select tenantdesk.forget_operators()")), "42501");
    let option = if one.cluster.version >= 16 { " with set true" } else { "" };
    one.rows(SUPERUSER, &format!("grant tenantdesk_registrar to app_owner{option}"));
    let kept = one.rows("app_owner", forget);
    assert_eq!(kept, format!("ann|another database of this server knows it: {}", other.database));
    assert_eq!((exists(&one, &ann), exists(&one, &bea)), ("1".into(), "0".into()));
    let mark = format!(
        "select count(*) from pg_roles where rolname = 'tenantdesk_database_' || (select oid from pg_database where datname = '{}')",
        one.database
    );
    assert_eq!(one.rows(SUPERUSER, &mark), "0");
    assert_eq!(level(&other, &ann), "support");
}

#[tokio::test]
async fn the_last_setup_that_goes_leaves_no_login_and_no_role() {
    let (one, other) = two();
    let (here, there) = (one.console("app_owner").await, other.console("app_owner").await);
    let [ann, bea]: [OperatorName; 2] = ["ann", "bea"].map(|name| name.parse().unwrap());
    add(&here, &ann, Level::Admin).await.unwrap();
    add(&here, &bea, Level::Viewer).await.unwrap();
    add(&there, &ann, Level::Support).await.unwrap();
    for (desk, gone, left) in [(&one, "bea", "1"), (&other, "ann", "0")] {
        let setup = SetupDesk::connect(desk.endpoint("app_owner")).await.unwrap();
        let removed = remove(&setup, &desk.database, &mut |_| Ok(())).await.unwrap();
        assert_eq!(removed.operators, [gone]);
        assert_eq!(exists(desk, &ann), left);
    }
    let roles = "select coalesce(string_agg(rolname, ','), 'none') from pg_roles where rolname ~ '^(tenantdesk_|ann|bea)'";
    assert_eq!(one.cluster.psql("postgres", SUPERUSER, roles).rows(), "none");
}

#[test]
fn a_removal_is_not_held_up_by_open_transactions_of_who_is_removed() {
    let desk = on_a_server_of_its_own();
    let (boss, rogue) = (desk.operator("admin"), desk.operator("admin"));
    // One holds the chain of the installation, one his own role, one the table of operators.
    let mut lines: Vec<Line> = (0..3).map(|_| Line::open(&desk, &rogue)).collect();
    let set = "begin isolation level read committed; set local role tenantdesk_operator";
    lines[0].say(set);
    assert_eq!(
        lines[0].say("select tenantdesk.operation_begin(gen_random_uuid(), 'audit.verify', null, 'x', 'a reason to', gen_random_uuid()) > 0").as_deref(),
        Some("t")
    );
    lines[1].say("begin");
    assert_eq!(lines[1].say(&format!("alter role {rogue} password 'mine'")).as_deref(), Some(""));
    let started = std::time::Instant::now();
    let lock = as_operator(&format!("select tenantdesk.operator_lock('{rogue}')"));
    desk.rows(&boss, &lock);
    assert!(started.elapsed() < std::time::Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(lines[0].say("select 1"), None, "his connections are ended by the lock itself");
    let back = desk.psql(&rogue, "select 1");
    assert!(back.stderr.contains("not permitted to log in"), "{}", back.stderr);
    // The record follows, and waits for nobody any more.
    desk.rows(&boss, &as_operator(&format!("select tenantdesk.operator_remove('{rogue}', null)")));
    assert_eq!(
        desk.rows(&boss, &as_operator(&format!("select tenantdesk.operator_drop('{rogue}')"))),
        "t"
    );
    let trail = "select actor, outcome from tenantdesk.ledger where action = 'operator.remove'";
    assert_eq!(desk.rows(SUPERUSER, trail), format!("{boss}|ok"));

    // Control: without the lock the second step waits for the chain that he holds.
    let rogue = desk.operator("admin");
    let mut line = Line::open(&desk, &rogue);
    line.say(set);
    line.say("select tenantdesk.operation_begin(gen_random_uuid(), 'audit.verify', null, 'x', 'a reason to', gen_random_uuid())");
    desk.rows(SUPERUSER, "create or replace function tenantdesk.terminate_operator(name text) returns integer language sql as 'select 0'");
    let held = desk
        .psql(&boss, &as_operator(&format!("select tenantdesk.operator_remove('{rogue}', null)")));
    assert_eq!(sqlstate(&held), "55P03", "{held:?}");
}

/// Lets logins in by password only.
fn with_passwords(desk: &Desk) {
    let hba = desk.cluster.base().join("data/pg_hba.conf");
    let text = "local all embedded_superuser,app_owner trust\nlocal all all scram-sha-256\n";
    std::fs::write(&hba, text).unwrap();
    desk.cluster.psql("postgres", SUPERUSER, "select pg_reload_conf()").rows();
}

/// Whether the server takes the password.
fn logs_in(desk: &Desk, name: &str, password: &str) -> bool {
    let mut command = desk.cluster.psql_command(&desk.database, name);
    command.env("PGPASSWORD", password);
    crate::harness::cluster::output_of(&mut command, "select 1").stdout == "1\n"
}

#[test]
fn a_password_is_shown_once_and_the_server_gets_a_verifier() {
    let (desk, home) = (on_a_server_of_its_own(), Home::started());
    let url = desk.endpoint("app_owner").url();
    desk.rows(SUPERUSER, "alter system set log_statement = 'all'");
    with_passwords(&desk);
    let answer = |words: &[&str]| -> Value { home.answer(&[words, &["--url", &url]].concat()) };
    let added = answer(&["operator", "add", "ann", "--level", "support"]);
    let password = added["password"].as_str().expect("a password").to_owned();
    assert_eq!(added["operator"]["name"], "ann");
    assert!(!added["url"].as_str().unwrap().contains(&password));
    assert!(logs_in(&desk, "ann", &password) && !logs_in(&desk, "ann", "wrong"));
    let log = std::fs::read_to_string(desk.cluster.base().join("server.log")).unwrap();
    assert!(log.contains("SCRAM-SHA-256$") && !log.contains(&password), "the log tells it");
    let renewed = answer(&["operator", "password", "ann"]);
    let newer = renewed["password"].as_str().expect("a password");
    assert!(logs_in(&desk, "ann", newer) && !logs_in(&desk, "ann", &password));
    for (name, flags) in [("cara", &["--certificate"][..]), ("dora", &["--password", "none"])] {
        let words =
            [&["operator", "add", name, "--level", "viewer", "--shared"][..], flags].concat();
        let added = answer(&words);
        assert_eq!(
            (added["password"].is_null(), &added["operator"]["shared"]),
            (true, &Value::Bool(true))
        );
    }
    // The embedded server needs none: `peer` knows who is there.
    let here = home.answer(&["operator", "add", "ann", "--level", "viewer"]);
    assert!(here["password"].is_null() && here["login"] == "made", "{here}");
}

#[test]
fn a_drawn_password_is_not_printable_by_accident() {
    let drawn = password::draw().unwrap();
    assert!(!format!("{drawn:?}").contains(drawn.expose_secret()));
}
