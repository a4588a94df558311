//! The console over its real runner: what the database does to a session is on the screen at once.

use std::sync::{Arc, Mutex};

use tenantdesk::console::Console;
use tenantdesk::identity::RequestId;
use tenantdesk::logging::JsonLines;
use tenantdesk::tenant::sessions;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;
use crate::harness::terminal::real::RealConsole;

/// Opens a console at the tenants of the product.
async fn opened(desk: &Desk, level: &str) -> (RealConsole, String) {
    let operator = desk.operator(level);
    let mut console = RealConsole::open(desk.endpoint(&operator));
    console.wait_for("tenants 1/3").await;
    console.wait_for(&format!("({level})")).await;
    (console, operator)
}

/// Starts to read in the first tenant, which is `acme`, and opens the relation of projects.
async fn read_in_acme(console: &mut RealConsole, span: &str) {
    console.press("i").wait_for("act as        ‹ user").await;
    console.press(&format!(
        "<enter>ticket 4711: rows missing<enter>4711<enter><enter><ctrl-u>{span}<enter>"
    ));
    console.wait_for("READ ONLY IMPERSONATING acme").await;
    console.wait_for("│projects ").await;
}

/// The newest live impersonation.
fn session(desk: &Desk) -> i64 {
    let sql = "select id from tenantdesk.tenant_sessions where ended_at is null";
    desk.rows(SUPERUSER, sql).parse().unwrap()
}

fn nothing_is_left(console: &RealConsole) {
    assert!(!console.shows("IMPERSONATING"), "{}", console.text());
    assert!(!console.shows("acme-secret"), "{}", console.text());
}

#[tokio::test]
async fn an_end_by_somebody_else_is_noticed_at_once_and_said_so_that_nobody_misses_it() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    console.press("jjjjjj");
    console.press("eselect secret from app.projects limit 3;<enter>").wait_for("acme-secret").await;
    let approver = desk.operator("approver");
    let gate = Console::connect(desk.endpoint(&approver)).await.unwrap();
    assert!(sessions::end(&gate, session(&desk), None).await.unwrap());
    // Nobody presses a key and no timer of a minute runs: the closed connection tells it.
    console.wait_for("THE IMPERSONATION IS OVER").await;
    assert!(console.shows(&format!("it was ended by {approver}")), "{}", console.text());
    nothing_is_left(&console);
    // What is typed on was meant for the tenant: the card stays.
    console.press("select q;<enter>");
    assert!(console.shows("THE IMPERSONATION IS OVER"), "{}", console.text());
    console.press("<wait:1><enter>").wait_gone("THE IMPERSONATION IS OVER").await;
    console.press("M").wait_for(&format!("over: it was ended by {approver}")).await;
    console.press("<esc>gi").wait_for("no impersonation is open").await;
    // The next one starts with an empty prompt.
    console.press("1");
    read_in_acme(&mut console, "15m").await;
    console.press("e<pageup>");
    assert!(!console.shows("select"), "{}", console.text());
}

#[tokio::test]
async fn an_end_from_ones_own_shell_is_noticed_as_well() {
    let desk = Desk::product();
    let (mut console, operator) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    let gate = Console::connect(desk.endpoint(&operator)).await.unwrap();
    sessions::end(&gate, session(&desk), Some("wrong tenant")).await.unwrap();
    console.wait_for(&format!("it was ended by {operator}: wrong tenant")).await;
    nothing_is_left(&console);
}

#[tokio::test]
async fn expiry_in_the_database_is_said_and_the_next_one_can_start() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "2s").await;
    console.wait_for("its time has expired").await;
    nothing_is_left(&console);
    console.press("<wait:1><enter>1");
    read_in_acme(&mut console, "15m").await;
}

#[tokio::test]
async fn a_connection_that_is_lost_ends_the_session_in_the_database_too() {
    let desk = Desk::product();
    let (mut console, operator) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    let id = session(&desk);
    let kill = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tenantdesk/{id}' and datname = current_database()"
    );
    assert_eq!(desk.rows(SUPERUSER, &kill), "t");
    console.wait_for("the connection to the server ended").await;
    nothing_is_left(&console);
    let left = format!(
        "select count(*) from tenantdesk.tenant_sessions where operator = '{operator}' and ended_at is null"
    );
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while desk.rows(SUPERUSER, &left) != "0" {
        assert!(std::time::Instant::now() < deadline, "the session is still open");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_answer_that_fails_because_of_the_end_tells_it_before_it_fails() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    // Ended without its connection being closed, as by a tool that died in between.
    let approver = desk.operator("approver");
    let end = format!("select tenantdesk.end_session({}, null)", session(&desk));
    desk.rows(&approver, &format!("begin; set local role tenantdesk_operator; {end}; commit"));
    assert!(console.shows("IMPERSONATING"), "the control: nothing told it yet");
    console.press("eselect 1;<enter>").wait_for(&format!("it was ended by {approver}")).await;
    nothing_is_left(&console);
    let place = |part: &str| console.told.iter().position(|message| message.contains(part));
    let (lost, failed) =
        (place("SessionLost").unwrap(), place("result: Err").unwrap_or(usize::MAX));
    assert!(lost < failed, "{:?}", console.told);
}

#[tokio::test]
async fn the_tripwire_is_named_as_what_stopped_it() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    desk.rows("app_owner", "alter table app.projects disable row level security");
    console.press("eselect name, tenant_id from app.projects;<enter>");
    console.wait_for("a row of another tenant came back").await;
    nothing_is_left(&console);
}

#[tokio::test]
async fn what_fails_is_found_by_its_request_in_the_log_and_in_the_ledger() {
    let log = Log::default();
    let lines = JsonLines::new(log.clone(), RequestId::draw());
    // Beside an only subscriber, what another test reaches first would be switched off for good:
    // with a second one alive, both are asked.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // Everything runs on this thread, so nothing of other tests is in it.
    let _here = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    console.press("eselect 1 / 0 as \"hunter2\";<enter>").wait_for("division by zero").await;
    let text = console.text();
    let line = text.lines().find(|line| line.contains("request ")).expect(&text);
    let request = line.split("request ").nth(1).unwrap().split_whitespace().next().unwrap();
    let recorded =
        format!("select action, outcome from tenantdesk.ledger where request = '{request}'");
    assert_eq!(desk.rows(SUPERUSER, &recorded), "statement|intent\nstatement|failed");
    let logged = log.lines();
    let own: Vec<_> = logged.iter().filter(|line| line["request_id"] == request).collect();
    assert_eq!(own.len(), 1, "{logged:?}");
    assert_eq!(own[0]["fields"]["kind"], "server");
    assert_eq!(own[0]["spans"][0]["what"], "run statement");
    // Values of rows do not get into the log.
    assert!(!log.text().contains("division"), "{}", log.text());
    // The log of messages names it even where the screen does not any more.
    console.press("<f2>M").wait_for("messages").await;
    assert!(console.shows(request), "{}", console.text());
}

#[tokio::test]
async fn a_record_is_shown_and_copied_whole() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.projects set secret = repeat('ü', 4990) || 'the end' where id = 3");
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    open_relation(&mut console, "projects").await;
    console.press("lll");
    assert!(console.shows("[secret]"), "{}", console.text());
    console.press("y").wait_for("copied secret: 4,997 characters").await;
    assert!(console.copied.last().unwrap().ends_with("üthe end"));
    console.press("<enter>").wait_for("record of app.projects").await;
    console.press("G");
    assert!(console.shows("üthe end"), "{}", console.text());
}

#[tokio::test]
async fn a_relation_without_a_key_says_why_only_its_first_page_is_there() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; insert into app.events select 'aaaaaaaa-0000-0000-0000-000000000001', '2024-05-01', 'k' || g from generate_series(1, 300) g");
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    open_relation(&mut console, "events").await;
    assert!(
        console.shows("no primary key: only the first page can be shown"),
        "{}",
        console.text()
    );
    console.press("]").wait_for("rows: no primary key").await;
    assert!(!console.shows("this is the last page"), "{}", console.text());
}

#[tokio::test]
async fn the_screen_of_the_server_says_version_and_fsync_and_which_it_is() {
    let desk = Desk::product();
    let (mut console, operator) = opened(&desk, "viewer").await;
    assert!(
        console.shows(&format!("{operator} (viewer) · {}", desk.database)),
        "{}",
        console.text()
    );
    console.press("5").wait_for("✓ guard").await;
    let version = desk.rows(SUPERUSER, "show server_version");
    let said = |label: &str| {
        let text = console.text();
        let line = text.lines().find(|line| line.starts_with(&format!("│{label} "))).expect(&text);
        line.trim_matches('│').trim_start_matches(label).trim().to_owned()
    };
    assert_eq!(said("server"), "another one, by its address");
    assert_eq!(said("version"), version);
    let expected = desk.rows(SUPERUSER, "show fsync");
    assert!(said("fsync").to_lowercase().starts_with(&expected), "{}", said("fsync"));
    assert_eq!(said("operator"), operator);
}

#[tokio::test]
async fn an_archive_is_shown_as_it_says_itself_and_its_export_counts_rows_without_a_total() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "admin").await;
    console.press("xy").wait_for("the export is written").await;
    let told = console.told.join("\n");
    assert!(told.contains("Planned { unit: \"rows\", total: None }"), "{told}");
    assert!(told.contains("Entered { step: \"app.projects, relation "), "{told}");
    console.press("<enter>3").wait_for("archives 1/1").await;
    console.press("<enter>").wait_for("as it says itself, nothing is verified").await;
    assert!(console.shows("app.projects     1,000 rows, "), "{}", console.text());
    console.press("<enter>v").wait_for("is sound: every digest").await;
    let told = console.told.join("\n");
    assert!(told.contains("Planned { unit: \"bytes\", total: Some("), "{told}");
}

#[tokio::test]
async fn the_card_of_an_event_says_what_was_recorded() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    console.press("eselect 1 / 0 as x;<enter>").wait_for("division by zero").await;
    console.press("<ctrl-x>").wait_gone("IMPERSONATING").await;
    console.press("4").wait_for("impersonate.end").await;
    console.press("j<enter>").wait_for("SQLSTATE").await;
    for part in ["failed", "22012", "select ? / ? as x", "took", "ms", "request", "the client"] {
        assert!(console.shows(part), "no `{part}` in\n{}", console.text());
    }
    console.press("<esc>G<enter>").wait_for("ticket 4711: rows missing").await;
    assert!(console.shows("as member") && console.shows("until"), "{}", console.text());
}

#[tokio::test]
async fn lists_and_another_limit_come_from_the_database() {
    let desk = Desk::starter();
    desk.rows(
        SUPERUSER,
        "insert into app.tenants (id, slug, subdomain, name, plan) values (gen_random_uuid(), 'acme', 'acme', 'Acme', 'starter')",
    );
    let admin = desk.operator("admin");
    let manager = Console::connect(desk.endpoint("app_owner")).await.unwrap();
    tenantdesk::usage::plans::load(&manager).await.unwrap();
    let mut console = RealConsole::open(desk.endpoint(&admin));
    console.wait_for("│acme ").await;
    console.press(":tables list<enter>").wait_for("app.tenants").await;
    assert!(console.shows("keyed by tenant_id, guarded by policy"), "{}", console.text());
    console.press("<esc>:operator list<enter>").wait_for("operators ").await;
    assert!(console.shows(&admin), "{}", console.text());
    console.press("<esc>:plan show<enter>").wait_for("starter: Starter").await;
    console.press("<esc>:impersonation list<enter>").wait_for("nobody was in a tenant yet").await;
    console.press("<esc>o").wait_for("0 used; the limit is").await;
    console
        .press("<enter>7<enter>30d<enter>they pay for more<enter>")
        .wait_for("acme may have 7 ")
        .await;
    let set = "select hard, reason from tenantdesk.limit_overrides";
    let recorded = "select outcome from tenantdesk.ledger where action = 'limit.override'";
    assert_eq!(desk.rows(SUPERUSER, recorded), "ok");
    assert_eq!(desk.rows(SUPERUSER, set), "7|they pay for more");
}

#[tokio::test]
async fn a_session_that_was_left_behind_is_ended_by_its_operator_in_the_console() {
    let desk = Desk::product();
    let (mut console, operator) = opened(&desk, "support").await;
    // Another console of the same person, which died.
    let mut other = RealConsole::open(desk.endpoint(&operator));
    other.wait_for("tenants 1/3").await;
    other.wait_for("(support)").await;
    read_in_acme(&mut other, "15m").await;
    console.press("i").wait_for("act as        ‹ user").await;
    console.press("<enter>ticket 4711: rows missing<enter><enter><enter><enter>");
    console.wait_for("you are impersonating already").await;
    console.press("<esc><enter>").wait_for("▲ running").await;
    console.press("<tab>X").wait_for("end this session?").await;
    console.press("y").wait_for("the session is ended").await;
    other.wait_for("THE IMPERSONATION IS OVER").await;
    console.press("<esc>");
    read_in_acme(&mut console, "15m").await;
}

/// Opens a relation by walking down to it.
async fn open_relation(console: &mut RealConsole, name: &str) {
    let text = console.text();
    let lines: Vec<&str> = text.lines().collect();
    let place = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    let steps = place(&format!("│{name} ")) - place("│name") - 1;
    console.press(&"j".repeat(steps)).press("<enter>").wait_for("page 1, ").await;
    assert!(console.shows(&format!("─ app.{name} ─")), "{}", console.text());
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn operators_are_managed_by_the_real_runner() {
    let desk = Desk::product();
    let (mut console, _) = opened(&desk, "admin").await;
    let name = format!("ada_{}", desk.database);
    console.press(&format!(":operator add<enter>{name}<ctrl-s>"));
    console.wait_for("shown only now").await;
    console.press("<enter>:operator level<enter>").wait_for("now, added by").await;
    console.press(&format!("{name}<enter><right><enter>")).wait_for("change the level?").await;
    console.press("y").wait_for("has level support").await;
    console.press(":operator remove<enter>").wait_for("now, added by").await;
    console.press(&format!("{name}<enter>")).wait_for("remove the operator?").await;
    console.press("y").wait_for("is removed").await;
    let roles = format!("select count(*) from pg_roles where rolname = '{name}'");
    assert_eq!(desk.rows(SUPERUSER, &roles), "0");
}

#[tokio::test]
async fn a_foreign_key_is_followed_and_one_to_another_tenant_is_not_found() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.attachments set project_id = 1 where id = 3");
    let (mut console, _) = opened(&desk, "support").await;
    read_in_acme(&mut console, "15m").await;
    console.press("jjjj<enter>").wait_for("[id]").await;
    console.press("llf").wait_for("not found: the record of app.projects").await;
    assert!(console.shows("[project_id]"), "the rows stay: {}", console.text());
    console.press("jf").wait_for("app.attachments › app.projects").await;
    console.wait_for("acme-secret-6").await;
    console.press("r").wait_for("↓ app.attachments by project_id").await;
    assert!(console.shows("1 row"), "{}", console.text());
    console.press("<esc><esc>").wait_for("[project_id]").await;
    console.press("<ctrl-x>").wait_for("the impersonation is ended").await;
    nothing_is_left(&console);
}
